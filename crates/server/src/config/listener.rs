//! `[listener.NAME]`: an opening, what is spoken there, and where it is.

use super::border::Border;
use std::net::SocketAddr;
use std::path::PathBuf;

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
