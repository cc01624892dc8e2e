//! One suite for every store: what is committed is there, whole and in order.

use super::world::{Collector, World, errors};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strongroom_exchange::find::{self, Ask};
use strongroom_exchange::postgres::PostgresStorage;
use strongroom_exchange::sqlite::SqliteStorage;
use strongroom_exchange::storage::{
    BatchRow, ConflictRow, Group, HeadRow, HourRow, Posting, ProofRow, RecordRow, Removal, SpanRow, Standing,
    Storage, StorageError,
};
use strongroom_sharing::exchange::Query;
use strongroom_sharing::{BatchId, MemberId};

fn head(number: u32, sequence: u64) -> HeadRow {
    let digest = [u8::try_from(sequence).unwrap(); 32];
    let collector = MemberId([u8::try_from(number).unwrap(); 16]);
    HeadRow { number, collector, first: 1, sequence, digest, conflicts: 0 }
}

fn record(arrival: u64, collector: u32, sequence: u64, hour: u32) -> RecordRow {
    let digest = [u8::try_from(arrival).unwrap(); 32];
    RecordRow { arrival, collector, sequence, digest, hour, bytes: vec![0, 1, 255, digest[0]] }
}

fn batch(id: u8, last: u64) -> BatchRow {
    BatchRow { id: BatchId([id; 16]), collector: 1, digest: [id; 32], last, header: vec![id; 300] }
}

fn posting(token: u8, arrival: u64) -> Posting {
    Posting { span: 1, token: [token; 16], arrival }
}

/// Two collectors, two hours, five records.
fn first_group() -> Group {
    Group {
        heads: vec![head(1, 3), head(2, 2)],
        batches: vec![batch(1, 3), batch(2, 5)],
        touched: Vec::new(),
        records: vec![
            record(1, 1, 1, 100),
            record(2, 2, 1, 100),
            record(3, 1, 2, 100),
            record(4, 1, 3, 101),
            record(5, 2, 2, 101),
        ],
        conflicts: vec![ConflictRow {
            collector: 1,
            sequence: 2,
            digest: [9; 32],
            hour: 101,
            bytes: vec![9],
        }],
        postings: vec![posting(7, 1), posting(7, 2), posting(7, 5), posting(8, 3), posting(8, 4)],
        spans: vec![SpanRow { span: 1, first: 1, postings: 5 }],
        hours: vec![HourRow { hour: 100, first: 1 }, HourRow { hour: 101, first: 4 }],
    }
}

/// The whole suite, on an empty store.
fn conforms(store: &dyn Storage) {
    assert_eq!(store.load().unwrap(), Standing::default());
    assert_eq!(store.postings(1, &[7; 16], 100, 10).unwrap(), Vec::<u64>::new());
    assert!(store.record(1).unwrap().is_none());
    let group = first_group();
    store.commit(&group).unwrap();
    reads_what_was_written(store, &group);
    refuses_a_group_whole(store);
    goes_on(store);
    keeps_headers_proofs_and_notes(store);
    removes(store);
}

fn reads_what_was_written(store: &dyn Storage, group: &Group) {
    let mut standing = store.load().unwrap();
    standing.heads.sort_by_key(|head| head.number);
    assert_eq!(standing.heads, group.heads);
    assert_eq!(
        (standing.spans, standing.hours, standing.last),
        (group.spans.clone(), group.hours.clone(), 5)
    );
    assert_eq!(store.postings(1, &[7; 16], 100, 10).unwrap(), [5, 2, 1]);
    assert_eq!(store.postings(1, &[7; 16], 4, 10).unwrap(), [2, 1]);
    assert_eq!(store.postings(1, &[7; 16], 100, 2).unwrap(), [5, 2]);
    assert!(store.postings(2, &[7; 16], 100, 2).unwrap().is_empty());
    assert_eq!(store.record(3).unwrap().as_ref(), group.records.get(2));
    assert_eq!(store.records_from(2, 2).unwrap(), group.records[1..3]);
    let ones = store.of_collector(1, 2, 10).unwrap();
    assert_eq!(ones.iter().map(|row| row.sequence).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(store.digest_of(2, 2).unwrap(), Some([5; 32]));
    assert_eq!(store.digest_of(2, 3).unwrap(), None);
    assert_eq!(store.batch(&BatchId([2; 16])).unwrap(), Some(batch(2, 5)));
    assert_eq!(store.batch(&BatchId([3; 16])).unwrap(), None);
    let sizes = store.sizes().unwrap();
    assert_eq!((sizes.batches, sizes.conflicts, sizes.proofs), (2, 1, 0));
    assert!(sizes.bytes > 0);
}

/// A group that contradicts what is there leaves nothing of itself.
fn refuses_a_group_whole(store: &dyn Storage) {
    let before = store.load().unwrap();
    let twice = Group {
        heads: vec![head(1, 4)],
        records: vec![record(6, 1, 4, 101), record(7, 1, 2, 101)],
        postings: vec![posting(7, 6)],
        ..Group::default()
    };
    assert!(store.commit(&twice).is_err());
    assert_eq!(store.load().unwrap(), before);
    assert!(store.record(6).unwrap().is_none());
    assert_eq!(store.postings(1, &[7; 16], 100, 1).unwrap(), [5]);
}

fn goes_on(store: &dyn Storage) {
    let next = Group {
        heads: vec![HeadRow { conflicts: 4, ..head(1, 4) }],
        touched: vec![(BatchId([1; 16]), 6)],
        records: vec![record(6, 1, 4, 101)],
        postings: vec![posting(8, 6)],
        spans: vec![SpanRow { span: 1, first: 1, postings: 6 }],
        ..Group::default()
    };
    store.commit(&next).unwrap();
    let standing = store.load().unwrap();
    assert!(standing.heads.contains(&HeadRow { conflicts: 4, ..head(1, 4) }));
    assert_eq!((standing.last, standing.spans[0].postings), (6, 6));
    assert_eq!(store.batch(&BatchId([1; 16])).unwrap().unwrap().last, 6);
}

fn keeps_headers_proofs_and_notes(store: &dyn Storage) {
    assert!(store.replace_header(&BatchId([1; 16]), &[1; 32], &[5; 10]).unwrap());
    assert!(!store.replace_header(&BatchId([1; 16]), &[2; 32], &[6; 10]).unwrap(), "another fixed part");
    assert!(!store.replace_header(&BatchId([3; 16]), &[3; 32], &[6; 10]).unwrap());
    assert_eq!(store.batch(&BatchId([1; 16])).unwrap().unwrap().header, [5; 10]);
    let proof = ProofRow { collector: 1, epoch: 3, signed: vec![1], leaves: vec![2; 5_000] };
    assert!(store.put_proof(&proof).unwrap());
    assert!(store.put_proof(&proof).unwrap(), "the same again");
    assert!(!store.put_proof(&ProofRow { signed: vec![9], ..proof.clone() }).unwrap());
    assert_eq!(store.proof(1, 3).unwrap(), Some(proof));
    assert_eq!(store.proof(1, 4).unwrap(), None);
    assert_eq!(store.note("n").unwrap(), None);
    store.put_note("n", &[1]).unwrap();
    store.put_note("n", &[2, 0]).unwrap();
    assert_eq!(store.note("n").unwrap(), Some(vec![2, 0]));
}

fn removes(store: &dyn Storage) {
    let removal = Removal {
        below: 4,
        postings: vec![posting(7, 1), posting(7, 2), posting(8, 3)],
        heads: vec![HeadRow { first: 3, conflicts: 4, ..head(1, 4) }],
        spans: Vec::new(),
        hours: vec![100],
    };
    store.remove(&removal).unwrap();
    store.remove(&removal).unwrap();
    assert_eq!(
        store.records_from(1, 10).unwrap().iter().map(|row| row.arrival).collect::<Vec<_>>(),
        [4, 5, 6]
    );
    assert_eq!(store.postings(1, &[7; 16], 100, 10).unwrap(), [5]);
    assert_eq!(store.postings(1, &[8; 16], 100, 10).unwrap(), [6, 4]);
    assert_eq!(store.load().unwrap().hours, [HourRow { hour: 101, first: 4 }]);
    let rest = Removal { below: 100, spans: vec![1], hours: vec![101], ..Removal::default() };
    store.remove(&rest).unwrap();
    let standing = store.load().unwrap();
    assert_eq!((standing.spans, standing.hours), (Vec::new(), Vec::new()));
    assert_eq!(store.sizes().unwrap().batches, 0);
    assert!(store.postings(1, &[8; 16], 100, 10).unwrap().is_empty());
}

#[test]
fn the_embedded_store_conforms() {
    let dir = tempfile::tempdir().unwrap();
    conforms(&SqliteStorage::open(dir.path()).unwrap());
}

#[test]
fn a_file_that_is_no_store_or_a_newer_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStorage::open(dir.path()).unwrap());
    let path = dir.path().join("exchange.db");
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("PRAGMA user_version = 2").unwrap();
    drop(raw);
    assert!(matches!(SqliteStorage::open(dir.path()), Err(StorageError::Format { found: 2, known: 1 })));
    std::fs::write(&path, b"something else entirely, and long enough for a header of SQLite, is it not?")
        .unwrap();
    assert!(SqliteStorage::open(dir.path()).is_err());
}

/// A private PostgreSQL on a socket in a directory of its own, stopped when it is dropped.
pub(crate) struct Postgres {
    bin: PathBuf,
    data: PathBuf,
    _dir: tempfile::TempDir,
    pub(crate) url: String,
}

impl Postgres {
    /// Starts one; none where none is installed, which is said.
    pub(crate) fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
        let bins = versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
        let Some(bin) = bins.filter(|bin| bin.join("initdb").is_file()).max() else {
            println!("SKIPPED: PostgreSQL is not installed (Debian: postgresql)");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let data = dir.path().join("data");
        // it refuses to run as root
        let root = rustix::process::geteuid().is_root();
        if root {
            assert!(Command::new("chown").arg("nobody").arg(dir.path()).status().unwrap().success());
        }
        let socket = dir.path().to_owned();
        let options = format!("-k {} -c listen_addresses='' -c max_connections=40", socket.display());
        let log = dir.path().join("log");
        let (data_arg, log_arg) = (data.to_str().unwrap().to_owned(), log.to_str().unwrap().to_owned());
        Self::run(&bin, "initdb", &["-D", &data_arg, "-U", "sharing", "-A", "trust", "-N", "-E", "UTF8"]);
        Self::run(&bin, "pg_ctl", &["-D", &data_arg, "-l", &log_arg, "-w", "-o", &options, "start"]);
        let url = format!("postgres://sharing@/postgres?host={}", socket.display());
        Some(Self { bin, data, _dir: dir, url })
    }

    fn run(bin: &std::path::Path, program: &str, args: &[&str]) {
        let program = bin.join(program);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let status = command.args(args).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "{args:?}");
    }

    pub(crate) fn restart(&self) {
        let data = self.data.to_str().unwrap();
        Self::run(&self.bin, "pg_ctl", &["-D", data, "-w", "-m", "immediate", "-l", "/dev/null", "restart"]);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data.to_str().unwrap().to_owned();
        Self::run(&self.bin, "pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
    }
}

#[test]
fn postgresql_conforms_and_is_reached_again_after_it_went_away() {
    let Some(postgres) = Postgres::start() else { return };
    let store: Arc<dyn Storage> = Arc::new(PostgresStorage::open(&postgres.url).unwrap());
    conforms(&*store);
    store.commit(&first_group()).unwrap();
    postgres.restart();
    // the connections of before are dead: it is said, or made again; what was committed is there
    let mut standing = store.load();
    for _ in 0..20 {
        if standing.is_ok() {
            break;
        }
        standing = store.load();
    }
    assert_eq!(standing.unwrap().last, 5);
    assert_eq!(store.postings(1, &[7; 16], 100, 10).unwrap(), [5, 2, 1]);
}

#[test]
fn the_exchange_is_the_same_on_postgresql() {
    let Some(postgres) = Postgres::start() else { return };
    let world = World::on(Arc::new(PostgresStorage::open(&postgres.url).unwrap()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut one = Collector::new(1);
    let start = one.chain();
    let records = one.records(450);
    let inserted = runtime.block_on(world.insert(&one, records.clone()));
    assert_eq!((inserted.accepted, inserted.next), (450, 451));
    assert_eq!(runtime.block_on(world.insert(&one, records[400..].to_vec())).repeated, 50);
    one.go_back(&start);
    let forged = runtime.block_on(world.send_with(&mut one, &[9]));
    assert_eq!(errors(&forged), ["conflict"]);
    let query = serde_json::json!({ "where": { "any": ["07".repeat(16)] }, "limit": 400 });
    let mut query: Query = serde_json::from_value(query).unwrap();
    let (gone, mut found) = (AtomicBool::new(false), Vec::new());
    loop {
        let ask = Ask::of(&query).unwrap();
        let page = find::page(&*world.storage, &world.keeper.standing(), &ask, &gone).unwrap();
        found.extend(page.records.iter().map(|row| row.sequence));
        query.cursor = page.cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert!(found.iter().rev().copied().eq(1..=450));
    world.clock.advance(Duration::from_hours(2));
    runtime.block_on(world.send_with(&mut Collector::new(2), &[7]));
    let hour = u32::try_from(super::world::HOUR).unwrap();
    assert_eq!(runtime.block_on(world.keeper.expire(hour + 1)).unwrap(), 450);
    assert_eq!(world.storage.postings(1, &[7; 16], 1_000, 10).unwrap(), [451]);
}

#[test]
fn an_exchange_writes_nothing_once_another_one_has_opened_its_database() {
    let Some(postgres) = Postgres::start() else { return };
    let first = PostgresStorage::open(&postgres.url).unwrap();
    first.put_note("n", &[1]).unwrap();
    let second = PostgresStorage::open(&postgres.url).unwrap();
    assert!(matches!(first.commit(&first_group()), Err(StorageError::InUse)));
    assert_eq!(second.load().unwrap(), Standing::default());
    second.commit(&first_group()).unwrap();
    assert_eq!(first.load().unwrap().last, 5, "it may still read");
}
