//! One of the two servers, and what asks it: `strongroom-load` for requests, `bench/wire.py` for what needs a key.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::super::{load, process};
use crate::shell::{self, Running};
use crate::{Outcome, clock, tools};

/// A start that takes longer has failed; the original needs 5 s.
const PATIENCE: Duration = Duration::from_mins(1);

/// Ours: the door on all three listeners.
const OURS: &str = r#"[server]
data_dir = "HOME/data"
run_dir = "HOME/run"
reserve = "16MiB"
log = "warn"

[listener.local]
address = "unix:HOME/local.sock"

[listener.convection]
door = "convection"
address = "unix:HOME/convection.sock"

[listener.convection-tcp]
door = "convection"
address = "127.0.0.1:TCP"
nacl = "bench"

[listener.convection-websocket]
door = "convection"
address = "127.0.0.1:WEBSOCKET"
transport = "websocket"
nacl = "bench"

[nacl.bench]
rules = [{ type = "allow", addresses = ["127.0.0.1"], commands = ["*"] }]
"#;

/// The original's configuration of the same.
const THEIRS: &str = r#"pid_dir = "HOME/run/"
[service]
socket_path = "HOME/convection.sock"
use_network = true
use_websocket = true
tls_cert = "HOME/cert.pem"
tls_key = "HOME/key.pem"
tls_ca = "HOME/cert.pem"
log_file = "HOME/log.txt"
[service.network]
listen_ip = "127.0.0.1"
listen_port = TCP
acl = [{ type = "allow", ip_address = ["127.0.0.1"], commands = ["*"] }]
[service.websocket]
listen_ip = "127.0.0.1"
listen_port = WEBSOCKET
[config]
path = "HOME/storage"
[config.manager.authentication]
token_max_expire = "1d"
"#;

/// One server.
pub(super) struct Side {
    is_ours: bool,
    root: PathBuf,
    home: PathBuf,
    authority: PathBuf,
    tcp: u16,
    websocket: u16,
    server: Running,
}

/// What a request cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Of the server's CPU.
    pub(super) cpu_micros: f64,
    /// From the first to the last, divided by their number.
    pub(super) micros: f64,
}

/// What the load prints.
#[derive(Deserialize)]
struct Done {
    done: u64,
    micros: u64,
}

#[derive(Deserialize)]
struct Known {
    access_key_id: String,
    auth_token: String,
}

#[derive(Deserialize)]
struct Crowd {
    answered: u32,
}

impl Side {
    /// Ours, initialised.
    pub(super) fn ours(root: &Path, home: &Path) -> Outcome<Self> {
        let authority = home.join("data/tls/ca.pem");
        Self::start(true, root, home, OURS, &home.join("strongroom.toml"), authority)
    }

    /// The original, initialised.
    pub(super) fn theirs(root: &Path, home: &Path) -> Outcome<Self> {
        for folder in ["run", "storage"] {
            std::fs::create_dir_all(home.join(folder))?;
        }
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        openssl.args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
        // an authority is no server to a strict client
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.arg("-keyout").arg(home.join("key.pem")).arg("-out").arg(home.join("cert.pem"));
        shell::read(&mut openssl)?;
        let file = home.join("conf/convection-secrets/convection-secrets.toml");
        Self::start(false, root, home, THEIRS, &file, home.join("cert.pem"))
    }

    fn start(
        is_ours: bool,
        root: &Path,
        home: &Path,
        text: &str,
        file: &Path,
        authority: PathBuf,
    ) -> Outcome<Self> {
        println!("starting {}", if is_ours { "Strongroom" } else { "the original" });
        let (tcp, websocket) = (shell::free_port()?, shell::free_port()?);
        let text = text.replace("HOME", &home.display().to_string()).replace("TCP", &tcp.to_string());
        std::fs::create_dir_all(file.parent().unwrap_or(home))?;
        std::fs::write(file, text.replace("WEBSOCKET", &websocket.to_string()))?;
        let server = launch(is_ours, root, home)?;
        let (root, home) = (root.to_owned(), home.to_owned());
        let side = Self { is_ours, root, home, authority, tcp, websocket, server };
        side.first_answer()?;
        side.script("begin", &[])?;
        Ok(side)
    }

    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    pub(super) fn name(&self) -> &'static str {
        if self.is_ours { "Strongroom" } else { "the original" }
    }

    pub(super) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Ends it, starts it again, and says how many milliseconds passed until it answered over TCP.
    pub(super) fn restart(&mut self) -> Outcome<f64> {
        self.server.kill()?;
        // the original takes a socket that is there for one in use
        for left in ["convection.sock", "run/convection-secrets.pid"] {
            let path = self.home.join(left);
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        let began = clock::now();
        self.server = launch(self.is_ours, &self.root, &self.home)?;
        self.first_answer()?;
        Ok(began.elapsed().as_secs_f64() * 1_000.0)
    }

    fn first_answer(&self) -> Outcome<()> {
        let status = self.home.join("status");
        std::fs::write(&status, "status")?;
        let mut load = self.load("await", &status);
        let ended = shell::run(&mut load, PATIENCE)?;
        if ended.is_success() { Ok(()) } else { Err(format!("{} does not answer", self.name()).into()) }
    }

    fn load(&self, task: &str, body: &Path) -> Command {
        let mut load = Command::new(self.root.join("target/release/strongroom-load"));
        load.args([task, "--url", &format!("tls://127.0.0.1:{}", self.tcp)]);
        load.arg("--cacert").arg(&self.authority).arg("--body").arg(body);
        load
    }

    /// A part of `bench/wire.py` that speaks over the socket.
    fn script(&self, part: &str, arguments: &[String]) -> Outcome<String> {
        let socket = format!("unix:{}", self.home.join("convection.sock").display());
        let mut python = self.python(part);
        shell::read(python.arg(socket).arg(&self.authority).arg(&self.home).args(arguments))
    }

    fn python(&self, part: &str) -> Command {
        let mut python = Command::new(tools::original(&self.root, "python"));
        python.arg(self.root.join("bench/wire.py")).arg(part).env("HOME", &self.home);
        // the original leaves a log where it runs
        python.current_dir(&self.home);
        python
    }

    /// Unlocks it, and gets a token.
    pub(super) fn enter(&self) -> Outcome<()> {
        self.script("enter", &[]).map(drop)
    }

    pub(super) fn stores(&self, names: &[&str]) -> Outcome<()> {
        self.script("stores", &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).map(drop)
    }

    /// What so many authorisations cost, one after the other.
    pub(super) fn authorise(&self, count: u64) -> Outcome<Cost> {
        let began = clock::now();
        let before = process::cpu_micros(self.pid())?;
        self.script("authorize", &[count.to_string()])?;
        let cpu = process::cpu_micros(self.pid())? - before;
        let (count, took) = (load::precise(count), began.elapsed().as_secs_f64() * 1e6);
        Ok(Cost { cpu_micros: cpu / count, micros: took / count })
    }

    /// Fills a store with `s0`, `s1` and so on: the original's off line, since it would take days otherwise.
    pub(super) fn fill(&self, store: &str, count: u64, bytes: usize) -> Outcome<()> {
        if self.is_ours {
            return self.ask("create_secret", store, &"v".repeat(bytes), 0..count, 64, None).map(drop);
        }
        let mut python = self.python("fill");
        python.arg(&self.home).arg(store).args([count.to_string(), bytes.to_string()]);
        shell::read(&mut python).map(drop)
    }

    /// Asks about the secret of each number, over so many kept connections at once; `round` brings numbers back to those
    /// that are there. A request that is refused is an error.
    pub(super) fn ask(
        &self,
        command: &str,
        store: &str,
        value: &str,
        numbers: Range<u64>,
        clients: u64,
        round: Option<u64>,
    ) -> Outcome<Cost> {
        let file = self.home.join("request");
        std::fs::write(&file, self.request(command, store, value)?)?;
        let mut load = self.load("fill", &file);
        load.args(["--from", &numbers.start.to_string(), "--connections", &clients.to_string()]);
        load.args(["--count", &(numbers.end - numbers.start).to_string()]);
        if let Some(round) = round {
            load.args(["--round", &round.to_string()]);
        }
        let before = process::cpu_micros(self.pid())?;
        let output = shell::read(&mut load)?;
        let cpu = process::cpu_micros(self.pid())? - before;
        let line =
            output.lines().find_map(|line| line.strip_prefix("DONE ")).ok_or("the load says nothing")?;
        let done: Done = serde_json::from_str(line)?;
        let count = load::precise(done.done);
        Ok(Cost { cpu_micros: cpu / count, micros: load::precise(done.micros) / count })
    }

    /// With a secret's number left open.
    fn request(&self, command: &str, store: &str, value: &str) -> Outcome<String> {
        let known: Known = serde_json::from_str(&std::fs::read_to_string(self.home.join("bench.json"))?)?;
        let mut asked = serde_json::json!({ "secret_name": "s{n}" });
        if !value.is_empty() {
            asked = serde_json::json!({ "secret_name": "s{n}", "secret_value": value });
        }
        let fields = serde_json::json!({
            "access_key_id": known.access_key_id,
            "auth_token": known.auth_token,
            "store_name": store,
            "store_args": asked,
        });
        Ok(format!("{command} {fields}"))
    }

    /// How many of so many clients that come at once to a listener are answered while all of them are there.
    pub(super) fn crowd(&self, listener: &str, clients: u32) -> Outcome<f64> {
        let place = match listener {
            "socket" => format!("unix:{}", self.home.join("convection.sock").display()),
            "tcp" => format!("tcp:127.0.0.1:{}", self.tcp),
            _ => format!("wss://127.0.0.1:{}", self.websocket),
        };
        let mut python = self.python("crowd");
        python.arg(place).arg(&self.authority).args([clients.to_string(), "5".to_owned()]);
        let crowd: Crowd = serde_json::from_str(&shell::read(&mut python)?)?;
        Ok(f64::from(crowd.answered))
    }
}

fn launch(is_ours: bool, root: &Path, home: &Path) -> Outcome<Running> {
    let mut command = if is_ours {
        let mut command = Command::new(root.join("target/release/strongroom"));
        command.args(["server", "-c"]).arg(home.join("strongroom.toml"));
        command
    } else {
        let mut command = Command::new(tools::original(root, "convection-secrets-manager"));
        command.arg("-c").arg(home.join("conf")).arg("start");
        command
    };
    command.env("HOME", home).current_dir(home);
    Running::start(&mut command, &home.join("server.log"))
}
