//! The trail.

use super::{commit, entry, row_key, verify_trail};
use crate::{Change, CommitError, Precondition, SharedStore, Store, TrailHead, Txn};

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

fn trim(up_to: u64) -> Txn {
    Txn { changes: vec![Change::TrimTrail(up_to)], entry: Some(entry(b"trim")), ..Txn::default() }
}

async fn all(store: &dyn Store) -> Vec<crate::TrailEntry> {
    store.entries(1, usize::MAX).await.expect("reading the trail")
}

/// Trimming takes the front and nothing else, with its own entry, or not at all.
pub(super) async fn trims(store: &dyn Store) {
    for n in 0..10_u8 {
        commit(store, Txn::entry_only(vec![n], 1)).await.expect("an entry");
    }
    let before = all(store).await;
    let refused = Txn { preconditions: vec![Precondition::Present(row_key(b"no"))], ..trim(4) };
    assert!(matches!(commit(store, refused).await, Err(CommitError::Precondition { index: 0 })));
    assert_eq!(all(store).await.len(), 11, "a refused trim removes nothing");
    commit(store, trim(4)).await.expect("a trim");
    let left = all(store).await;
    assert_eq!(left.get(..6), before.get(4..), "what stays is what it was");
    assert_eq!(left.last().map(|entry| entry.seq), Some(12), "a trim leaves its entry");
    assert!(left.iter().zip(left.iter().skip(1)).all(|(one, two)| {
        two.seq == one.seq + 1 && two.hash == super::link(&one.hash, two.seq, two.verdict, &two.body)
    }));
    commit(store, trim(4)).await.expect("the same trim again removes nothing");
    assert_eq!(all(store).await.first().map(|entry| entry.seq), Some(5));
    let silent = Txn { changes: vec![Change::TrimTrail(u64::MAX)], ..Txn::default() };
    let head = store.trail_head();
    commit(store, silent).await.expect("a trim of everything");
    assert_eq!((all(store).await.len(), store.trail_head()), (1, head), "the last entry always stays");
    assert_eq!(commit(store, Txn::entry_only(vec![7], 1)).await.expect("an entry").seq, Some(head.seq + 1));
}

/// Entries that were committed together are divided where the cut says.
pub(super) async fn trims_groups(store: SharedStore) {
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..200_u8 {
        let store = std::sync::Arc::clone(&store);
        writers.spawn(async move { commit(&*store, Txn::entry_only(vec![n; 9], 1)).await.map(drop) });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("a writer").expect("an entry");
    }
    let before = all(&*store).await;
    for cut in [1, 2, 3, 50, 101, 150, 198, 199] {
        commit(&*store, trim(cut)).await.expect("a trim");
        let left = all(&*store).await;
        let at = usize::try_from(cut).expect("a small number");
        assert_eq!(left.get(..200 - at), before.get(at..), "cut at {cut}");
    }
}
