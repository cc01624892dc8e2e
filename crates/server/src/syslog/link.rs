//! The way to a receiver: datagrams, or a stream of counted messages, with TLS or without.

use crate::config::{Syslog, SyslogAddress};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};
use tokio_rustls::TlsConnector;

const CONNECT: Duration = Duration::from_secs(10);
const SEND: Duration = Duration::from_secs(30);

/// Why the trail is not exported.
#[derive(Debug, thiserror::Error)]
pub enum SyslogError {
    /// The receiver cannot be reached, or broke off.
    #[error("syslog receiver {address}: {source}")]
    Receiver {
        /// The receiver.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The authorities that its certificate must come from cannot be read.
    #[error("{path} holds no certificate in PEM")]
    Authorities {
        /// The file.
        path: PathBuf,
    },
    /// A certificate that TLS will not take.
    #[error("TLS to the syslog receiver cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The file with the position.
    #[error("cannot read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file with the position holds something else.
    #[error("{path} holds no position in the trail; remove it to export the trail from its first entry")]
    Position {
        /// The file.
        path: PathBuf,
    },
    /// The trail cannot be read.
    #[error(transparent)]
    Store(#[from] strongroom_store::StoreError),
}

/// A receiver.
pub(super) struct Target {
    address: SyslogAddress,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    pub(super) fn new(config: &Syslog) -> Result<Self, SyslogError> {
        let address = config.address.clone();
        let tls = match (&address, &config.ca_file) {
            (SyslogAddress::Tls(place), Some(ca_file)) => Some((connector(ca_file)?, server_name(place)?)),
            _ => None,
        };
        Ok(Self { address, tls })
    }

    pub(super) async fn connect(&self) -> Result<Link, SyslogError> {
        let wire = tokio::time::timeout(CONNECT, self.open()).await.unwrap_or_else(|_| Err(late()));
        let address = self.address.to_string();
        match wire {
            Ok(wire) => Ok(Link { wire, address }),
            Err(source) => Err(SyslogError::Receiver { address, source }),
        }
    }

    async fn open(&self) -> io::Result<Wire> {
        Ok(match &self.address {
            SyslogAddress::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Wire::Unix(socket)
            }
            SyslogAddress::Udp(place) => Wire::Udp(udp(place).await?),
            SyslogAddress::Tcp(place) | SyslogAddress::Tls(place) => {
                let stream = TcpStream::connect(place.as_str()).await?;
                match &self.tls {
                    Some((connector, name)) => {
                        Wire::Stream(Box::new(connector.connect(name.clone(), stream).await?))
                    }
                    None => Wire::Stream(Box::new(stream)),
                }
            }
        })
    }
}

async fn udp(place: &str) -> io::Result<UdpSocket> {
    let mut outcome = Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
    for address in tokio::net::lookup_host(place).await? {
        let any: std::net::IpAddr = if address.is_ipv4() {
            std::net::Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        outcome = socket.connect(address).await.map(|()| socket);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn connector(ca_file: &Path) -> Result<TlsConnector, SyslogError> {
    let none = || SyslogError::Authorities { path: ca_file.to_owned() };
    let pem =
        std::fs::read(ca_file).map_err(|source| SyslogError::File { path: ca_file.to_owned(), source })?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|_| none())?)?;
    }
    if roots.is_empty() {
        return Err(none());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn server_name(place: &str) -> Result<ServerName<'static>, SyslogError> {
    let host = match place.parse::<std::net::SocketAddr>() {
        Ok(address) => address.ip().to_string(),
        Err(_) => place.rsplit_once(':').map_or(place, |(host, _)| host).to_owned(),
    };
    let bad = |_| SyslogError::Receiver {
        address: place.to_owned(),
        source: io::Error::from(io::ErrorKind::InvalidInput),
    };
    ServerName::try_from(host).map_err(bad)
}

fn late() -> io::Error {
    io::Error::from(io::ErrorKind::TimedOut)
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

enum Wire {
    Unix(UnixDatagram),
    Udp(UdpSocket),
    Stream(Box<dyn Stream>),
}

/// An open way.
pub(super) struct Link {
    wire: Wire,
    address: String,
}

impl Link {
    /// Whether what was lost on the way comes to be known: of a stream, by its end.
    pub(super) fn acknowledges(&self) -> bool {
        matches!(self.wire, Wire::Stream(_))
    }

    pub(super) async fn send(&mut self, messages: &[String]) -> Result<(), SyslogError> {
        let sent = tokio::time::timeout(SEND, self.wire.send(messages)).await.unwrap_or_else(|_| Err(late()));
        sent.map_err(|source| self.failed(source))
    }

    /// Whether the receiver is still there: nothing but the end comes from it.
    pub(super) async fn check(&mut self) -> Result<(), SyslogError> {
        let Wire::Stream(stream) = &mut self.wire else { return Ok(()) };
        let mut heard = [0; 64];
        match tokio::time::timeout(Duration::ZERO, stream.read(&mut heard)).await {
            Ok(Ok(0)) => Err(self.failed(io::Error::from(io::ErrorKind::UnexpectedEof))),
            Ok(Err(source)) => Err(self.failed(source)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    /// Ends a stream in good order, and waits until the receiver has seen the end.
    pub(super) async fn close(&mut self) -> Result<(), SyslogError> {
        let Wire::Stream(stream) = &mut self.wire else { return Ok(()) };
        let closed = stream.shutdown().await;
        closed.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> SyslogError {
        SyslogError::Receiver { address: self.address.clone(), source }
    }
}

impl Wire {
    async fn send(&mut self, messages: &[String]) -> io::Result<()> {
        match self {
            Self::Unix(socket) => {
                for message in messages {
                    socket.send(message.as_bytes()).await?;
                }
            }
            Self::Udp(socket) => {
                for message in messages {
                    socket.send(message.as_bytes()).await?;
                }
            }
            Self::Stream(stream) => {
                // octet counting: RFC 6587, section 3.4.1; RFC 5425, section 4.3
                let mut frames = Vec::with_capacity(messages.iter().map(|message| message.len() + 6).sum());
                for message in messages {
                    frames.extend_from_slice(format!("{} {message}", message.len()).as_bytes());
                }
                stream.write_all(&frames).await?;
                stream.flush().await?;
            }
        }
        Ok(())
    }
}
