//! A full disk: what is essential goes on in the reserve, the rest is refused, and room that returns is used.

use crate::child::{self, put};
use crate::{skipped, verify};
use std::io::BufRead;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use strongroom_store::{Class, CommitError, Space, Store, Txn, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

/// A small disk of its own, taken away at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(dir.path()).output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(dir));
        }
        skipped("mounting a small disk is not permitted");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // the directory's own removal will complain if this failed
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_goes_through_its_reserve_and_back() {
    let Some(disk) = SmallDisk::mount() else { return };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap();
    let dir = disk.path().join("data");
    let store = SqliteStore::open(&dir, Options::TEST, conformance::link).unwrap();
    assert_eq!(store.space(), Space::Ample);
    let mut keys = Vec::new();
    let refusal = loop {
        let key = format!("row-{}", keys.len());
        match put(&store, &key, Class::Ordinary).await {
            Ok(()) => keys.push(key),
            Err(error) => break error,
        }
    };
    assert!(matches!(refusal, CommitError::Full), "{refusal}");
    assert_eq!(store.space(), Space::Reserved);
    let last = store.entries(store.trail_head().seq, 1).await.unwrap();
    assert_eq!(last[0].verdict, 9, "a refused transaction leaves its entry in the reserve");
    spend_reserve(&store).await;
    let head = store.trail_head();
    assert!(matches!(put(&store, "no", Class::Essential).await, Err(CommitError::Full)));
    assert_eq!(store.trail_head(), head, "an exhausted store writes nothing");
    let key = strongroom_store::RowKey::new(keys[0].as_bytes()).unwrap();
    assert!(store.get(&key).await.unwrap().is_some(), "reading goes on");
    std::fs::remove_file(&ballast).unwrap();
    until_ample(&store).await;
    assert_eq!(std::fs::metadata(dir.join("reserve")).unwrap().len(), Options::TEST.reserve_bytes);
    put(&store, "after", Class::Ordinary).await.unwrap();
    keys.push("after".to_owned());
    store.close().await.unwrap();
    drop(store);
    reopen_counting_entries(&dir, &keys).await;
}

/// Entries alone, as reads leave them, until nothing more is admitted.
async fn spend_reserve(store: &SqliteStore) {
    let mut written = 0;
    loop {
        let txn = Txn::entry_only(vec![7; 4_000], 5);
        match store.commit(store.reserve().unwrap(), txn).await {
            Ok(_) => written += 1,
            Err(error) => {
                assert!(matches!(error, CommitError::Full), "{error}");
                break;
            }
        }
    }
    assert!(written >= 50, "the reserve carried {written} entries only");
    assert_eq!(store.space(), Space::Exhausted);
}

async fn reopen_counting_entries(dir: &Path, keys: &[String]) {
    let store = verify(dir, keys).await;
    assert_eq!(store.space(), Space::Ample);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_makes_room_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = SqliteStore::open(&disk.path().join("data"), Options::TEST, conformance::link).unwrap();
    let mut count = 0;
    while put(&store, &format!("row-{count}"), Class::Ordinary).await.is_ok() {
        count += 1;
    }
    assert_eq!(store.space(), Space::Reserved);
    for n in 0..count {
        let key = strongroom_store::RowKey::new(format!("row-{n}").as_bytes()).unwrap();
        let changes = vec![strongroom_store::Change::Delete(key)];
        let txn = Txn { class: Class::Essential, changes, ..Txn::default() };
        store.commit(store.reserve().unwrap(), txn).await.unwrap();
    }
    until_ample(&store).await;
    put(&store, "after", Class::Ordinary).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    store.close().await.unwrap();
}

/// The writer looks about once a second while it has nothing else to do.
async fn until_ample(store: &SqliteStore) {
    for _ in 0..400 {
        if store.space() == Space::Ample {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("room that returned was not noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_reserve_it_keeps_what_it_acknowledged() {
    let Some(disk) = SmallDisk::mount() else { return };
    let dir = disk.path().join("data");
    let (mut child, mut lines) = child::start("essential", &dir, "k");
    let (mut acknowledged, mut line) = (Vec::new(), String::new());
    while !line.contains("reserved") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the child ended");
        acknowledged.extend(child::acknowledged(&line));
    }
    acknowledged.extend(child::read_acks(&mut lines, 30));
    child.kill().unwrap();
    acknowledged.extend(child::read_acks(&mut lines, usize::MAX));
    child.wait().unwrap();
    let store = verify(&dir, &acknowledged).await;
    assert_ne!(store.space(), Space::Ample);
    assert!(matches!(put(&store, "no", Class::Ordinary).await, Err(CommitError::Full)));
    if store.space() == Space::Reserved {
        put(&store, "essential", Class::Essential).await.unwrap();
    }
    store.close().await.unwrap();
}
