//! What every store must do, checked promise by promise.
//!
//! One line in an implementation's tests: `conformance::run(|| async { my_fresh_store() }).await`, on a
//! multi-threaded runtime. Each check takes a fresh, empty store whose trail is chained by [`link`]. A broken
//! promise is a panic that names it.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a conformance suite reports by panicking, as tests do"
)]

mod commits;
mod concurrency;
mod reads;
mod snapshots;
mod trail;

use crate::{
    Change, CommitError, Committed, Item, Moment, PendingEntry, Row, RowKey, SharedStore, Store, Txn,
};

/// Runs every check on fresh stores from `make`.
pub async fn run<F, Fut>(make: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = SharedStore>,
{
    commits::put_get_delete(&*make().await).await;
    commits::prefix_delete(&*make().await).await;
    commits::merges(&*make().await).await;
    commits::preconditions(&*make().await).await;
    commits::failed_changes_nothing(&*make().await).await;
    commits::fenced_writes_no_entry(&*make().await).await;
    commits::too_large(&*make().await).await;
    reads::list_orders_and_pages(&*make().await).await;
    reads::list_edges(&*make().await).await;
    reads::watch(&*make().await).await;
    reads::watch_compacts(&*make().await).await;
    trail::entries_are_chained(&*make().await).await;
    trail::entries_page(&*make().await).await;
    trail::trims(&*make().await).await;
    trail::trims_groups(make().await).await;
    snapshots::a_snapshot_is_of_its_moment(&*make().await).await;
    snapshots::a_snapshot_comes_in_pieces(&*make().await).await;
    concurrency::merges_add_up(make().await).await;
    concurrency::optimistic_writers_add_up(make().await).await;
    concurrency::queue_is_bounded(&*make().await).await;
    concurrency::dropped_futures_commit(make().await).await;
    concurrency::detached_commits(&*make().await).await;
    concurrency::closes(&*make().await).await;
}

/// Checks that a snapshot read while work goes on can become a store, and equals what it says it holds. `restore` is
/// given the items and the moment.
pub async fn run_snapshot<M, O, FutM, FutO>(make: M, restore: O)
where
    M: Fn() -> FutM,
    FutM: Future<Output = SharedStore>,
    O: Fn(Vec<Item>, Moment) -> FutO,
    FutO: Future<Output = SharedStore>,
{
    snapshots::a_snapshot_becomes_a_store(make().await, restore).await;
}

/// The link with which stores under test chain their trail: no cryptography, but every bit counts.
pub fn link(previous: &[u8; 32], seq: u64, verdict: u8, body: &[u8]) -> [u8; 32] {
    let mut lanes =
        [0xcbf2_9ce4_8422_2325_u64, 0x9e37_79b9_7f4a_7c15, 0x2545_f491_4f6c_dd1d, 0x1234_5678_9abc_def1];
    let input =
        previous.iter().copied().chain(seq.to_le_bytes()).chain([verdict]).chain(body.iter().copied());
    for byte in input {
        for lane in &mut lanes {
            *lane = (*lane ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        }
    }
    let mut out = [0; 32];
    for (chunk, lane) in out.chunks_mut(8).zip(lanes) {
        chunk.copy_from_slice(&lane.to_le_bytes());
    }
    out
}

/// A transaction that puts one row and leaves the entry `body == key`, verdict 1 or 9.
pub fn put_txn(key: &[u8], value: &[u8]) -> Txn {
    Txn {
        changes: vec![Change::Put(row_key(key), value.to_vec())],
        entry: Some(entry(key)),
        ..Txn::default()
    }
}

/// Reads everything: rows in order.
pub async fn all_rows(store: &dyn Store) -> Vec<Row> {
    store.list(crate::Range::prefix(Vec::new(), usize::MAX)).await.expect("listing everything")
}

/// Verifies the whole trail: numbered from 1 without gaps, each entry linked to the one before.
pub async fn verify_trail(store: &dyn Store) -> u64 {
    let entries = store.entries(1, usize::MAX).await.expect("reading the trail");
    let mut previous = [0; 32];
    for (entry, seq) in entries.iter().zip(1..) {
        assert_eq!(entry.seq, seq, "the trail has a gap");
        assert_eq!(entry.hash, link(&previous, seq, entry.verdict, &entry.body), "entry {seq} is not linked");
        previous = entry.hash;
    }
    let head = store.trail_head();
    assert_eq!((head.seq, head.hash), (entries.len() as u64, previous), "the head is not the last entry");
    head.seq
}

fn row_key(bytes: &[u8]) -> RowKey {
    RowKey::new(bytes).expect("a key of a legal length")
}

fn entry(body: &[u8]) -> PendingEntry {
    PendingEntry { body: body.to_vec(), committed: 1, failed: 9 }
}

async fn commit(store: &dyn Store, txn: Txn) -> Result<Committed, CommitError> {
    let slot = store.reserve().expect("a place in the queue");
    store.commit(slot, txn).await
}

async fn put(store: &dyn Store, key: &[u8], value: &[u8]) -> Committed {
    commit(store, put_txn(key, value)).await.expect("a plain put commits")
}

async fn value(store: &dyn Store, key: &[u8]) -> Option<Vec<u8>> {
    store.get(&row_key(key)).await.expect("a point read").map(|row| row.value)
}

async fn keys(store: &dyn Store) -> Vec<Vec<u8>> {
    all_rows(store).await.into_iter().map(|row| row.key.as_bytes().to_vec()).collect()
}
