//! `bulk FOLDER RECORDS`: fills an embedded store, and measures what comes in and what is asked.
//!
//! First real, signed records of 8 tokens go the way of an insertion, from the text of the request to the disk. Then the
//! store is filled with synthetic rows in groups, as the writer commits them, over a thousand hours; and questions are asked
//! of it, whose answers are from one record to all of them. Prints lines; nothing is asserted.

use data_encoding::BASE64;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strongroom_abe::{MasterKey, RightKeys};
use strongroom_ambient::Ambient;
use strongroom_blindindex::Token;
use strongroom_crypto::{PrivateKey, PublicKey, generate_ed25519_pkcs8, sha256};
use strongroom_envelope::{Batch, Chain, MemberKeys, PlainField, PolicyAndSuite, PolicySet, Suite};
use strongroom_exchange::find::{self, Ask};
use strongroom_exchange::keeper::Keeper;
use strongroom_exchange::sqlite::SqliteStorage;
use strongroom_exchange::storage::{Group, HeadRow, HourRow, Posting, RecordRow, SpanRow, Standing, Storage};
use strongroom_exchange::submission::Submission;
use strongroom_sharing::exchange::{Insert, Query, Where};
use strongroom_sharing::{MemberId, TokenText};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Real records that go the whole way.
const REAL: usize = 20_000;
/// In insertions of so many.
const INSERTION: usize = 512;
/// Rows of a group of the loader.
const GROUP: u64 = 4_096;
/// Hours that synthetic records arrive in.
const HOURS: u64 = 1_000;
/// Bytes of a synthetic record.
const BYTES: usize = 400;
const SPAN_POSTINGS: u64 = 1 << 20;
/// How often each question is asked.
const ROUNDS: usize = 50;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(records)) = (args.next(), args.next()) else {
        return Err("usage: bulk FOLDER RECORDS".into());
    };
    let folder = Path::new(&folder);
    insertions(&folder.join("insert"))?;
    questions(&folder.join("bulk"), records.parse()?)
}

/// The time on the wall, and of this process's CPU.
struct Watch {
    ambient: Ambient,
    wall: Duration,
    cpu: Duration,
}

impl Watch {
    fn start() -> Self {
        let ambient = Ambient::system();
        Self { wall: ambient.clock.monotonic(), ambient, cpu: cpu() }
    }

    fn wall(&self) -> f64 {
        self.ambient.clock.monotonic().saturating_sub(self.wall).as_secs_f64()
    }

    fn cpu(&self) -> f64 {
        cpu().saturating_sub(self.cpu).as_secs_f64()
    }
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
fn per(total: f64, count: usize) -> f64 {
    total / count as f64
}

fn insertions(dir: &Path) -> Outcome<()> {
    let (member, public, requests) = requests()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let storage: Arc<dyn Storage> = Arc::new(SqliteStorage::open(dir)?);
    let (keeper, ending) = Keeper::start(storage, Ambient::system())?;
    let watch = Watch::start();
    runtime.block_on(async {
        let mut waiting: Option<tokio::task::JoinHandle<_>> = None;
        for body in requests {
            let insert: Insert = serde_json::from_slice(&body)?;
            let submission = Submission::read(&insert, member, &MemberKeys::present(public.clone()))?;
            // the next one is read while the one before is on its way to the disk
            if let Some(before) = waiting.take() {
                let _ = before.await?;
            }
            let keeper = keeper.clone();
            waiting = Some(tokio::spawn(async move { keeper.insert(submission).await }));
        }
        if let Some(last) = waiting {
            last.await??;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    let (wall, cpu) = (watch.wall(), watch.cpu());
    drop(keeper);
    ending.wait();
    say(&format!(
        "insert {REAL} records of 8 tokens: {:.0} a second, {:.0} us of CPU a record ({:.0} a second and core)",
        1.0 / per(wall, REAL),
        per(cpu, REAL) * 1e6,
        1.0 / per(cpu, REAL),
    ));
    Ok(())
}

/// Bodies of insertions, made beforehand.
fn requests() -> Outcome<(MemberId, PublicKey, Vec<Vec<u8>>)> {
    let (ambient, member) = (Ambient::system(), MemberId([1; 16]));
    let master = MasterKey::generate(&ambient, 1)?;
    let policy = PolicyAndSuite { policy: "ANALYST".parse()?, suite: Suite::Pairing };
    let set = PolicySet::prepare(master.public(), 1, &[policy], &RightKeys::default())?;
    let (mut batch, header) = Batch::begin(&ambient, member, &set)?;
    let header = BASE64.encode(&header.to_bytes());
    let key = generate_ed25519_pkcs8()?.expose(PrivateKey::from_pkcs8)?;
    let mut chain = Chain::new(member);
    let names: Vec<String> = (0..16).map(|at| format!("field_{at}")).collect();
    let mut records = Vec::with_capacity(REAL);
    for at in 0..u64::try_from(REAL)? {
        let fields: Vec<PlainField<'_>> = (0_u8..)
            .zip(&names)
            .map(|(label, name)| PlainField {
                label: [label; 16],
                name,
                value: b"\"198.51.100.77\"",
                policy: 0,
            })
            .collect();
        let tokens: Vec<Token> = (0..8).map(|place| Token(token(place, at))).collect();
        let mut out = Vec::new();
        batch.seal(&mut chain, &key, &fields, &tokens, &mut out)?;
        records.push(BASE64.encode(&out));
    }
    let bodies = records.chunks(INSERTION).map(|chunk| {
        let insert = Insert { headers: vec![header.clone()], records: chunk.to_vec() };
        serde_json::to_vec(&insert)
    });
    let bytes: usize = records.iter().map(String::len).sum();
    say(&format!(
        "a record of 16 fields: {:.0} bytes in base64",
        per(f64::from(u32::try_from(bytes)?), REAL)
    ));
    Ok((member, key.public_key()?, bodies.collect::<Result<_, _>>()?))
}

/// The token of a place in a record: each place has values of another frequency.
fn token(place: u64, at: u64) -> [u8; 16] {
    let value = match place {
        // all of them have it,
        0 => 0,
        // every other,
        1 => at % 2,
        // one in a thousand, one in a hundred thousand,
        2 => at % 1_000,
        3 => at % 100_000,
        // and one in about a million, scattered
        _ => at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44,
    };
    let digest = sha256(&[place.to_be_bytes(), value.to_be_bytes()].concat());
    std::array::from_fn(|at| digest.get(at).copied().unwrap_or(0))
}

fn fill(storage: &dyn Storage, records: u64) -> Outcome<()> {
    let each_hour = records.div_ceil(HOURS).max(1);
    let (mut span, mut hours) = (SpanRow { span: 1, first: 1, postings: 0 }, 0);
    let mut first = 1;
    while first <= records {
        let last = records.min(first + GROUP - 1);
        if span.postings >= SPAN_POSTINGS {
            span = SpanRow { span: span.span + 1, first, postings: 0 };
        }
        let mut group = Group::default();
        for arrival in first..=last {
            let hour = u32::try_from((arrival - 1) / each_hour)?;
            if hours <= hour {
                group.hours.push(HourRow { hour, first: arrival });
                hours = hour + 1;
            }
            let digest = sha256(&arrival.to_be_bytes());
            let bytes = digest.iter().copied().cycle().take(BYTES).collect();
            group.records.push(RecordRow { arrival, collector: 1, sequence: arrival, digest, hour, bytes });
            let postings =
                (0..8).map(|place| Posting { span: span.span, token: token(place, arrival), arrival });
            group.postings.extend(postings);
        }
        group.postings.sort_unstable();
        span.postings += u64::try_from(group.postings.len())?;
        group.spans.push(span);
        group.heads.push(HeadRow {
            number: 1,
            collector: MemberId([1; 16]),
            first: 1,
            sequence: last,
            digest: [0; 32],
            conflicts: 0,
        });
        storage.commit(&group)?;
        first = last + 1;
    }
    Ok(())
}

fn questions(dir: &Path, records: u64) -> Outcome<()> {
    let storage = SqliteStorage::open(dir)?;
    let watch = Watch::start();
    fill(&storage, records)?;
    let (wall, cpu) = (watch.wall(), watch.cpu());
    let size: u64 =
        std::fs::read_dir(dir)?.flatten().filter_map(|file| Some(file.metadata().ok()?.len())).sum();
    say(&format!("load {records} records of 8 tokens and {BYTES} bytes: {wall:.0} s, {cpu:.0} s of CPU"));
    say(&format!("file: {} MiB, {} bytes a record", size >> 20, size / records.max(1)));
    let standing = storage.load()?;
    let of = |place, at| Where::Any(vec![TokenText(token(place, at))]);
    let many = Where::Any((0..15).map(|at| TokenText(token(4 + at % 4, 1_000 + at * 37))).collect());
    let nowhere = Where::Any((0..15).map(|at| TokenText([u8::try_from(at).unwrap_or(0); 16])).collect());
    let hour = |part: u64| u32::try_from(HOURS * part / 10).ok();
    let cases = [
        ("every record has it", of(0, 0), None, None),
        ("every record has it, a tenth of the time", of(0, 0), hour(3), hour(4)),
        ("every other record", of(1, 1), None, None),
        ("one in a thousand", of(2, 77), None, None),
        ("one in 100,000, a tenth of the time", of(3, 77), hour(3), hour(4)),
        ("about ten in all", of(5, 12_345), None, None),
        ("15 rare tokens", many, None, None),
        ("15 tokens that nothing has", nowhere, None, None),
        ("all of: every record, one in 100,000", Where::And(vec![of(0, 0), of(3, 5)]), None, None),
        ("all of: even, odd", Where::And(vec![of(1, 0), of(1, 1)]), None, None),
    ];
    for (name, condition, since_hour, until_hour) in cases {
        let query = Query {
            condition,
            since_hour,
            until_hour,
            collectors: None,
            count: false,
            limit: None,
            cursor: None,
        };
        ask(&storage, &standing, name, &query)?;
    }
    say(&format!("memory: {} MiB", resident_kib() >> 10));
    Ok(())
}

fn ask(storage: &dyn Storage, standing: &Standing, name: &str, query: &Query) -> Outcome<()> {
    let (question, gone) = (Ask::of(query)?, AtomicBool::new(false));
    let (mut times, mut found) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let watch = Watch::start();
        found = find::page(storage, standing, &question, &gone)?.records.len();
        times.push(watch.wall() * 1e3);
    }
    let first = times.first().copied().unwrap_or_default();
    times.sort_by(f64::total_cmp);
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    say(&format!("{name}: {found} records, median {median:.2} ms, first {first:.2}, slowest {worst:.2}"));
    Ok(())
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
