//! Beside the reference: the same transactions on the memory store and on SQLite, the same answers.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use strongroom_store::{
    Change, CommitError, MemoryStore, MergeRefused, Order, PendingEntry, Precondition, Range, Revision,
    RowKey, SharedStore, Store, Txn, conformance,
};
use strongroom_store_sqlite::{Options, SqliteStore};

/// A transaction in words that can be printed and told twice.
#[derive(Debug, Clone)]
struct Told {
    preconditions: Vec<(u8, Vec<u8>, i64)>,
    changes: Vec<(u8, Vec<u8>, u8)>,
    entry: Option<u8>,
}

/// Few keys, so that they meet; bytes at both ends.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0_u8, b'a', b'b', 0xff]), 1..4)
}

fn told() -> impl Strategy<Value = Told> {
    let precondition = (0..5_u8, key(), 0..12_i64);
    let change = (0..6_u8, key(), any::<u8>());
    let parts = (
        prop::collection::vec(precondition, 0..2),
        prop::collection::vec(change, 0..5),
        prop::option::of(any::<u8>()),
    );
    parts.prop_map(|(preconditions, changes, entry)| Told { preconditions, changes, entry })
}

impl Told {
    fn txn(&self) -> Txn {
        Txn {
            preconditions: self.preconditions.iter().map(precondition).collect(),
            changes: self.changes.iter().map(change).collect(),
            entry: self.entry.map(|body| PendingEntry { body: vec![body; 3], committed: 1, failed: 9 }),
            ..Txn::default()
        }
    }
}

fn precondition((kind, key, at): &(u8, Vec<u8>, i64)) -> Precondition {
    let row = RowKey::new(key.clone()).unwrap();
    match kind {
        0 => Precondition::Absent(row),
        1 => Precondition::Present(row),
        2 => Precondition::Revision(row, Revision(*at)),
        3 => Precondition::Fence(row, Revision(*at)),
        _ => Precondition::NonePrefixed(key.clone()),
    }
}

fn change((kind, key, byte): &(u8, Vec<u8>, u8)) -> Change {
    let (row, byte) = (RowKey::new(key.clone()).unwrap(), *byte);
    match kind {
        0 | 1 => Change::Put(row, vec![byte; usize::from(byte) * 40]),
        2 => Change::Delete(row),
        3 => Change::DeletePrefix(key.clone()),
        4 => Change::Merge(row, Box::new(move |old| Ok(Some([old.unwrap_or_default(), &[byte]].concat())))),
        _ => {
            Change::Merge(row, Box::new(move |old| if old.is_some() { Ok(None) } else { Err(MergeRefused) }))
        }
    }
}

async fn commit(store: &dyn Store, txn: Txn) -> String {
    format!("{:?}", store.commit(store.reserve().unwrap(), txn).await)
}

async fn compare(told: Vec<Told>, pages: Vec<(Vec<u8>, bool)>) {
    let dir = tempfile::tempdir().unwrap();
    let open = || SqliteStore::open(dir.path(), Options::TEST, conformance::link).unwrap();
    let (memory, sqlite) = (MemoryStore::new(conformance::link), open());
    for told in told {
        assert_eq!(commit(&*memory, told.txn()).await, commit(&*sqlite, told.txn()).await, "{told:?}");
        for (_, key, _) in &told.changes {
            let key = RowKey::new(key.clone()).unwrap();
            assert_eq!(memory.get(&key).await.unwrap(), sqlite.get(&key).await.unwrap(), "{key:?}");
        }
    }
    for (prefix, up) in pages {
        let order = if up { Order::Ascending } else { Order::Descending };
        let range = Range { after: RowKey::new(*b"ab").ok(), order, ..Range::prefix(prefix, 3) };
        assert_eq!(memory.list(range.clone()).await.unwrap(), sqlite.list(range).await.unwrap());
    }
    drop(sqlite);
    let sqlite = open();
    assert_eq!(conformance::all_rows(&*memory).await, conformance::all_rows(&*sqlite).await);
    assert_eq!(memory.entries(1, usize::MAX).await.unwrap(), sqlite.entries(1, usize::MAX).await.unwrap());
    assert_eq!((memory.revision(), memory.trail_head()), (sqlite.revision(), sqlite.trail_head()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_answers_as_memory_does(
        told in prop::collection::vec(told(), 1..24),
        pages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..2), any::<bool>()), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(told, pages));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_never_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store: SharedStore = SqliteStore::open(dir.path(), Options::TEST, conformance::link).unwrap();
    let acknowledged = Arc::new(AtomicI64::new(0));
    let key = RowKey::new(*b"row").unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (store, acknowledged, key) = (Arc::clone(&store), Arc::clone(&acknowledged), key.clone());
            tokio::spawn(async move {
                let mut seen = 0;
                while acknowledged.load(Ordering::Acquire) >= 0 {
                    let at_least = acknowledged.load(Ordering::Acquire).max(seen);
                    let row = store.get(&key).await.unwrap();
                    let revision = row.map_or(0, |row| row.revision.0);
                    assert!(revision >= at_least, "read {revision} after {at_least}");
                    seen = revision;
                    tokio::task::yield_now().await;
                }
                seen
            })
        })
        .collect();
    for _ in 0..400 {
        let done =
            store.commit(store.reserve().unwrap(), conformance::put_txn(b"row", b"value")).await.unwrap();
        acknowledged.store(done.revision.0, Ordering::Release);
    }
    acknowledged.store(-1, Ordering::Release);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_merge_is_refused_and_its_neighbours_do_not_notice() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Options::TEST, conformance::link).unwrap();
    let bad = Change::Merge(RowKey::new(*b"bad").unwrap(), Box::new(|_| panic!("a merge that panics")));
    let bad = Txn { changes: vec![bad], entry: conformance::put_txn(b"bad", b"").entry, ..Txn::default() };
    let bad = store.commit(store.reserve().unwrap(), bad);
    let good = store.commit(store.reserve().unwrap(), conformance::put_txn(b"good", b"v"));
    let (bad, good) = tokio::join!(bad, good);
    assert!(matches!(bad, Err(CommitError::Refused { index: 0 })), "{bad:?}");
    assert_eq!(good.unwrap().seq, Some(2));
    assert_eq!(conformance::verify_trail(&*store).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_writer_leaves_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    // a link that panics is the end of the writer
    let store =
        SqliteStore::open(dir.path(), Options::TEST, |_, _, _, _| panic!("a link that panics")).unwrap();
    let spare = store.reserve().unwrap();
    let outcome = store.commit(store.reserve().unwrap(), conformance::put_txn(b"a", b"v")).await;
    assert!(matches!(outcome, Err(CommitError::Unknown)), "{outcome:?}");
    let outcome = store.commit(spare, conformance::put_txn(b"b", b"v")).await;
    assert!(matches!(outcome, Err(CommitError::Unknown | CommitError::Closed)), "{outcome:?}");
    store.close().await.unwrap();
    drop(store);
    let store = SqliteStore::open(dir.path(), Options::TEST, conformance::link).unwrap();
    assert_eq!(
        (store.trail_head().seq, conformance::all_rows(&*store).await.len()),
        (0, 0),
        "nothing by half"
    );
}
