//! What is left after the worst: kill -9, power cuts, failed syncs, full disks.
//!
//! Each test runs this same binary again as a child that commits and says what was acknowledged.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

mod child;
mod full;
mod kill;
mod power;
mod sync;
mod trace;

use std::path::Path;
use std::sync::Arc;
use strongroom_store::{RowKey, Store, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

/// A value that proves itself: its key's digest, repeated.
fn value_of(key: &str) -> Vec<u8> {
    conformance::link(&[0; 32], 1, 2, key.as_bytes()).repeat(32)
}

/// Opens the store and checks that every acknowledged key is there, and that rows and trail tell the same story.
async fn verify(dir: &Path, acknowledged: &[String]) -> Arc<SqliteStore> {
    let store = SqliteStore::open(dir, Options::TEST, conformance::link).unwrap();
    for key in acknowledged {
        let row = store.get(&RowKey::new(key.as_bytes()).unwrap()).await.unwrap();
        assert_eq!(row.unwrap_or_else(|| panic!("{key} was acknowledged and is gone")).value, value_of(key));
    }
    conformance::verify_trail(&*store).await;
    let mut rows: Vec<_> =
        conformance::all_rows(&*store).await.iter().map(|row| row.key.as_bytes().to_vec()).collect();
    let entries = store.entries(1, usize::MAX).await.unwrap();
    let mut recorded: Vec<_> =
        entries.into_iter().filter(|entry| entry.verdict == 1).map(|entry| entry.body).collect();
    rows.sort();
    recorded.sort();
    assert!(rows == recorded, "a row without its entry, or an entry without its row");
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    store
}

/// Counts what this machine cannot test, where a reader of the log sees it.
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}
