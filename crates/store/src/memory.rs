//! The store in memory: the reference implementation, and what tests above the store run on.

mod state;

use crate::{
    ChangeLog, CommitError, Committed, Item, LinkFn, MAX_TXN_BYTES, Range, Revision, Row, RowKey, Slot,
    Snapshot, Space, Store, StoreError, TrailEntry, TrailHead, Txn, Watch,
};
use parking_lot::Mutex;
use state::State;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Semaphore;

/// Places in the queue of a [`MemoryStore`].
const QUEUE: usize = 4_096;

/// Rows and trail in memory: every promise of [`Store`] but durability.
#[derive(Debug)]
pub struct MemoryStore {
    link: LinkFn,
    state: Mutex<State>,
    changes: ChangeLog,
    queue: Arc<Semaphore>,
    space: AtomicU8,
}

impl MemoryStore {
    /// An empty store whose trail is chained by `link`.
    pub fn new(link: LinkFn) -> Arc<Self> {
        Self::with_state(link, State::default())
    }

    /// A store that holds what a snapshot held: rows with their revisions, entries with their links.
    pub fn of_items(items: impl IntoIterator<Item = Item>, revision: Revision, link: LinkFn) -> Arc<Self> {
        let mut state = State { revision, ..State::default() };
        for item in items {
            state.take(item);
        }
        Self::with_state(link, state)
    }

    /// Pretends that the disk has so much room; for tests of those above.
    pub fn set_space(&self, space: Space) {
        self.space.store(space as u8, Ordering::Release);
    }

    fn with_state(link: LinkFn, state: State) -> Arc<Self> {
        Arc::new(Self {
            link,
            changes: ChangeLog::new(state.revision),
            state: Mutex::new(state),
            queue: Arc::new(Semaphore::new(QUEUE)),
            space: AtomicU8::new(Space::Ample as u8),
        })
    }

    fn open(&self) -> Result<parking_lot::MutexGuard<'_, State>, StoreError> {
        if self.queue.is_closed() { Err(StoreError::Closed) } else { Ok(self.state.lock()) }
    }

    fn apply(&self, txn: Txn) -> Result<Committed, CommitError> {
        let bytes = txn.weight();
        if bytes > MAX_TXN_BYTES {
            return Err(CommitError::TooLarge { bytes, allowed: MAX_TXN_BYTES });
        }
        let mut state = self.open().map_err(|_| CommitError::Closed)?;
        let (outcome, changes) = state.apply(self.link, self.space(), txn);
        self.changes.publish(changes);
        outcome
    }
}

#[async_trait::async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        Ok(self.open()?.get(key))
    }

    async fn list(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        Ok(self.open()?.list(&range))
    }

    fn reserve(&self) -> Result<Slot, StoreError> {
        use tokio::sync::TryAcquireError;
        Arc::clone(&self.queue).try_acquire_owned().map(Slot::new).map_err(|error| match error {
            TryAcquireError::Closed => StoreError::Closed,
            TryAcquireError::NoPermits => StoreError::Busy,
        })
    }

    async fn commit(&self, slot: Slot, txn: Txn) -> Result<Committed, CommitError> {
        let outcome = self.apply(txn);
        drop(slot);
        outcome
    }

    fn commit_detached(&self, slot: Slot, txn: Txn) {
        // whoever hands over without waiting has said that the outcome does not matter to it
        let _ = self.apply(txn);
        drop(slot);
    }

    async fn entries(&self, from_seq: u64, limit: usize) -> Result<Vec<TrailEntry>, StoreError> {
        Ok(self.open()?.entries(from_seq, limit))
    }

    fn trail_head(&self) -> TrailHead {
        self.state.lock().head
    }

    fn revision(&self) -> Revision {
        self.state.lock().revision
    }

    fn watch(&self, from: Revision) -> Result<Watch, StoreError> {
        self.changes.watch(from)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(self.open()?.copied()))
    }

    fn space(&self) -> Space {
        match self.space.load(Ordering::Acquire) {
            0 => Space::Ample,
            1 => Space::Reserved,
            _ => Space::Exhausted,
        }
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.queue.close();
        self.changes.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn memory_keeps_every_promise() {
        conformance::run(|| async { MemoryStore::new(conformance::link) as crate::SharedStore }).await;
        conformance::run_snapshot(
            || async { MemoryStore::new(conformance::link) as crate::SharedStore },
            |items, moment| async move {
                MemoryStore::of_items(items, moment.revision, conformance::link) as crate::SharedStore
            },
        )
        .await;
    }

    #[tokio::test]
    async fn a_full_disk_admits_by_class_and_records_refusals() {
        let store = MemoryStore::new(conformance::link);
        let put = |class| Txn { class, ..conformance::put_txn(b"a", b"v") };
        for (space, ordinary, essential, entries) in [
            (Space::Ample, true, true, 2),
            (Space::Reserved, false, true, 4),
            (Space::Exhausted, false, false, 4),
        ] {
            store.set_space(space);
            assert_eq!(store.space(), space);
            let first = store.commit(store.reserve().unwrap(), put(crate::Class::Ordinary)).await;
            let second = store.commit(store.reserve().unwrap(), put(crate::Class::Essential)).await;
            assert_eq!((first.is_ok(), second.is_ok()), (ordinary, essential), "{space:?}");
            assert_eq!(store.trail_head().seq, entries, "{space:?}");
        }
    }
}
