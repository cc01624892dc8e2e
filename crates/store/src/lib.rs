//! The store: rows of ciphertext, the trail, and one atomic transaction over both.
//!
//! **What it is for.** Everything above the barrier reaches disk through [`Store`]. A store keeps *rows*
//! (opaque key, opaque value, revision) and the *trail* (numbered, chained entries), and commits changes to
//! both in one transaction.
//!
//! **What it promises.** [`Store::commit`] answers after the transaction is durable, or says that it did not
//! happen, or says [`CommitError::Unknown`]. Transactions are serialisable and ordered; each commit has a
//! [`Revision`], greater than the one before. A transaction whose precondition fails changes nothing, and its
//! entry is written with the `failed` verdict.
//!
//! **What it deliberately does not know.** What a row means, any name, any key.
//!
//! Start at [`Store`]; a new implementation earns its place with [`conformance::run`].

mod changelog;
pub mod conformance;
mod faulty;
mod memory;
mod row;
mod snapshot;
mod trail;
mod txn;

pub use changelog::{ChangeLog, KEPT_CHANGES};
pub use faulty::{Fault, FaultyStore};
pub use memory::MemoryStore;
pub use row::{MAX_KEY_BYTES, Order, Range, Revision, Row, RowKey, RowKeyError};
pub use snapshot::{Item, Moment, Snapshot};
pub use trail::{LinkFn, TrailEntry, TrailHead};
pub use txn::{
    Change, Class, CommitError, Committed, MAX_TXN_BYTES, Merge, MergeRefused, PendingEntry, Precondition,
    Txn,
};

use std::sync::Arc;

/// How much room the disk has left for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Everything is admitted.
    Ample,
    /// The reserve is in use: only [`Class::Essential`] transactions are admitted.
    Reserved,
    /// The reserve is spent: nothing is admitted, reads stop too (their entries could not be written).
    Exhausted,
}

/// A place in the writer's queue, taken before work begins, so that what was admitted can always be recorded.
#[derive(Debug)]
pub struct Slot(#[expect(dead_code, reason = "held for its drop")] tokio::sync::OwnedSemaphorePermit);

impl Slot {
    /// Wraps a semaphore permit; for implementations of [`Store`].
    pub fn new(permit: tokio::sync::OwnedSemaphorePermit) -> Self {
        Self(permit)
    }
}

/// Why a store could not answer a read, or could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine below found damage, or a row or entry has an impossible shape.
    #[error("store is corrupt at {place}")]
    Corrupt {
        /// Where: a file, page, table or row.
        place: String,
    },
    /// Another process has this data directory open.
    #[error("data directory {path} is in use by another server")]
    InUse {
        /// The data directory.
        path: String,
    },
    /// The data directory was written by a newer version.
    #[error("data directory has format {found}, this version reads up to {supported}")]
    NewerFormat {
        /// Format found.
        found: u32,
        /// Newest format this version reads.
        supported: u32,
    },
    /// A restore was begun here and not finished.
    #[error("data directory {path} holds a restore that was not finished: empty it and restore again")]
    Unfinished {
        /// The data directory.
        path: String,
    },
    /// A restore goes to a new or an empty directory only.
    #[error("{path} is not an empty directory")]
    NotEmpty {
        /// The directory.
        path: String,
    },
    /// The changes asked for are no longer kept: list again.
    #[error("changes before revision {} are no longer kept", oldest.0)]
    Compacted {
        /// Oldest revision from which a watch can start.
        oldest: Revision,
    },
    /// All readers or the queue are taken.
    #[error("store is busy")]
    Busy,
    /// The store is shut.
    #[error("store is closed")]
    Closed,
    /// The operating system refused.
    #[error("store input or output failed: {context}")]
    Io {
        /// What was being done.
        context: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// One change seen by a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The commit that made it.
    pub revision: Revision,
    /// The row that was put or deleted.
    pub key: RowKey,
    /// Whether the row is gone.
    pub deleted: bool,
}

/// Rows and trail behind one atomic, durable transaction.
#[async_trait::async_trait]
pub trait Store: Send + Sync + 'static {
    /// One row, or `None`. Runs inline: a point read does not leave the calling thread.
    async fn get(&self, key: &RowKey) -> Result<Option<Row>, StoreError>;

    /// The row with the greatest key that begins with `prefix`. A point read where the engine can do it.
    async fn last(&self, prefix: &[u8]) -> Result<Option<Row>, StoreError> {
        let range = Range { prefix: prefix.to_vec(), after: None, order: Order::Descending, limit: 1 };
        Ok(self.list(range).await?.pop())
    }

    /// The rows of a range in key order, at most `range.limit`.
    async fn list(&self, range: Range) -> Result<Vec<Row>, StoreError>;

    /// How many rows begin with `prefix`. No value is read where the engine can do it.
    async fn count(&self, prefix: &[u8]) -> Result<u64, StoreError> {
        let (mut count, mut after) = (0_u64, None);
        loop {
            let range = Range { prefix: prefix.to_vec(), after, order: Order::Ascending, limit: 1_000 };
            let rows = self.list(range).await?;
            count = count.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
            match rows.last() {
                Some(last) => after = Some(last.key.clone()),
                None => return Ok(count),
            }
        }
    }

    /// Takes a place in the writer's queue; [`StoreError::Busy`] when there is none.
    fn reserve(&self) -> Result<Slot, StoreError>;

    /// Commits, and answers once durable. Not cancelled by dropping the future: what was handed over is done.
    async fn commit(&self, slot: Slot, txn: Txn) -> Result<Committed, CommitError>;

    /// Hands a transaction over without waiting for its outcome (an abandoned permit's entry).
    fn commit_detached(&self, slot: Slot, txn: Txn);

    /// Entries of the trail from a sequence number on, at most `limit`, oldest first.
    async fn entries(&self, from_seq: u64, limit: usize) -> Result<Vec<TrailEntry>, StoreError>;

    /// The trail's last durable entry.
    fn trail_head(&self) -> TrailHead;

    /// The revision of the last durable commit.
    fn revision(&self) -> Revision;

    /// Changes after `from`, in commit order, for as long as the receiver keeps up.
    fn watch(&self, from: Revision) -> Result<Watch, StoreError>;

    /// Everything of this moment, to be read while work goes on; [`StoreError::Busy`] while another snapshot is read.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Looks at everything that the engine keeps; what is wrong is listed, each with its place. Slow. An engine without
    /// files has nothing to look at.
    async fn check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Room on the disk, as of the last look. Cheap: one atomic load.
    fn space(&self) -> Space;

    /// Finishes what is queued, folds the log into the main file, and closes. Idempotent.
    async fn close(&self) -> Result<(), StoreError>;
}

/// A shared store.
pub type SharedStore = Arc<dyn Store>;

/// A running watch: see [`Store::watch`].
#[derive(Debug)]
pub struct Watch {
    backlog: std::collections::VecDeque<Changed>,
    live: tokio::sync::broadcast::Receiver<Changed>,
    seen: Revision,
}

impl Watch {
    /// A watch that yields `backlog`, then what `live` brings; for implementations of [`Store`].
    pub fn new(
        from: Revision,
        backlog: std::collections::VecDeque<Changed>,
        live: tokio::sync::broadcast::Receiver<Changed>,
    ) -> Self {
        Self { backlog, live, seen: from }
    }

    /// The next change; [`StoreError::Compacted`] if the watcher fell too far behind, [`StoreError::Closed`] at
    /// the end.
    pub async fn next(&mut self) -> Result<Changed, StoreError> {
        use tokio::sync::broadcast::error::RecvError;
        if let Some(change) = self.backlog.pop_front() {
            self.seen = change.revision;
            return Ok(change);
        }
        loop {
            match self.live.recv().await {
                // the same commit may have several changes; only those of earlier commits are repeats
                Ok(change) if change.revision < self.seen => {}
                Ok(change) => {
                    self.seen = change.revision;
                    return Ok(change);
                }
                Err(RecvError::Lagged(_)) => return Err(StoreError::Compacted { oldest: self.seen }),
                Err(RecvError::Closed) => return Err(StoreError::Closed),
            }
        }
    }
}
