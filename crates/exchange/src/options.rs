//! What the exchange is told at its start: on the command line, or in a file of TOML or YAML with the same words.

use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use strongroom_member::{Url, Value, read_yaml};

/// Where it listens if nothing is said.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:5001";
/// No file of options is larger.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// Retention is at most so many days.
const MAX_DAYS: u32 = 36_500;

/// That a listener speaks in clear where others than this host can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plaintext {
    /// It is meant so.
    Declared,
}

/// Everything that can be said; what is not said is left to the file, or to the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Said {
    /// `ADDRESS:PORT`.
    pub listen: Option<String>,
    /// A directory, or `postgres://...`.
    pub store: Option<String>,
    /// The file that holds `postgres://...`, which may have a password in it.
    pub store_file: Option<PathBuf>,
    /// The attribute authority, `http://...` or `https://...`.
    pub authority: Option<String>,
    /// The authority's signing key, PEM or base64.
    pub authority_key: Option<PathBuf>,
    /// Whose certificate the authority shows, PEM.
    pub authority_ca: Option<PathBuf>,
    /// Certificate, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Whose certificates members may show, PEM.
    pub client_ca: Option<PathBuf>,
    /// Days that records are kept.
    pub retention_days: Option<u32>,
    /// Requests a second of one member.
    pub requests_per_second: Option<NonZeroU32>,
    /// Whether it is meant that a listener beyond this host speaks in clear.
    pub plaintext: Option<Plaintext>,
    /// Log filter.
    pub log: Option<String>,
}

/// Why it cannot start so.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The file.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong, with its line.
        reason: String,
    },
    /// Something is missing.
    #[error("{what} must be said")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// `localhost` is a name, of one address or of two.
    #[error("cannot listen on `{listen}`: localhost is no address, use 127.0.0.1")]
    Localhost {
        /// What was said.
        listen: String,
    },
    /// Not an address.
    #[error("cannot listen on `{listen}`: an address and a port are needed, such as 127.0.0.1:5001")]
    Listen {
        /// What was said.
        listen: String,
    },
    /// Beyond this host without a certificate.
    #[error(
        "{listen} is beyond this host: give a certificate (tls_cert, tls_key), or say plaintext = \"declared\""
    )]
    InClear {
        /// Where.
        listen: SocketAddr,
    },
    /// One without the other.
    #[error("tls_cert and tls_key go together, and client_ca with both")]
    HalfTls,
    /// Not a URL.
    #[error("the authority `{url}`: {reason}")]
    Authority {
        /// What was said.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A manifest could come from anybody.
    #[error(
        "{url} is beyond this host and in clear: give its key (authority_key), use https, or say plaintext = \"declared\""
    )]
    Unpinned {
        /// The authority.
        url: String,
    },
    /// Too long, or nothing.
    #[error("retention_days is 1 to {MAX_DAYS}")]
    Days,
    /// Both.
    #[error("store and store_file exclude each other")]
    TwoStores,
}

/// Where records are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreAt {
    /// In a directory.
    Directory(PathBuf),
    /// In PostgreSQL; the text may hold a password, and is not shown.
    Postgres(String),
}

impl std::fmt::Debug for StoreAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres"),
        }
    }
}

/// Certificate and key, and whose certificates members may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate.
    pub cert: PathBuf,
    /// Key.
    pub key: PathBuf,
    /// Authority of members' certificates.
    pub clients: Option<PathBuf>,
}

/// What was said, checked.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where records are.
    pub store: StoreAt,
    /// The authority.
    pub authority: Url,
    /// Its signing key.
    pub authority_key: Option<PathBuf>,
    /// Whose certificate it shows.
    pub authority_ca: Option<PathBuf>,
    /// Certificate.
    pub tls: Option<TlsFiles>,
    /// Days that records are kept.
    pub retention_days: Option<u32>,
    /// Requests a second of one member.
    pub requests_per_second: Option<NonZeroU32>,
    /// Log filter.
    pub log: String,
}

impl Said {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or says something that nobody knows.
    pub fn read(path: &Path) -> Result<Self, OptionsError> {
        let wrong = |reason: String| OptionsError::File { path: path.to_owned(), reason };
        let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if size > MAX_FILE_BYTES {
            return Err(wrong("larger than 64 KiB".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let is_yaml = path.extension().is_some_and(|name| name == "yaml" || name == "yml");
        if is_yaml { of_yaml(&text) } else { toml::from_str(&text).map_err(|error| error.to_string()) }
            .map_err(wrong)
    }

    /// What is said here, and the rest as it is said there.
    #[must_use]
    pub fn or(self, there: Self) -> Self {
        let stores = if self.store.is_some() || self.store_file.is_some() {
            (self.store, self.store_file)
        } else {
            (there.store, there.store_file)
        };
        Self {
            listen: self.listen.or(there.listen),
            store: stores.0,
            store_file: stores.1,
            authority: self.authority.or(there.authority),
            authority_key: self.authority_key.or(there.authority_key),
            authority_ca: self.authority_ca.or(there.authority_ca),
            tls_cert: self.tls_cert.or(there.tls_cert),
            tls_key: self.tls_key.or(there.tls_key),
            client_ca: self.client_ca.or(there.client_ca),
            retention_days: self.retention_days.or(there.retention_days),
            requests_per_second: self.requests_per_second.or(there.requests_per_second),
            plaintext: self.plaintext.or(there.plaintext),
            log: self.log.or(there.log),
        }
    }

    /// Checks it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(self) -> Result<Options, OptionsError> {
        let listen = address(self.listen.as_deref().unwrap_or(DEFAULT_LISTEN))?;
        let tls = match (self.tls_cert, self.tls_key, self.client_ca) {
            (Some(cert), Some(key), clients) => Some(TlsFiles { cert, key, clients }),
            (None, None, None) => None,
            _ => return Err(OptionsError::HalfTls),
        };
        let is_local = listen.ip().to_canonical().is_loopback();
        if !is_local && tls.is_none() && self.plaintext.is_none() {
            return Err(OptionsError::InClear { listen });
        }
        if self.retention_days.is_some_and(|days| days == 0 || days > MAX_DAYS) {
            return Err(OptionsError::Days);
        }
        Ok(Options {
            listen,
            store: store(self.store, self.store_file)?,
            authority: authority(self.authority, self.authority_key.is_some() || self.plaintext.is_some())?,
            authority_key: self.authority_key,
            authority_ca: self.authority_ca,
            tls,
            retention_days: self.retention_days,
            requests_per_second: self.requests_per_second,
            log: self.log.unwrap_or_else(|| "info".to_owned()),
        })
    }
}

/// The same words in YAML, each a text or a number.
fn of_yaml(text: &str) -> Result<Said, String> {
    let at = |line: u64, reason: &str| format!("line {line}: {reason}");
    let root = read_yaml(text).map_err(|(line, fault)| at(line, &fault.to_string()))?;
    let Value::Map(entries) = root.value else { return Err(at(root.line, "a mapping is expected")) };
    let mut table = toml::Table::new();
    for (key, node) in entries {
        let value = match node.value {
            Value::Null => continue,
            Value::Text(text) => toml::Value::String(text),
            Value::Number(digits) => {
                let number = digits.parse().map_err(|_| at(node.line, "a smaller number is expected"))?;
                toml::Value::Integer(number)
            }
            other => return Err(at(node.line, &format!("{key}: a text or a number, not {}", other.kind()))),
        };
        // each by itself first: it is its line that is told
        let alone = toml::Table::from_iter([(key.clone(), value.clone())]);
        alone.try_into::<Said>().map_err(|error| at(node.line, error.message()))?;
        table.insert(key, value);
    }
    table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

fn address(text: &str) -> Result<SocketAddr, OptionsError> {
    let listen = || text.to_owned();
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    if host.eq_ignore_ascii_case("localhost") {
        return Err(OptionsError::Localhost { listen: listen() });
    }
    text.parse().map_err(|_| OptionsError::Listen { listen: listen() })
}

fn store(said: Option<String>, file: Option<PathBuf>) -> Result<StoreAt, OptionsError> {
    let text = match (said, file) {
        (Some(_), Some(_)) => return Err(OptionsError::TwoStores),
        (Some(text), None) => text,
        (None, Some(path)) => {
            let read = std::fs::read_to_string(&path);
            read.map_err(|error| OptionsError::File { path, reason: error.to_string() })?.trim().to_owned()
        }
        (None, None) => return Err(OptionsError::Missing { what: "store: a directory, or postgres://..." }),
    };
    let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
    Ok(if is_postgres { StoreAt::Postgres(text) } else { StoreAt::Directory(PathBuf::from(text)) })
}

fn authority(said: Option<String>, pinned: bool) -> Result<Url, OptionsError> {
    let text = said.ok_or(OptionsError::Missing { what: "authority: where the attribute authority is" })?;
    let parsed: Result<Url, _> = text.parse();
    let url = match parsed {
        Ok(url) => url,
        Err(error) => return Err(OptionsError::Authority { url: text, reason: error.to_string() }),
    };
    if text.starts_with("https://") || pinned || is_of_this_host(&text) {
        Ok(url)
    } else {
        Err(OptionsError::Unpinned { url: text })
    }
}

/// Whether a good URL names this host by its address: a name could lead anywhere.
fn is_of_this_host(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    let address = host.parse::<SocketAddr>().map(|address| address.ip());
    let address = address.or_else(|_| host.trim_matches(['[', ']']).parse::<IpAddr>());
    address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(listen: &str) -> Said {
        Said {
            listen: Some(listen.to_owned()),
            store: Some("/var/lib/exchange".to_owned()),
            authority: Some("http://127.0.0.1:5002".to_owned()),
            ..Said::default()
        }
    }

    #[test]
    fn localhost_is_refused_with_what_to_write_instead() {
        let refused = said("localhost:5001").check().unwrap_err().to_string();
        assert!(refused.contains("use 127.0.0.1"), "{refused}");
        assert!(said("127.0.0.1:5001").check().is_ok());
        assert!(matches!(said("5001").check(), Err(OptionsError::Listen { .. })));
    }

    #[test]
    fn beyond_this_host_a_certificate_is_needed_or_a_declaration() {
        assert!(matches!(said("0.0.0.0:5001").check(), Err(OptionsError::InClear { .. })));
        assert!(Said { plaintext: Some(Plaintext::Declared), ..said("0.0.0.0:5001") }.check().is_ok());
        let cert = Said { tls_cert: Some("c".into()), ..said("0.0.0.0:5001") };
        assert!(matches!(cert.clone().check(), Err(OptionsError::HalfTls)));
        assert!(Said { tls_key: Some("k".into()), ..cert }.check().is_ok());
    }

    #[test]
    fn an_authority_beyond_this_host_in_clear_needs_its_key() {
        let far = Said { authority: Some("http://kms:5000".to_owned()), ..said("127.0.0.1:5001") };
        assert!(matches!(far.clone().check(), Err(OptionsError::Unpinned { .. })));
        assert!(Said { authority_key: Some("authority.pub".into()), ..far }.check().is_ok());
    }

    #[test]
    fn the_command_line_comes_before_the_file_and_unknown_words_are_refused_with_their_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("exchange.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:7\"\nretention_days = 3\nstore = \"a\"\n").unwrap();
        let both =
            Said { listen: Some("127.0.0.1:9".to_owned()), ..Said::default() }.or(Said::read(&path).unwrap());
        assert_eq!((both.listen.as_deref(), both.retention_days), (Some("127.0.0.1:9"), Some(3)));
        std::fs::write(&path, "\nlissten = 1\n").unwrap();
        let refused = Said::read(&path).unwrap_err().to_string();
        assert!(refused.contains("line 2") && refused.contains("lissten"), "{refused}");
        let path = dir.path().join("config.yaml");
        std::fs::write(&path, "# as in containers\nauthority: http://127.0.0.1:5002\nretention_days: 365\n")
            .unwrap();
        let read = Said::read(&path).unwrap();
        assert_eq!(
            (read.authority.as_deref(), read.retention_days),
            (Some("http://127.0.0.1:5002"), Some(365))
        );
        for (text, place) in
            [("store: a\nstorre: b\n", "line 2"), ("store: [a]\n", "line 1"), ("- a\n", "line 1")]
        {
            std::fs::write(&path, text).unwrap();
            let refused = Said::read(&path).unwrap_err().to_string();
            assert!(refused.contains(place), "{refused}");
        }
    }

    #[test]
    fn a_store_with_a_password_is_not_shown() {
        let options = Said { store: Some("postgres://u:hunter2@h/d".to_owned()), ..said("127.0.0.1:1") };
        assert!(!format!("{:?}", options.check().unwrap()).contains("hunter2"));
    }
}
