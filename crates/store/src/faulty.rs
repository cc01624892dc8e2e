//! A store that fails when it is told to: every n in a crash test costs one line.

use crate::{
    CommitError, Committed, Range, Revision, Row, RowKey, SharedStore, Slot, Snapshot, Space, Store,
    StoreError, TrailEntry, TrailHead, Txn, Watch,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What goes wrong at the armed commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not happen, and is answered [`CommitError::Failed`].
    FailBefore,
    /// It happens, and is answered [`CommitError::Unknown`].
    UnknownApplied,
    /// It does not happen, and is answered [`CommitError::Unknown`].
    UnknownLost,
    /// It happens, unanswered; from then on everything is answered `Closed`, as after a kill.
    StopAfter,
    /// It does not happen; from then on everything is answered `Closed`.
    StopBefore,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::FailBefore, Self::UnknownApplied, Self::UnknownLost, Self::StopAfter, Self::StopBefore];
}

/// Wraps a store and lets one armed [`Fault`] happen; otherwise passes everything through.
pub struct FaultyStore {
    inner: SharedStore,
    plan: Mutex<Option<(Fault, u64)>>,
    stopped: AtomicBool,
    commits: AtomicU64,
    reads: AtomicU64,
}

impl FaultyStore {
    /// A store that works until [`FaultyStore::arm`] is called.
    pub fn new(inner: SharedStore) -> Arc<Self> {
        Arc::new(Self {
            inner,
            plan: Mutex::new(None),
            stopped: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            reads: AtomicU64::new(0),
        })
    }

    /// Lets `fault` happen at the `n`th commit from now (1 is the next), in place of what was armed before.
    pub fn arm(&self, fault: Fault, n: u64) {
        *self.plan.lock() = Some((fault, n.max(1)));
    }

    /// Takes the plan back and lets a stopped world go on.
    pub fn reset(&self) {
        *self.plan.lock() = None;
        self.stopped.store(false, Ordering::Release);
    }

    /// Whether a fault is armed and has not happened yet.
    pub fn armed(&self) -> bool {
        self.plan.lock().is_some()
    }

    /// Whether the world has been stopped.
    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Commits asked for so far, whatever became of them.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Reads asked for so far: rows, lists and entries.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Acquire)
    }

    /// The store below, as a restart would find it.
    pub fn inner(&self) -> SharedStore {
        Arc::clone(&self.inner)
    }

    /// Counts a commit and says what is to go wrong with it.
    fn next_fault(&self) -> Option<Fault> {
        self.commits.fetch_add(1, Ordering::AcqRel);
        let mut plan = self.plan.lock();
        let (fault, left) = plan.as_mut()?;
        *left = left.saturating_sub(1);
        if *left > 0 {
            return None;
        }
        let fault = *fault;
        *plan = None;
        if matches!(fault, Fault::StopAfter | Fault::StopBefore) {
            self.stopped.store(true, Ordering::Release);
        }
        Some(fault)
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.stopped() { Err(StoreError::Closed) } else { Ok(()) }
    }

    fn read(&self) -> Result<(), StoreError> {
        self.reads.fetch_add(1, Ordering::AcqRel);
        self.alive()
    }
}

impl std::fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyStore")
            .field("plan", &*self.plan.lock())
            .field("stopped", &self.stopped())
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Store for FaultyStore {
    async fn get(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        self.read()?;
        self.inner.get(key).await
    }

    async fn list(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        self.read()?;
        self.inner.list(range).await
    }

    async fn count(&self, prefix: &[u8]) -> Result<u64, StoreError> {
        self.read()?;
        self.inner.count(prefix).await
    }

    fn reserve(&self) -> Result<Slot, StoreError> {
        self.alive()?;
        self.inner.reserve()
    }

    async fn commit(&self, slot: Slot, txn: Txn) -> Result<Committed, CommitError> {
        self.alive().map_err(|_| CommitError::Closed)?;
        match self.next_fault() {
            None => self.inner.commit(slot, txn).await,
            Some(Fault::FailBefore) => Err(CommitError::Failed { context: "injected fault".to_owned() }),
            Some(Fault::UnknownLost) => Err(CommitError::Unknown),
            Some(Fault::StopBefore) => Err(CommitError::Closed),
            Some(Fault::UnknownApplied) => self.inner.commit(slot, txn).await.and(Err(CommitError::Unknown)),
            Some(Fault::StopAfter) => self.inner.commit(slot, txn).await.and(Err(CommitError::Closed)),
        }
    }

    fn commit_detached(&self, slot: Slot, txn: Txn) {
        if self.stopped() {
            return;
        }
        if matches!(self.next_fault(), None | Some(Fault::UnknownApplied | Fault::StopAfter)) {
            self.inner.commit_detached(slot, txn);
        }
    }

    async fn entries(&self, from_seq: u64, limit: usize) -> Result<Vec<TrailEntry>, StoreError> {
        self.read()?;
        self.inner.entries(from_seq, limit).await
    }

    fn trail_head(&self) -> TrailHead {
        self.inner.trail_head()
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn watch(&self, from: Revision) -> Result<Watch, StoreError> {
        self.alive()?;
        self.inner.watch(from)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.alive()?;
        self.inner.snapshot().await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read()?;
        self.inner.check().await
    }

    fn space(&self) -> Space {
        self.inner.space()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryStore, conformance};

    fn faulty() -> Arc<FaultyStore> {
        FaultyStore::new(MemoryStore::new(conformance::link))
    }

    type Judge = fn(&CommitError) -> bool;

    async fn put(store: &FaultyStore, key: &str) -> Result<Committed, CommitError> {
        let slot = store.reserve().unwrap();
        store.commit(slot, conformance::put_txn(key.as_bytes(), b"value")).await
    }

    async fn there(store: &FaultyStore, key: &str) -> bool {
        store.inner().get(&RowKey::new(key.as_bytes()).unwrap()).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn unarmed_it_keeps_every_promise() {
        conformance::run(|| async { faulty() as SharedStore }).await;
    }

    #[tokio::test]
    async fn each_fault_does_what_it_says_to_the_nth_commit_only() {
        let closed = |e: &CommitError| matches!(e, CommitError::Closed);
        let unknown = |e: &CommitError| matches!(e, CommitError::Unknown);
        let failed = |e: &CommitError| matches!(e, CommitError::Failed { .. });
        let cases: [(Fault, Judge, bool); 5] = [
            (Fault::FailBefore, failed, false),
            (Fault::UnknownApplied, unknown, true),
            (Fault::UnknownLost, unknown, false),
            (Fault::StopAfter, closed, true),
            (Fault::StopBefore, closed, false),
        ];
        for (fault, expected, applied) in cases {
            let store = faulty();
            store.arm(fault, 2);
            put(&store, "a").await.unwrap();
            assert!(store.armed());
            assert!(expected(&put(&store, "b").await.unwrap_err()), "{fault:?}");
            assert_eq!(there(&store, "b").await, applied, "{fault:?}");
            assert!(!store.armed());
        }
    }

    #[tokio::test]
    async fn a_stopped_world_answers_closed_until_reset() {
        let store = faulty();
        store.arm(Fault::StopAfter, 1);
        let _ = put(&store, "a").await;
        assert!(store.stopped());
        assert!(matches!(store.reserve(), Err(StoreError::Closed)));
        assert!(matches!(store.get(&RowKey::new(*b"a").unwrap()).await, Err(StoreError::Closed)));
        assert!(matches!(store.entries(1, 1).await, Err(StoreError::Closed)));
        store.reset();
        put(&store, "b").await.unwrap();
        assert_eq!((store.commits(), store.reads()), (2, 2));
    }
}
