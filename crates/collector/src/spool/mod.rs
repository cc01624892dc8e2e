//! The spool: final sealed records on the disk, in the order of their chain, until the exchange has them; and raw records,
//! sealed under the spool's own key, for the time in which nothing may be encrypted.
//!
//! It is a log in segments. A group of records is one frame with length and checksum; it is acknowledged when the file was
//! synced, and one sync serves all groups that were written meanwhile. After a kill the log is read again: a torn frame at
//! the end was never acknowledged and is cut off, and the chain goes on behind the last record. A full disk changes nothing:
//! what was half written is cut off at once.

mod draft;
mod error;
mod files;
pub(crate) mod frame;
mod read;
mod recover;
mod state;

pub(crate) use draft::Draft;
pub use error::SpoolError;
pub(crate) use files::segment_path;
pub(crate) use read::{Cursor, RawRecord};

use draft::Writer;
use error::at;
use files::{begin_segment, locked, open_segment};
use frame::Entry;
use state::{Segment, State};
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_envelope::Chain;
use strongroom_member::config::SpoolConfig;
use strongroom_sharing::MemberId;

/// A segment is ended beyond this many bytes.
const SEGMENT_BYTES: u64 = 16 << 20;

/// A place in the log: segment and byte.
pub(crate) type Position = (u64, u64);

/// The log on the disk.
pub struct Spool {
    limits: SpoolConfig,
    writer: Mutex<Writer>,
    /// What is written, and the file to sync for it.
    written: Mutex<(Position, Arc<File>)>,
    /// What is durable. Whoever holds it syncs; the others wait for it.
    synced: Mutex<Position>,
    broken: AtomicBool,
    _lock: File,
}

/// How a spool stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// Records that the exchange has not taken yet.
    pub waiting: u64,
    /// Raw records that wait for a fresh manifest.
    pub raw: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

impl Spool {
    /// Opens or makes it, and brings it into order after a kill.
    pub fn open(limits: &SpoolConfig, collector: MemberId) -> Result<Self, SpoolError> {
        let folder = &limits.folder;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
        let lock = locked(&folder.join(".lock"))?;
        let mut state = recover::recover(folder, collector)?;
        let (number, file) = match state.segments.last_key_value() {
            Some((number, _)) => (*number, open_segment(folder, *number)?),
            None => begin_segment(folder, &mut state, 1, 0, None)?,
        };
        let end = state.segment(number).bytes;
        let file = Arc::new(file);
        let writer = Writer { state, file: file.clone(), number, header: None, frame: Vec::new() };
        let place = (number, end);
        Ok(Self {
            limits: limits.clone(),
            writer: Mutex::new(writer),
            written: Mutex::new((place, file)),
            synced: Mutex::new(place),
            broken: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.limits.folder
    }

    /// How it stands.
    pub fn level(&self) -> Level {
        let writer = self.lock();
        let State { chain, posted, last_raw, drained, .. } = &writer.state;
        let last = chain.next_sequence().saturating_sub(1);
        Level {
            waiting: last.saturating_sub(*posted),
            raw: last_raw.saturating_sub(*drained),
            bytes: writer.state.bytes(),
        }
    }

    /// How far a source is read, durably or about to be.
    pub fn mark(&self, source: &str) -> Option<Vec<u8>> {
        self.lock().state.marks.get(source).cloned()
    }

    /// Where the chain ends.
    #[cfg(test)]
    pub(crate) fn chain(&self) -> Chain {
        self.lock().state.chain.clone()
    }

    /// The last record that is sealed; 0 where there is none.
    pub(crate) fn last_record(&self) -> u64 {
        self.lock().state.chain.next_sequence().saturating_sub(1)
    }

    /// Records up to this one are at the exchange.
    pub(crate) fn posted(&self) -> u64 {
        self.lock().state.posted
    }

    /// The first record that is still here.
    pub(crate) fn first_record(&self) -> Option<u64> {
        self.lock().state.segments.values().find_map(|segment| segment.records).map(|(first, _)| first)
    }

    /// Raw records up to this one are done.
    pub(crate) fn drained(&self) -> u64 {
        self.lock().state.drained
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        // a panic in the midst of a change leaves the log as it was: a draft is committed in one go
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room. Draining makes room in the end, so it may go beyond.
    fn check_room(&self, state: &State, drains: bool) -> Result<(), SpoolError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(SpoolError::Broken);
        }
        let most = if drains { self.limits.max_bytes.saturating_mul(2) } else { self.limits.max_bytes };
        if state.bytes() >= most {
            return Err(SpoolError::Full { why: "spool.max_bytes is reached" });
        }
        let free = rustix::fs::statvfs(&self.limits.folder);
        let free = free.map_err(|error| at(&self.limits.folder)(error.into()))?;
        if free.f_bavail.saturating_mul(free.f_frsize) < self.limits.keep_free_bytes {
            return Err(SpoolError::Full { why: "its file system has less room than spool.keep_free_bytes" });
        }
        Ok(())
    }

    /// Writes a group as one frame. What `fill` gives back comes back with the place up to which to sync; if it fails, or the
    /// disk does, nothing has happened.
    pub(crate) fn write<T, E: From<SpoolError>>(
        &self,
        drains: bool,
        fill: impl FnOnce(&mut Draft<'_>) -> Result<T, E>,
    ) -> Result<(T, Position), E> {
        let mut writer = self.lock();
        self.check_room(&writer.state, drains)?;
        if writer.end() >= SEGMENT_BYTES {
            let number = writer.number;
            let epoch = writer.state.segment(number).epoch;
            self.next_segment(&mut writer, epoch)?;
        }
        let result = writer.draft(fill, |writer| self.append(writer))?;
        let place = (writer.number, writer.end());
        Ok((result, place))
    }

    /// Appends the frame at hand; cuts it off again if that fails.
    fn append(&self, writer: &Writer) -> Result<u64, SpoolError> {
        let end = writer.end();
        let path = segment_path(&self.limits.folder, writer.number);
        if let Err(error) = writer.file.write_all_at(&writer.frame, end) {
            if writer.file.set_len(end).is_err() {
                self.broken.store(true, Ordering::Release);
            }
            return Err(at(&path)(error));
        }
        let end = end + u64::try_from(writer.frame.len()).unwrap_or(u64::MAX);
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) =
            ((writer.number, end), writer.file.clone());
        Ok(end)
    }

    /// Returns when everything up to a place is durable.
    pub(crate) fn sync(&self, place: Position) -> Result<(), SpoolError> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= place {
            return Ok(());
        }
        if self.broken.load(Ordering::Acquire) {
            return Err(SpoolError::Broken);
        }
        let (target, file) = self.written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if file.sync_data().is_err() {
            // the system may have thrown the pages away: only the disk knows what is there
            self.broken.store(true, Ordering::Release);
            return Err(SpoolError::Broken);
        }
        *synced = target;
        Ok(())
    }

    /// What may be read: it will be there after any crash.
    pub(crate) fn durable(&self) -> Position {
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a segment of another epoch, unless the present one has no records of another.
    pub(crate) fn set_epoch(&self, epoch: u64) -> Result<(), SpoolError> {
        let mut writer = self.lock();
        let number = writer.number;
        if writer.state.segment(number).epoch == epoch {
            return Ok(());
        }
        writer.header = None;
        self.next_segment(&mut writer, epoch)
    }

    fn next_segment(&self, writer: &mut Writer, epoch: u64) -> Result<(), SpoolError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(SpoolError::Broken);
        }
        // a segment that is not the last is whole
        if writer.file.sync_data().is_err() {
            self.broken.store(true, Ordering::Release);
            return Err(SpoolError::Broken);
        }
        let header = writer.header.take();
        let next = writer.number + 1;
        let (number, file) =
            begin_segment(&self.limits.folder, &mut writer.state, next, epoch, header.as_deref())?;
        writer.header = header;
        writer.number = number;
        writer.file = Arc::new(file);
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) =
            ((number, writer.end()), writer.file.clone());
        Ok(())
    }

    /// Whether nothing was ever sealed into it.
    pub(crate) fn is_new(&self) -> bool {
        self.lock().state.chain.next_sequence() == 1
    }

    /// Goes on behind a record that the exchange has of this member already: of a spool that was lost.
    pub(crate) fn anchor(&self, chain: Chain) -> Result<(), SpoolError> {
        let mut writer = self.lock();
        if writer.state.chain.next_sequence() != 1 {
            return Ok(());
        }
        writer.draft(
            |draft| {
                Entry::Anchor(&chain.to_bytes()).write(draft.out);
                draft.posted = chain.next_sequence().saturating_sub(1);
                draft.chain = chain;
                Ok::<_, SpoolError>(())
            },
            |writer| self.append(writer),
        )
    }

    /// Forgets the batch that goes on: the next record begins another.
    pub(crate) fn end_batch(&self) {
        self.lock().header = None;
    }

    /// The exchange has all records up to this one. Not synced: if it is lost, they are posted again, and told to be there. A
    /// full disk does not keep it from being known, for what is there can then be removed.
    pub(crate) fn set_posted(&self, sequence: u64) {
        let mut writer = self.lock();
        if sequence <= writer.state.posted {
            return;
        }
        let noted = writer.draft(
            |draft| {
                Entry::Posted(sequence).write(draft.out);
                draft.posted = sequence;
                Ok::<_, SpoolError>(())
            },
            |writer| self.append(writer),
        );
        if let Err(error) = noted {
            tracing::debug!("it is not noted what was posted: {error}");
            writer.state.posted = sequence;
        }
    }

    /// Segments of which nothing is needed any more.
    pub(crate) fn done(&self) -> Vec<(u64, Segment)> {
        self.lock().state.done()
    }

    /// The epochs of segments that hold records, and the epoch that is written.
    pub(crate) fn epochs(&self) -> (Vec<u64>, u64) {
        let mut writer = self.lock();
        let number = writer.number;
        let with = writer.state.segments.values().filter(|segment| segment.records.is_some());
        let all = with.map(|segment| segment.epoch).collect();
        (all, writer.state.segment(number).epoch)
    }

    /// Removes a segment of which nothing is needed any more.
    pub(crate) fn remove(&self, number: u64) -> Result<(), SpoolError> {
        let path = segment_path(&self.limits.folder, number);
        fs::remove_file(&path).map_err(at(&path))?;
        self.lock().state.segments.remove(&number);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
