//! What the operator writes: TOML in sections, each key typed, each unknown key refused.
//!
//! [`Config::load`] reads a file and finds everything that is wrong with it, each with its line. Secrets are never in
//! it: a key is named by the file that holds it.

mod border;
mod checks;
mod error;
mod reader;
mod sections;
mod sharing;
mod units;

pub use border::Border;
pub use error::{ConfigError, Fault, Finding, Findings, Place};
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

/// A protocol that a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The native API.
    Native,
    /// The protocol of the convection client, always in TLS 1.3.
    Convection(Transport),
    /// HTTP of the attribute authority, at the original's paths; the one door that may go without TLS.
    Cybex,
}

/// What carries a protocol that can be carried in several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// The connection itself.
    Stream,
    /// A WebSocket.
    WebSocket,
}

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// TCP, with TLS but where [`Tls::Off`] stands.
    Tcp(SocketAddr),
    /// A socket of this host; the kernel vouches for the peer.
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where a TCP listener's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// The server's own authority issues it, for loopback, the listener's address and these names.
    Own {
        /// Further host names and addresses.
        names: Vec<String>,
    },
    /// Files that the operator keeps; read again on HUP.
    Files {
        /// PEM, the leaf first.
        cert: PathBuf,
        /// PEM, PKCS#8, PKCS#1 or SEC 1.
        key: PathBuf,
    },
    /// None: plain HTTP, for a proxy on this host.
    Off {
        /// Whether the operator has said that it may be so on the network.
        declared: bool,
    },
}

/// How a socket's file is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketAccess {
    /// Permission bits, at most 0660.
    pub mode: u32,
    /// Owner, by name or number.
    pub owner: Option<String>,
    /// Group, by name or number.
    pub group: Option<String>,
}

impl Default for SocketAccess {
    fn default() -> Self {
        Self { mode: 0o660, owner: None, group: None }
    }
}

/// One opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name in logs and metrics.
    pub name: String,
    /// What it speaks.
    pub door: Door,
    /// Where.
    pub address: Address,
    /// Its certificate; used where [`Listener::has_tls`].
    pub tls: Tls,
    /// Its file; used on a socket.
    pub socket: SocketAccess,
    /// Who may come; used on TCP.
    pub border: Border,
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

/// The trail: its checkpoints, what stays of it in the store, where it is exported to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Time between signed checkpoints.
    pub checkpoint_interval: Duration,
    /// A file elsewhere that each checkpoint is appended to: the anchor against a rolled-back directory.
    pub checkpoint_file: Option<PathBuf>,
    /// Entries among the last so many stay in the store.
    pub keep_entries: Option<u64>,
    /// Entries younger than this stay in the store. With neither, nothing moves out.
    pub keep_age: Option<Duration>,
    /// Entries of a full segment.
    pub segment_entries: u64,
    /// What may move out waits at most so long for a full segment.
    pub segment_age: Duration,
    /// Where segments lie; by default below the data directory.
    pub archive_dir: Option<PathBuf>,
    /// Where entries are sent as they come.
    pub syslog: Option<Syslog>,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            checkpoint_interval: Duration::from_hours(1),
            checkpoint_file: None,
            keep_entries: None,
            keep_age: None,
            segment_entries: 100_000,
            segment_age: Duration::from_hours(24),
            archive_dir: None,
            syslog: None,
        }
    }
}

/// Export of the trail to syslog (RFC 5424).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    /// The receiver.
    pub address: SyslogAddress,
    /// The facility's number (RFC 5424, table 1).
    pub facility: u8,
    /// Whether resources are sent by name; by default a stand-in is, since names are secrets.
    pub plain_resources: bool,
    /// The authorities that a receiver with TLS must have its certificate from, PEM.
    pub ca_file: Option<PathBuf>,
}

/// Where a receiver of syslog listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogAddress {
    /// A socket of this host, such as `/dev/log`.
    Unix(PathBuf),
    /// Datagrams (RFC 5426).
    Udp(String),
    /// A stream, messages counted (RFC 6587).
    Tcp(String),
    /// The same in TLS (RFC 5425).
    Tls(String),
}

impl std::fmt::Display for SyslogAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Udp(at) => write!(f, "udp:{at}"),
            Self::Tcp(at) => write!(f, "tcp:{at}"),
            Self::Tls(at) => write!(f, "tls:{at}"),
        }
    }
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

impl Listener {
    /// Whether what comes here speaks TLS: always but for HTTP on a socket, and the cybex door without a certificate.
    pub fn has_tls(&self) -> bool {
        match self.door {
            Door::Convection(_) => true,
            Door::Native | Door::Cybex => {
                matches!(self.address, Address::Tcp(_)) && !matches!(self.tls, Tls::Off { .. })
            }
        }
    }

    /// Whether somebody on the network could read what is said here.
    pub(crate) fn is_readable_on_the_way(&self) -> bool {
        self.is_reachable() && !self.has_tls()
    }

    /// Whether others than this host can come here.
    pub(crate) fn is_reachable(&self) -> bool {
        matches!(self.address, Address::Tcp(address) if !address.ip().to_canonical().is_loopback())
    }

    /// The native door at an address, all else by default.
    pub fn native(name: &str, address: Address) -> Self {
        Self {
            name: name.to_owned(),
            door: Door::Native,
            address,
            tls: Tls::Own { names: Vec::new() },
            socket: SocketAccess::default(),
            border: Border::default(),
        }
    }
}
