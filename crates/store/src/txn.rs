//! A transaction: preconditions, changes, and the entry that goes with them.

use crate::row::{Revision, RowKey};

/// The heaviest transaction that is admitted, by [`Txn::weight`], in bytes.
pub const MAX_TXN_BYTES: usize = 4 << 20;

/// Who may still write when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// Refused while the reserve is in use.
    #[default]
    Ordinary,
    /// Entries of reads, lock, unlock, revoke, delete: goes on in the reserve.
    Essential,
}

/// What must hold when the transaction is applied, by the writer, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// No row has this key.
    Absent(RowKey),
    /// A row has this key.
    Present(RowKey),
    /// The row was last written by this commit.
    Revision(RowKey, Revision),
    /// The same, for the generation of a key that sealed something in this transaction. A mismatch is answered
    /// [`CommitError::Fenced`] and writes no entry: the caller seals again and retries.
    Fence(RowKey, Revision),
    /// No row begins with these bytes.
    NonePrefixed(Vec<u8>),
}

/// A merge declined to change its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeRefused;

/// Computes a row's new value from the present one, on the writer; `None` deletes the row.
pub type Merge = Box<dyn FnOnce(Option<&[u8]>) -> Result<Option<Vec<u8>>, MergeRefused> + Send>;

/// One change. Changes of a transaction apply in order.
pub enum Change {
    /// Writes a row, new or not.
    Put(RowKey, Vec<u8>),
    /// Deletes a row if it is there.
    Delete(RowKey),
    /// Deletes every row that begins with these bytes (at least one).
    DeletePrefix(Vec<u8>),
    /// Replaces a row's value by a function of it: for counters that many writers share. All merges of a
    /// transaction run before anything is written, each on the row as it was or as an earlier merge of the same
    /// transaction left it; one that refuses fails the transaction.
    Merge(RowKey, Merge),
    /// Removes the entries of the trail up to and including this number, those of its own group and the last one
    /// before it excepted: where the next entry links is never forgotten.
    TrimTrail(u64),
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Put(key, value) => write!(f, "Put({key:?}, {} bytes)", value.len()),
            Self::Delete(key) => write!(f, "Delete({key:?})"),
            Self::DeletePrefix(prefix) => write!(f, "DeletePrefix({} bytes)", prefix.len()),
            Self::Merge(key, _) => write!(f, "Merge({key:?})"),
            Self::TrimTrail(seq) => write!(f, "TrimTrail({seq})"),
        }
    }
}

/// An entry waiting for its sequence number. Written with `committed` if the transaction commits, with
/// `failed` if a precondition or a merge refuses it.
#[derive(Debug, Clone)]
pub struct PendingEntry {
    /// The encoded entry.
    pub body: Vec<u8>,
    /// Verdict if the transaction commits.
    pub committed: u8,
    /// Verdict if it does not.
    pub failed: u8,
}

/// Everything that happens, or does not, at once.
#[derive(Debug, Default)]
pub struct Txn {
    /// Whether it may use the reserve.
    pub class: Class,
    /// Checked first, in order.
    pub preconditions: Vec<Precondition>,
    /// Applied in order.
    pub changes: Vec<Change>,
    /// The entry that goes with it.
    pub entry: Option<PendingEntry>,
}

impl Txn {
    /// An entry alone: what a read, a refusal or a failure leaves.
    pub fn entry_only(body: Vec<u8>, verdict: u8) -> Self {
        Self {
            class: Class::Essential,
            entry: Some(PendingEntry { body, committed: verdict, failed: verdict }),
            ..Self::default()
        }
    }

    /// Bytes that it would write, roughly: what a group's limit counts.
    pub fn weight(&self) -> usize {
        let changes: usize = self
            .changes
            .iter()
            .map(|change| match change {
                Change::Put(_, value) => value.len().saturating_add(96),
                Change::Delete(_) | Change::DeletePrefix(_) | Change::Merge(..) | Change::TrimTrail(_) => 256,
            })
            .sum();
        changes.saturating_add(self.entry.as_ref().map_or(0, |entry| entry.body.len().saturating_add(48)))
    }
}

/// A durable commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The number of the commit.
    pub revision: Revision,
    /// The entry's number, if there was one.
    pub seq: Option<u64>,
}

/// Why a transaction did not, or perhaps did not, happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A precondition did not hold; nothing changed, the entry stands with its `failed` verdict.
    #[error("precondition {index} does not hold")]
    Precondition {
        /// Its place in [`Txn::preconditions`].
        index: usize,
    },
    /// A key used here has been rotated since; nothing changed, no entry was written: seal again.
    #[error("the key of precondition {index} has been rotated")]
    Fenced {
        /// Its place in [`Txn::preconditions`].
        index: usize,
        /// The transaction, given back to be sealed again; `None` if a part of it is spent.
        txn: Option<Box<Txn>>,
    },
    /// A merge declined; nothing changed, the entry stands with its `failed` verdict.
    #[error("merge {index} declined")]
    Refused {
        /// Its place in [`Txn::changes`].
        index: usize,
    },
    /// The disk is full and the transaction is not essential; nothing changed, the entry stands with its `failed`
    /// verdict. With [`Space::Exhausted`](crate::Space::Exhausted) any transaction, and no entry.
    #[error("disk is full")]
    Full,
    /// The transaction is larger than a group may be; nothing changed.
    #[error("transaction has {bytes} bytes, allowed are {allowed}")]
    TooLarge {
        /// Its weight.
        bytes: usize,
        /// The limit.
        allowed: usize,
    },
    /// Nothing changed, because the store is shut or its writer stopped before this was begun.
    #[error("store is closed")]
    Closed,
    /// Nothing changed: the engine below refused before the commit.
    #[error("transaction failed before its commit: {context}")]
    Failed {
        /// What was being done.
        context: String,
    },
    /// A sync failed, or an error came after the commit: it may or may not be there.
    #[error("outcome unknown")]
    Unknown,
}

impl CommitError {
    /// Whether the entry of the refused transaction is written with its `failed` verdict; of [`CommitError::Full`]
    /// this holds while there is a reserve to write it to.
    pub fn leaves_entry(&self) -> bool {
        matches!(self, Self::Precondition { .. } | Self::Refused { .. } | Self::Full)
    }
}
