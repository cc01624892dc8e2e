//! The embedded store: SQLite with group commit.
//!
//! **What it is for.** One data directory on one machine, behind the [`Store`] trait.
//!
//! **What it promises.** A commit that is answered is on disk, its entry with it; one flush serves all that wait.
//! After kill -9 or a power cut every transaction has wholly happened or not at all. A failed sync is answered
//! `Unknown`, and nothing is admitted until the log has been read afresh. A full disk leaves a reserve for essential
//! transactions. Damage is reported with its place.
//!
//! **What it does not know.** What rows and entries mean; whether the disk tells the truth about its flushes.
//!
//! Start at [`SqliteStore::open`]; then `writer.rs`. The files are described in `docs/formats/store-sqlite.md`.

mod cache;
mod check;
mod error;
mod files;
mod options;
mod queue;
mod range;
mod readers;
mod record;
mod restore;
mod schema;
mod shared;
mod snapshot;
mod wal;
mod writer;

pub use options::Options;
pub use restore::Restoring;
pub use wal::OpenReport;

use parking_lot::Mutex;
use queue::Job;
use shared::Shared;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8};
use strongroom_ambient::Ambient;
use strongroom_store::{
    ChangeLog, CommitError, Committed, LinkFn, Range, Revision, Row, RowKey, Slot, Snapshot, Space, Store,
    StoreError, TrailEntry, TrailHead, Txn, Watch,
};
use tokio::sync::{Semaphore, TryAcquireError, oneshot, watch};

/// A store in one data directory.
pub struct SqliteStore {
    shared: Arc<Shared>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    opened_with: OpenReport,
}

impl SqliteStore {
    /// Opens a data directory, or makes one. Blocks while the log is read.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::NewerFormat`], [`StoreError::Corrupt`], [`StoreError::Io`].
    pub fn open(dir: &Path, options: Options, link: LinkFn) -> Result<Arc<Self>, StoreError> {
        let dir = files::DataDir::create(dir)?;
        let lock = dir.lock()?;
        dir.refuse_unfinished()?;
        schema::ensure(&dir)?;
        let opened_with = wal::inspect(&dir.wal())?;
        let shared = Arc::new(Shared {
            readers: readers::Readers::new(&options),
            cache: cache::RowCache::new(options.row_cache()),
            slots: Arc::new(Semaphore::new(options.queue)),
            scans: Arc::new(Semaphore::new(options.scan_readers.max(1))),
            dir,
            options,
            link,
            clock: Ambient::system().clock,
            queue: queue::Queue::default(),
            changes: ChangeLog::new(Revision(0)),
            done: watch::Sender::new(false),
            lock: Mutex::new(Some(lock)),
            trail: Mutex::new(TrailHead::default()),
            revision: AtomicI64::new(0),
            space: AtomicU8::new(Space::Ample as u8),
        });
        let writer = writer::Writer::open(Arc::clone(&shared))?;
        shared.set_head(writer.head());
        shared.changes.restart(writer.head().revision);
        shared.readers.open(&shared.dir, &shared.options)?;
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(|| writer.run());
        let thread = thread.map_err(error::io("starting the writer"))?;
        Ok(Arc::new(Self { shared, writer: Mutex::new(Some(thread)), opened_with }))
    }

    /// What was found in the log on opening.
    pub fn opened_with(&self) -> OpenReport {
        self.opened_with
    }

    /// Looks at every page, row and entry; what is wrong is listed, each with its place. Slow.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.scan(check::run).await
    }

    /// Runs on a blocking thread, a few at a time.
    async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(&self.shared.scans).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&shared)
        });
        done.await.map_err(|_| StoreError::Closed)?
    }
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        self.shared.get(key)
    }

    async fn list(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        self.scan(move |shared| shared.readers.list(&range)).await
    }

    async fn count(&self, prefix: &[u8]) -> Result<u64, StoreError> {
        let prefix = prefix.to_vec();
        self.scan(move |shared| shared.readers.count(&prefix)).await
    }

    fn reserve(&self) -> Result<Slot, StoreError> {
        Arc::clone(&self.shared.slots).try_acquire_owned().map(Slot::new).map_err(|error| match error {
            TryAcquireError::Closed => StoreError::Closed,
            TryAcquireError::NoPermits => StoreError::Busy,
        })
    }

    async fn commit(&self, slot: Slot, txn: Txn) -> Result<Committed, CommitError> {
        let bytes = txn.weight();
        if bytes > strongroom_store::MAX_TXN_BYTES {
            return Err(CommitError::TooLarge { bytes, allowed: strongroom_store::MAX_TXN_BYTES });
        }
        let (reply, outcome) = oneshot::channel();
        if !self.shared.queue.push(Job::new(slot, txn, Some(reply))) {
            return Err(CommitError::Closed);
        }
        // a writer that dies in the middle takes its answers along
        outcome.await.map_or(Err(CommitError::Unknown), |(outcome, _spent)| outcome)
    }

    fn commit_detached(&self, slot: Slot, txn: Txn) {
        let bytes = txn.weight();
        let admitted = bytes <= strongroom_store::MAX_TXN_BYTES;
        if !admitted || !self.shared.queue.push(Job::new(slot, txn, None)) {
            tracing::warn!(bytes, admitted, "a detached transaction was not taken");
        }
    }

    async fn entries(&self, from_seq: u64, limit: usize) -> Result<Vec<TrailEntry>, StoreError> {
        self.scan(move |shared| shared.readers.entries(from_seq, limit)).await
    }

    fn trail_head(&self) -> TrailHead {
        *self.shared.trail.lock()
    }

    fn revision(&self) -> Revision {
        self.shared.revision()
    }

    fn watch(&self, from: Revision) -> Result<Watch, StoreError> {
        self.shared.changes.watch(from)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let shared = Arc::clone(&self.shared);
        let begun = tokio::task::spawn_blocking(move || snapshot::begin(&shared));
        Ok(Box::new(begun.await.map_err(|_| StoreError::Closed)??))
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        Self::check(self).await
    }

    fn space(&self) -> Space {
        self.shared.space()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.shared.begin_close();
        let mut done = self.shared.done.subscribe();
        // the sender lives as long as this store
        let _ = done.wait_for(|done| *done).await;
        Ok(())
    }
}

impl Drop for SqliteStore {
    /// Finishes what is queued: a directory that was let go of can be opened again.
    fn drop(&mut self) {
        self.shared.begin_close();
        if let Some(writer) = self.writer.lock().take() {
            // a panic there has been reported there
            let _ = writer.join();
        }
    }
}
