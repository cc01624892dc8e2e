//! Listings and watches.

use super::{commit, put, row_key};
use crate::{Change, KEPT_CHANGES, Order, Range, RowKey, Store, StoreError, Txn};

pub(super) async fn list_orders_and_pages(store: &dyn Store) {
    for n in 0..25_u8 {
        put(store, &[b'f', n], &[n]).await;
        put(store, &[b'g', n], &[n]).await;
    }
    let up: Vec<u8> = (0..25).collect();
    let down: Vec<u8> = (0..25).rev().collect();
    for limit in [1, 7, 25, 26, 1_000, usize::MAX] {
        assert_eq!(paged(store, Order::Ascending, limit).await, up, "ascending by {limit}");
        assert_eq!(paged(store, Order::Descending, limit).await, down, "descending by {limit}");
    }
}

/// Follows pages of the folder `f` to the end; gives the second byte of each key.
async fn paged(store: &dyn Store, order: Order, limit: usize) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut after: Option<RowKey> = None;
    loop {
        let range = Range { prefix: b"f".to_vec(), after, order, limit };
        let page = store.list(range).await.expect("a page");
        assert!(page.len() <= limit, "a page is longer than its limit");
        let Some(last) = page.last() else { return seen };
        after = Some(last.key.clone());
        for row in &page {
            assert_eq!(row.key.as_bytes().get(1..), Some(row.value.as_slice()));
            seen.extend_from_slice(&row.value);
        }
    }
}

pub(super) async fn list_edges(store: &dyn Store) {
    let longest = vec![0xff; crate::MAX_KEY_BYTES];
    let all: [&[u8]; 6] = [b"\0", b"a", b"a\0", b"ab", b"\xff", &longest];
    for key in all {
        put(store, key, b"v").await;
    }
    let list = async |prefix: &[u8], after: Option<&[u8]>, order, limit| -> Vec<Vec<u8>> {
        let range = Range { prefix: prefix.to_vec(), after: after.map(row_key), order, limit };
        let rows = store.list(range).await.expect("a listing");
        rows.into_iter().map(|row| row.key.as_bytes().to_vec()).collect()
    };
    let (up, down) = (Order::Ascending, Order::Descending);
    assert_eq!(list(b"", None, up, 100).await, all);
    assert_eq!(list(b"", None, down, 2).await, [&longest[..], b"\xff"]);
    assert_eq!(list(b"a", None, up, 100).await, [&b"a"[..], b"a\0", b"ab"]);
    assert_eq!(list(b"a", Some(b"a"), up, 100).await, [&b"a\0"[..], b"ab"], "after is exclusive");
    assert_eq!(list(b"a", Some(b"ab"), down, 100).await, [&b"a\0"[..], b"a"]);
    assert_eq!(list(b"\xff", None, up, 100).await, [&b"\xff"[..], &longest]);
    assert_eq!(list(b"a", Some(b"\0"), up, 100).await.len(), 3, "after may lie before the prefix");
    assert!(list(b"a", Some(b"b"), up, 100).await.is_empty(), "after may lie beyond the prefix");
    assert_eq!(list(b"a", Some(b"b"), down, 100).await.len(), 3);
    assert!(list(b"a", Some(b"\0"), down, 100).await.is_empty());
    assert!(list(b"zz", None, up, 100).await.is_empty());
    assert!(list(b"", None, up, 0).await.is_empty(), "a limit of 0 gives nothing");
    for prefix in [b"".as_slice(), b"a", b"\xff", b"zz"] {
        let counted = store.count(prefix).await.expect("a count");
        assert_eq!(usize::try_from(counted), Ok(list(prefix, None, up, 100).await.len()), "{prefix:?}");
    }
}

pub(super) async fn watch(store: &dyn Store) {
    let first = put(store, b"a", b"1").await.revision;
    let mut all = store.watch(crate::Revision(0)).expect("a fresh store has forgotten nothing");
    let mut later = store.watch(first).expect("a watch from the present");
    let both = vec![
        Change::Put(row_key(b"b"), b"1".to_vec()),
        Change::DeletePrefix(b"a".to_vec()),
        Change::Delete(row_key(b"not there")),
    ];
    let second = commit(store, Txn { changes: both, ..Txn::default() }).await.expect("a commit").revision;
    commit(store, Txn::entry_only(b"e".to_vec(), 1)).await.expect("entries are not watched");
    let third = put(store, b"c", b"1").await.revision;
    let expected = [(first, "a", false), (second, "b", false), (second, "a", true), (third, "c", false)];
    for (revision, key, deleted) in expected {
        let seen = all.next().await.expect("a change");
        assert_eq!((seen.revision, seen.key.as_bytes(), seen.deleted), (revision, key.as_bytes(), deleted));
    }
    for (revision, ..) in expected.into_iter().skip(1) {
        assert_eq!(
            later.next().await.expect("a change").revision,
            revision,
            "a watch starts after its revision"
        );
    }
    store.close().await.expect("closing");
    assert!(matches!(all.next().await, Err(StoreError::Closed)), "closing ends a watch");
}

pub(super) async fn watch_compacts(store: &dyn Store) {
    let mut slow = store.watch(store.revision()).expect("a watch from the present");
    let batch = 64;
    let mut made = 0;
    while made <= KEPT_CHANGES {
        let changes = (0..batch).map(|n| Change::Put(row_key(&[1, n]), b"v".to_vec())).collect();
        commit(store, Txn { changes, ..Txn::default() }).await.expect("a commit");
        made += usize::from(batch);
    }
    let refused = store.watch(crate::Revision(0));
    let Err(StoreError::Compacted { oldest }) = refused else {
        panic!("expected Compacted, got {refused:?}")
    };
    assert!(store.watch(oldest).is_ok(), "the revision named can be watched from");
    assert!(matches!(slow.next().await, Err(StoreError::Compacted { .. })), "falling behind is told");
}
