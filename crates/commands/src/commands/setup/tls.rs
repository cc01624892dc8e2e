//! The server's certificate, and the authority that issues it.

use super::SetupError;
use super::files::{self, put};
use super::plan::{Site, Standing, Step};
use super::texts;
use crate::error::CliError;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_secret::SecretBytes;
use strongroom_x509::{Authority, CertificateInfo, inspect, local_names, needs_renewal};

/// How long a certificate lives that only a setup renews: two years, and a setup renews it in its last third.
const VALIDITY: Duration = Duration::from_hours(730 * 24);

pub(super) fn steps(site: &Site) -> Vec<Box<dyn Step>> {
    if site.answers.yes("generate_tls") { vec![Box::new(Made)] } else { vec![Box::new(Given)] }
}

/// The authority's certificate, beside the server's.
pub(super) fn authority(site: &Site) -> PathBuf {
    site.path("tls_cert").with_file_name("ca.pem")
}

/// The names that the server is reached by.
fn names(site: &Site) -> Vec<String> {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let host = if !host.is_empty() && host.bytes().all(fits) { host } else { "localhost".to_owned() };
    let mut names: Vec<String> = local_names(&host).into_iter().map(str::to_owned).collect();
    for address in texts::listens_on(site) {
        let name = address.ip().to_string();
        if !address.ip().is_unspecified() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What a certificate says, if it and its key are there and belong together.
fn pair(cert: &Path, key: &Path) -> Result<Option<CertificateInfo>, SetupError> {
    let (Some(chain), Some(private)) = (files::read(cert)?, files::read(key)?.map(SecretBytes::new)) else {
        return Ok(None);
    };
    let no_pair = || SetupError::NoPair { private: key.to_owned(), public: cert.to_owned() };
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().map_err(|_| no_pair())?;
    let private = private.expose(PrivateKeyDer::from_pem_slice).map_err(|_| no_pair())?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, private));
    config.map_err(|_| no_pair())?;
    let wrong = |source| SetupError::Certificate { path: cert.to_owned(), source };
    inspect(&chain).map(Some).map_err(wrong)
}

/// A certificate that somebody else made.
struct Given;

impl Step for Given {
    fn title(&self, site: &Site) -> String {
        format!("certificate {}", site.path("tls_cert").display())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let (cert, key) = (site.path("tls_cert"), site.path("tls_key"));
        let instead = "answer generate_tls with Yes, or tls_cert and tls_key with the files that there are";
        if pair(&cert, &key)?.is_some() {
            return Ok(Standing::Done);
        }
        let path = if cert.exists() { key } else { cert };
        Err(SetupError::Missing { path, instead })
    }

    fn apply(&self, _: &Site) -> Result<(), CliError> {
        Ok(())
    }
}

/// A certificate of an authority of this server's own, for the names that it is reached by.
struct Made;

impl Step for Made {
    fn title(&self, site: &Site) -> String {
        format!("certificate {}, issued by {}", site.path("tls_cert").display(), authority(site).display())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let (cert, key) = (site.path("tls_cert"), site.path("tls_key"));
        let what = format!("issue the certificate {} for {}", cert.display(), names(site).join(", "));
        let due = Standing::due(what, site.takes_root(&cert));
        let issued = match pair(&cert, &key) {
            Ok(Some(info)) => info,
            // an interruption between the two
            Ok(None) | Err(SetupError::NoPair { .. }) if authority(site).exists() || !cert.exists() => {
                return Ok(due);
            }
            Ok(None) => return Err(SetupError::NoPair { private: key, public: cert }),
            Err(error) => return Err(error),
        };
        let good = names(site).iter().all(|name| issued.sans.contains(name))
            && !needs_renewal(&issued, Ambient::system().now());
        // what another authority issued is not ours to replace
        Ok(if good || !authority(site).exists() { Standing::Done } else { due })
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        let ambient = Ambient::system();
        let (cert, key, ca) = (site.path("tls_cert"), site.path("tls_key"), authority(site));
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| SetupError::Certificate { path, source }
        };
        let issuer = issuer(&ambient, &ca)?;
        let names = names(site);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let made = issuer.issue_server(&ambient, &names, VALIDITY).map_err(wrong(&cert))?;
        let owner = Some(site.owner_now()?);
        made.private_key_pem.expose(|pem| put(&key, pem, 0o600, owner))?;
        Ok(put(&cert, made.chain_pem.as_bytes(), 0o644, owner)?)
    }
}

/// The authority that is there, or a new one, whose key is on disk before its certificate.
fn issuer(ambient: &Ambient, ca: &Path) -> Result<Authority, SetupError> {
    let wrong = |source| SetupError::Certificate { path: ca.to_owned(), source };
    let key = ca.with_file_name("ca.key");
    if let Some(certificate) = files::read(ca)? {
        let missing = || SetupError::NoPair { private: key.clone(), public: ca.to_owned() };
        let private = SecretBytes::new(files::read(&key)?.ok_or_else(missing)?);
        return Authority::from_pem(&certificate, &private).map_err(wrong);
    }
    let system = rustix::system::uname();
    let name = format!("Convection secrets of {}", system.nodename().to_string_lossy());
    let made = Authority::generate(ambient, &name).map_err(wrong)?;
    made.private_key_pem().expose(|pem| put(&key, pem, 0o600, None))?;
    put(ca, made.certificate_pem().as_bytes(), 0o644, None)?;
    Ok(made)
}
