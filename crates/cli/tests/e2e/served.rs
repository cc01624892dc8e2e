//! A server in a process of its own, killed by its id when the test is over.

use crate::client::Client;
use crate::clock;
use crate::home::Home;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long a start may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
pub(crate) struct Served {
    child: Child,
    /// Where its log goes.
    pub(crate) log: PathBuf,
    /// What it printed until it was ready.
    pub(crate) said: String,
    /// `https://HOST:PORT`.
    pub(crate) address: String,
    /// The authority of its certificate.
    pub(crate) authority: PathBuf,
    /// Its local socket.
    pub(crate) socket: PathBuf,
    // closed, a later line would end the server
    _out: Option<BufReader<ChildStdout>>,
}

impl Served {
    /// `strongroom dev` with its data in the home's `data`.
    pub(crate) fn dev(home: &Home) -> Self {
        Self::dev_with(home, &home.join("data"), "warn")
    }

    /// The same, or what it said when it ended instead.
    pub(crate) fn try_dev(home: &Home) -> Result<Self, String> {
        Self::try_dev_with(home, &home.join("data"), "warn")
    }

    /// `strongroom dev` with its data somewhere, and a log filter.
    pub(crate) fn dev_with(home: &Home, data: &Path, log: &str) -> Self {
        Self::try_dev_with(home, data, log).unwrap_or_else(|said| panic!("it ended: {said}"))
    }

    fn try_dev_with(home: &Home, data: &Path, log: &str) -> Result<Self, String> {
        let mut command = home.command(&["dev", "--listen", "127.0.0.1:0", "--log", log, "--data"]);
        let log = home.join("dev.log");
        let mut child = spawn(command.arg(data).stdout(Stdio::piped()), &log);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let Some(said) = until_ready(&mut out) else {
            child.wait().unwrap();
            return Err(std::fs::read_to_string(&log).unwrap());
        };
        let address = after(&said, "Strongroom serves ");
        let socket = PathBuf::from(after(&said, "socket   "));
        Ok(Self { child, log, said, address, authority: data.join("tls/ca.pem"), socket, _out: Some(out) })
    }

    /// `strongroom server -c` with this configuration, which [`production`] makes.
    pub(crate) fn server(home: &Home, config: &str) -> Self {
        let config = home.file("strongroom.toml", config);
        let (manager, notify) = manager(home);
        let log = home.join("server.log");
        let mut command = home.command(&["server", "-c"]);
        command.arg(config).env("NOTIFY_SOCKET", notify).stdout(Stdio::null());
        let mut child = spawn(&mut command, &log);
        let began = clock::now();
        let mut message = [0; 512];
        loop {
            match manager.recv(&mut message) {
                Ok(length) if message[..length].starts_with(b"READY=1\n") => break,
                _ => {}
            }
            let text = || std::fs::read_to_string(&log).unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended, {status}: {}", text());
            }
            assert!(began.elapsed() < PATIENCE, "not ready: {}", text());
        }
        let text = std::fs::read_to_string(&log).unwrap();
        let line = text.lines().rfind(|line| line.contains("listening") && line.contains("main")).unwrap();
        let address = after(line, "address=");
        let authority = home.join("data/tls/ca.pem");
        let address = format!("https://{address}");
        Self { child, log, said: text, address, authority, socket: home.join("local.sock"), _out: None }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) fn stop(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }

    /// Kills it where it stands.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// A line of `/proc/PID/status`, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        after(&status, "VmRSS:").trim_end_matches("kB").trim().parse().unwrap()
    }

    /// A client without a token.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address, &self.authority)
    }

    /// The unlock keys that a first start printed.
    pub(crate) fn unlock_keys(&self) -> Vec<String> {
        let keys = self.said.lines().filter_map(|line| line.trim().split_once(": "));
        keys.map(|(_, key)| key).filter(|key| key.starts_with("sruk1-")).map(str::to_owned).collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &mut Command, log: &PathBuf) -> Child {
    command.stdin(Stdio::null()).stderr(File::create(log).unwrap()).spawn().unwrap()
}

/// What is printed until it serves; nothing if it ends before.
fn until_ready(out: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut said = String::new();
    while !said.contains("Ctrl-C stops it") {
        if out.read_line(&mut said).unwrap() == 0 {
            return None;
        }
    }
    Some(said)
}

/// Stands in for the service manager.
fn manager(home: &Home) -> (UnixDatagram, PathBuf) {
    let path = home.join("notify.sock");
    let _ = std::fs::remove_file(&path);
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    (manager, path)
}

/// The rest of the line behind a mark.
pub(crate) fn after(text: &str, mark: &str) -> String {
    let (_, rest) = text.split_once(mark).unwrap_or_else(|| panic!("no {mark:?} in {text:?}"));
    rest.lines().next().unwrap_or_default().trim().to_owned()
}

/// A production server's configuration in a home; `more` is appended.
pub(crate) fn production(home: &Home, more: &str) -> String {
    let home = home.path().display();
    format!(
        r#"[server]
data_dir = "{home}/data"
run_dir = "{home}/run"
reserve = "1MiB"
log = "info"

[listener.main]
address = "127.0.0.1:0"

[listener.local]
address = "unix:{home}/local.sock"

{more}
"#
    )
}
