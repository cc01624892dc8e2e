use super::*;
use crate::{AUTHORITY_VALIDITY, MAX_NAMES, SERVER_VALIDITY, inspect, local_names, needs_renewal};
use proptest::prelude::*;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::{PrivateKeyDer, ServerName, UnixTime};
use std::sync::Arc;
use strongroom_ambient::{FakeClock, SeededEntropy};

const NOW: UnixMillis = UnixMillis(1_795_323_600_000);
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn world(now: UnixMillis) -> Ambient {
    Ambient { clock: Arc::new(FakeClock::at(now)), entropy: Arc::new(SeededEntropy::new(1)) }
}

fn authority() -> Authority {
    Authority::generate(&world(NOW), "Strongroom of a test").unwrap()
}

fn issue(authority: &Authority, names: &[&str]) -> Issued {
    authority.issue_server(&world(NOW), names, SERVER_VALIDITY).unwrap()
}

fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

/// Judges a chain as a client does that trusts this authority and nobody else.
fn verify(trusted: &Authority, issued: &Issued, name: &str, at: i64) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(first_certificate(trusted.certificate_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let chain = chain(&issued.chain_pem);
    let at = UnixTime::since_unix_epoch(Duration::from_millis(at.try_into().unwrap()));
    let name = ServerName::try_from(name).unwrap();
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], at).map(|_| ())
}

#[test]
fn a_client_accepts_the_names_and_no_other() {
    let authority = authority();
    let issued = issue(&authority, &local_names("vault.example.org"));
    for name in ["localhost", "127.0.0.1", "::1", "vault.example.org"] {
        assert_eq!(verify(&authority, &issued, name, NOW.0), Ok(()), "{name}");
    }
    for name in ["example.org", "other.example.org", "127.0.0.2", "::2"] {
        let judged = verify(&authority, &issued, name, NOW.0);
        let refused = matches!(
            judged,
            Err(rustls::Error::InvalidCertificate(rustls::CertificateError::NotValidForNameContext { .. }))
        );
        assert!(refused, "{name}: {judged:?}");
    }
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = authority();
    let issued = issue(&authority, &["localhost"]);
    let at = |offset| verify(&authority, &issued, "localhost", NOW.0 + offset);
    assert_eq!(at(90 * DAY - MINUTE), Ok(()));
    assert_eq!(at(-5 * MINUTE), Ok(()), "a slow clock");
    let judged = at(90 * DAY + MINUTE);
    assert!(format!("{judged:?}").contains("Expired"), "{judged:?}");
    let judged = at(-6 * MINUTE);
    assert!(format!("{judged:?}").contains("NotValidYet"), "{judged:?}");
}

#[test]
fn another_authority_of_the_same_name_is_not_trusted() {
    let issued = issue(&authority(), &["localhost"]);
    assert!(verify(&authority(), &issued, "localhost", NOW.0).is_err());
}

#[test]
fn the_private_key_serves_the_certificate() {
    let issued = issue(&authority(), &["localhost"]);
    let key = issued.private_key_pem.expose(|pem| PrivateKeyDer::from_pem_slice(pem).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    config.unwrap().with_no_client_auth().with_single_cert(chain(&issued.chain_pem), key).unwrap();
}

#[test]
fn a_kept_authority_issues_as_before() {
    let first = authority();
    let kept = Authority::from_pem(first.certificate_pem().as_bytes(), &first.private_key_pem()).unwrap();
    assert_eq!(kept.info(), first.info());
    let issued = issue(&kept, &["localhost"]);
    assert_eq!(verify(&first, &issued, "localhost", NOW.0), Ok(()));
}

#[test]
fn certificates_say_what_they_are() {
    let authority = authority();
    let root = authority.info();
    assert!(root.is_ca && root.sans.is_empty());
    assert_eq!((&root.subject, &root.issuer), (&root.issuer, &root.subject));
    assert_eq!(root.subject, "O=Strongroom, CN=Strongroom of a test");
    assert_eq!(root.not_before_ms, NOW.0 - 5 * MINUTE);
    assert_eq!(root.not_after_ms, NOW.plus(AUTHORITY_VALIDITY).0);
    let leaf = inspect(issue(&authority, &["127.0.0.1", "a.example"]).chain_pem.as_bytes()).unwrap();
    assert!(!leaf.is_ca);
    assert_eq!(
        (leaf.sans.as_slice(), &leaf.issuer),
        (["127.0.0.1".into(), "a.example".into()].as_slice(), &root.subject)
    );
    assert_eq!((leaf.not_before_ms, leaf.not_after_ms), (NOW.0 - 5 * MINUTE, NOW.0 + 90 * DAY));
    assert_ne!(leaf.spki_sha256, root.spki_sha256);
}

#[test]
fn serial_numbers_are_random_positive_and_of_one_length() {
    let ambient = world(NOW);
    let authority = Authority::generate(&ambient, "a").unwrap();
    let mut serials: Vec<Vec<u8>> = (0..40)
        .map(|_| {
            let issued = authority.issue_server(&ambient, &["localhost"], SERVER_VALIDITY).unwrap();
            let der = first_certificate(issued.chain_pem.as_bytes()).unwrap();
            let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
            certificate.raw_serial().to_vec()
        })
        .collect();
    assert!(serials.iter().all(|serial| serial.len() == 16 && serial[0] & 0xc0 == 0x40));
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 40);
}

#[test]
fn a_certificate_never_outlives_its_authority() {
    let authority = authority();
    let late = world(UnixMillis(authority.info().not_after_ms - 30 * DAY));
    let issued = authority.issue_server(&late, &["localhost"], SERVER_VALIDITY).unwrap();
    assert_eq!(inspect(issued.chain_pem.as_bytes()).unwrap().not_after_ms, authority.info().not_after_ms);
    for moment in [authority.info().not_after_ms, authority.info().not_before_ms - 1] {
        let refused = authority.issue_server(&world(UnixMillis(moment)), &["localhost"], SERVER_VALIDITY);
        assert_eq!(refused.unwrap_err(), X509Error::AuthorityExpired);
    }
}

#[test]
fn clocks_at_the_ends_of_time_are_survived() {
    for now in [i64::MIN, -1, 0, 253_402_300_799_000, i64::MAX] {
        let made = Authority::generate(&world(UnixMillis(now)), "a").unwrap();
        assert!((0..=253_402_300_799_000).contains(&made.info().not_after_ms), "{now}");
    }
}

#[test]
fn names_that_are_none_are_refused() {
    let authority = authority();
    let refused = |names: &[&str]| authority.issue_server(&world(NOW), names, SERVER_VALIDITY).unwrap_err();
    for name in ["", "a b", "exa\0mple", "http://a", "-", "ü.example", "1.2.3.4.5", "*.example.org"] {
        assert_eq!(refused(&["localhost", name]), X509Error::Name { name: name.to_owned() });
    }
    assert_eq!(refused(&[]), X509Error::NameCount);
    assert_eq!(refused(&vec!["a"; MAX_NAMES + 1]), X509Error::NameCount);
}

#[test]
fn renewal_is_due_when_a_third_of_the_life_is_left() {
    let mut info = authority().info().clone();
    (info.not_before_ms, info.not_after_ms) = (0, 90 * DAY);
    let due = |now| needs_renewal(&info, UnixMillis(now));
    assert!(!due(-DAY) && !due(0) && !due(60 * DAY - 1));
    assert!(due(60 * DAY) && due(90 * DAY) && due(i64::MAX));
    (info.not_before_ms, info.not_after_ms) = (i64::MIN, i64::MAX);
    assert!(!needs_renewal(&info, UnixMillis(0)));
}

#[test]
fn what_is_no_authority_is_told_apart() {
    let authority = authority();
    let (pem, key) = (authority.certificate_pem().as_bytes(), authority.private_key_pem());
    let refused = |pem: &[u8], key: &SecretBytes| Authority::from_pem(pem, key).unwrap_err();
    let issued = issue(&authority, &["localhost"]);
    assert_eq!(refused(issued.chain_pem.as_bytes(), &issued.private_key_pem), X509Error::NotAnAuthority);
    assert_eq!(refused(pem, &issued.private_key_pem), X509Error::KeyMismatch);
    assert_eq!(refused(b"", &key), X509Error::NoCertificate);
    assert_eq!(refused(pem, &SecretBytes::new(vec![])), X509Error::MalformedKey);
    assert_eq!(refused(pem, &SecretBytes::new(pem.to_vec())), X509Error::MalformedKey);
    let hollow = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec();
    assert_eq!(refused(pem, &SecretBytes::new(hollow)), X509Error::MalformedKey);
}

#[test]
fn malformed_certificates_are_told_apart() {
    assert_eq!(inspect(b""), Err(X509Error::NoCertificate));
    assert_eq!(inspect(&[0xff; 100]), Err(X509Error::NoCertificate));
    let cut = &authority().certificate_pem().as_bytes()[..200].to_vec();
    assert_eq!(inspect(cut), Err(X509Error::NoCertificate));
    let hollow = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(inspect(hollow), Err(X509Error::MalformedCertificate));
    let key = authority().private_key_pem();
    assert_eq!(key.expose(inspect), Err(X509Error::NoCertificate));
    let der = first_certificate(authority().certificate_pem().as_bytes()).unwrap();
    assert_eq!(inspect_der(&[&der, [0].as_slice()].concat()), Err(X509Error::MalformedCertificate));
}

#[test]
fn debug_prints_no_key() {
    let authority = authority();
    let issued = issue(&authority, &["localhost"]);
    let printed = format!("{authority:?} {issued:?}");
    assert!(!printed.contains("PRIVATE") && printed.contains("SecretBytes"));
}

proptest! {
    #[test]
    fn altered_certificates_are_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut der = kept().to_vec();
        for (place, value) in changes {
            let place = place.index(der.len());
            der[place] = value;
        }
        prop_assert!(matches!(inspect_der(&der), Ok(_) | Err(X509Error::MalformedCertificate)));
        der.truncate(cut.index(der.len()));
        prop_assert_eq!(inspect_der(&der), Err(X509Error::MalformedCertificate));
    }
}

fn kept() -> CertificateDer<'static> {
    let authority = Authority::generate(&world(NOW), "a").unwrap();
    chain(&issue(&authority, &local_names("host")).chain_pem).swap_remove(0)
}
