//! Reading the log while it is written: what is durable, from a place on.

use super::error::{SpoolError, at};
use super::frame::{Entry, entries, next_frame};
use super::state::damaged;
use super::{Spool, segment_path};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use strongroom_envelope::SealedRecord;

/// What is read at once: at least one frame.
const MAX_READ_BYTES: u64 = 160 << 20;

/// Where a reader stands: the next frame's place, and what was read from there on.
#[derive(Default)]
pub(crate) struct Cursor {
    segment: u64,
    /// The place of `bytes` in the segment.
    base: u64,
    bytes: Vec<u8>,
    /// How much of `bytes` has been given out.
    used: usize,
}

impl Cursor {
    fn at(segment: u64) -> Self {
        Self { segment, ..Self::default() }
    }

    fn offset(&self) -> u64 {
        self.base + u64::try_from(self.used).unwrap_or(u64::MAX)
    }
}

/// A frame's records.
#[derive(Debug, Default)]
pub(crate) struct Sealed {
    /// Headers that stand before them.
    pub(crate) headers: Vec<Vec<u8>>,
    /// Records with their numbers.
    pub(crate) records: Vec<(u64, Vec<u8>)>,
}

/// A raw record, sealed.
#[derive(Debug)]
pub(crate) struct RawRecord {
    /// Its number.
    pub(crate) number: u64,
    /// The record.
    pub(crate) sealed: Vec<u8>,
}

impl Spool {
    /// The next durable frame's payload; none if there is none yet.
    fn frame<'a>(&self, cursor: &'a mut Cursor) -> Result<Option<&'a [u8]>, SpoolError> {
        if !self.load(cursor)? {
            return Ok(None);
        }
        let path = segment_path(self.folder(), cursor.segment);
        let place = cursor.offset();
        let rest = cursor.bytes.get(cursor.used..).unwrap_or_default();
        let (payload, after) =
            next_frame(rest).ok_or_else(|| damaged(&path, place, "a frame is not whole"))?;
        cursor.used = cursor.bytes.len() - after.len();
        Ok(Some(payload))
    }

    /// Whether the cursor has a frame to read; goes on to the next segment where one has ended.
    fn load(&self, cursor: &mut Cursor) -> Result<bool, SpoolError> {
        loop {
            if cursor.used < cursor.bytes.len() {
                return Ok(true);
            }
            let (last, end) = self.durable();
            let (first, length) = self.extent(cursor.segment);
            if cursor.segment < first {
                *cursor = Cursor::at(first);
                continue;
            }
            let durable = if cursor.segment < last { length } else { end };
            let offset = cursor.offset();
            if cursor.segment < last && offset >= durable {
                *cursor = Cursor::at(cursor.segment + 1);
                continue;
            }
            if cursor.segment > last || offset >= durable {
                return Ok(false);
            }
            let path = segment_path(self.folder(), cursor.segment);
            let length = usize::try_from((durable - offset).min(MAX_READ_BYTES)).unwrap_or(0);
            let mut bytes = vec![0; length];
            let read = File::open(&path).and_then(|file| file.read_exact_at(&mut bytes, offset));
            read.map_err(at(&path))?;
            (cursor.base, cursor.used, cursor.bytes) = (offset, 0, bytes);
        }
    }

    /// The first segment's number, and a segment's length.
    fn extent(&self, number: u64) -> (u64, u64) {
        let writer = self.lock();
        let first = writer.state.segments.first_key_value().map_or(number, |(first, _)| *first);
        (first, writer.state.segments.get(&number).map_or(0, |segment| segment.bytes))
    }

    /// The records of the next frame that are behind a number; none if nothing more is durable.
    pub(crate) fn next_sealed(&self, cursor: &mut Cursor, behind: u64) -> Result<Option<Sealed>, SpoolError> {
        let Some(payload) = self.frame(cursor)? else { return Ok(None) };
        let mut sealed = Sealed::default();
        for entry in entries(payload).flatten() {
            match entry {
                Entry::Header(bytes) => sealed.headers.push(bytes.to_vec()),
                Entry::Record(bytes) => {
                    // it was read when it was recovered, or written here
                    let sequence = SealedRecord::parse(bytes).map_or(0, |record| record.id().sequence);
                    if sequence > behind {
                        sealed.records.push((sequence, bytes.to_vec()));
                    }
                }
                _ => {}
            }
        }
        Ok(Some(sealed))
    }

    /// The raw records of the next frame that are behind a number; none if nothing more is durable.
    pub(crate) fn next_raw(
        &self,
        cursor: &mut Cursor,
        behind: u64,
    ) -> Result<Option<Vec<RawRecord>>, SpoolError> {
        let Some(payload) = self.frame(cursor)? else { return Ok(None) };
        let raw = entries(payload).flatten().filter_map(|entry| match entry {
            Entry::Raw { number, sealed } if number > behind => {
                Some(RawRecord { number, sealed: sealed.to_vec() })
            }
            _ => None,
        });
        Ok(Some(raw.collect()))
    }

    /// All records of a segment.
    pub(crate) fn records_of(
        &self,
        number: u64,
        mut each: impl FnMut(&SealedRecord<'_>),
    ) -> Result<(), SpoolError> {
        let path = segment_path(self.folder(), number);
        let bytes = fs::read(&path).map_err(at(&path))?;
        let mut rest = bytes.as_slice();
        while let Some((payload, after)) = next_frame(rest) {
            for entry in entries(payload).flatten() {
                if let Entry::Record(bytes) = entry
                    && let Ok(record) = SealedRecord::parse(bytes)
                {
                    each(&record);
                }
            }
            rest = after;
        }
        Ok(())
    }
}
