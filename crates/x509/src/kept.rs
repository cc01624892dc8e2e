//! Certificates that people keep: self-signed ones and requests made for a key, and others' read and checked.

use crate::X509Error;
use crate::info::{CertificateInfo, inspect_der};
use crate::template::{self, Names};
use rcgen::KeyPair;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, PrivatePkcs8KeyDer};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_crypto::{CertificateSignature, KeyMaterial, MaterialKind, sha256};
use strongroom_secret::wipe;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::AlgorithmIdentifier;

/// The largest text of certificates that is looked at, in bytes.
pub const MAX_BUNDLE_BYTES: usize = 256 * 1024;
/// The most certificates above the first.
pub const MAX_CHAIN: usize = 10;
/// The longest life of a self-signed certificate: ten years.
pub const MAX_VALIDITY: Duration = template::AUTHORITY_VALIDITY;

/// Whose a certificate is to be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The common name, 1 to 64 characters.
    pub common_name: &'a str,
    /// The organization, if any.
    pub organization: Option<&'a str>,
    /// DNS names, a leading `*.` included, and IP addresses.
    pub sans: &'a [&'a str],
}

/// A self-signed certificate for a key, in PEM.
pub fn self_signed(
    ambient: &Ambient,
    key: &KeyMaterial,
    wanted: &Wanted<'_>,
    validity: Duration,
) -> Result<String, X509Error> {
    if validity.is_zero() || validity > MAX_VALIDITY {
        return Err(X509Error::Validity);
    }
    let params = template::kept(ambient, &names(key, wanted), ambient.now().plus(validity))?;
    with_key(key, |key| params.self_signed(key).map(|made| made.pem()))
}

/// A certification request for a key, in PEM (RFC 2986).
pub fn request(ambient: &Ambient, key: &KeyMaterial, wanted: &Wanted<'_>) -> Result<String, X509Error> {
    let mut params = template::kept(ambient, &names(key, wanted), ambient.now())?;
    // its issuer gives it one
    params.serial_number = None;
    with_key(key, |key| params.serialize_request(key)?.pem())
}

fn names<'a>(key: &KeyMaterial, wanted: &Wanted<'a>) -> Names<'a> {
    Names {
        common_name: wanted.common_name,
        organization: wanted.organization,
        sans: wanted.sans,
        is_rsa: matches!(key.kind(), MaterialKind::Rsa(_)),
    }
}

fn with_key<T>(
    key: &KeyMaterial,
    make: impl FnOnce(&KeyPair) -> Result<T, rcgen::Error>,
) -> Result<T, X509Error> {
    let pair = key.pkcs8().expose(|der| KeyPair::try_from(&PrivatePkcs8KeyDer::from(der)));
    let mut pair = pair.map_err(|_| X509Error::MalformedKey)?;
    let outcome = make(&pair).map_err(|_| X509Error::Library);
    wipe(&mut pair);
    outcome
}

/// A certificate with those above it, in order, each signed by the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    certificates: Vec<CertificateDer<'static>>,
}

impl Chain {
    /// Reads PEM certificates, or one in DER, and checks that each was issued by the next.
    pub fn read(bundle: &[u8]) -> Result<Self, X509Error> {
        if bundle.len() > MAX_BUNDLE_BYTES {
            return Err(X509Error::TooLarge);
        }
        let pem = bundle.windows(11).any(|window| window == b"-----BEGIN ");
        let certificates = if pem {
            CertificateDer::pem_slice_iter(bundle)
                .take(MAX_CHAIN + 2)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| X509Error::NoCertificate)?
        } else {
            vec![CertificateDer::from(bundle.to_vec())]
        };
        Self::of(certificates)
    }

    fn of(certificates: Vec<CertificateDer<'static>>) -> Result<Self, X509Error> {
        if certificates.is_empty() {
            return Err(X509Error::NoCertificate);
        }
        if certificates.len() > MAX_CHAIN + 1 {
            return Err(X509Error::ChainLength);
        }
        let parsed = certificates.iter().map(|der| parse(der)).collect::<Result<Vec<_>, _>>()?;
        for (at, pair) in parsed.windows(2).enumerate() {
            if let [issued, issuer] = pair {
                check_link(at, issued, issuer)?;
            }
        }
        Ok(Self { certificates })
    }

    /// Checks that a key is that of the first certificate.
    pub fn check_key(&self, key: &KeyMaterial) -> Result<(), X509Error> {
        let belongs = self.info()?.spki_sha256 == sha256(key.spki());
        if belongs { Ok(()) } else { Err(X509Error::KeyMismatch) }
    }

    /// What the first certificate says.
    pub fn info(&self) -> Result<CertificateInfo, X509Error> {
        inspect_der(self.certificates.first().ok_or(X509Error::NoCertificate)?)
    }

    /// Each certificate in PEM, the first one's first.
    pub fn pems(&self) -> impl Iterator<Item = String> {
        self.certificates.iter().map(|der| pem("CERTIFICATE", der))
    }
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, X509Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(X509Error::MalformedCertificate),
    }
}

/// `at` is the place of the issued one, from 0.
fn check_link(at: usize, issued: &X509Certificate<'_>, above: &X509Certificate<'_>) -> Result<(), X509Error> {
    if issued.issuer().as_raw() != above.subject().as_raw() || !above.is_ca() {
        return Err(X509Error::ChainOrder { at: at + 1 });
    }
    let scheme = scheme(&issued.signature_algorithm).ok_or(X509Error::ChainSignature { at: at + 1 })?;
    let key = &above.public_key().subject_public_key.data;
    scheme
        .verify(key, issued.tbs_certificate.as_ref(), &issued.signature_value.data)
        .map_err(|_| X509Error::ChainSignature { at: at + 1 })
}

fn scheme(algorithm: &AlgorithmIdentifier<'_>) -> Option<CertificateSignature> {
    use CertificateSignature as S;
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.10045.4.3.2" => Some(S::EcdsaSha256),
        "1.2.840.10045.4.3.3" => Some(S::EcdsaSha384),
        "1.2.840.10045.4.3.4" => Some(S::EcdsaSha512),
        "1.2.840.113549.1.1.11" => Some(S::RsaSha256),
        "1.2.840.113549.1.1.12" => Some(S::RsaSha384),
        "1.2.840.113549.1.1.13" => Some(S::RsaSha512),
        "1.3.101.112" => Some(S::Ed25519),
        "1.2.840.113549.1.1.10" => pss(algorithm),
        _ => None,
    }
}

/// The digest of RSA-PSS stands in its parameters (RFC 4055, section 3.1).
fn pss(algorithm: &AlgorithmIdentifier<'_>) -> Option<CertificateSignature> {
    use x509_parser::signature_algorithm::RsaSsaPssParams;
    let params = RsaSsaPssParams::try_from(algorithm.parameters.as_ref()?).ok()?;
    match params.hash_algorithm_oid().to_id_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => Some(CertificateSignature::RsaPssSha256),
        "2.16.840.1.101.3.4.2.2" => Some(CertificateSignature::RsaPssSha384),
        "2.16.840.1.101.3.4.2.3" => Some(CertificateSignature::RsaPssSha512),
        _ => None,
    }
}

/// Whose a request is, after a look at its form and at whether it is for this key.
pub fn check_request(pem_text: &[u8], key: &KeyMaterial) -> Result<String, X509Error> {
    if pem_text.len() > MAX_BUNDLE_BYTES {
        return Err(X509Error::TooLarge);
    }
    let der = CertificateSigningRequestDer::from_pem_slice(pem_text).map_err(|_| X509Error::NoRequest)?;
    let Ok(([], request)) = X509CertificationRequest::from_der(&der) else {
        return Err(X509Error::NoRequest);
    };
    let info = &request.certification_request_info;
    if sha256(info.subject_pki.raw) != sha256(key.spki()) {
        return Err(X509Error::KeyMismatch);
    }
    let scheme = scheme(&request.signature_algorithm).ok_or(X509Error::NoRequest)?;
    let bits = &info.subject_pki.subject_public_key.data;
    scheme.verify(bits, info.raw, &request.signature_value.data).map_err(|_| X509Error::NoRequest)?;
    Ok(info.subject.to_string())
}

/// DER as PEM (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in data_encoding::BASE64.encode(der).as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests;
