//! What is posted at once: records one after another, with the headers of their batches.

use crate::spool::{Cursor, Spool, SpoolError};
use data_encoding::BASE64;
use strongroom_envelope::SealedRecord;
use strongroom_sharing::exchange::{Insert, MAX_INSERT_RECORDS};

/// Room for a body's own words beside each text in it.
const AROUND_EACH: usize = 4;

/// What is posted at once.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    headers: Vec<Vec<u8>>,
    /// Records with their numbers.
    pub(super) records: Vec<(u64, Vec<u8>)>,
    bytes: usize,
}

impl Chunk {
    fn takes(&self, text: &[u8], most: usize) -> bool {
        self.bytes + encoded(text) <= most.saturating_sub(1024) && self.records.len() < MAX_INSERT_RECORDS
    }

    /// The wire type.
    pub(super) fn insert(&self) -> Insert {
        Insert {
            headers: self.headers.iter().map(|header| BASE64.encode(header)).collect(),
            records: self.records.iter().map(|(_, record)| BASE64.encode(record)).collect(),
        }
    }

    /// The number of the record at a place.
    pub(super) fn number(&self, at: usize) -> u64 {
        self.records.get(at).map_or(0, |(number, _)| *number)
    }

    /// The number of the last record.
    pub(super) fn last(&self) -> u64 {
        self.records.last().map_or(0, |(number, _)| *number)
    }

    /// Its digest.
    pub(super) fn digest_of_last(&self) -> Option<[u8; 32]> {
        let (_, record) = self.records.last()?;
        SealedRecord::parse(record).ok().map(|record| record.digest())
    }
}

fn encoded(text: &[u8]) -> usize {
    text.len().div_ceil(3) * 4 + AROUND_EACH
}

/// Reads the spool on, chunk by chunk.
#[derive(Default)]
pub(super) struct Scan {
    cursor: Cursor,
    /// Records up to this one are not wanted, whatever was posted.
    behind: Option<u64>,
    headers: Vec<Vec<u8>>,
    /// Records that did not fit into the last chunk, the next one last.
    left: Vec<(u64, Vec<u8>)>,
}

impl Scan {
    /// From a record on, though the exchange was thought to have it.
    pub(super) fn behind(number: u64) -> Self {
        Self { behind: Some(number), ..Self::default() }
    }

    /// The next chunk of at most so many bytes, or of one record; none if nothing more is durable.
    pub(super) fn next(&mut self, spool: &Spool, most: usize) -> Result<Option<Chunk>, SpoolError> {
        let mut chunk = Chunk::default();
        loop {
            while let Some((number, record)) = self.left.pop() {
                let headers: usize = self.headers.iter().map(|header| encoded(header)).sum();
                let fits = chunk.takes(&record, most) && chunk.bytes + headers + encoded(&record) < most;
                if !fits && !chunk.records.is_empty() {
                    self.left.push((number, record));
                    return Ok(Some(chunk));
                }
                chunk.bytes += headers + encoded(&record);
                chunk.headers.append(&mut self.headers);
                chunk.records.push((number, record));
            }
            let behind = self.behind.unwrap_or_else(|| spool.posted());
            let Some(sealed) = spool.next_sealed(&mut self.cursor, behind)? else {
                return Ok(Some(chunk).filter(|chunk| !chunk.records.is_empty()));
            };
            self.headers.extend(sealed.headers);
            self.left = sealed.records;
            self.left.reverse();
            // only the last header can be needed, unless records stand between them
            if self.left.is_empty() {
                self.headers.drain(..self.headers.len().saturating_sub(1));
            }
        }
    }
}
