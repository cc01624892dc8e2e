//! What is wrong with a configuration, and in which line. Values are never repeated.

use std::io;
use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}:{line}: {fault}", path = path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What.
        fault: Fault,
    },
}

impl ConfigError {
    /// A fault in a line of a file.
    pub fn at(path: &Path, line: u64, fault: Fault) -> Self {
        Self::At { path: path.to_owned(), line, fault }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Far too large.
    #[error("the configuration is larger than {} bytes", crate::yaml::MAX_FILE_BYTES)]
    TooLarge,
    /// Bytes that are no text.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// Not YAML.
    #[error("not YAML: {0}")]
    Yaml(String),
    /// YAML that is not taken here.
    #[error("{0} are not taken")]
    Refused(&'static str),
    /// Nested too deep, or too many.
    #[error("nested too deep, or too many entries")]
    TooDeep,
    /// A key that comes twice.
    #[error("{key} stands here twice")]
    Twice {
        /// The key.
        key: String,
    },
    /// A key that nobody reads.
    #[error("unknown key {key}")]
    Unknown {
        /// The key, with its section.
        key: String,
    },
    /// A key that must be there.
    #[error("{key} is missing")]
    Missing {
        /// The key, with its section.
        key: String,
    },
    /// Another kind of thing.
    #[error("{key} is {wanted}, not {found}")]
    Kind {
        /// The key, with its section.
        key: String,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A number out of bounds.
    #[error("{key} is from {least} to {most}")]
    Range {
        /// The key.
        key: String,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// No address of a server.
    #[error("{key}: {source}")]
    Url {
        /// The key.
        key: String,
        /// Why.
        source: crate::http::UrlError,
    },
    /// No public key.
    #[error("kms.public_key is neither PEM nor a file with it: {why}")]
    PublicKey {
        /// Why.
        why: String,
    },
    /// One without the other.
    #[error("{one} and {other} go together")]
    HalfOfTwo {
        /// One.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A user name that Basic authentication cannot carry.
    #[error("{key} cannot have a colon")]
    Colon {
        /// The key.
        key: &'static str,
    },
}
