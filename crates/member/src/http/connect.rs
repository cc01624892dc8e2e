//! Connections: plain ones, or TLS that trusts the system's authorities or the one that is named.

use super::error::certificate_alert;
use super::{HttpError, Url};
use crate::config::Tls;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where systems keep the authorities that they trust.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// Either kind of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How to reach a server.
pub(super) struct Connector {
    url: Url,
    tls: Option<TlsConnector>,
}

impl Connector {
    /// Gets ready.
    pub(super) fn new(url: &Url, tls: &Tls) -> Result<Self, HttpError> {
        let tls = if url.tls { Some(connector(tls)?) } else { None };
        Ok(Self { url: url.clone(), tls })
    }

    /// Connects, within a time.
    pub(super) async fn connect(&self, limit: Duration) -> Result<Box<dyn Stream>, HttpError> {
        let timeout = |_| HttpError::NoConnection { server: self.url.to_string(), seconds: limit.as_secs() };
        tokio::time::timeout(limit, self.connect_now()).await.map_err(timeout)?
    }

    async fn connect_now(&self) -> Result<Box<dyn Stream>, HttpError> {
        let absent = |source| HttpError::NoServer { server: self.url.to_string(), source };
        let tcp = TcpStream::connect((self.url.host.as_str(), self.url.port)).await.map_err(absent)?;
        tcp.set_nodelay(true).map_err(absent)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(tcp)) };
        let untrusted = |source| match certificate_alert(&source) {
            Some(alert) => HttpError::Certificate { server: self.url.to_string(), alert },
            None => HttpError::Untrusted { server: self.url.to_string(), source },
        };
        let name = ServerName::try_from(self.url.host.clone())
            .map_err(|error| untrusted(std::io::Error::other(error)))?;
        Ok(Box::new(tls.connect(name, tcp).await.map_err(untrusted)?))
    }
}

fn connector(tls: &Tls) -> Result<TlsConnector, HttpError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|_| HttpError::NoTls)?.with_root_certificates(roots(tls)?);
    let mut config = match (&tls.client_cert, &tls.client_key) {
        (Some(cert), Some(key)) => {
            let bad = || HttpError::BadFile { path: cert.clone(), what: "a certificate and its key" };
            let chain: Vec<_> = certificates(cert)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|_| bad())?;
            builder.with_client_auth_cert(chain, key).map_err(|_| bad())?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots(tls: &Tls) -> Result<RootCertStore, HttpError> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = &tls.ca else {
        let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let usual = || SYSTEM_BUNDLES.iter().map(PathBuf::from).find(|path| path.exists());
        let path = named.or_else(usual).ok_or(HttpError::NoRoots)?;
        // a system's bundle may have a certificate that is of no use here
        roots.add_parsable_certificates(certificates(&path)?);
        return if roots.is_empty() { Err(HttpError::NoRoots) } else { Ok(roots) };
    };
    for certificate in certificates(ca)? {
        let bad = |_| HttpError::BadFile { path: ca.clone(), what: "a certificate" };
        roots.add(certificate).map_err(bad)?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let bad = || HttpError::BadFile { path: path.to_owned(), what: "certificates in PEM" };
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|_| bad())?.collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(bad)
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
