//! What a record costs a collector, from its JSON to its durable sealed record: 16 fields, 8 of them indexed.
//!
//! `cargo run --release -p strongroom-collector --example rate [FOLDER]`. Processor time of one thread, the least of ten
//! rounds; the spool lies in FOLDER, or where temporary files lie.

#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_collector::policy::{Choice, Names, PolicyFile, Rule, Treatment};
use strongroom_collector::{Incoming, Keyed, Pipeline, Plan, Rules, keeper};
use strongroom_member::fake::{FakeAuthority, Http, Response};
use strongroom_member::{Config, Enrolment, Program, Session, enroll};
use strongroom_secret::SecretBytes;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const GROUP: u32 = 512;
const ROUNDS: usize = 10;
const INDEXED: [&str; 8] =
    ["src_ip", "dst_ip", "src_port", "dst_port", "protocol", "username", "eventid", "hassh"];

/// A record of a honeypot.
fn record(number: u32) -> String {
    let [_, high, middle, low] = number.to_be_bytes();
    format!(
        "{{\"timestamp\":\"2026-11-01T12:34:56.789Z\",\"src_ip\":\"203.{high}.{middle}.{low}\",\"dst_ip\":\"198.51.100.4\",\
         \"src_port\":{},\"dst_port\":22,\"protocol\":\"ssh\",\"username\":\"root\",\"password\":\"123456\",\
         \"session\":\"b7f1c1a9{number:08x}\",\"eventid\":\"cowrie.login.failed\",\"sensor\":\"honeypot-03.unr.example\",\
         \"hassh\":\"ec7378c1a92f5a8dde7e8b7a1ddf33d1\",\"client\":\"SSH-2.0-libssh2_1.10.0\",\
         \"command\":\"uname -a; cat /proc/cpuinfo | grep name\",\"duration\":3.72,\"country\":\"NL\"}}",
        1024 + number % 60_000
    )
}

fn rules() -> Outcome<Arc<Rules>> {
    let choice = |policy: &str| Choice { line: 1, policy: policy.to_owned(), post_quantum: false };
    let rule = |name: &str| Rule {
        line: 1,
        matches: name.to_owned(),
        treatment: Treatment::Encrypt(choice("UNR or PARTNER")),
    };
    let file = PolicyFile {
        default: Some(choice("ANALYST and (CERT or UNR)")),
        index: Names { exact: INDEXED.map(|name| (1, name.to_owned())).to_vec(), regex: Vec::new() },
        exact: ["password", "username", "command", "client"].map(rule).to_vec(),
        ..PolicyFile::default()
    };
    Ok(Arc::new(Rules::compile(&file)?))
}

fn main() -> Outcome<()> {
    let home = match std::env::args().nth(1) {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pipeline = runtime.block_on(ready(home.path()))?;
    let incoming: Vec<Incoming> =
        (0..GROUP).map(|number| Incoming { json: record(number).into_bytes(), mark: None }).collect();
    let key = pipeline.ready().ok_or("there is a manifest")?.key.clone();
    let mut keyed = Keyed::new(pipeline.rules().clone(), key);
    let mut plan = Plan::default();
    row(
        "plan",
        least(|| {
            incoming.iter().try_for_each(|incoming| keyed.plan(&incoming.json, &mut plan)).map_err(Into::into)
        })?,
    );
    let last = record(GROUP - 1);
    println!("{} fields, {} tokens", plan.fields(last.as_bytes()).count(), plan.tokens().len());
    row(
        "durable in the spool",
        least(|| {
            let results = pipeline.accept(&incoming)?;
            results.into_iter().collect::<Result<(), _>>().map_err(Into::into)
        })?,
    );
    println!("{:?}", pipeline.level());
    Ok(())
}

/// A pipeline that may encrypt, with an authority of its own.
async fn ready(home: &std::path::Path) -> Outcome<Arc<Pipeline>> {
    let (_authority, http) = FakeAuthority::start(&["ANALYST"]);
    // an exchange that has no records yet; nothing is posted to it
    let exchange = Http::start(|_| Response::json(200, &serde_json::json!([])))?;
    let text = format!(
        "kms_access_key: token\nkms: {{url: '{}'}}\nbackend_server: {{url: '{}'}}\n",
        http.url(),
        exchange.url()
    );
    let config = Config::parse(&text, &home.join("config.yaml"), None)?;
    let ambient = Ambient::system();
    let password = SecretBytes::new(b"password".to_vec());
    enroll(&config, &ambient, Enrolment { password, username: None, last: None, replace: false }).await?;
    let session = Arc::new(Session::open(&config, Program::Collector, ambient)?);
    let rejected = Box::new(|_: &Incoming, _: &_| {});
    let pipeline = Arc::new(Pipeline::open(session, rules()?, config.batch, &config.spool, rejected)?);
    keeper::refresh(&pipeline).await?;
    Ok(pipeline)
}

fn row(name: &str, us: f64) {
    println!("{name:<22}{us:>10.2} us{:>12.0}/s", 1e6 / us);
}

/// The least time a record in some rounds of a group.
fn least(mut run: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let before = processor_us();
        for _ in 0..4 {
            run()?;
        }
        least = least.min((processor_us() - before) / f64::from(4 * GROUP));
    }
    Ok(least)
}

#[expect(clippy::cast_precision_loss, reason = "processor time of a short program")]
fn processor_us() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
