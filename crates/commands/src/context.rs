//! Contexts: which server, what to trust, which access key. `$XDG_CONFIG_HOME/strongroom/config.toml`.

use crate::args::Global;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The local socket, if nothing else is said.
pub(crate) const DEFAULT_SOCKET: &str = "/run/strongroom/strongroom.sock";

/// The port of an address without one.
const DEFAULT_PORT: u16 = 8200;

/// What is wrong with the configuration file, or with what was asked of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    /// Neither `XDG_CONFIG_HOME` nor `HOME`.
    #[error("no configuration folder: neither XDG_CONFIG_HOME nor HOME is set")]
    NoHome,
    /// The system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not what it should be, and where.
    #[error("{path}: {source}", path = path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: Box<toml::de::Error>,
    },
    /// Could not be written as TOML.
    #[error("the configuration cannot be written: {0}")]
    Encode(#[from] toml::ser::Error),
    /// No such context.
    #[error("{path} has no context {name:?}", path = path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A client's configuration of the original's.
    #[error(transparent)]
    Original(#[from] crate::original::OriginalError),
    /// An address of no known form.
    #[error("address {text:?} is neither https://HOST:PORT nor unix:/PATH{more}")]
    Address {
        /// The address.
        text: String,
        /// More about it.
        more: &'static str,
    },
}

impl ContextError {
    /// Whether the command line is to blame.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Address { .. })
    }
}

/// One context.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// `https://HOST:PORT` or `unix:/PATH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// The pinned authority, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cacert: Option<PathBuf>,
    /// The local socket of the same server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) socket: Option<PathBuf>,
    /// The access key to log in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_key_id: Option<String>,
    /// Its private key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<PathBuf>,
}

/// The configuration file.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// The context in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// The contexts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) context: BTreeMap<String, Context>,
}

/// A folder of ours under one of the XDG base directories; a relative one is ignored, as their specification says.
pub(crate) fn xdg(variable: &str, fallback: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    std::env::var_os(variable)
        .and_then(|value| absolute(value.into()))
        .or_else(|| {
            std::env::var_os("HOME").and_then(|home| absolute(home.into())).map(|home| home.join(fallback))
        })
        .map(|base| base.join("strongroom"))
}

/// Where the configuration file is.
pub(crate) fn config_path() -> Result<PathBuf, ContextError> {
    xdg("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml")).ok_or(ContextError::NoHome)
}

impl ConfigFile {
    /// Reads it; an absent file is an empty one.
    pub(crate) fn read(path: &Path) -> Result<Self, ContextError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ContextError::Io { path: path.to_owned(), source }),
        };
        toml::from_str(&text)
            .map_err(|source| ContextError::Toml { path: path.to_owned(), source: Box::new(source) })
    }

    /// Writes it: wholly or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), ContextError> {
        let text = toml::to_string(self)?;
        crate::state::write_whole(path, text.as_bytes(), 0o600)
            .map_err(|source| ContextError::Io { path: path.to_owned(), source })
    }

    fn pick(&self, path: &Path, asked: Option<&str>) -> Result<Option<(&str, &Context)>, ContextError> {
        let Some(name) = asked.or(self.current.as_deref()) else { return Ok(None) };
        match self.context.get_key_value(name) {
            Some((name, context)) => Ok(Some((name, context))),
            None => Err(ContextError::Unknown { path: path.to_owned(), name: name.to_owned() }),
        }
    }
}

/// Changes or adds a context, and makes it the current one. The file's other contexts stay as they are.
pub(crate) fn update(path: &Path, name: &str, change: impl FnOnce(&mut Context)) -> Result<(), ContextError> {
    let mut file = ConfigFile::read(path)?;
    change(file.context.entry(name.to_owned()).or_default());
    file.current = Some(name.to_owned());
    file.write(path)
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// TLS.
    Https {
        /// Name or IP address, without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl std::str::FromStr for Address {
    type Err = ContextError;

    fn from_str(text: &str) -> Result<Self, ContextError> {
        let refuse = |more| ContextError::Address { text: text.to_owned(), more };
        if let Some(path) = text.strip_prefix("unix:") {
            let absolute = Path::new(path).is_absolute();
            return if absolute {
                Ok(Self::Unix(path.into()))
            } else {
                Err(refuse("; the path must be absolute"))
            };
        }
        if text.starts_with("http://") {
            return Err(refuse("; plain HTTP is never spoken"));
        }
        let rest = text.strip_prefix("https://").ok_or_else(|| refuse(""))?;
        let uri: http::Uri = format!("https://{rest}").parse().map_err(|_| refuse(""))?;
        let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else { return Err(refuse("")) };
        // a port that is no number is quietly none
        let port = uri.port_u16().or_else(|| (authority.as_str() == host).then_some(DEFAULT_PORT));
        let plain = matches!(uri.path(), "" | "/") && uri.query().is_none() && !host.is_empty();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        port.filter(|_| plain).map(|port| Self::Https { host, port }).ok_or_else(|| refuse(""))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Https { host, port } if host.contains(':') => write!(f, "https://[{host}]:{port}"),
            Self::Https { host, port } => write!(f, "https://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The server of this command, and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Where it listens.
    pub(crate) address: Address,
    /// Its local socket, which alone authorises initialisation without a token.
    pub(crate) socket: Option<PathBuf>,
    /// The authority to trust.
    pub(crate) cacert: Option<PathBuf>,
    /// The context, if one is used.
    pub(crate) context: Option<String>,
    /// The access key to log in with.
    pub(crate) access_key_id: Option<String>,
    /// Its private key.
    pub(crate) key_file: Option<PathBuf>,
}

impl Target {
    /// Finds the server: the address that was asked for, the context, the local socket.
    pub(crate) fn find(global: &Global, path: &Path) -> Result<Self, ContextError> {
        let file = ConfigFile::read(path)?;
        let picked = file.pick(path, global.context.as_deref())?;
        let asked = global.address.as_deref().map(str::parse::<Address>).transpose()?;
        if let (Some(config), None) = (&global.client_config, &asked) {
            return Self::of_client_config(Some(config));
        }
        let mut target = match picked {
            Some((name, context)) => Self::of_context(name, context, asked, global.context.is_some())?,
            None => match asked {
                Some(asked) => Self::bare(asked),
                None => Self::of_client_config(None)?,
            },
        };
        if let Some(cacert) = &global.cacert {
            target.cacert = Some(cacert.clone());
        }
        Ok(target)
    }

    /// The server that a client's configuration of the original's names, or the local socket where there is none. A local
    /// socket of ours in its usual place goes before a configuration that nobody asked for.
    fn of_client_config(asked: Option<&Path>) -> Result<Self, ContextError> {
        let usual = Self::bare(Address::Unix(DEFAULT_SOCKET.into()));
        if asked.is_none() && Path::new(DEFAULT_SOCKET).exists() {
            return Ok(usual);
        }
        let found = crate::original::client_target(asked)?;
        Ok(found.map_or(usual, |(address, cacert)| Self { cacert, ..Self::bare(address) }))
    }

    fn bare(address: Address) -> Self {
        Self { address, socket: None, cacert: None, context: None, access_key_id: None, key_file: None }
    }

    /// An address that is not the context's leaves the context aside, so that its token and its authority never
    /// meet another server, unless the context was asked for by name.
    fn of_context(
        name: &str,
        context: &Context,
        asked: Option<Address>,
        by_name: bool,
    ) -> Result<Self, ContextError> {
        let socket = context.socket.clone().map(Address::Unix);
        let own = match &context.address {
            Some(address) => address.parse()?,
            None => socket.clone().unwrap_or_else(|| Address::Unix(DEFAULT_SOCKET.into())),
        };
        let address = asked.unwrap_or_else(|| own.clone());
        if address != own && Some(&address) != socket.as_ref() && !by_name {
            return Ok(Self::bare(address));
        }
        Ok(Self {
            address,
            socket: context.socket.clone(),
            cacert: context.cacert.clone(),
            context: Some(name.to_owned()),
            access_key_id: context.access_key_id.clone(),
            key_file: context.key_file.clone(),
        })
    }

    /// What its token is kept under.
    pub(crate) fn token_name(&self) -> String {
        self.context.clone().unwrap_or_else(|| self.address.to_string())
    }
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
