//! Segments: the front of the trail, moved out of the store into a file that is never changed again.
//!
//! Format: `docs/formats/segments.md`.

use crate::checkpoint::Checkpoint;
use crate::link;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Writer};
use strongroom_crypto::DigestStream;
use strongroom_store::{MAX_TXN_BYTES, TrailEntry, TrailHead};

const MAGIC: &[u8; 27] = b"strongroom trail segment 1\n";
const ROW_FORMAT: u8 = 1;
const BUFFER_BYTES: usize = 256 << 10;
const MAX_CHECKPOINT_BYTES: usize = 1_024;

/// What is wrong with a segment's file.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The system refused.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not there.
    #[error("segment {name} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// It is not what was written.
    #[error("segment {name} is damaged")]
    Damaged {
        /// Its name.
        name: String,
    },
}

/// What the store keeps of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The incarnation that wrote it.
    pub incarnation: [u8; 16],
    /// Its first entry.
    pub first: u64,
    /// The link before the first entry.
    pub previous: [u8; 32],
    /// Its last entry, and the link of it.
    pub last: TrailHead,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// Bytes of the file.
    pub bytes: u64,
    /// When it was written.
    pub time: UnixMillis,
}

impl Segment {
    /// Its file's name: made of its numbers, so that no stored text becomes part of a path.
    pub fn name(&self) -> String {
        name(&self.incarnation, self.first, self.last.seq)
    }

    /// As a row's value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new()
            .u8(ROW_FORMAT)
            .raw(&self.incarnation)
            .u64(self.first)
            .raw(&self.previous)
            .u64(self.last.seq)
            .raw(&self.last.hash)
            .raw(&self.digest)
            .u64(self.bytes)
            .i64(self.time.0)
            .finish()
    }

    /// From a row's value.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == ROW_FORMAT).then_some(())?;
        let segment = Self {
            incarnation: reader.array()?,
            first: reader.u64()?,
            previous: reader.array()?,
            last: TrailHead { seq: reader.u64()?, hash: reader.array()? },
            digest: reader.array()?,
            bytes: reader.u64()?,
            time: UnixMillis(reader.i64()?),
        };
        let sane = segment.first > 0 && segment.first <= segment.last.seq;
        (reader.rest().is_empty() && sane).then_some(segment)
    }
}

fn name(incarnation: &[u8; 16], first: u64, last: u64) -> String {
    use std::fmt::Write as _;
    let mut name = String::from("trail-");
    for byte in incarnation.iter().take(4) {
        // writing to a string does not fail
        let _ = write!(name, "{byte:02x}");
    }
    let _ = write!(name, "-{first:020}-{last:020}.segment");
    name
}

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
        let mut writer = SegmentWriter {
            dir: self.0.clone(),
            unborn: Unborn(unborn),
            out: BufWriter::with_capacity(BUFFER_BYTES, file),
            digest: DigestStream::new(),
            bytes: 0,
            incarnation,
            first,
            previous,
            at: TrailHead { seq: first.saturating_sub(1), hash: previous },
        };
        let head = Writer::new().raw(MAGIC).raw(&incarnation).u64(first).raw(&previous).finish();
        writer.put(&head)?;
        Ok(writer)
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
    pub fn open(&self, segment: &Segment) -> Result<SegmentReader, SegmentError> {
        let name = segment.name();
        let path = self.0.join(&name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(SegmentError::Missing { name });
            }
            Err(error) => return Err(failed("open", &path)(error)),
        };
        let source = Hashed {
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            digest: DigestStream::new(),
            bytes: 0,
        };
        let next = segment.first;
        let mut reader = SegmentReader { segment: segment.clone(), name, source, next, checkpoint: None };
        let magic: [u8; 27] = reader.array()?;
        let incarnation: [u8; 16] = reader.array()?;
        let first = u64::from_be_bytes(reader.array()?);
        let previous: [u8; 32] = reader.array()?;
        let same = (incarnation, first, previous) == (segment.incarnation, segment.first, segment.previous);
        if &magic == MAGIC && same { Ok(reader) } else { Err(reader.damaged()) }
    }

    /// Reads a whole segment: layout, chain, checkpoint, digest.
    pub fn check(&self, segment: &Segment) -> Result<(), SegmentError> {
        let mut reader = self.open(segment)?;
        let mut at = TrailHead { seq: segment.first.saturating_sub(1), hash: segment.previous };
        while let Some(entry) = reader.entry()? {
            let hash = link(&at.hash, entry.seq, entry.verdict, &entry.body);
            if hash != entry.hash {
                return Err(reader.damaged());
            }
            at = TrailHead { seq: entry.seq, hash };
        }
        reader.finish().map(drop)
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SegmentError {
    let path = path.to_owned();
    move |source| SegmentError::Io { action, path, source }
}

fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn private_new(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A file that is not a segment yet: taken back if it never becomes one, for a full disk has no room for it.
struct Unborn(PathBuf);

impl Drop for Unborn {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A segment being written.
pub struct SegmentWriter {
    dir: PathBuf,
    unborn: Unborn,
    out: BufWriter<File>,
    digest: DigestStream,
    bytes: u64,
    incarnation: [u8; 16],
    first: u64,
    previous: [u8; 32],
    at: TrailHead,
}

impl SegmentWriter {
    fn put(&mut self, bytes: &[u8]) -> Result<(), SegmentError> {
        self.digest.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.out.write_all(bytes).map_err(failed("write", &self.unborn.0))
    }

    /// Adds the next entry; one that does not follow is refused, for it would be damage made durable.
    pub fn entry(&mut self, entry: &TrailEntry) -> Result<(), SegmentError> {
        let hash = link(&self.at.hash, entry.seq, entry.verdict, &entry.body);
        if entry.seq != self.at.seq + 1 || hash != entry.hash || entry.verdict == 0 {
            return Err(SegmentError::Damaged { name: format!("of entry {} in the store", entry.seq) });
        }
        self.at = TrailHead { seq: entry.seq, hash };
        let bytes = Writer::with_capacity(entry.body.len() + 37)
            .u8(entry.verdict)
            .bytes(&entry.body)
            .raw(&entry.hash)
            .finish();
        self.put(&bytes)
    }

    /// The last entry so far: what the checkpoint is to cover.
    pub fn head(&self) -> TrailHead {
        self.at
    }

    /// Ends it with its checkpoint, makes it durable under its name, and reads it back.
    pub fn finish(mut self, checkpoint: &Checkpoint) -> Result<Segment, SegmentError> {
        let end = Writer::new().u8(0).bytes(&checkpoint.encode()).finish();
        self.put(&end)?;
        let file =
            self.out.into_inner().map_err(|error| failed("write", &self.unborn.0)(error.into_error()))?;
        file.sync_all().map_err(failed("sync", &self.unborn.0))?;
        let segment = Segment {
            incarnation: self.incarnation,
            first: self.first,
            previous: self.previous,
            last: self.at,
            digest: self.digest.finish(),
            bytes: self.bytes,
            time: checkpoint.time,
        };
        let path = self.dir.join(segment.name());
        std::fs::rename(&self.unborn.0, &path).map_err(failed("name", &path))?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed("sync", &self.dir))?;
        SegmentDir::at(&self.dir).check(&segment)?;
        Ok(segment)
    }
}

impl std::fmt::Debug for SegmentWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SegmentWriter({} to {})", self.first, self.at.seq)
    }
}

struct Hashed {
    file: BufReader<File>,
    digest: DigestStream,
    bytes: u64,
}

/// A segment being read.
pub struct SegmentReader {
    segment: Segment,
    name: String,
    source: Hashed,
    next: u64,
    checkpoint: Option<Checkpoint>,
}

impl SegmentReader {
    fn damaged(&self) -> SegmentError {
        SegmentError::Damaged { name: self.name.clone() }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SegmentError> {
        self.source.file.read_exact(buffer).map_err(|_| SegmentError::Damaged { name: self.name.clone() })?;
        self.source.digest.update(buffer);
        self.source.bytes += u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SegmentError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, most: usize) -> Result<Vec<u8>, SegmentError> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).unwrap_or(usize::MAX);
        if length > most {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next entry; none at the end. Its link is as stored, not checked.
    pub fn entry(&mut self) -> Result<Option<TrailEntry>, SegmentError> {
        if self.checkpoint.is_some() {
            return Ok(None);
        }
        let [verdict] = self.array()?;
        if verdict == 0 {
            let bytes = self.bytes(MAX_CHECKPOINT_BYTES)?;
            self.checkpoint = Some(Checkpoint::decode(&bytes).map_err(|_| self.damaged())?);
            return Ok(None);
        }
        let body = self.bytes(MAX_TXN_BYTES)?;
        let hash = self.array()?;
        let seq = self.next;
        if seq > self.segment.last.seq {
            return Err(self.damaged());
        }
        self.next += 1;
        Ok(Some(TrailEntry { seq, verdict, body, hash }))
    }

    /// The next entries, at most `limit`; none at the end.
    pub fn page(&mut self, limit: usize) -> Result<Vec<TrailEntry>, SegmentError> {
        let mut page = Vec::new();
        while page.len() < limit {
            match self.entry()? {
                Some(entry) => page.push(entry),
                None => break,
            }
        }
        Ok(page)
    }

    /// After the last entry: nothing follows, the digest is the one on record, the checkpoint covers the last entry.
    pub fn finish(mut self) -> Result<Checkpoint, SegmentError> {
        let damaged = self.damaged();
        let nothing_follows = matches!(self.source.file.read(&mut [0; 1]), Ok(0));
        let same = self.source.digest.finish() == self.segment.digest;
        let whole = self.source.bytes == self.segment.bytes && self.next == self.segment.last.seq + 1;
        match self.checkpoint {
            Some(checkpoint)
                if nothing_follows
                    && same
                    && whole
                    && checkpoint.head == self.segment.last
                    && checkpoint.check().is_ok() =>
            {
                Ok(checkpoint)
            }
            _ => Err(damaged),
        }
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
