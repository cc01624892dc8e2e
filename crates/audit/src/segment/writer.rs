//! Segments on their way out: under a name that nothing reads until they are whole and durable.

use super::{BUFFER_BYTES, MAGIC, Segment, SegmentDir, SegmentError, failed};
use crate::checkpoint::Checkpoint;
use crate::link;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use strongroom_barrier::Writer;
use strongroom_crypto::DigestStream;
use strongroom_store::{TrailEntry, TrailHead};

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
    start: Start,
    at: TrailHead,
}

/// What a segment begins with.
pub(super) struct Start {
    pub(super) incarnation: [u8; 16],
    pub(super) first: u64,
    pub(super) previous: [u8; 32],
}

impl SegmentWriter {
    pub(super) fn begin(dir: &Path, unborn: PathBuf, file: File, start: Start) -> Result<Self, SegmentError> {
        let Start { incarnation, first, previous } = start;
        let mut writer = Self {
            dir: dir.to_owned(),
            unborn: Unborn(unborn),
            out: BufWriter::with_capacity(BUFFER_BYTES, file),
            digest: DigestStream::new(),
            bytes: 0,
            start,
            at: TrailHead { seq: first.saturating_sub(1), hash: previous },
        };
        writer.put(&Writer::new().raw(MAGIC).raw(&incarnation).u64(first).raw(&previous).finish())?;
        Ok(writer)
    }

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
            incarnation: self.start.incarnation,
            first: self.start.first,
            previous: self.start.previous,
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
        write!(f, "SegmentWriter({} to {})", self.start.first, self.at.seq)
    }
}
