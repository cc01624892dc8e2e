//! The sharing system as its people meet it: authority, exchange and collector as programs, and three readers, each of whom
//! sees exactly what the policies say.

use crate::home::{Done, Home};
use crate::sharing_kms::{JWT, Kms, PASSWORD, administrator};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

/// Records that are sent.
pub(crate) const RECORDS: u64 = 40;
/// How often something that comes by itself is looked for, and how long.
const STEP: Duration = Duration::from_millis(200);
const STEPS: usize = 300;

/// A program that runs until it is dropped.
pub(crate) struct Program(pub(crate) Child);

impl Program {
    /// Starts it; what it says goes into a file.
    pub(crate) fn start(home: &Home, name: &str, arguments: &[&str]) -> Self {
        let log = home.join(&format!("{name}.log"));
        let mut command = home.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log).unwrap());
        Self(command.spawn().unwrap())
    }

    /// Waits until somebody listens.
    pub(crate) fn listens(mut self, home: &Home, name: &str, port: u16) -> Self {
        for _ in 0..STEPS {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return self;
            }
            if self.0.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(STEP);
        }
        panic!("{name}: {}", std::fs::read_to_string(home.join(&format!("{name}.log"))).unwrap());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A whole sharing system in a home.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) kms: Kms,
    pub(crate) admin: String,
    pub(crate) exchange: Program,
    pub(crate) port: u16,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(JWT)
    }

    /// One whose authority is configured so.
    pub(crate) fn with(config: &str) -> Self {
        let home = Home::new();
        let kms = Kms::start(&home, config);
        let admin = administrator(&home);
        home.file("password", PASSWORD);
        let port = free_port();
        let exchange = Self::exchange(&home, &kms, "records", port);
        Self { home, kms, admin, exchange, port }
    }

    fn exchange(home: &Home, kms: &Kms, store: &str, port: u16) -> Program {
        let listen = format!("127.0.0.1:{port}");
        let words = ["exchange", "--listen", &listen, "--store", store, "--authority", &kms.address];
        Program::start(home, "exchange", &words).listens(home, "exchange", port)
    }

    /// Another exchange in the place of the present one: what it keeps may be something else.
    pub(crate) fn replace_exchange(&mut self, store: &str) {
        self.stop_exchange();
        self.exchange = Self::exchange(&self.home, &self.kms, store, self.port);
    }

    /// Nobody holds its store any more.
    pub(crate) fn stop_exchange(&mut self) {
        let _ = self.exchange.0.kill();
        self.exchange.0.wait().unwrap();
    }

    /// A member with these attributes, enrolled, with a configuration.
    pub(crate) fn member(&self, program: &str, name: &str, attributes: &[&str], more: &str) -> String {
        self.kms.member(&self.admin, name, attributes);
        self.enrolled(program, name, more)
    }

    /// The same of a member that there is.
    pub(crate) fn enrolled(&self, program: &str, name: &str, more: &str) -> String {
        std::fs::create_dir(self.home.join(name)).unwrap();
        let (kms, port) = (&self.kms.address, self.port);
        let servers = format!("kms: {{url: '{kms}'}}\nbackend_server: {{url: 'http://127.0.0.1:{port}'}}\n");
        let config = format!("{name}/config.yaml");
        self.home.file(&config, servers + more);
        self.home.run(&[program, "enroll", "--password-file", "password", "--user", name, &config]).ok();
        config
    }

    pub(crate) fn query(&self, arguments: &[&str]) -> Done {
        self.home.run(&[&["query"][..], arguments].concat())
    }

    /// The lines of a search.
    #[track_caller]
    pub(crate) fn rows(&self, config: &str, question: &str) -> Vec<Value> {
        let lines = self.query(&[config, question, "-"]).ok();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// What is sent: the oracle.
pub(crate) fn records() -> Vec<Value> {
    let record = |number: u64| {
        json!({
            "src_ip": format!("203.0.113.{}", number % 4), "port": 22 + number % 2,
            "time": 1_604_966_400 + 3600 * number, "user": format!("root{number}"), "n": number,
        })
    };
    (0..RECORDS).map(record).collect()
}

/// Who may read which field.
fn policy(field: &str) -> &'static str {
    match field {
        "user" => "CERT",
        "n" => "ANALYST or CERT",
        _ => "ANALYST",
    }
}

pub(crate) const COLLECTS: &str = "batch: {max_secs: 1}
policy:
  default: {abe_pol: ANALYST}
  index: {exact: [src_ip, port]}
  timestamp: {exact: [time]}
  exact: [{match: user, abe_pol: CERT}, {match: n, abe_pol: ANALYST or CERT}]
";
pub(crate) const READS: &str = "fields: {src_ip: ip, port: port}\npolicy: {timestamp: {exact: [time]}}\n";

/// A record as a reader with these attributes should see it: open fields, and the policies of the sealed ones.
fn oracle(record: &Value, attributes: &[&str]) -> (BTreeMap<String, Value>, Vec<String>) {
    let (mut open, mut sealed) = (BTreeMap::new(), Vec::new());
    for (name, value) in record.as_object().unwrap() {
        if policy(name).split(" or ").any(|own| attributes.contains(&own)) {
            open.insert(name.clone(), value.clone());
        } else {
            sealed.push(policy(name).to_lowercase());
        }
    }
    sealed.sort();
    (open, sealed)
}

/// The same of what was found.
fn seen(row: &Value) -> (BTreeMap<String, Value>, Vec<String>) {
    let (mut open, mut sealed) = (BTreeMap::new(), Vec::new());
    for (name, value) in row.as_object().unwrap() {
        match name.strip_prefix("sealed:") {
            Some(label) => {
                assert_eq!(label.len(), 32);
                sealed.push(value["sealed"].as_str().unwrap().to_lowercase());
            }
            None => drop(open.insert(name.clone(), value.clone())),
        }
    }
    sealed.sort();
    (open, sealed)
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

#[test]
fn three_readers_see_exactly_what_the_policies_say() {
    let world = World::new();
    let collects = world.member("collector", "north", &["SENDER"], COLLECTS);
    let readers = [("ana", &["ANALYST"][..]), ("cert", &["CERT"]), ("both", &["ANALYST", "CERT"])];
    let configs =
        readers.map(|(name, attributes)| (world.member("query", name, attributes, READS), attributes));
    let port = free_port();
    let words = ["collector", "--bind", &format!("127.0.0.1:{port}"), &collects];
    let _collector = Program::start(&world.home, "collector", &words).listens(&world.home, "collector", port);
    let lines: Vec<String> = records().iter().map(Value::to_string).collect();
    world.home.file("lines.json", lines.join("\n") + "\n");
    world.home.run(&["collector", "send", "-p", &port.to_string(), "lines.json"]).ok();
    let (both, _) = &configs[2];
    let arrived = (0..STEPS).any(|_| {
        let count = world.query(&["-q", "count", both, "port=22 OR port=23", "-"]);
        let is_all = count.out == format!("Count: {RECORDS}\n");
        if !is_all {
            std::thread::sleep(STEP);
        }
        is_all
    });
    assert!(arrived, "{:?}", world.query(&["-q", "count", both, "port=22 OR port=23", "-"]));

    for (config, attributes) in &configs {
        let rows = world.rows(config, "src_ip=203.0.113.1 OR port=22");
        let meant = |record: &&Value| record["src_ip"] == "203.0.113.1" || record["port"] == 22;
        let expected = records();
        let expected: Vec<_> =
            expected.iter().filter(meant).map(|record| oracle(record, attributes)).collect();
        let shown = |all: Vec<(BTreeMap<String, Value>, Vec<String>)>| {
            sorted(all.iter().map(|own| format!("{own:?}")).collect::<Vec<_>>())
        };
        assert_eq!(shown(rows.iter().map(seen).collect()), shown(expected), "{attributes:?}");
    }
    times_counts_and_values(&world, &configs[0].0);
    outputs(&world, both);
    copies(&world, both);
    refusals(&world, both);
    // a suspended reader gets no key and no token from now on
    world.kms.post("/user/suspend", &world.admin, &json!({ "username": "ana" })).is(200);
    let refused = world.query(&[&configs[0].0, "port=22", "-"]).refused();
    assert!(!refused.contains("root"), "{refused}");
    assert_eq!(world.rows(both, "203.0.113.2").len(), 10);
}

/// Bare values, the original's options, and what decides after opening.
fn times_counts_and_values(world: &World, config: &str) {
    let begin = 1_604_966_400;
    let at = |hours: i64| (begin + 3600 * hours).to_string();
    let count = |options: &[&str], question: &str| {
        let words = [&["-q", "count"][..], options, &[config, question, "-"]].concat();
        world.query(&words).ok()
    };
    assert_eq!(count(&[], "203.0.113.3"), "Count: 10\n");
    assert_eq!(count(&[], "22"), "Count: 20\n");
    assert_eq!(count(&["-f", &at(4)], "port=22"), "Count: 17\n", "later than the fourth hour");
    assert_eq!(count(&["-f", &at(4), "-l"], "port=22"), "Count: 18\n");
    assert_eq!(count(&["-f", &at(4), "-l", "-t", &at(8)], "port=22"), "Count: 2\n");
    assert_eq!(count(&["-f", &at(4), "-l", "-t", &at(8), "-r"], "port=22"), "Count: 3\n");
    assert_eq!(world.rows(config, "src_ip=203.0.113.0 AND n!=0 AND n!=4").len(), 8);
    assert_eq!(world.rows(config, "port=22 since 2020-11-10 until 2020-11-10").len(), 12);
    assert_eq!(world.rows(config, "src_ip=198.51.100.1").len(), 0);
}

/// Each format, into a file that is its owner's.
fn outputs(world: &World, config: &str) {
    for (format, begins) in
        [("ndjson", "{"), ("table", "n "), ("csv", "n,port,"), ("stix", "{\"type\":\"bundle\"")]
    {
        let done = world.query(&["--format", format, config, "src_ip=203.0.113.1", "found"]);
        assert!(done.err.contains("10 records") && done.err.contains("completeness: not proven"), "{done:?}");
        assert_eq!(done.ok(), "");
        let path = world.home.join("found");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(begins) && text.contains("root1"), "{format}: {text}");
    }
    let proven = world.query(&["--prove", config, "src_ip=203.0.113.1", "found"]);
    assert!(proven.err.contains("completeness: not proven (of the collectors' epochs"), "{proven:?}");
    proven.ok();
}

/// A full copy answers alike.
fn copies(world: &World, config: &str) {
    let done = world.query(&["--sync", "copy", config, "src_ip=203.0.113.1", "copied"]);
    assert!(done.err.contains(&format!("copy: {RECORDS} new records")), "{done:?}");
    done.ok();
    let lines = |name: &str| {
        let text = std::fs::read_to_string(world.home.join(name)).unwrap();
        sorted(text.lines().map(str::to_owned).collect())
    };
    world.query(&[config, "src_ip=203.0.113.1", "found"]).ok();
    assert_eq!(lines("copied"), lines("found"));
}

/// What is wrong is told, with its exit code, and leaves the file that was there.
fn refusals(world: &World, config: &str) {
    let before = std::fs::read(world.home.join("found")).unwrap();
    for (arguments, said) in [
        (&[config, "src_ip=", "found"][..], "column 8: expected a value"),
        (&[config, "NOT port=22", "found"], "column 1: NOT cannot be asked"),
        (&["-f", "5", config, "port=22 since 1h", "found"], "leave out -f"),
        (&["-f", "9", "-t", "5", config, "port=22", "found"], "leave no time"),
        (&[config, "in 10.0.0.0/8", "found"], "column 1: no field"),
    ] {
        let done = world.query(arguments);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.err.contains(said), "{said}: {}", done.err);
    }
    assert_eq!(std::fs::read(world.home.join("found")).unwrap(), before);
    world.query(&[config, "port=22", "no/such/folder"]).refused();
    assert_eq!(world.query(&["-q", "both", config, "port=22", "-"]).code, Some(2));
    let pid = Pid::from_raw(world.exchange.0.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let mut waiting = world.home.command(&["query", config, "port=22", "found"]);
    let mut waiting = waiting.stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    kill_process(Pid::from_raw(waiting.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let ended = waiting.wait().unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    assert!(!ended.success());
    assert_eq!(std::fs::read(world.home.join("found")).unwrap(), before, "interrupted, it writes nothing");
    let left = std::fs::read_dir(world.home.path()).unwrap();
    let left = left.map(|entry| entry.unwrap().path());
    assert_eq!(left.filter(|path| path.extension().is_some_and(|end| end == "part")).count(), 0);
}
