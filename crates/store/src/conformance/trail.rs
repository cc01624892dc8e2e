//! The trail.

use super::{commit, entry, row_key, verify_trail};
use crate::{Precondition, Store, TrailHead, Txn};

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
