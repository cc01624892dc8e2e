//! The chain of a collector over all its records: each has the next number and names the one before by its digest.

use strongroom_crypto::Digest;
use strongroom_sharing::{MemberId, RecordId};

use crate::record::SealedRecord;
use strongroom_abe::wire::{Fields, FormatError};

const WHAT: &str = "chain";

/// Where a collector's chain ends: what its next record will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    collector: MemberId,
    next: u64,
    previous: Digest,
}

/// A record that does not go on where the chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// Of somebody else.
    #[error("record is of another collector")]
    Collector,
    /// Records are missing before it, or it comes again.
    #[error("record has number {found}, expected is {expected}")]
    Sequence {
        /// Its number.
        found: u64,
        /// The next one.
        expected: u64,
    },
    /// It goes on from another record than the last.
    #[error("record {sequence} names another record as the one before it")]
    Previous {
        /// Its number.
        sequence: u64,
    },
}

impl Chain {
    /// Of a collector that has sent nothing.
    pub fn new(collector: MemberId) -> Self {
        Self { collector, next: 1, previous: [0; 32] }
    }

    /// Behind a record.
    pub fn after(record: &SealedRecord<'_>) -> Self {
        Self::ending_at(record.id(), record.digest())
    }

    /// Behind a record that is known by its id and digest.
    pub fn ending_at(last: RecordId, digest: Digest) -> Self {
        Self { collector: last.collector, next: last.sequence.saturating_add(1), previous: digest }
    }

    /// Whose.
    pub fn collector(&self) -> MemberId {
        self.collector
    }

    /// The next record's number; the first is 1.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The last record's digest; zeros before the first.
    pub fn previous(&self) -> &Digest {
        &self.previous
    }

    pub(crate) fn next_id(&self) -> RecordId {
        RecordId { collector: self.collector, sequence: self.next }
    }

    pub(crate) fn advance(&mut self, digest: Digest) {
        self.next = self.next.saturating_add(1);
        self.previous = digest;
    }

    /// Checks that a record is the next one, and goes on behind it. Its signature is for [`SealedRecord::verify`].
    pub fn follow(&mut self, record: &SealedRecord<'_>) -> Result<(), ChainBreak> {
        let id = record.id();
        if id.collector != self.collector {
            return Err(ChainBreak::Collector);
        }
        if id.sequence != self.next {
            return Err(ChainBreak::Sequence { found: id.sequence, expected: self.next });
        }
        if *record.previous() != self.previous {
            return Err(ChainBreak::Previous { sequence: id.sequence });
        }
        self.advance(record.digest());
        Ok(())
    }

    /// For the spool.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(57);
        out.push(1);
        out.extend_from_slice(&self.collector.0);
        out.extend_from_slice(&self.next.to_be_bytes());
        out.extend_from_slice(&self.previous);
        out
    }

    /// Reads what [`Chain::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields = Fields::of(WHAT, bytes)?;
        let collector = MemberId(*fields.array()?);
        let next = fields.long()?;
        let previous = *fields.array()?;
        let is_start = next == 1 && previous == [0; 32];
        fields.field("place", (next > 1 || is_start).then_some(()))?;
        fields.end()?;
        Ok(Self { collector, next, previous })
    }
}
