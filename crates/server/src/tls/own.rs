//! The server's own authority: made at the first start, its server certificate renewed in time.

use super::{TlsError, files, read_pair};
use std::path::{Path, PathBuf};
use strongroom_ambient::Ambient;
use strongroom_secret::SecretBytes;
use strongroom_x509::{Authority, SERVER_VALIDITY, inspect, needs_renewal};

/// Where the files of the server's own authority stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTls {
    /// What clients trust.
    pub ca: PathBuf,
    /// The server's certificate and the authority's.
    pub cert: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
}

/// Makes or renews, in `dir`, an authority and a server certificate for `names`. A certificate that is whole, covers
/// the names and has more than a third of its life left is left alone; the authority is never replaced.
///
/// # Errors
/// If the directory cannot be read or written, or holds a damaged or expired authority.
pub fn ensure_own(ambient: &Ambient, dir: &Path, names: &[String]) -> Result<OwnTls, TlsError> {
    files::make_dir(dir)?;
    let own = OwnTls { ca: dir.join("ca.pem"), cert: certificate(dir), key: dir.join("server.key") };
    let authority = authority(ambient, &own.ca, &dir.join("ca.key"))?;
    let names = distinct(names);
    if !is_good(ambient, &own, &authority, &names) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let issued = authority.issue_server(ambient, &names, SERVER_VALIDITY)?;
        issued.private_key_pem.expose(|pem| files::write_private(&own.key, pem))?;
        files::write_private(&own.cert, issued.chain_pem.as_bytes())?;
        tracing::info!(cert = %own.cert.display(), "issued a server certificate");
    }
    Ok(own)
}

/// Where the certificate is that the authority in `dir` issued for this server.
pub(crate) fn certificate(dir: &Path) -> PathBuf {
    dir.join("server.pem")
}

fn authority(ambient: &Ambient, certificate: &Path, key: &Path) -> Result<Authority, TlsError> {
    // the key is written first, so a certificate without one was never whole, and neither was handed out
    if certificate.exists() {
        let private = SecretBytes::new(files::read(key)?);
        return Ok(Authority::from_pem(&files::read(certificate)?, &private)?);
    }
    let system = rustix::system::uname();
    let name = format!("Strongroom of {}", system.nodename().to_string_lossy());
    let authority = Authority::generate(ambient, &name)?;
    authority.private_key_pem().expose(|pem| files::write_private(key, pem))?;
    files::write_private(certificate, authority.certificate_pem().as_bytes())?;
    Ok(authority)
}

fn distinct(names: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if !kept.contains(name) {
            kept.push(name.clone());
        }
    }
    kept
}

fn is_good(ambient: &Ambient, own: &OwnTls, authority: &Authority, names: &[String]) -> bool {
    let info = files::read(&own.cert).ok().and_then(|pem| inspect(&pem).ok());
    info.is_some_and(|info| {
        info.issuer == authority.info().subject
            && names.iter().all(|name| info.sans.contains(name))
            && !needs_renewal(&info, ambient.now())
            && read_pair(&own.cert, &own.key, None).is_ok()
    })
}
