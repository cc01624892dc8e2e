use super::*;
use crate::{Authority, SERVER_VALIDITY};
use std::time::Duration;
use strongroom_crypto::MaterialKind;

const DAY: Duration = Duration::from_hours(24);

fn key() -> KeyMaterial {
    KeyMaterial::generate(MaterialKind::EcP256).unwrap()
}

fn wanted<'a>(sans: &'a [&'a str]) -> Wanted<'a> {
    Wanted { common_name: "shop.example.org", organization: Some("Example"), sans }
}

/// A certificate of an authority, and the authority's own.
fn issued(authority: &Authority, ambient: &Ambient) -> Vec<String> {
    let made = authority.issue_server(ambient, &["a.example.org"], SERVER_VALIDITY).unwrap();
    Chain::read(made.chain_pem.as_bytes()).unwrap().pems().collect()
}

#[test]
fn a_self_signed_certificate_says_what_was_wanted_and_fits_its_key() {
    let ambient = Ambient::system();
    for kind in [MaterialKind::EcP256, MaterialKind::EcP384, MaterialKind::Ed25519, MaterialKind::Rsa(2048)] {
        let key = KeyMaterial::generate(kind).unwrap();
        let sans = ["shop.example.org", "*.shop.example.org", "192.0.2.7", "2001:db8::1"];
        let pem = self_signed(&ambient, &key, &wanted(&sans), DAY).unwrap();
        let chain = Chain::read(pem.as_bytes()).unwrap();
        chain.check_key(&key).unwrap();
        let info = chain.info().unwrap();
        assert_eq!(info.sans, sans);
        assert_eq!(info.subject, "O=Example, CN=shop.example.org");
        assert_eq!((info.is_ca, info.subject == info.issuer), (false, true));
        assert!((info.not_after_ms - ambient.now().0 - 86_400_000).abs() < 10_000);
        assert_eq!(chain.pems().collect::<Vec<_>>(), [pem.replace("\r\n", "\n")]);
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let ambient = Ambient::system();
    let (mine, other) = (key(), key());
    let pem = self_signed(&ambient, &mine, &wanted(&[]), DAY).unwrap();
    assert_eq!(Chain::read(pem.as_bytes()).unwrap().check_key(&other), Err(X509Error::KeyMismatch));
    let asked = request(&ambient, &mine, &wanted(&["a.example.org"])).unwrap();
    assert_eq!(check_request(asked.as_bytes(), &mine).as_deref(), Ok("O=Example, CN=shop.example.org"));
    assert_eq!(check_request(asked.as_bytes(), &other), Err(X509Error::KeyMismatch));
    assert_eq!(check_request(pem.as_bytes(), &mine), Err(X509Error::NoRequest));
}

#[test]
fn a_chain_in_another_order_or_by_another_key_is_refused() {
    let ambient = Ambient::system();
    let authority = Authority::generate(&ambient, "one").unwrap();
    let namesake = Authority::generate(&ambient, "one").unwrap();
    let stranger = Authority::generate(&ambient, "two").unwrap();
    let pems = issued(&authority, &ambient);
    let [leaf, root] = pems.as_slice() else { panic!("{} certificates", pems.len()) };
    let read = |parts: [&str; 2]| Chain::read(parts.concat().as_bytes()).map(|chain| chain.pems().count());
    assert_eq!(read([leaf, root]), Ok(2));
    assert_eq!(read([root, leaf]), Err(X509Error::ChainOrder { at: 1 }));
    assert_eq!(read([leaf, leaf]), Err(X509Error::ChainOrder { at: 1 }));
    assert_eq!(read([leaf, stranger.certificate_pem()]), Err(X509Error::ChainOrder { at: 1 }));
    assert_eq!(read([leaf, namesake.certificate_pem()]), Err(X509Error::ChainSignature { at: 1 }));
    let long = [leaf.as_str(), &root.repeat(MAX_CHAIN + 1)].concat();
    assert_eq!(Chain::read(long.as_bytes()), Err(X509Error::ChainLength));
}

#[test]
fn damaged_and_huge_bundles_are_refused() {
    let ambient = Ambient::system();
    let pem = self_signed(&ambient, &key(), &wanted(&[]), DAY).unwrap();
    for cut in [0, 5, 40, pem.len() / 2, pem.len() - 20] {
        assert!(Chain::read(&pem.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    assert_eq!(Chain::read(&der).unwrap().info(), Chain::read(pem.as_bytes()).unwrap().info());
    assert_eq!(Chain::read(&[der.as_ref(), &[0]].concat()), Err(X509Error::MalformedCertificate));
    assert_eq!(Chain::read(&der[..der.len() - 1]), Err(X509Error::MalformedCertificate));
    assert_eq!(Chain::read(&vec![b'-'; MAX_BUNDLE_BYTES + 1]), Err(X509Error::TooLarge));
}

#[test]
fn names_and_lives_that_no_certificate_may_have_are_refused() {
    let ambient = Ambient::system();
    let key = key();
    let made = |common_name: &str, sans: &[&str], days: u32| {
        let wanted = Wanted { common_name, organization: None, sans };
        self_signed(&ambient, &key, &wanted, DAY * days).map(drop)
    };
    assert_eq!(made("a", &[], 1), Ok(()));
    for subject in ["", "a\nb", &"a".repeat(65)] {
        assert_eq!(made(subject, &[], 1), Err(X509Error::Subject));
    }
    for san in ["*.org", "*", "a b", "*.192.0.2.7", "a.*.example.org", "", "http://x"] {
        assert_eq!(made("a", &[san], 1), Err(X509Error::Name { name: san.to_owned() }), "{san}");
    }
    assert_eq!(made("a", &["x"; 101], 1), Err(X509Error::NameCount));
    assert_eq!(
        (made("a", &[], 0), made("a", &[], 3_653)),
        (Err(X509Error::Validity), Err(X509Error::Validity))
    );
}
