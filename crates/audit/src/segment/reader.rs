//! Segments on their way in, entry by entry: bytes that come back from wherever they were kept.

use super::{BUFFER_BYTES, MAGIC, Segment, SegmentError};
use crate::checkpoint::Checkpoint;
use crate::link;
use std::io::{BufReader, Read};
use strongroom_crypto::DigestStream;
use strongroom_store::{MAX_TXN_BYTES, TrailEntry, TrailHead};

const MAX_CHECKPOINT_BYTES: usize = 1_024;
/// Bodies of entries that are handed out at once.
const PAGE_BYTES: usize = 1 << 20;

struct Hashed<R> {
    file: BufReader<R>,
    digest: DigestStream,
    bytes: u64,
}

/// A segment being read.
pub struct SegmentReader<R> {
    segment: Segment,
    name: String,
    source: Hashed<R>,
    next: u64,
    checkpoint: Option<Checkpoint>,
}

impl<R: Read> SegmentReader<R> {
    /// Reads what is said to be a segment's file.
    ///
    /// # Errors
    /// If it does not begin as the segment does.
    pub fn over(segment: &Segment, file: R) -> Result<Self, SegmentError> {
        let source = Hashed {
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            digest: DigestStream::new(),
            bytes: 0,
        };
        let (name, next) = (segment.name(), segment.first);
        let mut reader = Self { segment: segment.clone(), name, source, next, checkpoint: None };
        let magic: [u8; 27] = reader.array()?;
        let incarnation: [u8; 16] = reader.array()?;
        let first = u64::from_be_bytes(reader.array()?);
        let previous: [u8; 32] = reader.array()?;
        let same = (incarnation, first, previous) == (segment.incarnation, segment.first, segment.previous);
        if &magic == MAGIC && same { Ok(reader) } else { Err(reader.damaged()) }
    }

    /// Reads it to its end: layout, chain, checkpoint, digest.
    ///
    /// # Errors
    /// If any of them is not as it was written.
    pub fn check(mut self) -> Result<(), SegmentError> {
        let mut at = TrailHead { seq: self.segment.first.saturating_sub(1), hash: self.segment.previous };
        while let Some(entry) = self.entry()? {
            let hash = link(&at.hash, entry.seq, entry.verdict, &entry.body);
            if hash != entry.hash {
                return Err(self.damaged());
            }
            at = TrailHead { seq: entry.seq, hash };
        }
        self.finish().map(drop)
    }

    fn damaged(&self) -> SegmentError {
        SegmentError::Damaged { name: self.name.clone() }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SegmentError> {
        // no more than was written is looked at, whatever the file says of its own parts
        let bytes = self.source.bytes.saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
        if bytes > self.segment.bytes {
            return Err(self.damaged());
        }
        self.source.file.read_exact(buffer).map_err(|_| SegmentError::Damaged { name: self.name.clone() })?;
        self.source.digest.update(buffer);
        self.source.bytes = bytes;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SegmentError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, most: usize) -> Result<Vec<u8>, SegmentError> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).unwrap_or(usize::MAX);
        let left = self.segment.bytes.saturating_sub(self.source.bytes);
        if length > most || u64::try_from(length).unwrap_or(u64::MAX) > left {
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

    /// The next entries, at most `limit` and little more than a mebibyte: the digest of all is known only at the end, and
    /// until then nobody vouches for what they say. None at the end.
    pub fn page(&mut self, limit: usize) -> Result<Vec<TrailEntry>, SegmentError> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < limit && bytes < PAGE_BYTES {
            let Some(entry) = self.entry()? else { break };
            bytes += entry.body.len();
            page.push(entry);
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
