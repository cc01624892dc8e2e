//! What stands in the certificates that are made here.

use crate::X509Error;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::ServerName;
use std::time::Duration;
use strongroom_ambient::{Ambient, UnixMillis};

const DAY: Duration = Duration::from_hours(24);

/// How long an authority lives: ten years.
pub const AUTHORITY_VALIDITY: Duration = DAY.saturating_mul(3_652);
/// How long a server certificate lives unless another time is asked for.
pub const SERVER_VALIDITY: Duration = DAY.saturating_mul(90);
/// How far a certificate's start lies back, for clients whose clock is slow.
pub const BACKDATE: Duration = Duration::from_mins(5);
/// The most names of a server certificate.
pub const MAX_NAMES: usize = 100;

/// The longest common name (RFC 5280, appendix A.1).
const MAX_COMMON_NAME: usize = 64;
/// 9999-12-31T23:59:59Z, the last moment that a certificate can say (RFC 5280, section 4.1.2.5).
const LAST_SECOND: i64 = 253_402_300_799;

/// The names by which a server on this host is reached: the loopback's and the host's own.
pub fn local_names(host: &str) -> Vec<&str> {
    let mut names = vec!["localhost", "127.0.0.1", "::1"];
    if !host.is_empty() && !names.contains(&host) {
        names.push(host);
    }
    names
}

/// An authority that issues end certificates only.
pub(crate) fn authority(ambient: &Ambient, name: &str) -> CertificateParams {
    let mut params = common(ambient, name, ambient.now().plus(AUTHORITY_VALIDITY));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A server's certificate for these names, up to a moment.
pub(crate) fn server(
    ambient: &Ambient,
    names: &[&str],
    end: UnixMillis,
) -> Result<CertificateParams, X509Error> {
    if names.len() > MAX_NAMES {
        return Err(X509Error::NameCount);
    }
    let first = names.first().ok_or(X509Error::NameCount)?;
    let mut params = common(ambient, first, end);
    params.subject_alt_names = names.iter().map(|name| alternative_name(name)).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// What stands in a certificate that somebody keeps.
pub(crate) struct Names<'a> {
    pub(crate) common_name: &'a str,
    pub(crate) organization: Option<&'a str>,
    pub(crate) sans: &'a [&'a str],
    pub(crate) is_rsa: bool,
}

/// A certificate for TLS of whoever keeps it, up to a moment: self-signed, or to be requested.
pub(crate) fn kept(
    ambient: &Ambient,
    names: &Names<'_>,
    end: UnixMillis,
) -> Result<CertificateParams, X509Error> {
    if names.sans.len() > MAX_NAMES {
        return Err(X509Error::NameCount);
    }
    let mut params = common(ambient, "", end);
    params.distinguished_name = DistinguishedName::new();
    if let Some(organization) = names.organization {
        params.distinguished_name.push(DnType::OrganizationName, printable(organization)?);
    }
    params.distinguished_name.push(DnType::CommonName, printable(names.common_name)?);
    params.subject_alt_names = names.sans.iter().map(|name| wild_name(name)).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if names.is_rsa {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn printable(text: &str) -> Result<&str, X509Error> {
    let fits = (1..=MAX_COMMON_NAME).contains(&text.chars().count()) && !text.contains(char::is_control);
    if fits { Ok(text) } else { Err(X509Error::Subject) }
}

/// A DNS name, an IP address, or a wildcard of one label in front of a name of two or more (RFC 6125, section 6.4.3).
fn wild_name(name: &str) -> Result<SanType, X509Error> {
    let refused = || X509Error::Name { name: name.to_owned() };
    let Some(below) = name.strip_prefix("*.") else { return alternative_name(name) };
    if !matches!(alternative_name(below)?, SanType::DnsName(_)) || !below.contains('.') {
        return Err(refused());
    }
    Ok(SanType::DnsName(name.try_into().map_err(|_| refused())?))
}

fn common(ambient: &Ambient, name: &str, end: UnixMillis) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.serial_number = Some(serial_number(ambient));
    params.not_before =
        date_time_ymd(1970, 1, 1) + since_1970(UnixMillis(ambient.now().0.saturating_sub(millis(BACKDATE))));
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(end);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Strongroom");
    params
        .distinguished_name
        .push(DnType::CommonName, name.chars().take(MAX_COMMON_NAME).collect::<String>());
    params
}

fn alternative_name(name: &str) -> Result<SanType, X509Error> {
    let refused = || X509Error::Name { name: name.to_owned() };
    match ServerName::try_from(name).map_err(|_| refused())? {
        ServerName::DnsName(dns) => Ok(SanType::DnsName(dns.as_ref().try_into().map_err(|_| refused())?)),
        ServerName::IpAddress(address) => Ok(SanType::IpAddress(std::net::IpAddr::from(address))),
        _ => Err(refused()),
    }
}

/// 126 random bits, positive and always of 16 bytes (RFC 5280, section 4.1.2.2, allows 20).
fn serial_number(ambient: &Ambient) -> SerialNumber {
    let mut bytes: [u8; 16] = ambient.random();
    bytes[0] = bytes[0] & 0x3f | 0x40;
    SerialNumber::from_slice(&bytes)
}

/// From 1970 to a moment, whole seconds, within what a certificate can say.
fn since_1970(at: UnixMillis) -> Duration {
    Duration::from_secs(u64::try_from(at.0.div_euclid(1000).clamp(0, LAST_SECOND)).unwrap_or(0))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
