//! The embedded store keeps every promise of the trait.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::sync::Arc;
use strongroom_store::{FaultyStore, Item, Moment, Range, SharedStore, StoreError, conformance};
use strongroom_store_sqlite::{Options, Restoring, SqliteStore};

fn open(dir: &Path) -> SharedStore {
    SqliteStore::open(dir, Options::TEST, conformance::link).unwrap()
}

/// A store in a directory of its own, which the test removes at its end.
fn fresh(root: &tempfile::TempDir) -> SharedStore {
    open(tempfile::tempdir_in(root.path()).unwrap().keep().as_path())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_every_promise() {
    let root = tempfile::tempdir().unwrap();
    conformance::run(|| async { fresh(&root) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unarmed_faulty_store_over_sqlite_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    conformance::run(|| async { FaultyStore::new(fresh(&root)) as SharedStore }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_becomes_a_data_directory() {
    let root = tempfile::tempdir().unwrap();
    let restore = |items: Vec<Item>, moment: Moment| {
        let dir = tempfile::tempdir_in(root.path()).unwrap().keep();
        let mut restoring = Restoring::begin(&dir).unwrap();
        for item in &items {
            restoring.put(item).unwrap();
        }
        restoring.finish(moment.revision).unwrap();
        async move { open(&dir) }
    };
    conformance::run_snapshot(|| async { fresh(&root) }, restore).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_snapshot_is_read_at_a_time_and_none_after_closing() {
    let root = tempfile::tempdir().unwrap();
    let store = fresh(&root);
    for n in 0..9_u8 {
        let slot = store.reserve().unwrap();
        store.commit(slot, conformance::put_txn(&[n], &[n; 100])).await.unwrap();
    }
    let mut first = store.snapshot().await.unwrap();
    assert!(matches!(store.snapshot().await.err(), Some(StoreError::Busy)));
    assert_eq!(first.read(1).unwrap().len(), 1);
    store.close().await.unwrap();
    assert!(matches!(first.read(1), Err(StoreError::Closed)));
}

#[test]
fn a_restore_is_whole_or_the_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let row = |n: u8| {
        let key = strongroom_store::RowKey::new([n]).unwrap();
        Item::Row(strongroom_store::Row { key, revision: strongroom_store::Revision(1), value: vec![n; 50] })
    };
    // given up: nothing stays
    let dir = root.path().join("given-up");
    let mut restoring = Restoring::begin(&dir).unwrap();
    restoring.put(&row(1)).unwrap();
    drop(restoring);
    assert!(!dir.exists(), "a directory that it made goes with it");
    // killed in the middle: what is there is refused
    let dir = root.path().join("killed");
    let mut restoring = Restoring::begin(&dir).unwrap();
    restoring.put(&row(1)).unwrap();
    std::mem::forget(restoring);
    std::fs::remove_file(dir.join("lock")).unwrap();
    let refused = SqliteStore::open(&dir, Options::TEST, conformance::link).err().unwrap();
    assert!(matches!(refused, StoreError::Unfinished { .. }), "{refused}");
    let again = Restoring::begin(&dir).err().unwrap();
    assert!(matches!(again, StoreError::Unfinished { .. }), "{again}");
    // a directory with anything in it is left alone
    let dir = root.path().join("full");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("somebody's"), "work").unwrap();
    assert!(matches!(Restoring::begin(&dir).err(), Some(StoreError::NotEmpty { .. })));
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
    // an empty one stays when the restore is given up
    let dir = root.path().join("empty");
    std::fs::create_dir(&dir).unwrap();
    drop(Restoring::begin(&dir).unwrap());
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_store_has_no_findings() {
    let root = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(root.path(), Options::TEST, conformance::link).unwrap();
    let shared: SharedStore = Arc::clone(&store) as SharedStore;
    for n in 0..300_u16 {
        let slot = shared.reserve().unwrap();
        shared.commit(slot, conformance::put_txn(&n.to_be_bytes(), &[5; 700])).await.unwrap();
    }
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    assert_eq!(conformance::verify_trail(&*shared).await, 300);
}

/// Commits without a pause, and readers without one: the log is cut all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_bounded_while_nobody_ever_rests() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    store.list(Range::prefix(vec![0x20], 50)).await.unwrap();
                }
            })
        })
        .collect();
    let page = 8 << 10;
    // what it is cut at, a fold's step beyond it, and a group
    let bound = u64::from(Options::TEST.wal_pages) * (8 + 4) * page;
    let log = root.path().join("strongroom.db-wal");
    let mut longest = 0;
    for n in 0..3_000_u32 {
        let slot = store.reserve().unwrap();
        let key = [&[0x20][..], &(n % 500).to_be_bytes()].concat();
        store.commit(slot, conformance::put_txn(&key, &[7; 8_000])).await.unwrap();
        longest = longest.max(std::fs::metadata(&log).map_or(0, |log| log.len()));
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(longest <= bound, "{longest} of {bound} bytes");
    store.close().await.unwrap();
}
