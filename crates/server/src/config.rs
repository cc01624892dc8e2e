//! What the operator writes: TOML in sections, each key typed, each unknown key refused.
//!
//! [`Config::load`] reads a file and finds everything that is wrong with it, each with its line. Secrets are never in
//! it: a key is named by the file that holds it.

mod audit;
mod border;
mod checks;
mod error;
mod listener;
mod reader;
mod sections;
mod sharing;
mod units;

pub use audit::{Audit, Syslog, SyslogAddress};
pub use border::Border;
pub use error::{ConfigError, Fault, Finding, Findings, Place};
pub use listener::{Address, Door, Listener, SocketAccess, Tls, Transport};
pub use sharing::Sharing;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strongroom_gate::Nacl;

/// The port of the native door.
pub const DEFAULT_PORT: u16 = 8200;
/// No configuration is larger.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A whole configuration; every value stands, written or by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[listener.NAME]`, by name; what is not here is closed.
    pub listeners: Vec<Listener>,
    /// `[nacl.NAME]`, by name.
    pub nacls: Vec<(String, Arc<Nacl>)>,
    /// `[limits]`.
    pub limits: Limits,
    /// `[tokens]`.
    pub tokens: Tokens,
    /// `[unlock.auto]`, if there is one.
    pub auto_unlock: Option<AutoUnlock>,
    /// `[audit]`.
    pub audit: Audit,
    /// `[sharing]`.
    pub sharing: Sharing,
    places: BTreeMap<String, Place>,
}

/// Where the server lives and how much it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What must survive: the store and the server's own certificates.
    pub data_dir: PathBuf,
    /// What need not: the one-time initialisation token, by default the socket.
    pub run_dir: PathBuf,
    /// The file with the number of the server's process, if one is wanted.
    pub pid_file: Option<PathBuf>,
    /// Log filter, as `tracing-subscriber` reads it.
    pub log: String,
    /// Where log lines go; to standard error unless it is there. Opened again on HUP.
    pub log_file: Option<PathBuf>,
    /// Bytes of disk kept back so that a full disk does not stop reading and repairing.
    pub reserve_bytes: u64,
    /// Threads that serve requests; by default one a core.
    pub worker_threads: Option<usize>,
}

/// What a client may ask of the server before it is turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open connections in all.
    pub connections: usize,
    /// Open connections of one address (of one /64 in IPv6).
    pub connections_per_address: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// Header fields of a request.
    pub headers: usize,
    /// Bytes of a request's path and query.
    pub path_bytes: usize,
    /// From a connection's start to the end of its TLS handshake.
    pub handshake_timeout: Duration,
    /// From a request's first byte to the end of its head.
    pub header_timeout: Duration,
    /// From a request's head to the end of its body; also how long a client may leave an answer unread.
    pub body_timeout: Duration,
    /// More time for bodies that keep coming; without, none.
    pub body_pace: Option<BodyPace>,
    /// Without a request.
    pub idle_timeout: Duration,
    /// From a request's head to its answer's head.
    pub request_timeout: Duration,
    /// Streams that one HTTP/2 connection may have open.
    pub http2_streams: u32,
    /// Requests a second of one address (of one /64 in IPv6), if they are limited.
    pub requests_per_second_per_address: Option<NonZeroU32>,
    /// Requests a second of one user, if they are limited.
    pub requests_per_second_per_user: Option<NonZeroU32>,
}

/// How fast a large body has to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyPace {
    /// Each so many bytes are worth another second.
    pub bytes_per_second: NonZeroU32,
    /// No body has longer.
    pub longest: Duration,
}

impl BodyPace {
    /// How long a body has of which so much has come, where all have `patience`.
    pub(crate) fn time(self, patience: Duration, bytes: u64) -> Duration {
        let earned = Duration::from_secs(bytes / u64::from(self.bytes_per_second.get()));
        patience.saturating_add(earned).min(self.longest.max(patience))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            connections_per_address: 10_000,
            body_bytes: 2 << 20,
            header_bytes: 16 << 10,
            headers: 64,
            path_bytes: 4_096,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            body_pace: None,
            idle_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_mins(1),
            http2_streams: 128,
            requests_per_second_per_address: None,
            requests_per_second_per_user: None,
        }
    }
}

/// How long tokens live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// When nothing is asked for.
    pub default_ttl: Duration,
    /// Whatever is asked for.
    pub max_ttl: Duration,
    /// Access keys that a user adds to their own.
    pub max_access_keys: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { default_ttl: Duration::from_hours(8), max_ttl: Duration::from_hours(24), max_access_keys: 5 }
    }
}

/// Unlocking without people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoUnlock {
    /// The key file: outside the data directory, readable by the server alone.
    pub key_file: PathBuf,
}

impl Config {
    /// Reads a file and checks what it says, files and permissions included.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(ConfigError::Oversized { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::of_text(&text, &path.display().to_string())
    }

    /// Reads a text that stands for a file, and checks what it says, files and permissions included; `name` stands in
    /// errors.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line.
    pub fn of_text(text: &str, name: &str) -> Result<Self, ConfigError> {
        let (config, mut findings) = sections::read(text);
        findings.extend(config.check());
        config.or_findings(name, findings)
    }

    /// Reads a text, without a look at the files it names; `name` stands in errors.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line.
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let (config, findings) = sections::read(text);
        config.or_findings(name, findings)
    }

    /// What is wrong with the files and directories that it names; empty if nothing is.
    pub fn check(&self) -> Vec<Finding> {
        checks::check(self)
    }

    /// What is allowed, and perhaps not what was meant.
    pub fn warnings(&self) -> Vec<Finding> {
        border::warnings(self)
    }

    /// A listener's network ACL, if it has one. The convection door on the network always has: without a name the
    /// built-in rules alone, as its clients know it.
    pub fn nacl_of(&self, listener: &Listener) -> Option<Arc<Nacl>> {
        let Some(wanted) = listener.border.nacl.as_deref() else {
            let guarded =
                matches!((listener.door, &listener.address), (Door::Convection(_), Address::Tcp(_)));
            return guarded.then(|| Arc::new(Nacl::new("built-in", Vec::new())));
        };
        self.nacls.iter().find(|(name, _)| name == wanted).map(|(_, nacl)| Arc::clone(nacl))
    }

    /// The whole default for a data directory: the native door on 127.0.0.1:8200 with the server's own
    /// certificate, and the local socket, both below `data_dir`'s `run`.
    pub fn default_for(data_dir: &Path) -> Self {
        let run_dir = data_dir.join("run");
        let socket = Address::Unix(run_dir.join("strongroom.sock"));
        let tcp = Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)));
        Self {
            server: Server::at(data_dir.to_owned(), run_dir),
            listeners: vec![Listener::native("local", socket), Listener::native("main", tcp)],
            nacls: Vec::new(),
            limits: Limits::default(),
            tokens: Tokens::default(),
            auto_unlock: None,
            audit: Audit::default(),
            sharing: Sharing::default(),
            places: BTreeMap::new(),
        }
    }

    fn or_findings(self, name: &str, mut found: Vec<Finding>) -> Result<Self, ConfigError> {
        if found.is_empty() {
            return Ok(self);
        }
        found.sort_by_key(|finding| finding.place);
        Err(ConfigError::Invalid(Findings { name: name.to_owned(), found }))
    }
}

/// An IP address and a port to listen on.
///
/// # Errors
/// If the text is none; `localhost` is told what to write instead.
pub fn listen_address(text: &str) -> Result<SocketAddr, Fault> {
    units::tcp(text)
}

/// Whether a text is a DNS name or an IP address that a certificate may carry.
pub(crate) fn is_host_name(text: &str) -> bool {
    units::host_name(text).is_ok()
}

impl Server {
    /// The defaults for two directories.
    pub fn at(data_dir: PathBuf, run_dir: PathBuf) -> Self {
        Self {
            data_dir,
            run_dir,
            pid_file: None,
            log: "info".to_owned(),
            log_file: None,
            reserve_bytes: 256 << 20,
            worker_threads: None,
        }
    }
}
