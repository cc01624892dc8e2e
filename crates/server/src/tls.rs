//! What TCP listeners prove themselves with: certificates of the server's own authority, or the operator's files.
//!
//! A [`TlsHandle`] holds what is served now and reads its files again on [`TlsHandle::reload`]: new connections get
//! the new certificate, old ones live on. TLS 1.3 and 1.2, post-quantum key exchange preferred, HTTP/2 and
//! HTTP/1.1; TLS 1.3 alone where no HTTP is spoken.

mod files;
mod own;

pub use files::{PRIVATE_MODE, write_private};
pub(crate) use own::certificate as own_certificate;
pub use own::{OwnTls, ensure_own};

use crate::config::{self, Address, Config, Tls};
use crate::names::Names;
use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_crypto::sha256;
use strongroom_secret::SecretBytes;
use strongroom_x509::{X509Error, inspect};

/// Tickets that a client gets to come back with; they hold no state here.
const TICKETS: usize = 1;

/// Why there is no certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// Read, write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that holds no certificate.
    #[error("{path} holds no certificate in PEM")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A file that holds no private key.
    #[error("{path} holds no private key in PEM")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A certificate and a key that do not serve together.
    #[error("{cert} and {key} do not serve together")]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The library refused its own defaults.
    #[error("TLS cannot be set up")]
    Library(#[from] rustls::Error),
    /// The server's own authority could not issue.
    #[error("the server's own authority")]
    Authority(#[from] X509Error),
}

/// Where a handle's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSource {
    /// The server's own authority, kept in a directory.
    Own {
        /// The directory, private to the server.
        dir: PathBuf,
        /// The names that the certificate is for.
        names: Vec<String>,
    },
    /// Files that the operator keeps.
    Files {
        /// The chain, the leaf first.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The same, where clients may show certificates of an authority: HTTP alone.
    Mutual {
        /// The chain, the leaf first.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// Whose certificates clients may show, PEM.
        clients: PathBuf,
    },
}

/// What is served now, and where it came from.
pub struct TlsHandle {
    source: TlsSource,
    current: ArcSwap<Served>,
}

/// What a connection is served with.
pub(crate) struct Served {
    chain: Vec<CertificateDer<'static>>,
    /// SHA-256 of the leaf.
    pub(crate) certificate: [u8; 32],
    pub(crate) config: Arc<ServerConfig>,
    /// The same certificate in TLS 1.3 alone, for whatever is not HTTP.
    pub(crate) strict: Arc<ServerConfig>,
    /// The certificate's names, and this host's.
    pub(crate) names: Arc<Names>,
}

impl TlsHandle {
    /// Reads the source; what the server's own authority lacks is made.
    ///
    /// # Errors
    /// If a file cannot be read or does not serve.
    pub fn open(ambient: &Ambient, source: TlsSource) -> Result<Self, TlsError> {
        let served = read_source(ambient, &source)?;
        Ok(Self { source, current: ArcSwap::from_pointee(served) })
    }

    /// What a connection that begins now is served with.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    pub(crate) fn served(&self) -> Arc<Served> {
        self.current.load_full()
    }

    /// Reads the source again, renewing what is due; says whether another certificate is served from now on. On an
    /// error the present one stays.
    ///
    /// # Errors
    /// As [`TlsHandle::open`].
    pub fn reload(&self, ambient: &Ambient) -> Result<bool, TlsError> {
        let served = read_source(ambient, &self.source)?;
        let changed = served.chain != self.current.load().chain;
        if changed {
            self.current.store(Arc::new(served));
        }
        Ok(changed)
    }
}

/// The handles of all listeners of a configuration.
pub struct TlsHandles {
    own: Option<Arc<TlsHandle>>,
    from_files: Vec<(String, Arc<TlsHandle>)>,
}

impl TlsHandles {
    /// Opens what the listeners with TLS need; the server's own authority is kept in `own_dir` and issues one certificate
    /// for all listeners that use it.
    ///
    /// # Errors
    /// If any listener would have nothing to serve.
    pub fn open(ambient: &Ambient, config: &Config, own_dir: &Path) -> Result<Self, TlsError> {
        let mut from_files = Vec::new();
        let mut names = None::<Vec<String>>;
        for listener in &config.listeners {
            match &listener.tls {
                _ if !listener.has_tls() => {}
                Tls::Own { names: more } => {
                    let names = names.get_or_insert_with(host_names);
                    if let Address::Tcp(address) = &listener.address {
                        names.extend((!address.ip().is_unspecified()).then(|| address.ip().to_string()));
                    }
                    names.extend(more.iter().cloned());
                }
                Tls::Files { cert, key } => {
                    let source = TlsSource::Files { cert: cert.clone(), key: key.clone() };
                    let handle = Arc::new(TlsHandle::open(ambient, source)?);
                    from_files.push((listener.name.clone(), handle));
                }
                Tls::Off { .. } => {}
            }
        }
        let own = names.map(|names| TlsSource::Own { dir: own_dir.to_owned(), names });
        let own = own.map(|source| TlsHandle::open(ambient, source)).transpose()?.map(Arc::new);
        let handles = Self { own, from_files };
        handles.tell_expiry();
        Ok(handles)
    }

    /// The handle of a listener; none for one without TLS.
    pub fn of(&self, listener: &config::Listener) -> Option<Arc<TlsHandle>> {
        match &listener.tls {
            _ if !listener.has_tls() => None,
            Tls::Own { .. } => self.own.clone(),
            Tls::Off { .. } => None,
            Tls::Files { .. } => {
                let found = self.from_files.iter().find(|(name, _)| *name == listener.name);
                found.map(|(_, handle)| Arc::clone(handle))
            }
        }
    }

    /// Reloads every handle, on HUP and daily; one that fails keeps what it serves, and the first error is told.
    ///
    /// # Errors
    /// The first one met, after all were tried.
    pub fn reload(&self, ambient: &Ambient) -> Result<(), TlsError> {
        let mut outcome = Ok(());
        for handle in self.own.iter().chain(self.from_files.iter().map(|(_, handle)| handle)) {
            match handle.reload(ambient) {
                Ok(true) => tracing::info!("new connections are served with a new certificate"),
                Ok(false) => {}
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        self.tell_expiry();
        outcome
    }

    fn tell_expiry(&self) {
        if let Some(TlsSource::Own { dir, .. }) = self.own.as_ref().map(|handle| &handle.source) {
            tell_expiry("own", &own_certificate(dir));
        }
        for (name, handle) in &self.from_files {
            if let TlsSource::Files { cert, .. } = &handle.source {
                tell_expiry(name, cert);
            }
        }
    }
}

/// Tells metrics when a chain's leaf expires.
fn tell_expiry(listener: &str, cert: &Path) {
    if let Some(info) = std::fs::read(cert).ok().and_then(|pem| inspect(&pem).ok()) {
        let expires = crate::gauges::seconds(strongroom_ambient::UnixMillis(info.not_after_ms));
        metrics::gauge!("strongroom_certificate_expires_timestamp_seconds", "listener" => listener.to_owned())
            .set(expires);
    }
}

/// The names that this host is reached by.
fn host_names() -> Vec<String> {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let host = if config::is_host_name(&host) { host } else { "localhost".to_owned() };
    strongroom_x509::local_names(&host).into_iter().map(str::to_owned).collect()
}

fn read_source(ambient: &Ambient, source: &TlsSource) -> Result<Served, TlsError> {
    match source {
        TlsSource::Files { cert, key } => {
            let served = read_pair(cert, key, None)?;
            warn_if_expired(ambient, cert);
            Ok(served)
        }
        TlsSource::Mutual { cert, key, clients } => {
            let served = read_pair(cert, key, Some(clients))?;
            warn_if_expired(ambient, cert);
            Ok(served)
        }
        TlsSource::Own { dir, names } => {
            let own = ensure_own(ambient, dir, names)?;
            read_pair(&own.cert, &own.key, None)
        }
    }
}

fn warn_if_expired(ambient: &Ambient, cert: &Path) {
    let info = std::fs::read(cert).ok().and_then(|pem| inspect(&pem).ok());
    if info.is_some_and(|info| info.not_after_ms <= ambient.now().0) {
        tracing::warn!(cert = %cert.display(), "the certificate has expired");
    }
}

/// Reads a chain and its key, and proves that they serve together.
fn read_pair(cert: &Path, key: &Path, clients: Option<&Path>) -> Result<Served, TlsError> {
    let chain_pem = files::read(cert)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain_pem).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| TlsError::NoCertificate { path: cert.to_owned() })?;
    let key_pem = SecretBytes::new(files::read(key)?);
    let private = key_pem.expose(PrivateKeyDer::from_pem_slice);
    let private = private.map_err(|_| TlsError::NoKey { path: key.to_owned() })?;
    let unusable = |source| TlsError::Unusable { cert: cert.to_owned(), key: key.to_owned(), source };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(verifier(clients)?),
    };
    let mut config = builder.with_single_cert(chain.clone(), private).map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = TICKETS;
    // tickets hold the sessions; a second store of them would only take memory
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    let certified = inspect(&chain_pem).map(|info| info.sans).unwrap_or_default();
    let names = Arc::new(Names::of(certified.into_iter().chain(host_names())));
    let certificate = sha256(chain.first().map(AsRef::as_ref).unwrap_or_default());
    Ok(Served { chain, certificate, strict: Arc::new(strict(&config)?), config: Arc::new(config), names })
}

/// Takes certificates of one authority from whoever shows any.
fn verifier(clients: &Path) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let pem = files::read(clients)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| TlsError::NoCertificate { path: clients.to_owned() })?;
        roots.add(certificate)?;
    }
    let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let built = built.allow_unauthenticated().build();
    built.map_err(|_| TlsError::NoCertificate { path: clients.to_owned() })
}

/// What is served where no HTTP is spoken: TLS 1.3, no choice of protocols, and no ticket to come back with.
fn strict(config: &ServerConfig) -> Result<ServerConfig, TlsError> {
    let mut strict = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&config.cert_resolver));
    strict.send_tls13_tickets = 0;
    strict.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(strict)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
