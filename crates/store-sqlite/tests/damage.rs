//! Damaged, foreign, newer and taken directories: an error with its place, never a wrong answer.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use strongroom_store::{Change, RowKey, Store, StoreError, TrailEntry, Txn, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

const ROWS: u16 = 60;

/// A log that is not folded while a test looks at it.
const LONG_LOG: Options = Options { wal_pages: 100_000, ..Options::TEST };

fn open(dir: &Path) -> Result<Arc<SqliteStore>, StoreError> {
    SqliteStore::open(dir, LONG_LOG, conformance::link)
}

/// A value that proves itself; some are longer than a page.
fn value_of(n: u16) -> Vec<u8> {
    conformance::link(&[0; 32], u64::from(n), 2, b"value").repeat(if n.is_multiple_of(10) { 600 } else { 30 })
}

async fn put(store: &SqliteStore, n: u16) {
    let txn = conformance::put_txn(&n.to_be_bytes(), &value_of(n));
    store.commit(store.reserve().unwrap(), txn).await.unwrap();
}

async fn filled(dir: &Path) -> Arc<SqliteStore> {
    let store = open(dir).unwrap();
    for n in 0..ROWS {
        put(&store, n).await;
    }
    store
}

fn copy(from: &Path, to: &Path) {
    for name in ["strongroom.db", "strongroom.db-wal", "reserve", "lock"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

fn flip(path: &Path, at: usize, bit: u8) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1 << bit;
    std::fs::write(path, bytes).unwrap();
}

/// What a reader makes of a store that should hold rows `0..ROWS`.
#[derive(Debug, Default)]
struct Seen {
    absent: usize,
    errors: usize,
    findings: usize,
    discarded: u64,
}

/// Reads everything in every way; a wrong answer ends the test.
async fn read_all(dir: &Path, trail: &[TrailEntry], context: &str) -> Seen {
    let mut seen = Seen::default();
    let store = match open(dir) {
        Ok(store) => store,
        Err(StoreError::Corrupt { .. } | StoreError::NewerFormat { .. } | StoreError::Io { .. }) => {
            seen.errors += 1;
            return seen;
        }
        Err(other) => panic!("{context}: {other}"),
    };
    seen.discarded = store.opened_with().discarded_wal_frames;
    for n in 0..ROWS {
        match store.get(&RowKey::new(n.to_be_bytes()).unwrap()).await {
            Ok(Some(row)) => assert_eq!(row.value, value_of(n), "{context}: a wrong value of {n}"),
            Ok(None) => seen.absent += 1,
            Err(_) => seen.errors += 1,
        }
    }
    match store.list(strongroom_store::Range::prefix([], usize::MAX)).await {
        Ok(rows) => {
            seen.absent += usize::from(ROWS).saturating_sub(rows.len());
            for row in rows {
                let n = u16::from_be_bytes(row.key.as_bytes().try_into().unwrap());
                assert_eq!(row.value, value_of(n), "{context}: a wrong value of {n} in a list");
            }
        }
        Err(_) => seen.errors += 1,
    }
    match store.entries(1, usize::MAX).await {
        Ok(entries) => {
            seen.absent += trail.len().saturating_sub(entries.len());
            assert!(entries.iter().all(|entry| trail.contains(entry)), "{context}: a wrong entry");
        }
        Err(_) => seen.errors += 1,
    }
    seen.findings = store.check().await.map_or(1, |findings| findings.len());
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_on_any_page_is_harmless_or_found() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let store = filled(&whole).await;
    let trail = store.entries(1, usize::MAX).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let size = std::fs::metadata(whole.join("strongroom.db")).unwrap().len();
    let pages = usize::try_from(size / 8_192).unwrap();
    assert!(pages > 20, "{pages} pages");
    let mut found = 0;
    for page in 0..pages {
        // its head, its cells' pointers, its middle and its end
        for at in [3, 9, 21, 101, 4_000 + page * 7, 8_000 + page] {
            let dir = tempfile::tempdir_in(root.path()).unwrap();
            copy(&whole, dir.path());
            flip(&dir.path().join("strongroom.db"), page * 8_192 + at % 8_192, u8::try_from(at % 8).unwrap());
            let context = format!("page {page} byte {at}");
            let seen = read_all(dir.path(), &trail, &context).await;
            assert!(
                seen.absent == 0 || seen.errors + seen.findings > 0,
                "{context}: silently absent, {seen:?}"
            );
            found += usize::from(seen.errors + seen.findings > 0);
        }
    }
    assert!(found > pages, "only {found} flips were found on {pages} pages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_the_log_is_found_or_costs_the_last_group_only() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let store = filled(&whole).await;
    let trail = store.entries(1, usize::MAX).await.unwrap();
    let snapshot = root.path().join("snapshot");
    std::fs::create_dir(&snapshot).unwrap();
    copy(&whole, &snapshot);
    store.close().await.unwrap();
    drop(store);
    let size = usize::try_from(std::fs::metadata(snapshot.join("strongroom.db-wal")).unwrap().len()).unwrap();
    let frames = (size - 32) / 8_216;
    assert!(frames > 60, "{frames} frames");
    let (mut refused, mut discarded) = (0, 0);
    let places = (0..32).step_by(3).chain(
        (0..frames)
            .flat_map(|frame| [0, 5, 9, 13, 18, 24 + frame * 11 % 8_192].map(|at| 32 + frame * 8_216 + at)),
    );
    for at in places {
        let dir = tempfile::tempdir_in(root.path()).unwrap();
        copy(&snapshot, dir.path());
        flip(&dir.path().join("strongroom.db-wal"), at, u8::try_from(at % 8).unwrap());
        let context = format!("log byte {at}");
        let seen = read_all(dir.path(), &trail, &context).await;
        refused += usize::from(seen.errors > 0);
        discarded += usize::from(seen.discarded > 0);
        // a row, the same row in the list, and its entry
        assert!(seen.absent <= 3, "{context}: more than the last group is gone, {seen:?}");
        assert!(
            seen.absent == 0 || seen.discarded > 0 || seen.errors > 0,
            "{context}: silently absent, {seen:?}"
        );
    }
    assert!(refused > frames * 5, "{refused} refused");
    assert!(discarded > 0, "damage to the last group is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_last_group_is_discarded_and_told() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let store = filled(&whole).await;
    let before = tempfile::tempdir().unwrap();
    copy(&whole, before.path());
    // a group of several frames
    put(&store, 100).await;
    let after = tempfile::tempdir().unwrap();
    copy(&whole, after.path());
    store.close().await.unwrap();
    let (short, long) = (before.path().join("strongroom.db-wal"), after.path().join("strongroom.db-wal"));
    let (short, long) = (std::fs::read(short).unwrap().len(), std::fs::read(long).unwrap().len());
    assert!(long > short + 8_216, "the last group has several frames");
    let wal = after.path().join("strongroom.db-wal");
    // its first frame never reached the disk, the others did
    let mut torn = std::fs::read(&wal).unwrap();
    torn[short..short + 8_216].fill(0);
    std::fs::write(&wal, torn).unwrap();
    let store = open(after.path()).unwrap();
    let report = store.opened_with();
    assert_eq!(report.discarded_wal_frames, ((long - short) / 8_216 - 1) as u64);
    assert_eq!(conformance::verify_trail(&*store).await, u64::from(ROWS));
    put(&store, 100).await;
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_behind_which_commits_lie_is_refused_with_its_place() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let store = filled(&whole).await;
    let copied = tempfile::tempdir().unwrap();
    copy(&whole, copied.path());
    store.close().await.unwrap();
    flip(&copied.path().join("strongroom.db-wal"), 32 + 9 * 8_216 + 5_000, 3);
    let Err(StoreError::Corrupt { place }) = open(copied.path()) else { panic!("damage was not found") };
    assert_eq!(place, "strongroom.db-wal frame 10");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    assert!(
        matches!(open(dir.path()), Err(StoreError::InUse { path }) if path == dir.path().display().to_string())
    );
    put(&first, 1).await;
    first.close().await.unwrap();
    let second = open(dir.path()).expect("a closed directory can be opened again");
    drop(second);
    open(dir.path()).expect("so can one that was dropped");
}

#[tokio::test]
async fn files_are_private() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b");
    let store = open(&dir).unwrap();
    put(&store, 1).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for name in ["strongroom.db", "strongroom.db-wal", "reserve", "lock"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn newer_and_foreign_files_are_refused_untouched() {
    let newer: &[u8] = &2_u32.to_be_bytes();
    // offsets in SQLite's header: user version, application id, magic
    let cases: [(usize, &[u8], &str); 4] = [
        (60, newer, "data directory has format 2, this version reads up to 1"),
        (60, &[0; 4], "store is corrupt at strongroom.db header: format 0"),
        (68, b"ELSE", "store is corrupt at strongroom.db header: not a strongroom's file"),
        (0, b"sqlite", "store is corrupt at strongroom.db header"),
    ];
    for (at, bytes, message) in cases {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).unwrap().close().await.unwrap();
        let db = dir.path().join("strongroom.db");
        let mut content = std::fs::read(&db).unwrap();
        content[at..at + bytes.len()].copy_from_slice(bytes);
        std::fs::write(&db, &content).unwrap();
        let error = open(dir.path()).err().expect("such a file is refused");
        assert_eq!(error.to_string(), message);
        assert_eq!(std::fs::read(&db).unwrap(), content, "a refused file is left alone");
    }
}

#[test]
fn a_missing_file_with_its_log_is_corrupt_not_new() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("strongroom.db-wal"), b"some log").unwrap();
    assert!(matches!(open(dir.path()), Err(StoreError::Corrupt { .. })));
    let short = tempfile::tempdir().unwrap();
    std::fs::write(short.path().join("strongroom.db"), b"SQLite format 3\0").unwrap();
    assert!(matches!(open(short.path()), Err(StoreError::Corrupt { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reopened_it_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = 0;
    for round in 0..4_u16 {
        let store = open(dir.path()).unwrap();
        assert_eq!(store.trail_head().seq, expected);
        let before = store.revision();
        put(&store, round).await;
        let bare = Txn { changes: conformance::put_txn(b"x", b"v").changes, ..Txn::default() };
        let last = store.commit(store.reserve().unwrap(), bare).await.unwrap();
        assert!(last.revision > before && store.revision() == last.revision, "revisions never go back");
        expected += 1;
        assert!(store.watch(before).is_ok());
        assert_eq!(conformance::verify_trail(&*store).await, expected);
        if round % 2 == 0 {
            store.close().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_row_fails_its_transaction_and_not_the_group() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await.close().await.unwrap();
    let db = rusqlite::Connection::open(dir.path().join("strongroom.db")).unwrap();
    assert_eq!(
        db.execute("UPDATE rows SET sum = sum + 1 WHERE key = ?1", [&5_u16.to_be_bytes()[..]]).unwrap(),
        1
    );
    drop(db);
    let store = open(dir.path()).unwrap();
    // the writer is held until the next three wait together
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let hold = Box::new(move |_: Option<&[u8]>| wait.recv().map_or(Ok(None), |()| Ok(None)));
    let hold = Txn { changes: vec![Change::Merge(RowKey::new(*b"hold").unwrap(), hold)], ..Txn::default() };
    let on_damaged = Change::Merge(RowKey::new(5_u16.to_be_bytes()).unwrap(), Box::new(|_| Ok(None)));
    let on_damaged = Txn { changes: vec![on_damaged], ..Txn::default() };
    let commit = |txn| store.commit(store.reserve().unwrap(), txn);
    let (first, second) = (conformance::put_txn(b"one", b"v"), conformance::put_txn(b"two", b"v"));
    let (first_done, one, damaged, two, ()) =
        tokio::join!(commit(hold), commit(first), commit(on_damaged), commit(second), async {
            release.send(()).unwrap();
        });
    first_done.unwrap();
    assert!(one.unwrap().seq < two.unwrap().seq);
    assert!(matches!(damaged, Err(strongroom_store::CommitError::Failed { .. })), "{damaged:?}");
    let key = RowKey::new(5_u16.to_be_bytes()).unwrap();
    assert!(
        matches!(store.get(&key).await, Err(StoreError::Corrupt { place }) if place == "strongroom.db row 0005")
    );
    assert_eq!(store.check().await.unwrap().len(), 1);
    assert_eq!(conformance::verify_trail(&*store).await, u64::from(ROWS) + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn format_1_opens_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    // made on 2026-11-22 by the version that froze the format; added to, never edited
    std::fs::write(dir.path().join("strongroom.db"), include_bytes!("fixtures/format-1.db")).unwrap();
    let store = open(dir.path()).unwrap();
    let rows = conformance::all_rows(&*store).await;
    let seen: Vec<_> =
        rows.iter().map(|row| (row.key.as_bytes(), row.revision.0, row.value.as_slice())).collect();
    let long = vec![b'c'; 20_000];
    let expected: [(&[u8], i64, &[u8]); 3] = [(b"b", 2, &[b'b'; 1_000]), (b"c", 3, &long), (b"d", 5, b"")];
    assert_eq!(seen, expected);
    assert_eq!((store.revision().0, conformance::verify_trail(&*store).await), (5, 4));
    let entries = store.entries(1, 10).await.unwrap();
    let seen: Vec<_> = entries.iter().map(|entry| (entry.verdict, entry.body.as_slice())).collect();
    assert_eq!(seen, [(1, &b"a"[..]), (1, b"b"), (1, b"c"), (9, b"b")]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
