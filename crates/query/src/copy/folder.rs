//! The files of a copy: for each collector its records one after the other, for each batch its header.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use strongroom_envelope::{MAX_RECORD_BYTES, SealedRecord};
use strongroom_sharing::{BatchId, MemberId};

/// A copy that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct CopyError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

fn tell(path: &Path) -> impl Fn(io::Error) -> CopyError + '_ {
    |source| CopyError { path: path.to_owned(), source }
}

/// The folder of a copy.
#[derive(Debug)]
pub struct CopyFolder {
    path: PathBuf,
}

/// A collector's records: a frame is length (4 bytes), hour of arrival (4 bytes), record.
pub(crate) struct RecordsFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl CopyFolder {
    /// Opens a folder, or makes it. Whoever can read it learns what the exchange knows, so it is its owner's only.
    pub fn open(path: &Path) -> Result<Self, CopyError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        for folder in [path.to_owned(), path.join("headers")] {
            builder.create(&folder).map_err(tell(&folder))?;
        }
        Ok(Self { path: path.to_owned() })
    }

    /// The collectors that there are records of.
    pub fn collectors(&self) -> Result<Vec<MemberId>, CopyError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(tell(&self.path))? {
            let name = entry.map_err(tell(&self.path))?.file_name();
            let id: Option<MemberId> =
                name.to_str().and_then(|name| name.strip_suffix(".records")?.parse().ok());
            found.extend(id);
        }
        found.sort_unstable();
        Ok(found)
    }

    pub(crate) fn records_path(&self, collector: MemberId) -> PathBuf {
        self.path.join(format!("{collector}.records"))
    }

    pub(crate) fn records(&self, collector: MemberId) -> Result<RecordsFile, CopyError> {
        let path = self.records_path(collector);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(tell(&path))?;
        Ok(RecordsFile { path, file: BufWriter::with_capacity(1 << 18, file) })
    }

    fn header_path(&self, batch: BatchId) -> PathBuf {
        self.path.join("headers").join(batch.to_string())
    }

    pub(crate) fn missing_headers(&self, batches: &BTreeSet<BatchId>) -> Result<Vec<BatchId>, CopyError> {
        let mut missing = Vec::new();
        for batch in batches {
            let path = self.header_path(*batch);
            if !path.try_exists().map_err(tell(&path))? {
                missing.push(*batch);
            }
        }
        Ok(missing)
    }

    pub(crate) fn put_header(&self, batch: BatchId, bytes: &[u8]) -> Result<(), CopyError> {
        let path = self.header_path(batch);
        let part = path.with_extension("part");
        let mut options = OpenOptions::new();
        let written =
            options.write(true).create(true).truncate(true).mode(0o600).open(&part).and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()?;
                fs::rename(&part, &path)
            });
        written.map_err(tell(&path))
    }

    pub(crate) fn header(&self, batch: BatchId) -> Result<Option<Vec<u8>>, CopyError> {
        let path = self.header_path(batch);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(tell(&path)(error)),
        }
    }
}

impl RecordsFile {
    /// Hands each record to a check, and cuts the file behind the last good one. Whether nothing had to be cut but what an
    /// interrupted write left.
    pub(crate) fn read_all(
        &mut self,
        mut check: impl FnMut(&SealedRecord<'_>, u32) -> Result<(), &'static str>,
    ) -> Result<bool, CopyError> {
        let told = tell(&self.path);
        let mut frames = Frames::open(&self.path, 0)?;
        let (mut end, mut is_good) = (0, true);
        while let Some((bytes, hour)) = frames.next()? {
            let is_next = SealedRecord::parse(&bytes).is_ok_and(|record| check(&record, hour).is_ok());
            if !is_next {
                is_good = false;
                break;
            }
            end = frames.at;
        }
        let file = self.file.get_mut();
        file.set_len(end).map_err(&told)?;
        file.seek(SeekFrom::Start(end)).map_err(&told)?;
        Ok(is_good)
    }

    pub(crate) fn append(&mut self, record: &[u8], hour: u32) -> Result<(), CopyError> {
        let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
        let head = [length.to_be_bytes(), hour.to_be_bytes()].concat();
        let written = self.file.write_all(&head).and_then(|()| self.file.write_all(record));
        written.map_err(tell(&self.path))
    }

    pub(crate) fn sync(&mut self) -> Result<(), CopyError> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(tell(&self.path))
    }
}

/// A walk over the frames of a file.
pub(crate) struct Frames {
    path: PathBuf,
    file: BufReader<File>,
    /// Behind the last frame that was read.
    pub(crate) at: u64,
}

impl Frames {
    pub(crate) fn open(path: &Path, from: u64) -> Result<Self, CopyError> {
        let mut file = File::open(path).map_err(tell(path))?;
        file.seek(SeekFrom::Start(from)).map_err(tell(path))?;
        Ok(Self { path: path.to_owned(), file: BufReader::with_capacity(1 << 18, file), at: from })
    }

    /// The next record and its hour; nothing at the end, nor where the file was cut off.
    pub(crate) fn next(&mut self) -> Result<Option<(Vec<u8>, u32)>, CopyError> {
        match self.frame() {
            Ok(frame) => Ok(frame),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(tell(&self.path)(error)),
        }
    }

    fn frame(&mut self) -> io::Result<Option<(Vec<u8>, u32)>> {
        let (mut length, mut hour) = ([0; 4], [0; 4]);
        self.file.read_exact(&mut length)?;
        self.file.read_exact(&mut hour)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_RECORD_BYTES {
            return Ok(None);
        }
        let mut record = vec![0; length];
        self.file.read_exact(&mut record)?;
        self.at += 8 + u64::try_from(length).unwrap_or_default();
        Ok(Some((record, u32::from_be_bytes(hour))))
    }
}
