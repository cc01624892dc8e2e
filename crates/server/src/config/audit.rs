//! `[audit]`: what becomes of the trail.

use std::path::PathBuf;
use std::time::Duration;

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
