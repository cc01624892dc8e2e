//! How fast this store is on this disk. `cargo run --release -p strongroom-store-sqlite --example rate [DIR [WAL_PAGES]]`
//!
//! Every durable figure stands beside the disk's own floor: a commit cannot be faster than a flush.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measuring tool: it prints, stops at the first error, reads the clock itself and rounds"
)]

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use strongroom_store::{Change, PendingEntry, RowKey, Store, Txn, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

const ROWS: u64 = 100_000;
const MEASURE: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "target/rate".to_owned());
    let dir = Path::new(&dir);
    let _ = std::fs::remove_dir_all(dir);
    println!("fdatasync floor, 4 KiB overwrite: {}", floor(dir));
    let wal_pages = std::env::args().nth(2).map_or(Options::SERVER.wal_pages, |pages| pages.parse().unwrap());
    let options = Options { wal_pages, ..Options::SERVER };
    let began = Instant::now();
    let store = SqliteStore::open(dir, options, conformance::link).unwrap();
    println!("a new store opens in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    println!("idle RSS: {} KiB", rss());
    fill(&store).await;
    println!("RSS with {ROWS} rows of 1 KiB loaded: {} KiB", rss());
    reads(&store, "point reads, quiet", 2).await;
    for tasks in [1, 8, 64, 128] {
        writes(&store, "row and entry", tasks, row_and_entry).await;
    }
    for tasks in [1, 64, 128] {
        writes(&store, "entry only", tasks, |_| Txn::entry_only(vec![7; 250], 1)).await;
    }
    let writer = tokio::spawn(endless(Arc::clone(&store)));
    reads(&store, "point reads beside a writer", 1).await;
    writer.abort();
    let _ = writer.await;
    listing(&store).await;
    println!("RSS at the end: {} KiB", rss());
    let began = Instant::now();
    store.close().await.unwrap();
    println!("it closes in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    let store = SqliteStore::open(dir, options, conformance::link).unwrap();
    println!("and opens again in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    store.close().await.unwrap();
}

/// A key of 41 bytes, spread as keyed hashes are.
fn key(n: u64) -> RowKey {
    let hash = conformance::link(&[0; 32], n, 0, b"key");
    RowKey::new([&hash[..], &[1; 9]].concat()).unwrap()
}

fn row_and_entry(n: u64) -> Txn {
    Txn {
        changes: vec![Change::Put(key(n), vec![7; 1_100])],
        entry: Some(PendingEntry { body: vec![7; 250], committed: 1, failed: 2 }),
        ..Txn::default()
    }
}

async fn fill(store: &SqliteStore) {
    for start in (0..ROWS).step_by(1_000) {
        let changes = (start..start + 1_000).map(|n| Change::Put(key(n), vec![7; 1_024])).collect();
        store.commit(store.reserve().unwrap(), Txn { changes, ..Txn::default() }).await.unwrap();
    }
}

async fn writes(store: &Arc<SqliteStore>, what: &str, tasks: u64, txn: fn(u64) -> Txn) {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    let (began, cpu) = (Instant::now(), cpu_micros());
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < MEASURE {
                    let start = Instant::now();
                    let slot = store.reserve().unwrap();
                    store.commit(slot, txn(NEXT.fetch_add(1, Ordering::Relaxed))).await.unwrap();
                    times.push(start.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.unwrap());
    }
    report(
        &format!("durable commits, {what}, {tasks} tasks"),
        &mut times,
        began.elapsed(),
        cpu_micros() - cpu,
    );
}

async fn reads(store: &Arc<SqliteStore>, what: &str, tasks: u64) {
    for hot in [ROWS, 1_000] {
        let (began, cpu) = (Instant::now(), cpu_micros());
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let store = Arc::clone(store);
                tokio::spawn(async move {
                    let keys: Vec<RowKey> = (0..hot).map(|n| key(n * 7_919 % hot + task % 2)).collect();
                    let began = Instant::now();
                    let mut count = 0_u64;
                    for key in keys.iter().cycle() {
                        assert!(store.get(key).await.unwrap().is_some() || hot == ROWS);
                        count += 1;
                        if count.is_multiple_of(256) {
                            tokio::task::yield_now().await;
                            if began.elapsed() >= MEASURE {
                                break;
                            }
                        }
                    }
                    count
                })
            })
            .collect();
        let mut count = 0;
        for task in running {
            count += task.await.unwrap();
        }
        let (took, cpu) = (began.elapsed().as_secs_f64(), (cpu_micros() - cpu) as f64);
        println!(
            "{what}, {tasks} tasks, among {hot} rows: {:.0}/s, {:.2} us CPU",
            count as f64 / took,
            cpu / count as f64
        );
    }
}

async fn endless(store: Arc<SqliteStore>) {
    loop {
        store.commit(store.reserve().unwrap(), Txn::entry_only(vec![7; 250], 1)).await.unwrap();
    }
}

async fn listing(store: &SqliteStore) {
    let began = Instant::now();
    let rows = store.list(strongroom_store::Range::prefix(Vec::new(), 50_000)).await.unwrap();
    println!("list of {} rows: {:.1} ms", rows.len(), began.elapsed().as_secs_f64() * 1e3);
}

fn report(what: &str, times: &mut [Duration], took: Duration, cpu: u64) {
    times.sort_unstable();
    let count = times.len();
    let at = |part: usize| times.get(count * part / 100).map_or(0, Duration::as_micros);
    println!(
        "{what}: {:.0}/s, p50 {} us, p99 {} us, {:.2} us CPU each",
        count as f64 / took.as_secs_f64(),
        at(50),
        at(99),
        cpu as f64 / count as f64
    );
}

/// Overwrites 4 KiB and flushes, for a second.
fn floor(dir: &Path) -> String {
    std::fs::create_dir_all(dir).unwrap();
    let path = dir.join("floor");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&[1; 4_096]).unwrap();
    file.sync_all().unwrap();
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs(1) {
        let start = Instant::now();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&[2; 4_096]).unwrap();
        file.sync_data().unwrap();
        times.push(start.elapsed());
    }
    std::fs::remove_file(&path).unwrap();
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0, Duration::as_micros);
    format!("p50 {} us, p99 {} us, {}/s", at(50), at(99), times.len())
}

/// CPU time of this process, from the clock ticks of its threads.
fn cpu_micros() -> u64 {
    let mut stat = String::new();
    std::fs::File::open("/proc/self/stat").unwrap().read_to_string(&mut stat).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).unwrap().parse::<u64>().unwrap();
    (ticks(11) + ticks(12)) * 10_000
}

/// Resident memory, in KiB.
fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
