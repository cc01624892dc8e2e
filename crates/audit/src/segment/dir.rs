//! The directory that segments lie in.

use super::writer::Start;
use super::{Segment, SegmentError, SegmentReader, SegmentWriter, failed, name};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The directory that segments lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentDir(PathBuf);

impl SegmentDir {
    /// A directory; made when the first segment is written.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Begins a segment under a name that nothing reads.
    pub fn begin(
        &self,
        incarnation: [u8; 16],
        first: u64,
        previous: [u8; 32],
    ) -> Result<SegmentWriter, SegmentError> {
        make_private(&self.0).map_err(failed("make", &self.0))?;
        let unborn = self.0.join("trail-being-written.new");
        // what an interrupted attempt left; the entries in it are all still in the store
        let _ = std::fs::remove_file(&unborn);
        let file = private_new(&unborn).map_err(failed("create", &unborn))?;
        SegmentWriter::begin(&self.0, unborn, file, Start { incarnation, first, previous })
    }

    /// The last entry of a segment that was written from `first` on and perhaps never put on record.
    pub fn written(&self, incarnation: &[u8; 16], first: u64) -> Result<Option<u64>, SegmentError> {
        let names = match std::fs::read_dir(&self.0) {
            Ok(names) => names,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("list", &self.0)(error)),
        };
        let last = |file: std::io::Result<std::fs::DirEntry>| {
            let file = file.ok()?.file_name().into_string().ok()?;
            let last = file.strip_suffix(".segment")?.rsplit('-').next()?.parse().ok()?;
            (file == name(incarnation, first, last)).then_some(last)
        };
        Ok(names.filter_map(last).max())
    }

    /// Opens a segment's file, to be read entry by entry.
    pub fn open(&self, segment: &Segment) -> Result<SegmentReader<File>, SegmentError> {
        let name = segment.name();
        let path = self.0.join(&name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(SegmentError::Missing { name });
            }
            Err(error) => return Err(failed("open", &path)(error)),
        };
        SegmentReader::over(segment, file)
    }

    /// Reads a whole segment: layout, chain, checkpoint, digest.
    pub fn check(&self, segment: &Segment) -> Result<(), SegmentError> {
        self.open(segment)?.check()
    }
}

fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn private_new(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
