//! The child's side, and how a parent starts it.

use crate::value_of;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use strongroom_store::{Class, CommitError, Store, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

/// A command line that runs this binary as a child with a role; `strace` or the like may stand before it.
pub(crate) fn command(before: &[&str], role: &str, dir: &Path, tag: &str) -> Command {
    let me = std::env::current_exe().unwrap();
    let mut line: Vec<&std::ffi::OsStr> = before.iter().map(std::ffi::OsStr::new).collect();
    line.push(me.as_os_str());
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).args(["--exact", "child::child_entry", "--nocapture", "--test-threads=1"]);
    command.env("STORE_CHILD_ROLE", role).env("STORE_CHILD_DIR", dir).env("STORE_CHILD_TAG", tag);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A started child, and the lines that it says.
pub(crate) fn start(role: &str, dir: &Path, tag: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = command(&[], role, dir, tag).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// The key in an acknowledgement; `None` for what the test harness says.
pub(crate) fn acknowledged(line: &str) -> Option<String> {
    line.strip_suffix('\n')?.split_once("ack ").map(|(_, key)| key.to_owned())
}

/// Reads acknowledgements until there are so many, or the child ends.
pub(crate) fn read_acks(lines: &mut impl BufRead, count: usize) -> Vec<String> {
    let mut acks = Vec::new();
    let mut line = String::new();
    while acks.len() < count && lines.read_line(&mut line).unwrap() > 0 {
        acks.extend(acknowledged(&line));
        line.clear();
    }
    acks
}

/// Not a test of its own: what a child runs. Without a role there is nothing to be.
#[test]
fn child_entry() {
    let Ok(role) = std::env::var("STORE_CHILD_ROLE") else { return };
    let dir = std::env::var("STORE_CHILD_DIR").unwrap();
    let tag = std::env::var("STORE_CHILD_TAG").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = Path::new(&dir);
    match role.as_str() {
        "endless" => runtime.block_on(commit_all(dir, &tag, 8, usize::MAX)),
        "short" => runtime.block_on(commit_all(dir, &tag, 3, 12)),
        "essential" => runtime.block_on(fill_then_essential(dir, &tag)),
        "sync" => runtime.block_on(crate::sync::child(dir)),
        other => panic!("no role {other}"),
    }
}

async fn commit_all(dir: &Path, tag: &str, tasks: usize, each: usize) {
    // a short log, so that folding it is part of the test
    let options = Options { wal_pages: 24, ..Options::TEST };
    let store = SqliteStore::open(dir, options, conformance::link).unwrap();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let (store, tag) = (Arc::clone(&store), tag.to_owned());
            tokio::spawn(async move {
                for n in 0..each {
                    put_and_say(&store, &format!("{tag}-{task}-{n}"), Class::Ordinary).await.unwrap();
                }
            })
        })
        .collect();
    for task in running {
        task.await.unwrap();
    }
}

/// Puts a row with its entry.
pub(crate) async fn put(store: &SqliteStore, key: &str, class: Class) -> Result<(), CommitError> {
    let txn = strongroom_store::Txn { class, ..conformance::put_txn(key.as_bytes(), &value_of(key)) };
    store.commit(store.reserve().unwrap(), txn).await.map(drop)
}

/// The same, and says so once it is acknowledged.
pub(crate) async fn put_and_say(store: &SqliteStore, key: &str, class: Class) -> Result<(), CommitError> {
    put(store, key, class).await?;
    say(&format!("ack {key}\n"));
    Ok(())
}

/// One line, one write.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
}

async fn fill_then_essential(dir: &Path, tag: &str) {
    let store = SqliteStore::open(dir, Options::TEST, conformance::link).unwrap();
    let mut n = 0;
    while put_and_say(&store, &format!("{tag}-fill-{n}"), Class::Ordinary).await.is_ok() {
        n += 1;
    }
    say("reserved\n");
    for n in 0.. {
        put_and_say(&store, &format!("{tag}-essential-{n}"), Class::Essential).await.unwrap();
    }
}
