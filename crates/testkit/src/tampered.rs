//! The thief of the disk: copies of a store with rows altered or entries cut, and stores that are not as they
//! should be.

use std::sync::Arc;
use strongroom_store::{
    Change, CommitError, Committed, MemoryStore, Range, Revision, Row, RowKey, SharedStore, Slot, Snapshot,
    Space, Store, StoreError, TrailEntry, TrailHead, Txn, Watch,
};

/// A copy of a store in memory: each row as `alter` leaves it, and the entries up to `last`, chained as they were.
pub async fn copy_of(
    store: &SharedStore,
    last: u64,
    mut alter: impl FnMut(Row) -> Option<Row>,
) -> Arc<MemoryStore> {
    let copy = MemoryStore::new(strongroom_audit::link);
    for row in store.list(Range::prefix(Vec::new(), usize::MAX)).await.expect("rows can be read") {
        if let Some(row) = alter(row) {
            commit(&copy, Txn { changes: vec![Change::Put(row.key, row.value)], ..Txn::default() }).await;
        }
    }
    for entry in store.entries(1, usize::MAX).await.expect("entries can be read") {
        if entry.seq <= last {
            commit(&copy, Txn::entry_only(entry.body, entry.verdict)).await;
        }
    }
    copy
}

async fn commit(store: &MemoryStore, txn: Txn) {
    let slot = store.reserve().expect("an idle queue has room");
    store.commit(slot, txn).await.expect("a copy in memory takes everything");
}

type Edit = Box<dyn Fn(Vec<TrailEntry>) -> Vec<TrailEntry> + Send + Sync>;

/// A store that is not as it should be: its trail lies, or its commits take a while.
pub struct Odd {
    inner: SharedStore,
    edit: Edit,
    turns: usize,
    held: parking_lot::Mutex<Option<(u8, Arc<Hold>)>>,
    blind: parking_lot::Mutex<Option<u8>>,
    damaged: parking_lot::Mutex<Option<RowKey>>,
}

/// A reader that was stopped after it had read a row.
#[derive(Debug, Default)]
pub struct Hold {
    reached: tokio::sync::Notify,
    go: tokio::sync::Notify,
}

impl Hold {
    /// Waits until somebody has read such a row.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets them go on with what they have read.
    pub fn go(&self) {
        self.go.notify_one();
    }
}

impl Odd {
    /// A trail that is not what was written: `edit` sees all of it and gives back what is to be read.
    pub fn edited(
        inner: SharedStore,
        edit: impl Fn(Vec<TrailEntry>) -> Vec<TrailEntry> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self::new(inner, Box::new(edit), 0))
    }

    /// Commits that take some turns of the scheduler, so that whoever waits for one can go away.
    pub fn slow(inner: SharedStore) -> Arc<Self> {
        Arc::new(Self::new(inner, Box::new(|entries| entries), 10))
    }

    fn new(inner: SharedStore, edit: Edit, turns: usize) -> Self {
        let (held, blind, damaged) = Default::default();
        Self { inner, edit, turns, held, blind, damaged }
    }

    /// The next listing of this whole table finds nothing: it was made before what is there.
    pub fn blind_once(&self, table: u8) {
        *self.blind.lock() = Some(table);
    }

    /// From now on this row does not match its checksum, as the store on disk would say.
    pub fn damage(&self, key: RowKey) {
        *self.damaged.lock() = Some(key);
    }

    fn whole(&self, rows: Vec<Row>) -> Result<Vec<Row>, StoreError> {
        let damaged = self.damaged.lock();
        match rows.iter().find(|row| Some(&row.key) == damaged.as_ref()) {
            Some(row) => Err(StoreError::Corrupt { place: format!("row {:?}", row.key) }),
            None => Ok(rows),
        }
    }

    /// Stops whoever next reads one row of this table, right after it was read.
    pub fn hold_reader_of(&self, table: u8) -> Arc<Hold> {
        let hold = Arc::<Hold>::default();
        *self.held.lock() = Some((table, Arc::clone(&hold)));
        hold
    }

    async fn hold(&self, key: &RowKey) {
        let held = self.held.lock().take_if(|(table, _)| key.as_bytes().first() == Some(table));
        if let Some((_, hold)) = held {
            hold.reached.notify_one();
            hold.go.notified().await;
        }
    }
}

#[async_trait::async_trait]
impl Store for Odd {
    async fn get(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        let row = self.inner.get(key).await;
        self.hold(key).await;
        row
    }

    async fn list(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        if self.blind.lock().take_if(|table| range.prefix == [*table]).is_some() {
            return Ok(Vec::new());
        }
        self.whole(self.inner.list(range).await?)
    }

    fn reserve(&self) -> Result<Slot, StoreError> {
        self.inner.reserve()
    }

    async fn commit(&self, slot: Slot, txn: Txn) -> Result<Committed, CommitError> {
        if self.turns == 0 {
            return self.inner.commit(slot, txn).await;
        }
        // as a writer thread does: what was handed over is done, whoever waits for it
        let (inner, turns) = (Arc::clone(&self.inner), self.turns);
        let task = tokio::spawn(async move {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            inner.commit(slot, txn).await
        });
        task.await.unwrap_or(Err(CommitError::Unknown))
    }

    fn commit_detached(&self, slot: Slot, txn: Txn) {
        self.inner.commit_detached(slot, txn);
    }

    async fn entries(&self, from_seq: u64, limit: usize) -> Result<Vec<TrailEntry>, StoreError> {
        let all = (self.edit)(self.inner.entries(1, usize::MAX).await?);
        Ok(all.into_iter().filter(|entry| entry.seq >= from_seq).take(limit).collect())
    }

    fn trail_head(&self) -> TrailHead {
        self.inner.trail_head()
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn watch(&self, from: Revision) -> Result<Watch, StoreError> {
        self.inner.watch(from)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.inner.snapshot().await
    }

    fn space(&self) -> Space {
        self.inner.space()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

impl std::fmt::Debug for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Odd")
    }
}
