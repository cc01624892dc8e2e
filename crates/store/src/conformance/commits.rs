//! Changes, merges, preconditions.

use super::{all_rows, commit, entry, keys, put, row_key, value};
use crate::{Change, CommitError, MAX_TXN_BYTES, MergeRefused, Precondition, Revision, Store, Txn};

type PlainMerge = fn(Option<&[u8]>) -> Result<Option<Vec<u8>>, MergeRefused>;

pub(super) async fn put_get_delete(store: &dyn Store) {
    assert_eq!(store.get(&row_key(b"a")).await.expect("a miss is no error"), None);
    let first = put(store, b"a", b"1").await;
    let row = store.get(&row_key(b"a")).await.expect("a point read").expect("what was committed is there");
    assert_eq!((row.key, row.revision, row.value), (row_key(b"a"), first.revision, b"1".to_vec()));
    assert_eq!(store.revision(), first.revision);
    let second = put(store, b"a", b"").await;
    assert!(second.revision > first.revision, "revisions grow");
    assert_eq!(value(store, b"a").await.as_deref(), Some(&b""[..]), "an empty value is a value");
    let gone =
        Txn { changes: vec![Change::Delete(row_key(b"a")), Change::Delete(row_key(b"b"))], ..Txn::default() };
    let third = commit(store, gone).await.expect("deleting what is not there is no error");
    assert!(third.revision > second.revision && third.seq.is_none());
    assert_eq!(value(store, b"a").await, None);
    let fourth = commit(store, Txn::entry_only(b"only".to_vec(), 3)).await.expect("an entry alone commits");
    assert!(fourth.revision > third.revision && fourth.seq == Some(3));
    let in_order = vec![
        Change::Put(row_key(b"x"), b"1".to_vec()),
        Change::Delete(row_key(b"x")),
        Change::Put(row_key(b"y"), b"1".to_vec()),
        Change::Put(row_key(b"y"), b"2".to_vec()),
    ];
    commit(store, Txn { changes: in_order, ..Txn::default() }).await.expect("changes apply in order");
    assert_eq!((value(store, b"x").await, value(store, b"y").await), (None, Some(b"2".to_vec())));
}

pub(super) async fn prefix_delete(store: &dyn Store) {
    let all: [&[u8]; 6] = [b"a", b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xff"];
    for key in all {
        put(store, key, b"v").await;
    }
    let delete =
        |prefix: &[u8]| Txn { changes: vec![Change::DeletePrefix(prefix.to_vec())], ..Txn::default() };
    commit(store, delete(b"a\xff")).await.expect("a prefix delete commits");
    assert_eq!(keys(store).await, [&b"a"[..], b"b", b"\xff", b"\xff\xff"]);
    commit(store, delete(b"\xff")).await.expect("a prefix delete of 0xff commits");
    assert_eq!(keys(store).await, [&b"a"[..], b"b"]);
    commit(store, delete(b"")).await.expect("an empty prefix is no error");
    assert_eq!(keys(store).await.len(), 2, "an empty prefix deletes nothing");
}

pub(super) async fn merges(store: &dyn Store) {
    let merge = |key: &[u8], f: PlainMerge| Change::Merge(row_key(key), Box::new(f));
    let append: PlainMerge = |old| Ok(Some([old.unwrap_or_default(), b"x"].concat()));
    let txn = |changes| Txn { changes, entry: Some(entry(b"m")), ..Txn::default() };
    commit(store, txn(vec![merge(b"n", append)])).await.expect("a merge makes a row");
    assert_eq!(value(store, b"n").await.as_deref(), Some(&b"x"[..]));
    commit(store, txn(vec![merge(b"n", append), merge(b"n", append)])).await.expect("merges see each other");
    assert_eq!(value(store, b"n").await.as_deref(), Some(&b"xxx"[..]));
    let before = Change::Put(row_key(b"n"), b"late".to_vec());
    commit(store, txn(vec![before, merge(b"n", append)]))
        .await
        .expect("merges run before anything is written");
    assert_eq!(value(store, b"n").await.as_deref(), Some(&b"xxxx"[..]));
    commit(store, txn(vec![merge(b"n", |_| Ok(None))])).await.expect("a merge deletes");
    assert_eq!(value(store, b"n").await, None);
    let put = Change::Put(row_key(b"other"), b"v".to_vec());
    let refused = commit(store, txn(vec![put, merge(b"n", |_| Err(MergeRefused))])).await;
    assert!(matches!(refused, Err(CommitError::Refused { index: 1 })), "a merge refuses: {refused:?}");
    assert_eq!(value(store, b"other").await, None, "a refused merge changes nothing");
    let last = store.entries(store.trail_head().seq, 1).await.expect("the last entry");
    assert_eq!(last.first().map(|entry| entry.verdict), Some(9), "a refused merge leaves a failed entry");
}

pub(super) async fn preconditions(store: &dyn Store) {
    let at = put(store, b"there", b"v").await.revision;
    let later = put(store, b"other", b"v").await.revision;
    let (there, not) = (row_key(b"there"), row_key(b"not"));
    let table = [
        (Precondition::Absent(not.clone()), true),
        (Precondition::Absent(there.clone()), false),
        (Precondition::Present(there.clone()), true),
        (Precondition::Present(not.clone()), false),
        (Precondition::Revision(there.clone(), at), true),
        (Precondition::Revision(there.clone(), later), false),
        (Precondition::Revision(not.clone(), at), false),
        (Precondition::Fence(there.clone(), at), true),
        (Precondition::Fence(there.clone(), later), false),
        (Precondition::Fence(not, Revision(0)), false),
        (Precondition::NonePrefixed(b"no".to_vec()), true),
        (Precondition::NonePrefixed(b"the".to_vec()), false),
        (Precondition::NonePrefixed(Vec::new()), false),
    ];
    for (precondition, holds) in table {
        let fence = matches!(precondition, Precondition::Fence(..));
        let preconditions = vec![Precondition::Present(there.clone()), precondition.clone()];
        let changes = vec![Change::Put(row_key(b"written"), b"v".to_vec())];
        let outcome = commit(store, Txn { preconditions, changes, ..Txn::default() }).await;
        match outcome {
            Ok(_) => assert!(holds, "{precondition:?} let it pass"),
            Err(CommitError::Precondition { index: 1 }) => assert!(!holds && !fence, "{precondition:?}"),
            Err(CommitError::Fenced { index: 1, .. }) => assert!(!holds && fence, "{precondition:?}"),
            Err(other) => panic!("{precondition:?}: {other}"),
        }
        assert_eq!(value(store, b"written").await.is_some(), holds, "{precondition:?}");
        let tidy = vec![Change::Delete(row_key(b"written"))];
        commit(store, Txn { changes: tidy, ..Txn::default() }).await.expect("tidying up");
    }
    fences_follow_writes(store).await;
}

/// A store may remember revisions for fences: whatever changes the row must reach that memory.
async fn fences_follow_writes(store: &dyn Store) {
    let fenced = |at| Txn { preconditions: vec![Precondition::Fence(row_key(b"gen"), at)], ..Txn::default() };
    let mut at = put(store, b"gen", b"1").await.revision;
    let rewrites = [
        Change::Put(row_key(b"gen"), b"2".to_vec()),
        Change::Merge(row_key(b"gen"), Box::new(|_| Ok(Some(b"3".to_vec())))),
    ];
    for change in rewrites {
        commit(store, fenced(at)).await.expect("the fence holds");
        let next =
            commit(store, Txn { changes: vec![change], ..Txn::default() }).await.expect("a rewrite").revision;
        assert!(matches!(commit(store, fenced(at)).await, Err(CommitError::Fenced { index: 0, .. })));
        at = next;
    }
    commit(store, fenced(at)).await.expect("the fence holds");
    let changes = vec![Change::DeletePrefix(b"ge".to_vec())];
    commit(store, Txn { changes, ..Txn::default() }).await.expect("a prefix delete");
    assert!(matches!(commit(store, fenced(at)).await, Err(CommitError::Fenced { index: 0, .. })));
}

pub(super) async fn failed_changes_nothing(store: &dyn Store) {
    put(store, b"a", b"1").await;
    let (rows, revision, head) = (all_rows(store).await, store.revision(), store.trail_head());
    let txn = Txn {
        preconditions: vec![Precondition::Absent(row_key(b"a"))],
        changes: vec![
            Change::Put(row_key(b"a"), b"2".to_vec()),
            Change::Put(row_key(b"b"), b"2".to_vec()),
            Change::DeletePrefix(b"a".to_vec()),
        ],
        entry: Some(entry(b"failed")),
        ..Txn::default()
    };
    let outcome = commit(store, txn).await;
    assert!(matches!(outcome, Err(CommitError::Precondition { index: 0 })), "{outcome:?}");
    assert_eq!(
        (all_rows(store).await, store.revision()),
        (rows, revision),
        "a failed transaction changed a row"
    );
    let entries = store.entries(head.seq + 1, 10).await.expect("the failed entry");
    let seen: Vec<_> = entries.iter().map(|entry| (entry.verdict, entry.body.as_slice())).collect();
    assert_eq!(seen, [(9, &b"failed"[..])], "a failed transaction leaves its entry");
}

pub(super) async fn fenced_writes_no_entry(store: &dyn Store) {
    let at = put(store, b"key", b"1").await.revision;
    put(store, b"key", b"2").await;
    let head = store.trail_head();
    let txn =
        Txn { preconditions: vec![Precondition::Fence(row_key(b"key"), at)], ..super::put_txn(b"a", b"v") };
    let Err(CommitError::Fenced { index: 0, txn: Some(back) }) = commit(store, txn).await else {
        panic!("a fenced transaction is given back to be sealed again");
    };
    assert!(matches!(back.changes.as_slice(), [Change::Put(..)]), "{back:?}");
    assert_eq!(back.preconditions, [Precondition::Fence(row_key(b"key"), at)]);
    assert_eq!(store.trail_head(), head, "a fenced transaction wrote an entry");
    assert_eq!(value(store, b"a").await, None);
}

pub(super) async fn too_large(store: &dyn Store) {
    put(store, b"a", b"1").await;
    let head = store.trail_head();
    let outcome = commit(store, super::put_txn(b"big", &vec![7; MAX_TXN_BYTES])).await;
    assert!(matches!(outcome, Err(CommitError::TooLarge { allowed: MAX_TXN_BYTES, .. })), "{outcome:?}");
    assert_eq!((store.trail_head(), value(store, b"big").await), (head, None));
    let fits = vec![7; MAX_TXN_BYTES - 1_024];
    put(store, b"big", &fits).await;
    assert_eq!(value(store, b"big").await, Some(fits), "what just fits comes back whole");
}
