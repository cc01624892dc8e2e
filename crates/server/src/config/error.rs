//! What can be wrong with a configuration, and where.

use std::path::PathBuf;

/// A configuration that will not be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is far larger than any configuration.
    #[error("{path} is larger than 1 MiB")]
    Oversized {
        /// The file.
        path: PathBuf,
    },
    /// What it says is wrong in at least one place.
    #[error("{0}")]
    Invalid(Findings),
}

/// Everything that was found wrong in one configuration, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The configuration's name: its path.
    pub name: String,
    /// What was found; never empty in an error.
    pub found: Vec<Finding>,
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, finding) in self.found.iter().enumerate() {
            let lead = if index == 0 { "" } else { "\n" };
            write!(f, "{lead}{}:{}: ", self.name, finding.place)?;
            if !finding.key.is_empty() {
                write!(f, "{}: ", finding.key)?;
            }
            write!(f, "{}", finding.fault)?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// The key in full: `listener.main.address`; empty where the text is not TOML.
    pub key: String,
    /// What.
    pub fault: Fault,
}

/// A place in the text, both counted from one; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Default for Place {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with a key or its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// No such key here.
    #[error("unknown key")]
    Unknown,
    /// A key that must be there is not.
    #[error("is missing")]
    Missing,
    /// A value of another type.
    #[error("must be {expected}, is {found}")]
    WrongType {
        /// What belongs here.
        expected: &'static str,
        /// What stands here.
        found: &'static str,
    },
    /// Not one of the words that are known.
    #[error("must be one of {allowed}")]
    NotOneOf {
        /// The words.
        allowed: &'static str,
    },
    /// Below or above what is allowed.
    #[error("must lie between {least} and {most}")]
    OutOfBounds {
        /// The least, with its unit.
        least: String,
        /// The most, with its unit.
        most: String,
    },
    /// Not a size.
    #[error("is no size; write 512KiB, 256MiB, 1GiB or a number of bytes")]
    NotASize,
    /// Not a duration.
    #[error("is no duration; write 30s, 15m, 8h or 7d")]
    NotADuration,
    /// Neither an address with its port nor a socket.
    #[error("is no address; write 127.0.0.1:8200, [::1]:8200 or unix:/absolute/path")]
    NotAnAddress,
    /// A name in the place of an address.
    #[error("localhost is a name, and no address to listen on; use 127.0.0.1")]
    Localhost,
    /// Plain HTTP where others than this host could come.
    #[error(
        "is reachable from the network and has no certificate: give it tls_cert and tls_key, listen on 127.0.0.1 \
         behind a proxy, or say plaintext = \"declared\""
    )]
    Plaintext,
    /// Said as a warning: the operator allowed it.
    #[error("plain HTTP on the network, as declared: whoever is on the way reads passwords and tokens")]
    DeclaredPlaintext,
    /// Not a receiver of syslog.
    #[error("is no receiver; write unix:/dev/log, udp:HOST:PORT, tcp:HOST:PORT or tls:HOST:PORT")]
    NotASyslogAddress,
    /// Not a file mode for a socket.
    #[error("is no socket mode; write four octal digits such as \"0660\", none for others")]
    NotAMode,
    /// Not a DNS name or IP address.
    #[error("is neither a host name nor an IP address")]
    NotAHostName,
    /// A log filter that cannot be understood.
    #[error("is no log filter; write info or warn,strongroom=debug")]
    NotAFilter,
    /// A listener's name that would not survive as a label.
    #[error("is no listener name; use lower-case letters, digits, - and _, at most 32")]
    NotAListenerName,
    /// A path that depends on the working directory.
    #[error("must be an absolute path without . and ..")]
    NotAbsolute,
    /// Two listeners at one address.
    #[error("is the address of listener.{other} already")]
    AddressTaken {
        /// The other listener.
        other: String,
    },
    /// A key that has no meaning beside another.
    #[error("has no meaning {when}")]
    OutOfPlace {
        /// Beside what.
        when: &'static str,
    },
    /// A shorter limit that is longer than the longer one.
    #[error("must not be more than {other}")]
    MoreThan {
        /// The other key.
        other: &'static str,
    },
    /// A file that must not lie in the data directory, because a backup or a thief would have both.
    #[error("must lie outside server.data_dir")]
    InsideDataDir,
    /// Neither an address nor a network.
    #[error("{0}")]
    NotANetwork(strongroom_model::NetworkError),
    /// Proxies are these and those, never everybody.
    #[error("trusts everybody to name the client; list the proxies")]
    TrustsEverybody,
    /// A pattern that covers no action.
    #[error("names no action; write one such as secret.get, or a pattern such as secret.*")]
    NamesNoAction,
    /// A name that is no command.
    #[error("names no command of the convection protocol; write one such as get_secret, or *")]
    NamesNoCommand,
    /// An empty list, which would say less than none.
    #[error("names nothing")]
    NamesNothing,
    /// A network ACL's name that would not survive in a line of the trail.
    #[error("is no name of a network ACL; use lower-case letters, digits, - and _, at most 32")]
    NotANaclName,
    /// A network ACL that is not there.
    #[error("there is no such [nacl] table")]
    NoSuchNacl,
    /// Said as a warning: nothing but credentials stands between this listener and whoever can reach it.
    #[error("is reachable from the network without nacl or addresses: only credentials guard it")]
    OpenToTheNetwork,
    /// A file or directory that cannot be used.
    #[error("{path}: {reason}")]
    Inaccessible {
        /// The path.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Not a regular file.
    #[error("{path} is not a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Not a directory.
    #[error("{path} is not a directory")]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// A key file that others may read.
    #[error("{path} is open to others (mode {mode:04o}); chmod 600 it")]
    OpenToOthers {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory that others may write to.
    #[error("{path} may be written by others (mode {mode:04o}); chmod 700 it")]
    WritableByOthers {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A user that the system does not know.
    #[error("no such user")]
    NoSuchUser,
    /// A group that the system does not know.
    #[error("no such group")]
    NoSuchGroup,
}
