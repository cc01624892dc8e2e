//! The trail and backups.

use super::{all_rows, commit, entry, fresh_path, put, put_txn, row_key, verify_trail};
use crate::{Precondition, SharedStore, Store, StoreError, TrailHead, Txn};
use std::path::PathBuf;

pub(super) async fn entries_are_chained(store: &dyn Store) {
    assert_eq!(store.trail_head(), TrailHead::default(), "a fresh trail is empty");
    let mut numbers = Vec::new();
    for n in 0..20_u8 {
        let preconditions = if n % 3 == 0 { vec![Precondition::Present(row_key(b"no"))] } else { Vec::new() };
        let txn = Txn { preconditions, entry: Some(entry(&vec![n; usize::from(n)])), ..Txn::default() };
        if let Ok(committed) = commit(store, txn).await {
            numbers.push(committed.seq.expect("an entry has a number"));
            assert_eq!(store.trail_head().seq, committed.seq.unwrap_or_default());
        }
    }
    assert_eq!(verify_trail(store).await, 20);
    let expected: Vec<u64> = (0..20).filter(|n| n % 3 != 0).map(|n| n + 1).collect();
    assert_eq!(numbers, expected);
    let verdicts = store.entries(1, 4).await.expect("entries").into_iter().map(|entry| entry.verdict);
    assert_eq!(verdicts.collect::<Vec<_>>(), [9, 1, 1, 9]);
}

pub(super) async fn entries_page(store: &dyn Store) {
    assert!(store.entries(1, 10).await.expect("an empty trail").is_empty());
    for n in 0..30_u8 {
        commit(store, Txn::entry_only(vec![n], 1)).await.expect("an entry");
    }
    let numbers = async |from, limit| -> Vec<u64> {
        store.entries(from, limit).await.expect("entries").iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(numbers(1, 3).await, [1, 2, 3]);
    assert_eq!(numbers(0, 2).await, [1, 2], "the trail starts at 1");
    assert_eq!(numbers(29, 100).await, [29, 30]);
    assert_eq!(numbers(17, usize::MAX).await, (17..=30).collect::<Vec<_>>());
    assert!(numbers(31, 10).await.is_empty() && numbers(u64::MAX, 10).await.is_empty());
    assert!(numbers(1, 0).await.is_empty());
}

pub(super) async fn backup_is_described(store: &dyn Store) {
    for n in 0..50_u8 {
        put(store, &[n], &[n; 100]).await;
    }
    let path = fresh_path();
    let info = store.backup(&path).await.expect("a backup");
    assert_eq!((info.revision, info.trail), (store.revision(), store.trail_head()));
    let size = std::fs::metadata(&path).map(|meta| meta.len()).expect("the backup is a file");
    assert_eq!(info.bytes, size);
    let again = store.backup(&path).await;
    assert!(matches!(again, Err(StoreError::Io { .. })), "a backup never overwrites: {again:?}");
    std::fs::remove_file(&path).expect("removing the backup");
}

pub(super) async fn backup_equals<O, Fut>(store: SharedStore, open: O)
where
    O: Fn(PathBuf) -> Fut,
    Fut: Future<Output = SharedStore>,
{
    for n in 0..200_u16 {
        put(&*store, &n.to_be_bytes(), &[7; 1_000]).await;
    }
    let path = fresh_path();
    let writer = tokio::spawn({
        let store = std::sync::Arc::clone(&store);
        async move {
            for n in 200..600_u16 {
                commit(&*store, put_txn(&n.to_be_bytes(), &[8; 1_000]))
                    .await
                    .expect("writing during a backup");
            }
        }
    });
    let info = store.backup(&path).await.expect("a backup while a writer runs");
    writer.await.expect("the writer");
    let copy = open(path.clone()).await;
    assert_eq!(
        (copy.revision(), copy.trail_head()),
        (info.revision, info.trail),
        "the backup is as described"
    );
    assert_eq!(verify_trail(&*copy).await, info.trail.seq);
    let then: Vec<_> =
        all_rows(&*store).await.into_iter().filter(|row| row.revision <= info.revision).collect();
    assert_eq!(all_rows(&*copy).await, then, "the backup holds the rows of its revision");
    put(&*copy, b"new", b"v").await;
    assert!(copy.revision() > info.revision, "a restored store goes on");
    copy.close().await.expect("closing the copy");
    // an opener may have moved the file
    let _ = std::fs::remove_file(&path);
}
