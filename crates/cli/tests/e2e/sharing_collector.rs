//! The collector as a process, between a real authority and a real exchange: what comes in is found by who may, once.

use crate::home::Home;
use crate::served::after;
use crate::sharing_kms::{JWT, Kms, PASSWORD, administrator, curl};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Stdio};
use std::time::Duration;

/// Records of the file that grows while the collector is killed.
const RECORDS: usize = 600;
const KILLS: usize = 3;

/// A program that is killed if its test ends early.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.0.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An authority, an exchange, and members with their folders.
struct World {
    home: Home,
    kms: Kms,
    exchange: Running,
    port: u16,
}

impl World {
    fn start() -> Self {
        let home = Home::new();
        let kms = Kms::start(&home, JWT);
        let admin = administrator(&home);
        for (name, attributes) in
            [("north", &["CERT"][..]), ("analyst", &["ANALYST"]), ("cert", &["ANALYST", "CERT"])]
        {
            kms.member(&admin, name, attributes);
        }
        let port = free_port();
        let exchange = Self::exchange(&home, &kms, port);
        let world = Self { home, kms, exchange, port };
        for (program, name) in [("collector", "north"), ("query", "analyst"), ("query", "cert")] {
            world.configure(name, "");
            let config = world.home.join(name).join("config.yaml");
            let password = world.home.file("member.password", PASSWORD);
            let words = [program, "enroll", "--user", name, "--password-file"];
            let words = [&words[..], &[password.to_str().unwrap(), config.to_str().unwrap()]].concat();
            world.home.run(&words).ok();
        }
        world
    }

    fn exchange(home: &Home, kms: &Kms, port: u16) -> Running {
        let mut command =
            home.command(&["exchange", "--listen", &format!("127.0.0.1:{port}"), "--store", "records"]);
        command.args(["--authority", &kms.address]).stdout(Stdio::null());
        command.stderr(File::create(home.join("exchange.log")).unwrap());
        let exchange = Running(command.spawn().unwrap());
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return exchange;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{}", std::fs::read_to_string(home.join("exchange.log")).unwrap());
    }

    fn configure(&self, name: &str, more: &str) {
        std::fs::create_dir_all(self.home.join(name)).unwrap();
        let text = format!(
            "kms: {{url: '{}'}}\nbackend_server: {{url: 'http://127.0.0.1:{}'}}\n\
             policy:\n  default: {{abe_pol: ANALYST}}\n  index: {{exact: [src_ip, n]}}\n  exact:\n  \
             - {{match: password, remove: true}}\n  - {{match: secret, abe_pol: CERT and ANALYST}}\n{more}",
            self.kms.address, self.port
        );
        self.home.file(&format!("{name}/config.yaml"), text);
    }

    /// A collector that listens, and where.
    fn collector(&self) -> (Running, BufReader<ChildStderr>, Vec<String>) {
        let mut command = self.home.command(&["collector", "north/config.yaml", "--log", "warn"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let running = Running(child);
        let mut addresses = Vec::new();
        let mut all = String::new();
        while addresses.len() < 2 {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended: {all}");
            all.push_str(&line);
            if line.contains("listening: ") {
                addresses.push(line.split_whitespace().last().unwrap().to_owned());
            }
        }
        (running, said, addresses)
    }

    fn query(&self, name: &str, words: &[&str], question: &str) -> String {
        let config = self.home.join(name).join("config.yaml");
        let words = [&["query"], words, &[config.to_str().unwrap(), question, "-"]].concat();
        self.home.run(&words).ok()
    }

    fn count(&self, question: &str) -> usize {
        let said = self.query("analyst", &["-q", "count"], question);
        let digits: String = said.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|fault| panic!("{fault}: {said}"))
    }

    /// Waits until so many are found.
    fn wait_for(&self, question: &str, count: usize) {
        for _ in 0..120 {
            if self.count(question) >= count {
                break;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(self.count(question), count, "{question}");
    }
}

/// A certificate for this machine, which is its own authority; where it lies.
fn certificate(world: &World) -> std::path::PathBuf {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    world.home.file("k.pem", made.signing_key.serialize_pem());
    world.home.file("c.pem", made.cert.pem())
}

#[test]
fn each_record_arrives_once_over_kills_and_is_read_by_who_may() {
    let mut world = World::start();
    let growing = world.home.join("growing.json");
    let authority = certificate(&world);
    world.configure(
        "north",
        "inputs: [{tcp: 127.0.0.1:0}, {http: 127.0.0.1:0, cert: ../c.pem, key: ../k.pem}, {file: ../growing.json}]\n",
    );
    let mut file = OpenOptions::new().create(true).append(true).open(&growing).unwrap();
    let mut write = |from: usize, to: usize| {
        for number in from..to {
            writeln!(file, "{{\"src_ip\":\"198.51.100.1\",\"n\":{number},\"password\":\"hunter2\"}}")
                .unwrap();
        }
    };
    let step = RECORDS / KILLS;
    for kill in 0..KILLS {
        let (mut collector, _said, _) = world.collector();
        write(kill * step, (kill + 1) * step);
        std::thread::sleep(Duration::from_millis(150));
        collector.signal(Signal::KILL);
        collector.0.wait().unwrap();
    }
    // while the exchange is away, records are taken all the same
    world.exchange.signal(Signal::KILL);
    world.exchange.0.wait().unwrap();
    let (mut collector, mut said, addresses) = world.collector();
    let line = |n: u32| format!("{{\"src_ip\":\"203.0.113.7\",\"n\":{n},\"secret\":\"s{n}\"}}\n");
    let lines = (0..40).map(line).collect::<Vec<String>>().concat();
    let sample = world.home.file("sample.json", &lines);
    let port = addresses[0].rsplit(':').next().unwrap();
    world.home.run(&["collector", "send", sample.to_str().unwrap(), "-p", port]).ok();
    let url = format!("https://{}/", addresses[1]);
    let trust = ["--cacert", authority.to_str().unwrap()];
    let taken = curl(&[trust[0], trust[1], "-d", "{\"src_ip\":\"203.0.113.8\"}\n7\n", &url]);
    assert_eq!(taken.status, 400);
    assert!(taken.body.contains("\"accepted\":1") && taken.body.contains("\"line\":2"), "{}", taken.body);
    let taken = curl(&[trust[0], trust[1], "-d", "{\"src_ip\":\"203.0.113.9\"}", &url]);
    assert_eq!(taken.status, 202, "{}", taken.body);

    world.exchange = World::exchange(&world.home, &world.kms, world.port);
    world.wait_for("src_ip=198.51.100.1", RECORDS);
    world.wait_for("src_ip=203.0.113.7", 40);
    world.wait_for("src_ip=203.0.113.8 OR src_ip=203.0.113.9", 2);
    assert_eq!(world.count("n=0"), 2);

    let row = |name: &str| -> Value {
        serde_json::from_str(world.query(name, &[], "src_ip=203.0.113.7 AND n=3").trim()).unwrap()
    };
    let (analyst, cert) = (row("analyst"), row("cert"));
    assert_eq!(
        (&analyst["n"], &cert["n"], &cert["secret"]),
        (&Value::from(3), &Value::from(3), &Value::from("s3"))
    );
    assert!(!analyst.to_string().contains("s3") && analyst.to_string().contains("sealed"), "{analyst}");
    assert!(!world.query("cert", &[], "n=1").contains("hunter2"));

    collector.signal(Signal::INT);
    assert_eq!(collector.0.wait().unwrap().code(), Some(0));
    let mut last = String::new();
    while said.read_line(&mut last).unwrap() > 0 {}
    assert!(last.contains("records taken"), "{last}");
    let spool = std::fs::read_dir(world.home.join("north/secrets/spool")).unwrap();
    for entry in spool.map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        let plain = [b"203.0.113.7".as_slice(), b"hunter2", b"src_ip"];
        assert!(!plain.iter().any(|word| bytes.windows(word.len()).any(|part| part == *word)), "{entry:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let home = Home::new();
    let servers = "kms: {url: 'http://127.0.0.1:1'}\nbackend_server: {url: 'http://127.0.0.1:1'}\n";
    let policy = "policy:\n  default: {abe_pol: ANALYST}\n  index: {exact: [src_ip]}\n  exact: [{match: password, remove: true}]\n";
    home.file("config.yaml", format!("{servers}{policy}"));
    let usage = home.run(&["collector", "--bind", "localhost:6000", "config.yaml"]);
    assert_eq!(usage.code, Some(2));
    assert!(usage.err.contains("use 127.0.0.1"), "{}", usage.err);
    let sample = "{\"src_ip\":\"10.0.0.1\",\"password\":\"hunter2\"}\n{\"src_ip\":\n";
    let shown = home.feed(&["collector", "--dry-run", "config.yaml"], sample).ok();
    assert!(shown.contains("for ANALYST  [default]; equal values, as an IP address"), "{shown}");
    assert!(shown.contains("nobody: it is removed") && shown.contains("record 2 is not taken"), "{shown}");
    assert!(!shown.contains("hunter2"));
    let explained = home.run(&["collector", "explain", "config.yaml"]).ok();
    assert!(
        explained.contains("Who learns what") && explained.contains("exact password: is removed"),
        "{explained}"
    );
    let told = home.run(&["collector", "config.yaml"]).refused();
    assert!(told.contains("strongroom collector enroll"), "{told}");
    for (more, word) in
        [("inputs: [{tcp: 1, x: 2}]\n", "config.yaml:7"), ("polices: {}\n", "unknown key polices")]
    {
        home.file("bad.yaml", format!("{servers}{policy}{more}"));
        let told = home.run(&["collector", "--check", "bad.yaml"]).refused();
        assert!(told.contains(word) || told.contains("bad.yaml:7"), "{told}");
    }
}

#[test]
fn a_policy_for_nobody_is_refused_at_the_start() {
    let world = World::start();
    let config = world.home.join("north/config.yaml");
    let text = std::fs::read_to_string(&config).unwrap().replace("CERT and ANALYST", "CRET and ANALYST");
    world.home.file("north/config.yaml", text);
    let told = world.home.run(&["collector", "north/config.yaml"]).refused();
    assert!(told.contains("no member has CRET"), "{told}");
    let attributes = world.home.run(&["collector", "-a", "north/config.yaml"]).ok();
    assert_eq!(attributes.split_whitespace().collect::<Vec<_>>(), ["ANALYST", "CERT"]);
    assert!(!after(&world.kms.said, "key management server is at ").is_empty());
}
