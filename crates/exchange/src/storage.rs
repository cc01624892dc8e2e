//! What a store of records must do, for the embedded one and for PostgreSQL alike.
//!
//! The rules (who may insert what, in which order) live above, in [`crate::keeper`], which is the one writer: a store takes
//! whole groups of rows and gives rows back. Its calls block; they are made on threads that may.
//!
//! Postings are kept in *spans*: the records of a stretch of time, ended by the number of their postings. An insertion so
//! touches a bounded part of the index whatever its size, and a question is one look for each token and span.

use strongroom_sharing::{BatchId, MemberId};

/// The place of a record in the order of arrival, from 1.
pub type Arrival = u64;
/// A token's bytes.
pub type TokenBytes = [u8; 16];
/// A SHA-256 digest.
pub type DigestBytes = [u8; 32];

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No room: nothing was done.
    #[error("the store's disk is full")]
    Full,
    /// It cannot be reached or refused: nothing was done.
    #[error("the store is not available: {context}")]
    Unavailable {
        /// What it said.
        context: String,
    },
    /// Whether a group was committed is not known.
    #[error("the outcome of a commit is not known: {context}")]
    Unknown {
        /// What it said.
        context: String,
    },
    /// What is in it makes no sense.
    #[error("the store is damaged: {place}")]
    Corrupt {
        /// Where.
        place: String,
    },
    /// Its format is not this version's.
    #[error("the store has format {found}, this program knows {known}")]
    Format {
        /// What it says.
        found: i64,
        /// What is known here.
        known: i64,
    },
    /// Another exchange uses it.
    #[error("another exchange uses this store")]
    InUse,
}

/// Where a collector stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRow {
    /// A short number in place of its id.
    pub number: u32,
    /// Its id.
    pub collector: MemberId,
    /// Its first record that is still kept; one more than the last where none is.
    pub first: u64,
    /// Its last record; 0 before the first.
    pub sequence: u64,
    /// The last record's digest; zeros before the first.
    pub digest: DigestBytes,
    /// Contradictions that it has sent.
    pub conflicts: u64,
}

/// A batch's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Which.
    pub id: BatchId,
    /// Whose, by its number.
    pub collector: u32,
    /// Of its fixed part.
    pub digest: DigestBytes,
    /// The arrival of its last record.
    pub last: Arrival,
    /// The header.
    pub header: Vec<u8>,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Its place in the order of arrival.
    pub arrival: Arrival,
    /// Whose, by its number.
    pub collector: u32,
    /// Its sequence.
    pub sequence: u64,
    /// Its digest.
    pub digest: DigestBytes,
    /// Its hour of arrival.
    pub hour: u32,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A record that contradicts one that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictRow {
    /// Whose, by its number.
    pub collector: u32,
    /// Its sequence.
    pub sequence: u64,
    /// Its digest.
    pub digest: DigestBytes,
    /// When it came.
    pub hour: u32,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A stretch of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanRow {
    /// Its number, from 1.
    pub span: u32,
    /// Its first record.
    pub first: Arrival,
    /// Postings in it.
    pub postings: u64,
}

/// An hour in which something arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourRow {
    /// Hours since 1970.
    pub hour: u32,
    /// Its first record.
    pub first: Arrival,
}

/// That a record has a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    /// In which span.
    pub span: u32,
    /// Which token.
    pub token: TokenBytes,
    /// Which record.
    pub arrival: Arrival,
}

/// A collector's word on an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofRow {
    /// Whose, by its number.
    pub collector: u32,
    /// Which epoch.
    pub epoch: u64,
    /// The signed document, JSON.
    pub signed: Vec<u8>,
    /// The tree's leaves.
    pub leaves: Vec<u8>,
}

/// What is committed at once: wholly or not at all, and durable when it is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Heads, new or changed.
    pub heads: Vec<HeadRow>,
    /// New batches.
    pub batches: Vec<BatchRow>,
    /// Batches that got more records, and the last of these.
    pub touched: Vec<(BatchId, Arrival)>,
    /// New records.
    pub records: Vec<RecordRow>,
    /// Contradictions that are kept.
    pub conflicts: Vec<ConflictRow>,
    /// Their postings, sorted.
    pub postings: Vec<Posting>,
    /// Spans, new or changed.
    pub spans: Vec<SpanRow>,
    /// New hours.
    pub hours: Vec<HourRow>,
}

impl Group {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.records.is_empty() && self.conflicts.is_empty()
    }
}

/// What goes at once: records of hours that are kept no longer, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// Records below this one go.
    pub below: Arrival,
    /// With these postings.
    pub postings: Vec<Posting>,
    /// Heads whose first record changed.
    pub heads: Vec<HeadRow>,
    /// Spans that are empty now.
    pub spans: Vec<u32>,
    /// Hours that are empty now.
    pub hours: Vec<u32>,
}

/// Where everything stands: small, and kept in memory by the one writer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Collectors.
    pub heads: Vec<HeadRow>,
    /// Spans, oldest first.
    pub spans: Vec<SpanRow>,
    /// Hours, oldest first.
    pub hours: Vec<HourRow>,
    /// The last record's place.
    pub last: Arrival,
}

/// Sizes, for the administrator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes on disk, as far as the store knows.
    pub bytes: u64,
    /// Batches.
    pub batches: u64,
    /// Contradictions kept.
    pub conflicts: u64,
    /// Proofs.
    pub proofs: u64,
}

/// A store of records. One writer calls the functions that change it; any number of threads call the others.
pub trait Storage: Send + Sync + 'static {
    /// Where everything stands.
    fn load(&self) -> Result<Standing, StorageError>;
    /// Commits a group, durably.
    fn commit(&self, group: &Group) -> Result<(), StorageError>;
    /// Removes old records, durably.
    fn remove(&self, removal: &Removal) -> Result<(), StorageError>;
    /// The digest of a collector's record, if it is kept.
    fn digest_of(&self, collector: u32, sequence: u64) -> Result<Option<DigestBytes>, StorageError>;
    /// A batch.
    fn batch(&self, id: &BatchId) -> Result<Option<BatchRow>, StorageError>;
    /// Puts another header in the place of a batch's; says whether there was one with this digest.
    fn replace_header(&self, id: &BatchId, digest: &DigestBytes, header: &[u8])
    -> Result<bool, StorageError>;
    /// The records of a token in a span that arrived at `at_most` or before: newest first, at most `limit`.
    fn postings(
        &self,
        span: u32,
        token: &TokenBytes,
        at_most: Arrival,
        limit: usize,
    ) -> Result<Vec<Arrival>, StorageError>;
    /// A record.
    fn record(&self, arrival: Arrival) -> Result<Option<RecordRow>, StorageError>;
    /// Records from a place on, oldest first, at most `limit`.
    fn records_from(&self, from: Arrival, limit: usize) -> Result<Vec<RecordRow>, StorageError>;
    /// A collector's records from a sequence on, at most `limit`.
    fn of_collector(&self, collector: u32, from: u64, limit: usize) -> Result<Vec<RecordRow>, StorageError>;
    /// Keeps a proof; says no where the epoch has another one.
    fn put_proof(&self, proof: &ProofRow) -> Result<bool, StorageError>;
    /// A proof.
    fn proof(&self, collector: u32, epoch: u64) -> Result<Option<ProofRow>, StorageError>;
    /// Sizes.
    fn sizes(&self) -> Result<Sizes, StorageError>;
    /// A few bytes that are kept by name.
    fn note(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError>;
    /// Keeps a few bytes by name.
    fn put_note(&self, name: &str, value: &[u8]) -> Result<(), StorageError>;
}
