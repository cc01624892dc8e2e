//! Binding: a TCP port or a socket's file.

use crate::config::{self, Address, Border};
use crate::tls::{Served, TlsHandle};
use arc_swap::ArcSwap;
use rustix::fs::{Mode, chmod, chown};
use rustix::process::{Gid, Uid};
use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_model::{Client, Entrance, Origin};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

const BACKLOG: u32 = 4_096;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The system refused.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Someone answers on the socket already.
    #[error("another server answers on {path}")]
    Answered {
        /// The socket's file.
        path: PathBuf,
    },
    /// Something else stands where the socket should.
    #[error("{path} exists and is no socket")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The owner of the socket's file is not known.
    #[error("no user {owner}")]
    NoSuchUser {
        /// The owner.
        owner: String,
    },
    /// The group of the socket's file is not known.
    #[error("no group {group}")]
    NoSuchGroup {
        /// The group.
        group: String,
    },
    /// A TCP listener without a certificate.
    #[error("{address} needs a certificate")]
    WithoutTls {
        /// The address.
        address: String,
    },
}

/// A bound address.
pub struct Listener {
    name: String,
    address: Address,
    socket: Bound,
    border: Arc<ArcSwap<Border>>,
    entrance: Entrance,
}

enum Bound {
    /// Without a handle in clear.
    Tcp {
        listener: TcpListener,
        tls: Option<Arc<TlsHandle>>,
    },
    Unix {
        listener: UnixListener,
        tls: Option<Arc<TlsHandle>>,
        _file: SocketFile,
    },
}

/// An accepted connection.
pub(super) enum Socket {
    Tcp(TcpStream, Option<Arc<Served>>),
    Unix(UnixStream, Option<Arc<Served>>),
}

impl Listener {
    /// Binds what the configuration names; `tls` is needed where [`config::Listener::has_tls`]. Must be called within a runtime.
    ///
    /// # Errors
    /// If the address is taken or may not be had.
    pub fn bind(listener: &config::Listener, tls: Option<Arc<TlsHandle>>) -> Result<Self, ListenError> {
        let (address, socket) = match &listener.address {
            Address::Tcp(address) => {
                if tls.is_none() && listener.has_tls() {
                    return Err(ListenError::WithoutTls { address: address.to_string() });
                }
                return Self::bind_tcp(&listener.name, *address, tls, listener.border.clone());
            }
            Address::Unix(path) => {
                let (socket, file) = bind_unix(path, &listener.socket)?;
                (listener.address.clone(), Bound::Unix { listener: socket, tls, _file: file })
            }
        };
        let border = Arc::new(ArcSwap::from_pointee(listener.border.clone()));
        let entrance = Entrance::default();
        Ok(Self { name: listener.name.clone(), address, socket, border, entrance })
    }

    /// Binds a port, as the programs beside the server do; without `tls` HTTP is spoken in clear, which is for loopback,
    /// or for whoever has declared it. Must be called within a runtime.
    ///
    /// # Errors
    /// If the address is taken or may not be had.
    pub fn bind_tcp(
        name: &str,
        address: SocketAddr,
        tls: Option<Arc<TlsHandle>>,
        border: Border,
    ) -> Result<Self, ListenError> {
        let failed = |source| ListenError::Bind { address: address.to_string(), source };
        let tcp = bind_tcp(address).map_err(failed)?;
        let bound = tcp.local_addr().map_err(failed)?;
        Ok(Self {
            name: name.to_owned(),
            address: Address::Tcp(bound),
            socket: Bound::Tcp { listener: tcp, tls },
            border: Arc::new(ArcSwap::from_pointee(border)),
            entrance: Entrance::default(),
        })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens, with the port that the system chose if any would do.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whom it takes requests from: what is stored here is in force from then on.
    pub fn border(&self) -> Arc<ArcSwap<Border>> {
        Arc::clone(&self.border)
    }

    /// Its clients are told apart by this number from those of other listeners.
    pub(super) fn number(&mut self, entrance: Entrance) {
        self.entrance = entrance;
    }

    pub(super) async fn accept(&self) -> io::Result<(Socket, Origin)> {
        match &self.socket {
            Bound::Tcp { listener, tls } => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let address = peer.ip().to_canonical();
                let origin = Origin::Network(Client { address, via: None, entrance: self.entrance });
                Ok((Socket::Tcp(stream, tls.as_ref().map(|tls| tls.served())), origin))
            }
            Bound::Unix { listener, tls, .. } => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred()?.uid();
                let served = tls.as_ref().map(|tls| tls.served());
                Ok((Socket::Unix(stream, served), Origin::Local { uid }))
            }
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Makes the socket in a directory that only this server can enter, gives it its mode and group there, and moves
/// it into place: at no moment can anyone connect who should not, whatever the umask.
fn bind_unix(path: &Path, access: &config::SocketAccess) -> Result<(UnixListener, SocketFile), ListenError> {
    let failed = |source| ListenError::Bind { address: format!("unix:{}", path.display()), source };
    clear_stale(path)?;
    let group = access
        .group
        .as_deref()
        .map(|group| group_id(group).ok_or_else(|| ListenError::NoSuchGroup { group: group.to_owned() }));
    let group = group.transpose()?;
    let owner = access
        .owner
        .as_deref()
        .map(|owner| user_id(owner).ok_or_else(|| ListenError::NoSuchUser { owner: owner.to_owned() }));
    let owner = owner.transpose()?;
    let staging = Staging::beside(path).map_err(failed)?;
    let staged = staging.0.join("s");
    let listener = UnixListener::bind(&staged).map_err(failed)?;
    if owner.is_some() || group.is_some() {
        chown(&staged, owner.map(Uid::from_raw), group.map(Gid::from_raw))
            .map_err(|error| failed(error.into()))?;
    }
    chmod(&staged, Mode::from_raw_mode(access.mode)).map_err(|error| failed(error.into()))?;
    std::fs::rename(&staged, path).map_err(failed)?;
    let file = SocketFile::at(path).map_err(failed)?;
    Ok((listener, file))
}

/// Refuses if somebody answers; a socket that nobody answers on is a dead server's and may be replaced.
fn clear_stale(path: &Path) -> Result<(), ListenError> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(ListenError::Bind { address: format!("unix:{}", path.display()), source }),
    };
    if !metadata.file_type().is_socket() {
        return Err(ListenError::NotASocket { path: path.to_owned() });
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        _ => Err(ListenError::Answered { path: path.to_owned() }),
    }
}

/// A private directory beside the socket, removed with what is left in it.
struct Staging(PathBuf);

impl Staging {
    fn beside(path: &Path) -> io::Result<Self> {
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        // short, because a socket's whole path has at most 107 bytes
        let directory = parent.join(format!(".{}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_dir_all(&directory)?;
                DirBuilder::new().mode(0o700).create(&directory)?;
            }
            other => other?,
        }
        Ok(Self(directory))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The socket's file, unlinked at the end unless another server has put its own there.
struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), id: identity(path)? })
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    path.symlink_metadata().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = identity(&self.path).is_ok_and(|now| now == self.id);
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A group's id: a number, or a name in `/etc/group`.
pub fn group_id(group: &str) -> Option<u32> {
    group.parse().ok().or_else(|| find_id(&std::fs::read_to_string("/etc/group").ok()?, group))
}

/// A user's id: a number, or a name in `/etc/passwd`.
pub fn user_id(user: &str) -> Option<u32> {
    user.parse().ok().or_else(|| find_id(&std::fs::read_to_string("/etc/passwd").ok()?, user))
}

/// The id in a line of `/etc/group` or `/etc/passwd`: both have it in the third place.
fn find_id(lines: &str, wanted: &str) -> Option<u32> {
    lines.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id = fields.nth(1)?;
        if name == wanted { id.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_name_and_number() {
        let groups = "root:x:0:\nstrongroom:x:990:alice,bob\nbroken\nodd:x:no:\n";
        assert_eq!(find_id(groups, "strongroom"), Some(990));
        assert_eq!(find_id(groups, "alice"), None);
        assert_eq!(find_id(groups, "odd"), None);
        assert_eq!(group_id("1234"), Some(1234));
        assert_eq!(group_id("root"), Some(0));
        assert_eq!((user_id("root"), user_id("1000")), (Some(0), Some(1_000)));
    }
}
