//! Looking into a certificate.

use crate::X509Error;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::net::{Ipv4Addr, Ipv6Addr};
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{Digest, sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

/// What a certificate says of itself. None of it is verified here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Whose it is, as a distinguished name.
    pub subject: String,
    /// Who issued it, as a distinguished name.
    pub issuer: String,
    /// When its validity begins, in milliseconds since 1970.
    pub not_before_ms: i64,
    /// When its validity ends, in milliseconds since 1970.
    pub not_after_ms: i64,
    /// Its alternative names that are DNS names and IP addresses, in its order.
    pub sans: Vec<String>,
    /// Whether it may issue others.
    pub is_ca: bool,
    /// SHA-256 of its public key (the `SubjectPublicKeyInfo`), by which clients pin it.
    pub spki_sha256: Digest,
    /// SHA-256 of the whole certificate: its fingerprint.
    pub sha256: Digest,
    /// Its serial number, in hexadecimal.
    pub serial: String,
}

/// Reads the first certificate of a PEM text.
pub fn inspect(pem: &[u8]) -> Result<CertificateInfo, X509Error> {
    inspect_der(&first_certificate(pem)?)
}

/// The one common name of a DER certificate's subject; `None` where there is none, or more than one.
pub fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?.to_owned();
    names.next().is_none().then_some(name)
}

/// Whether it is time for a new certificate: a third of its life is left, or less.
pub fn needs_renewal(info: &CertificateInfo, now: UnixMillis) -> bool {
    let life = i128::from(info.not_after_ms) - i128::from(info.not_before_ms);
    let left = i128::from(info.not_after_ms) - i128::from(now.0);
    left * 3 <= life
}

pub(crate) fn first_certificate(pem: &[u8]) -> Result<CertificateDer<'static>, X509Error> {
    CertificateDer::from_pem_slice(pem).map_err(|_| X509Error::NoCertificate)
}

pub(crate) fn inspect_der(der: &[u8]) -> Result<CertificateInfo, X509Error> {
    let malformed = X509Error::MalformedCertificate;
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| malformed.clone())?;
    if !rest.is_empty() {
        return Err(malformed);
    }
    let validity = certificate.validity();
    Ok(CertificateInfo {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before_ms: millis(validity.not_before),
        not_after_ms: millis(validity.not_after),
        sans: alternative_names(&certificate)?,
        is_ca: certificate.is_ca(),
        spki_sha256: sha256(certificate.public_key().raw),
        sha256: sha256(der),
        serial: data_encoding::HEXLOWER.encode(certificate.raw_serial()),
    })
}

fn millis(time: ASN1Time) -> i64 {
    time.timestamp().saturating_mul(1000)
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, X509Error> {
    let extension = certificate.subject_alternative_name().map_err(|_| X509Error::MalformedCertificate)?;
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    Ok(names.filter_map(name_text).collect())
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => address_text(bytes),
        _ => None,
    }
}

fn address_text(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|four| Ipv4Addr::from(four).to_string());
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|sixteen| Ipv6Addr::from(sixteen).to_string())).ok()
}
