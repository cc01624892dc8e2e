//! Connections: TLS that trusts one authority, or a Unix socket. Nothing else is spoken.

use super::ClientError;
use crate::context::{Address, Target};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom_api::MeantServer;
use strongroom_crypto::sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// Either kind of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How to reach a server.
pub(super) struct Connector {
    address: Address,
    tls: Option<TlsConnector>,
    /// SHA-256 of the certificate that the server showed last.
    shown: Mutex<Option<[u8; 32]>>,
}

impl Connector {
    /// Gets ready; an HTTPS address needs an authority.
    pub(super) fn new(address: &Address, target: &Target) -> Result<Self, ClientError> {
        let tls = match (address, &target.cacert) {
            (Address::Unix(_), _) => None,
            (Address::Https { .. }, Some(cacert)) => Some(trusting(cacert)?),
            (Address::Https { .. }, None) => {
                return Err(ClientError::NoAuthority { address: address.clone() });
            }
        };
        Ok(Self { address: address.clone(), tls, shown: Mutex::default() })
    }

    /// Where.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The `Host` header.
    pub(super) fn host(&self) -> String {
        match &self.address {
            Address::Unix(_) => "localhost".to_owned(),
            https @ Address::Https { .. } => https.to_string().trim_start_matches("https://").to_owned(),
        }
    }

    /// Connects, within a time.
    pub(super) async fn connect(&self, limit: Duration) -> Result<Box<dyn Stream>, ClientError> {
        tokio::time::timeout(limit, self.connect_now()).await.map_err(|_| ClientError::ConnectTimeout {
            address: self.address.clone(),
            seconds: limit.as_secs(),
        })?
    }

    async fn connect_now(&self) -> Result<Box<dyn Stream>, ClientError> {
        let absent = |source| ClientError::NoServer { address: self.address.clone(), source };
        let (host, port) = match &self.address {
            Address::Unix(path) => return Ok(Box::new(UnixStream::connect(path).await.map_err(absent)?)),
            Address::Https { host, port } => (host.as_str(), *port),
        };
        let tcp = TcpStream::connect((host, port)).await.map_err(absent)?;
        tcp.set_nodelay(true).map_err(absent)?;
        self.secured(host, tcp).await
    }

    async fn secured(&self, host: &str, tcp: TcpStream) -> Result<Box<dyn Stream>, ClientError> {
        let untrusted = |source| ClientError::Untrusted { address: self.address.clone(), source };
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| untrusted(io::Error::other(error)))?;
        let Some(tls) = &self.tls else {
            return Err(ClientError::NoAuthority { address: self.address.clone() });
        };
        let stream = tls.connect(name, tcp).await.map_err(untrusted)?;
        let leaf = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        if let Ok(mut shown) = self.shown.lock() {
            *shown = leaf.map(|leaf| sha256(leaf));
        }
        Ok(Box::new(stream))
    }

    /// The server that is meant, as proofs name it, with the certificate that it showed last.
    pub(super) fn meant(&self) -> (MeantServer, Option<[u8; 32]>) {
        let shown = self.shown.lock().map_or(None, |shown| *shown);
        let server = match &self.address {
            Address::Unix(_) => MeantServer::local(rustix::process::geteuid().as_raw()),
            Address::Https { .. } => MeantServer::tls(&self.host(), &shown.unwrap_or_default()),
        };
        (server, shown)
    }
}

/// TLS 1.3 that trusts the authorities in a file and no others.
fn trusting(cacert: &Path) -> Result<TlsConnector, ClientError> {
    let bad = || ClientError::BadAuthority { path: cacert.to_owned() };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(cacert).map_err(|_| bad())? {
        roots.add(certificate.map_err(|_| bad())?).map_err(|_| bad())?;
    }
    if roots.is_empty() {
        return Err(bad());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| bad())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
