//! Many writers, a bounded queue, clients that leave, closing.

use super::{commit, entry, put, put_txn, row_key, value, verify_trail};
use crate::{Change, CommitError, Merge, Precondition, SharedStore, Store, StoreError, Txn};
use std::sync::Arc;

const TASKS: u64 = 64;
const ROUNDS: u64 = 8;

pub(super) async fn merges_add_up(store: SharedStore) {
    each_task(&store, async |store| {
        let merge: Merge = Box::new(|old| Ok(Some((number(old) + 1).to_be_bytes().to_vec())));
        let changes = vec![Change::Merge(row_key(b"sum"), merge)];
        commit(&*store, Txn { changes, entry: Some(entry(b"+1")), ..Txn::default() }).await.expect("a merge");
    })
    .await;
    assert_eq!(number(value(&*store, b"sum").await.as_deref()), TASKS * ROUNDS, "a merge was lost");
    assert_eq!(verify_trail(&*store).await, TASKS * ROUNDS);
}

pub(super) async fn optimistic_writers_add_up(store: SharedStore) {
    put(&*store, b"sum", &0_u64.to_be_bytes()).await;
    each_task(&store, async |store| while !try_increment(&*store).await {}).await;
    assert_eq!(number(value(&*store, b"sum").await.as_deref()), TASKS * ROUNDS, "an update was lost");
    verify_trail(&*store).await;
}

async fn try_increment(store: &dyn Store) -> bool {
    let key = row_key(b"sum");
    let row = store.get(&key).await.expect("a point read").expect("the row");
    let txn = Txn {
        preconditions: vec![Precondition::Revision(key.clone(), row.revision)],
        changes: vec![Change::Put(key, (number(Some(&row.value)) + 1).to_be_bytes().to_vec())],
        ..Txn::default()
    };
    match commit(store, txn).await {
        Ok(committed) => {
            assert!(store.revision() >= committed.revision, "an acknowledged commit is visible");
            true
        }
        Err(CommitError::Precondition { index: 0 }) => false,
        Err(other) => panic!("an optimistic write: {other}"),
    }
}

/// Runs `work` in 64 tasks, 8 times each.
async fn each_task<W, Fut>(store: &SharedStore, work: W)
where
    W: Fn(SharedStore) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, work) = (Arc::clone(store), work.clone());
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    work(Arc::clone(&store)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer's task");
    }
}

fn number(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes)
}

pub(super) async fn queue_is_bounded(store: &dyn Store) {
    let mut slots = Vec::new();
    let refused = loop {
        match store.reserve() {
            Ok(slot) => slots.push(slot),
            Err(error) => break error,
        }
        assert!(slots.len() < 1_000_000, "the queue has no bound");
    };
    assert!(matches!(refused, StoreError::Busy), "{refused}");
    let slot = slots.pop().expect("a queue of at least one");
    store.commit(slot, put_txn(b"a", b"v")).await.expect("a place that was taken is good");
    assert!(store.reserve().is_ok(), "a place comes back once its commit is answered");
}

pub(super) async fn dropped_futures_commit(store: SharedStore) {
    for n in 0..20_u8 {
        let slot = store.reserve().expect("a place in the queue");
        let mut future = store.commit(slot, put_txn(&[n], b"v"));
        let once = std::future::poll_fn(|cx| {
            // the outcome is nobody's business: the caller has hung up
            let _ = future.as_mut().poll(cx);
            std::task::Poll::Ready(())
        });
        once.await;
        drop(future);
    }
    store.close().await.expect("closing");
    assert_eq!(store.trail_head().seq, 20, "what was handed over is done");
}

pub(super) async fn detached_commits(store: &dyn Store) {
    store.commit_detached(store.reserve().expect("a place"), Txn::entry_only(b"abandoned".to_vec(), 4));
    let next = commit(store, Txn::entry_only(b"next".to_vec(), 1)).await.expect("an entry");
    assert_eq!(next.seq, Some(2), "what was handed over first comes first");
    let first = store.entries(1, 1).await.expect("entries");
    assert_eq!(first.first().map(|entry| entry.body.as_slice()), Some(&b"abandoned"[..]));
}

pub(super) async fn closes(store: &dyn Store) {
    put(store, b"a", b"v").await;
    let spare = store.reserve().expect("a place in the queue");
    store.close().await.expect("closing");
    store.close().await.expect("closing twice");
    assert!(matches!(store.commit(spare, put_txn(b"b", b"v")).await, Err(CommitError::Closed)));
    assert!(matches!(store.reserve(), Err(StoreError::Closed)));
    assert!(matches!(store.get(&row_key(b"a")).await, Err(StoreError::Closed)));
    assert!(matches!(store.list(crate::Range::prefix(*b"a", 1)).await, Err(StoreError::Closed)));
    assert!(matches!(store.entries(1, 1).await, Err(StoreError::Closed)));
    assert!(matches!(store.watch(store.revision()), Err(StoreError::Closed)));
    assert!(matches!(store.snapshot().await, Err(StoreError::Closed)));
    assert_eq!(store.trail_head().seq, 1, "what is known stays known");
}
