//! Listeners of streams: connections are counted, of all and of one address, and TLS is shaken hands over within a time.

use super::Place;
use crate::settings::{Input, InputKind, TlsFiles};
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Most connections of one listener.
pub(crate) const MAX_CONNECTIONS: usize = 512;
/// Most connections of one address.
pub(crate) const MAX_OF_ONE: usize = 128;
/// For the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A stream of either kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub(crate) struct Connection {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) peer: SocketAddr,
}

/// An input cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A PEM file.
    #[error("{path}: {why}", path = path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Certificate and key.
    #[error("the certificate of {address} cannot be used: {source}")]
    Tls {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: rustls::Error,
    },
}

/// A bound address.
pub struct Listening {
    address: SocketAddr,
    socket: Socket,
    tls: Option<TlsAcceptor>,
}

enum Socket {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

impl Listening {
    /// Binds the address of an input.
    pub(crate) fn bind(address: SocketAddr, input: &Input) -> Result<Self, ListenError> {
        let tls = input.tls.as_ref().map(|files| acceptor(address, files)).transpose()?;
        let failed = |source| ListenError::Bind { address, source };
        let socket = if matches!(input.kind, InputKind::SyslogUdp(_)) {
            let socket = std::net::UdpSocket::bind(address).map_err(failed)?;
            socket.set_nonblocking(true).map_err(failed)?;
            Socket::Udp(UdpSocket::from_std(socket).map_err(failed)?)
        } else {
            let socket = std::net::TcpListener::bind(address).map_err(failed)?;
            socket.set_nonblocking(true).map_err(failed)?;
            Socket::Tcp(TcpListener::from_std(socket).map_err(failed)?)
        };
        let address = match &socket {
            Socket::Tcp(listener) => listener.local_addr(),
            Socket::Udp(socket) => socket.local_addr(),
        };
        let address = address.map_err(failed)?;
        Ok(Self { address, socket, tls })
    }

    /// Where it is bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket of datagrams.
    pub(crate) fn datagrams(self) -> Option<UdpSocket> {
        match self.socket {
            Socket::Udp(socket) => Some(socket),
            Socket::Tcp(_) => None,
        }
    }

    /// Serves connections until the end, and then those that are open.
    pub(crate) async fn streams<F>(self, place: Place, serve: fn(Connection, Place) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Socket::Tcp(listener) = self.socket else { return };
        let open = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let by_address = Arc::new(Addresses::default());
        let mut tasks = JoinSet::new();
        let mut stop = place.stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &open) => accepted,
                () = stop.wait() => break,
                Some(_) = tasks.join_next() => continue,
            };
            let Some((stream, peer, permit)) = accepted else { continue };
            let Some(guest) = Addresses::enter(&by_address, peer.ip()) else {
                tracing::warn!(input = %place.name, peer = %peer.ip(), "too many connections of one address");
                continue;
            };
            let (tls, place) = (self.tls.clone(), place.clone());
            tasks.spawn(async move {
                if let Some(stream) = opened(stream, tls, &place, peer).await {
                    serve(Connection { stream, peer }, place).await;
                }
                drop((guest, permit));
            });
        }
        drop(listener);
        while tasks.join_next().await.is_some() {}
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, once there is room for one.
async fn accept(listener: &TcpListener, open: &Arc<Semaphore>) -> Option<Accepted> {
    let permit = open.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // out of descriptors, or a connection that was gone before it was taken
            tracing::warn!(%error, "a connection cannot be taken");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn opened(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    place: &Place,
    peer: SocketAddr,
) -> Option<Box<dyn Stream>> {
    let Some(tls) = tls else { return Some(Box::new(stream)) };
    match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::warn!(input = %place.name, peer = %peer.ip(), %error, "TLS failed");
            None
        }
        Err(_) => None,
    }
}

/// Connections by address.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

struct Guest(Arc<Addresses>, IpAddr);

impl Addresses {
    fn enter(all: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let mut open = all.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= MAX_OF_ONE {
            return None;
        }
        *count += 1;
        Some(Guest(all.clone(), address))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.1);
            }
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ListenError> {
    let wrong = |why: String| ListenError::Pem { path: path.to_owned(), why };
    let all = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("no certificate in it".to_owned())) } else { Ok(all) }
}

fn acceptor(address: SocketAddr, files: &TlsFiles) -> Result<TlsAcceptor, ListenError> {
    let wrong = |path: &Path, why: String| ListenError::Pem { path: path.to_owned(), why };
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let failed = |source| ListenError::Tls { address, source };
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(failed)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong(path, error.to_string()))?)
        }
    };
    let config = builder.with_single_cert(certificates(&files.cert)?, key).map_err(failed)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
