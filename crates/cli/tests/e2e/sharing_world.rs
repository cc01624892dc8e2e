//! A sharing system of which a test says how its parts reach each other: over TLS, through a proxy, on a small disk.

use crate::clock::{now, soon};
use crate::home::{Done, Home};
use crate::sharing_kms::{JWT, Kms, PASSWORD, administrator, curl};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that is killed if its test ends early; what it says goes into a file.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Self { child: command.spawn().unwrap(), log }
    }

    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it says so.
    #[track_caller]
    pub(crate) fn says(&mut self, word: &str) {
        let began = now();
        while !self.said().contains(word) {
            let ended = self.child.try_wait().unwrap().is_some();
            let is_late = ended || began.elapsed() > Duration::from_mins(1);
            assert!(!is_late || self.said().contains(word), "it does not say {word}: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn signal(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }

    /// Ends it as a person does; what it said.
    #[track_caller]
    pub(crate) fn stop(mut self) -> String {
        assert_eq!(self.signal(Signal::INT).code(), Some(0), "{}", self.said());
        self.said()
    }

    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority, and the homes of its members.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) kms: Kms,
    pub(crate) admin: String,
    pub(crate) port: u16,
}

impl World {
    pub(crate) fn new() -> Self {
        let home = Home::new();
        let kms = Kms::start(&home, JWT);
        let admin = administrator(&home);
        home.file("member.password", PASSWORD);
        Self { home, kms, admin, port: free_port() }
    }

    /// An exchange at the world's port.
    pub(crate) fn exchange(&self, more: &[&str]) -> Running {
        let mut running = self.exchange_of(self.home.command(&[]), more);
        running.says("listening listener=\"exchange\"");
        running
    }

    /// The same that may not start, with an environment.
    pub(crate) fn exchange_of(&self, mut command: Command, more: &[&str]) -> Running {
        let listen = format!("127.0.0.1:{}", self.port);
        command.args(["exchange", "--listen", &listen, "--authority", &self.kms.address]).args(more);
        Running::start(command, self.home.join("exchange.log"))
    }

    /// A member with attributes and a configuration that reaches the servers without anything between; its id.
    pub(crate) fn member(&self, program: &str, name: &str, attributes: &[&str], config: &str) -> String {
        self.kms.member(&self.admin, name, attributes);
        std::fs::create_dir_all(self.home.join(name)).unwrap();
        let path = self.configure(name, config);
        let words = [program, "enroll", "--password-file", "member.password", "--user", name, &path];
        let done = self.home.run(&words);
        let id = done.err.split_once(" (").and_then(|(_, rest)| rest.split_once(')'));
        id.unwrap_or_else(|| panic!("{done:?}")).0.to_owned()
    }

    /// Writes a member's configuration; where it lies.
    pub(crate) fn configure(&self, name: &str, config: &str) -> String {
        let path = format!("{name}/config.yaml");
        self.home.file(&path, config);
        path
    }

    /// A collector, once it listens for HTTP, and where.
    pub(crate) fn collector(&self, name: &str) -> (Running, String) {
        let config = format!("{name}/config.yaml");
        let command = self.home.command(&["collector", &config, "--log", "warn"]);
        let mut running = Running::start(command, self.home.join("collector.log"));
        running.says("listening: http");
        let said = running.said();
        let (_, rest) = said.split_once("listening: http ").unwrap();
        let url = format!("http://{}/", rest.split_whitespace().next().unwrap());
        (running, url)
    }

    pub(crate) fn query(&self, name: &str, words: &[&str], question: &str) -> Done {
        let config = format!("{name}/config.yaml");
        self.home.run(&[&["query"], words, &[&config, question, "-"]].concat())
    }

    /// Waits until so many are found.
    #[track_caller]
    pub(crate) fn finds(&self, name: &str, question: &str, count: usize) {
        let expected = format!("Count: {count}\n");
        let mut last = None;
        for _ in 0..180 {
            let done = self.query(name, &["-q", "count"], question);
            if done.out == expected {
                return;
            }
            last = Some(done);
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("{question}: not {count}: {last:?}");
    }

    /// The present epoch ends.
    pub(crate) fn end_epoch(&self, name: &str) {
        self.kms.post("/user/suspend", &self.admin, &json!({ "username": name })).is(200);
    }
}

/// Posts a record to a collector; the status.
pub(crate) fn post(url: &str, record: &str) -> u16 {
    curl(&["-d", record, url]).status
}

/// An authority for certificates.
pub(crate) fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes NAME.crt and NAME.key, a certificate for these hosts and with this common name; `expired` was good once.
pub(crate) fn certificate(
    home: &Home,
    by: &CertifiedIssuer<'_, KeyPair>,
    name: &str,
    hosts: &[&str],
    common: &str,
    expired: bool,
) -> [String; 2] {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    if expired {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let pem = params.signed_by(&key, by).unwrap().pem();
    let files =
        [home.file(&format!("{name}.crt"), pem), home.file(&format!("{name}.key"), key.serialize_pem())];
    files.map(|path| path.display().to_string())
}

/// Waits until somebody listens.
#[track_caller]
pub(crate) fn listens(port: u16) {
    soon("somebody listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
}
