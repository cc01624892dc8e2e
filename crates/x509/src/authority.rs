//! The authority: made once, kept, and asked for server certificates.

use crate::info::{first_certificate, inspect_der};
use crate::{CertificateInfo, X509Error, template};
use rcgen::{Issuer, KeyPair, PublicKeyData};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::time::Duration;
use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_crypto::{private_key_pem, sha256};
use strongroom_secret::{SecretBytes, wipe};

/// A certificate authority with its private key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    info: CertificateInfo,
    key: WipedKey,
}

/// A certificate that was issued, and its private key, which nobody else has.
#[derive(Debug)]
pub struct Issued {
    /// The certificate and that of its authority, in PEM.
    pub chain_pem: String,
    /// The private key, in PEM (PKCS#8).
    pub private_key_pem: SecretBytes,
}

impl Authority {
    /// A new authority of this name (the common name; beyond 64 characters it is cut), valid for ten years.
    pub fn generate(ambient: &Ambient, name: &str) -> Result<Self, X509Error> {
        let key = WipedKey::generate()?;
        let made = template::authority(ambient, name).self_signed(&key.0).map_err(|_| X509Error::Library)?;
        Self::new(made.der().clone(), made.pem(), key)
    }

    /// An authority that was kept: its certificate, the first one of the text, and its private key (PKCS#8).
    pub fn from_pem(certificate: &[u8], private_key: &SecretBytes) -> Result<Self, X509Error> {
        let der = first_certificate(certificate)?;
        let key = private_key.expose(WipedKey::from_pem)?;
        let pem = String::from_utf8(certificate.to_vec()).map_err(|_| X509Error::NoCertificate)?;
        Self::new(der, pem, key)
    }

    /// The certificate, in PEM: what clients are told to trust.
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// The private key, in PEM (PKCS#8).
    pub fn private_key_pem(&self) -> SecretBytes {
        self.key.to_pem()
    }

    /// What the certificate says.
    pub fn info(&self) -> &CertificateInfo {
        &self.info
    }

    /// Issues a certificate with a new key for a server of these names (DNS names and IP addresses). It ends after
    /// the validity, or with its authority if that is earlier.
    pub fn issue_server(
        &self,
        ambient: &Ambient,
        names: &[&str],
        validity: Duration,
    ) -> Result<Issued, X509Error> {
        let end = ambient.now().plus(validity).min(UnixMillis(self.info.not_after_ms));
        if !(self.info.not_before_ms..self.info.not_after_ms).contains(&ambient.now().0) {
            return Err(X509Error::AuthorityExpired);
        }
        let template = template::server(ambient, names, end)?;
        let issuer = Issuer::from_ca_cert_der(&self.certificate, &self.key.0)
            .map_err(|_| X509Error::NotAnAuthority)?;
        let key = WipedKey::generate()?;
        let made = template.signed_by(&key.0, &issuer).map_err(|_| X509Error::Library)?;
        Ok(Issued { chain_pem: made.pem() + &self.pem, private_key_pem: key.to_pem() })
    }

    fn new(certificate: CertificateDer<'static>, pem: String, key: WipedKey) -> Result<Self, X509Error> {
        let info = inspect_der(&certificate)?;
        if !info.is_ca {
            return Err(X509Error::NotAnAuthority);
        }
        if info.spki_sha256 != sha256(&key.0.subject_public_key_info()) {
            return Err(X509Error::KeyMismatch);
        }
        Ok(Self { certificate, pem, info, key })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A key pair whose serialised form is wiped on drop; the library wipes its own.
struct WipedKey(KeyPair);

impl WipedKey {
    fn generate() -> Result<Self, X509Error> {
        KeyPair::generate().map(Self).map_err(|_| X509Error::Library)
    }

    fn from_pem(pem: &[u8]) -> Result<Self, X509Error> {
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| X509Error::MalformedKey)?;
        let key = KeyPair::try_from(&der).map(Self).map_err(|_| X509Error::MalformedKey);
        wipe(&mut der);
        key
    }

    fn to_pem(&self) -> SecretBytes {
        private_key_pem(&SecretBytes::new(self.0.serialize_der()))
    }
}

impl Drop for WipedKey {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

#[cfg(test)]
mod tests;
