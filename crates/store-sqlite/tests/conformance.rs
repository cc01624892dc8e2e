//! The embedded store keeps every promise of the trait.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::sync::Arc;
use strongroom_store::{FaultyStore, SharedStore, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

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
async fn a_backup_becomes_a_data_directory() {
    let root = tempfile::tempdir().unwrap();
    let restore = |backup: std::path::PathBuf| {
        let dir = tempfile::tempdir_in(root.path()).unwrap().keep();
        std::fs::rename(backup, dir.join("strongroom.db")).unwrap();
        async move { open(&dir) }
    };
    conformance::run_backup(|| async { fresh(&root) }, restore).await;
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
