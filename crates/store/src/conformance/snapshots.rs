//! Snapshots.

use super::{all_rows, commit, put, put_txn, verify_trail};
use crate::{Item, Moment, Row, SharedStore, Snapshot, Store, TrailEntry};

/// Reads a snapshot to its end.
fn drain(snapshot: &mut dyn Snapshot) -> Vec<Item> {
    let mut items = Vec::new();
    loop {
        let more = snapshot.read(2_000).expect("a sound store can be read");
        if more.is_empty() {
            return items;
        }
        items.extend(more);
    }
}

fn rows(items: &[Item]) -> Vec<Row> {
    items.iter().filter_map(|item| if let Item::Row(row) = item { Some(row.clone()) } else { None }).collect()
}

fn entries(items: &[Item]) -> Vec<TrailEntry> {
    let entry = |item: &Item| if let Item::Entry(entry) = item { Some(entry.clone()) } else { None };
    items.iter().filter_map(entry).collect()
}

pub(super) async fn a_snapshot_is_of_its_moment(store: &dyn Store) {
    let mut empty = store.snapshot().await.expect("of an empty store");
    assert_eq!((empty.moment().revision, empty.moment().trail), (store.revision(), store.trail_head()));
    assert!(drain(&mut *empty).is_empty());
    drop(empty);
    for n in 0..50_u8 {
        put(store, &[n], &[n; 100]).await;
    }
    let (then, trail) = (all_rows(store).await, store.entries(1, usize::MAX).await.expect("entries"));
    let mut snapshot = store.snapshot().await.expect("a snapshot");
    assert_eq!((snapshot.moment().revision, snapshot.moment().trail), (store.revision(), store.trail_head()));
    put(store, &[7], b"later").await;
    put(store, &[77], b"later").await;
    let items = drain(&mut *snapshot);
    assert_eq!(rows(&items), then, "rows of its moment, in key order");
    assert_eq!(entries(&items), trail, "entries of its moment, in their order");
    let first_entry = items.iter().position(|item| matches!(item, Item::Entry(_)));
    assert_eq!(first_entry, Some(then.len()), "rows before entries");
}

pub(super) async fn a_snapshot_comes_in_pieces(store: &dyn Store) {
    for n in 0..20_u8 {
        put(store, &[n], &[n; 10_000]).await;
    }
    let mut snapshot = store.snapshot().await.expect("a snapshot");
    let mut pieces = 0;
    loop {
        let piece = snapshot.read(25_000).expect("a piece");
        if piece.is_empty() {
            break;
        }
        assert!(piece.iter().map(Item::weight).sum::<usize>() < 40_000, "a piece is about its budget");
        pieces += 1;
    }
    assert!(pieces >= 6, "{pieces} pieces");
    drop(snapshot);
    store.snapshot().await.expect("another, when the first is gone");
}

pub(super) async fn a_snapshot_becomes_a_store<O, Fut>(store: SharedStore, restore: O)
where
    O: Fn(Vec<Item>, Moment) -> Fut,
    Fut: Future<Output = SharedStore>,
{
    for n in 0..200_u16 {
        put(&*store, &n.to_be_bytes(), &[7; 1_000]).await;
    }
    let writer = tokio::spawn({
        let store = std::sync::Arc::clone(&store);
        async move {
            for n in 200..600_u16 {
                let done = commit(&*store, put_txn(&n.to_be_bytes(), &[8; 1_000])).await;
                done.expect("writing while a snapshot is read");
            }
        }
    });
    let mut snapshot = store.snapshot().await.expect("a snapshot while a writer runs");
    let moment = snapshot.moment();
    let items = tokio::task::spawn_blocking(move || drain(&mut *snapshot)).await.expect("a snapshot is read");
    writer.await.expect("the writer");
    let copy = restore(items, moment).await;
    assert_eq!((copy.revision(), copy.trail_head()), (moment.revision, moment.trail), "it is as described");
    assert_eq!(verify_trail(&*copy).await, moment.trail.seq);
    let mut then = all_rows(&*store).await;
    then.retain(|row| row.revision <= moment.revision);
    assert_eq!(all_rows(&*copy).await, then, "it holds the rows of its moment");
    put(&*copy, b"new", b"v").await;
    assert!(copy.revision() > moment.revision, "a restored store goes on");
    copy.close().await.expect("closing the copy");
}
