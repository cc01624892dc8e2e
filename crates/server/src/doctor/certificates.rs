//! What listeners prove themselves with: how long, under which names, with which chain.

use super::Finding;
use crate::config::{Address, Config, Listener, Tls};
use crate::run::OWN_TLS_DIR;
use crate::tls::{TlsHandle, TlsSource, own_certificate};
use std::path::{Path, PathBuf};
use strongroom_ambient::Ambient;
use strongroom_x509::{CertificateInfo, inspect};

const CHECK: &str = "certificate";
const DAY_MS: i64 = 86_400_000;
/// An operator's certificate is renewed by hand, or by something that may have failed.
const SOON_DAYS: i64 = 21;
/// The server renews its own long before.
const OWN_SOON_DAYS: i64 = 3;

pub(super) fn look(ambient: &Ambient, config: &Config, found: &mut Vec<Finding>) {
    for listener in &config.listeners {
        let Address::Tcp(address) = &listener.address else { continue };
        let own = config.server.data_dir.join(OWN_TLS_DIR);
        let (cert, names, soon) = match &listener.tls {
            Tls::Own { names } => (own_certificate(&own), names.clone(), OWN_SOON_DAYS),
            Tls::Files { cert, .. } => (cert.clone(), Vec::new(), SOON_DAYS),
            Tls::Off { .. } => continue,
        };
        serves(ambient, listener, found);
        let Some(chain) = read(&cert, found) else { continue };
        expiry(ambient, &cert, &chain, soon, found);
        chain_holds(&cert, &chain, found);
        let mut wanted = names;
        wanted.extend((!address.ip().is_unspecified()).then(|| address.ip().to_string()));
        covers(&cert, &chain, &wanted, found);
    }
}

/// Whether certificate and key belong together.
fn serves(ambient: &Ambient, listener: &Listener, found: &mut Vec<Finding>) {
    if let Tls::Files { cert, key } = &listener.tls {
        let source = TlsSource::Files { cert: cert.clone(), key: key.clone() };
        if let Err(fault) = TlsHandle::open(ambient, source) {
            found.push(Finding::fail(CHECK, fault.to_string(), "put the pair right; then send HUP"));
        }
    }
}

/// The chain in a file, the leaf first.
fn read(cert: &PathBuf, found: &mut Vec<Finding>) -> Option<Vec<CertificateInfo>> {
    const END: &str = "-----END CERTIFICATE-----";
    let Ok(text) = std::fs::read_to_string(cert) else {
        let about = format!("{} cannot be read", cert.display());
        found.push(Finding::warn(CHECK, about, "look again as the server's user, once it has run"));
        return None;
    };
    let blocks = text.split_inclusive(END).filter(|block| block.contains(END));
    let chain: Result<Vec<_>, _> = blocks.map(|block| inspect(block.as_bytes())).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    if chain.is_none() {
        let about = format!("{} holds no certificate in PEM", cert.display());
        found.push(Finding::fail(CHECK, about, "put a certificate there, the leaf first"));
    }
    chain
}

fn expiry(ambient: &Ambient, cert: &Path, chain: &[CertificateInfo], soon: i64, found: &mut Vec<Finding>) {
    let now = ambient.now().0;
    let Some(ends) = chain.iter().map(|link| link.not_after_ms).min() else { return };
    let begins = chain.iter().map(|link| link.not_before_ms).max().unwrap_or(now);
    let (path, days) = (cert.display(), (ends - now).div_euclid(DAY_MS));
    found.push(if ends <= now {
        Finding::fail(CHECK, format!("{path} has expired"), "renew it; then send HUP")
    } else if begins > now {
        Finding::fail(CHECK, format!("{path} is not valid yet"), "look at this machine's clock")
    } else if days < soon {
        Finding::warn(CHECK, format!("{path} expires in {days} days"), "renew it; then send HUP")
    } else {
        Finding::ok(CHECK, format!("{path} is valid for {days} days"))
    });
}

/// Whether each certificate is the issuer of the one before, as far as the chain goes.
fn chain_holds(cert: &Path, chain: &[CertificateInfo], found: &mut Vec<Finding>) {
    let broken = chain.iter().zip(chain.iter().skip(1)).find(|(link, issuer)| link.issuer != issuer.subject);
    let path = cert.display();
    if let Some((link, issuer)) = broken {
        let about =
            format!("{path}: {} was issued by {}, {} follows", link.subject, link.issuer, issuer.subject);
        found.push(Finding::fail(
            CHECK,
            about,
            "put the chain in order: the leaf, its issuer, the issuer's issuer",
        ));
    } else if let [leaf] = chain
        && leaf.subject != leaf.issuer
    {
        let about = format!("{path} holds the leaf alone, issued by {}", leaf.issuer);
        found.push(Finding::warn(
            CHECK,
            about,
            "if clients do not know that issuer, add the certificates between it and an authority that they know",
        ));
    }
}

fn covers(cert: &Path, chain: &[CertificateInfo], wanted: &[String], found: &mut Vec<Finding>) {
    let Some(leaf) = chain.first() else { return };
    let missing: Vec<&str> =
        wanted.iter().filter(|name| !leaf.sans.contains(name)).map(String::as_str).collect();
    if !missing.is_empty() {
        let about = format!("{} does not name {}", cert.display(), missing.join(", "));
        found.push(Finding::warn(
            CHECK,
            about,
            "clients that connect by that name or address will refuse it",
        ));
    }
}
