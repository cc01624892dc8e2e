//! A sync that fails: unknown is said, and then found out.

use crate::{child, verify};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use strongroom_store::{Class, CommitError, Store, StoreError, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

/// Makes syncs fail while a file named `FAIL` is there.
const SHIM: &str = r#"
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int broken(void) { const char *trigger = getenv("FAIL_SYNC"); return trigger && access(trigger, F_OK) == 0; }
int fsync(int fd) { if (broken()) { errno = EIO; return -1; } return syscall(SYS_fsync, fd); }
int fdatasync(int fd) { if (broken()) { errno = EIO; return -1; } return syscall(SYS_fdatasync, fd); }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_is_unknown_and_then_resolved() {
    let root = tempfile::tempdir().unwrap();
    let (source, shim) = (root.path().join("shim.c"), root.path().join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let built = Command::new("gcc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).status();
    if !built.is_ok_and(|status| status.success()) {
        return crate::skipped("gcc missing");
    }
    let dir = root.path().join("data");
    let mut command = child::command(&[], "sync", &dir, "s");
    let out = command.env("LD_PRELOAD", &shim).env("FAIL_SYNC", root.path().join("FAIL")).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{said}");
    assert!(said.contains("unknown 8 then busy"), "{said}");
    let acks: Vec<String> = said.split_inclusive('\n').filter_map(child::acknowledged).collect();
    assert_eq!(acks.len(), 20);
    let store = verify(&dir, &acks).await;
    store.close().await.unwrap();
}

/// Commits, breaks the disk, commits again, repairs it, and goes on.
pub(crate) async fn child(dir: &Path) {
    let trigger = std::env::var("FAIL_SYNC").unwrap();
    let store = SqliteStore::open(dir, Options::TEST, conformance::link).unwrap();
    for n in 0..10 {
        child::put_and_say(&store, &format!("before-{n}"), Class::Ordinary).await.unwrap();
    }
    let start = store.revision();
    let mut watch = store.watch(start).unwrap();
    std::fs::write(&trigger, b"").unwrap();
    let mut unknown = 0;
    let broken: Vec<_> = (0..8)
        .map(|n| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(
                async move { child::put_and_say(&store, &format!("broken-{n}"), Class::Ordinary).await },
            )
        })
        .collect();
    for task in broken {
        match task.await.unwrap() {
            Err(CommitError::Unknown | CommitError::Failed { .. }) => unknown += 1,
            other => panic!("a commit on a broken disk: {other:?}"),
        }
    }
    let refused = store.get(&strongroom_store::RowKey::new(*b"before-0").unwrap()).await;
    let busy = if matches!(refused, Err(StoreError::Busy)) { "busy" } else { "something else" };
    child::say(&format!("unknown {unknown} then {busy}\n"));
    std::fs::remove_file(&trigger).unwrap();
    for n in 0..10 {
        while let Err(error) = child::put_and_say(&store, &format!("after-{n}"), Class::Ordinary).await {
            assert!(matches!(error, CommitError::Failed { .. }), "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    conformance::verify_trail(&*store).await;
    let mut since = conformance::all_rows(&*store).await;
    since.retain(|row| row.revision > start);
    since.sort_by_key(|row| row.revision);
    for row in since {
        let seen = watch.next().await.unwrap();
        assert_eq!(
            (seen.revision, seen.key),
            (row.revision, row.key),
            "a watch missed what had been in doubt"
        );
    }
    store.close().await.unwrap();
}
