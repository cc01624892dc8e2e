//! Policies, headers, keys of attribute-based encryption; values, networks and suffixes of blind indexes.

use std::sync::OnceLock;

use strongroom_abe::{Header, MAX_LEAVES, MemberKey, Policy, PublicKey, RightSecrets, rights_of};
use strongroom_blindindex::{Canonical, Form, IndexRoot, Networks, Spec, Term};
use strongroom_secret::SecretBytes;

/// A policy has one canonical text, and means the same when that is read.
pub(crate) fn abe_policy(data: &[u8]) -> bool {
    let Some(policy) = std::str::from_utf8(data).ok().and_then(|text| Policy::parse(text).ok()) else {
        return false;
    };
    let again = Policy::parse(policy.as_str()).expect("a canonical text is a policy");
    assert_eq!(again, policy, "two canonical texts of one policy");
    assert!((1..=MAX_LEAVES).contains(&policy.leaves()));
    assert!(policy.is_satisfied_by(&policy.attributes()), "all of its attributes do not satisfy it");
    for right in rights_of(&policy).unwrap_or_default() {
        assert!(policy.is_satisfied_by(right.attributes()), "a right does not satisfy its policy");
    }
    true
}

/// A header has one encoding, and none but the honest one opens.
pub(crate) fn abe_header(data: &[u8]) -> bool {
    let Ok(header) = Header::parse(data) else { return false };
    assert_eq!(header.to_bytes(), data, "two encodings of one header");
    let known = known();
    let opened = known.public.decapsulate(&known.member, &known.rights, &header, b"vector");
    assert!(opened.is_err() || known.header == data, "a header opens that nobody wrote");
    true
}

/// A member's key has one encoding.
pub(crate) fn abe_member_key(data: &[u8]) -> bool {
    let Ok(key) = MemberKey::from_bytes(&SecretBytes::new(data.to_vec())) else { return false };
    key.to_bytes().expose(|bytes| assert!(bytes == data, "two encodings of one key"));
    true
}

/// A public key has one encoding.
pub(crate) fn abe_public_key(data: &[u8]) -> bool {
    let Ok(key) = PublicKey::from_bytes(data) else { return false };
    assert!(key.as_bytes() == data, "two encodings of one key");
    true
}

/// The secrets of rights have one encoding.
pub(crate) fn abe_rights(data: &[u8]) -> bool {
    let Ok(secrets) = RightSecrets::from_bytes(&SecretBytes::new(data.to_vec())) else { return false };
    secrets.to_bytes().expose(|bytes| assert!(bytes == data, "two encodings of the same secrets"));
    true
}

/// The first byte names a form, the rest is a value: its canonical text reads as the same value, and it bears out its own
/// terms.
pub(crate) fn index_value(data: &[u8]) -> bool {
    let Some((number, value)) = data.split_first() else { return false };
    let form = Form::ALL.get(usize::from(*number) % Form::ALL.len()).expect("a place within the table");
    let Some(value) = std::str::from_utf8(value).ok() else { return false };
    let Ok(canonical) = Canonical::new(*form, value) else { return false };
    let again = Canonical::new(*form, &canonical.to_string()).expect("a canonical text is of its form");
    assert!(again == canonical, "two canonical texts of one value");
    let networks = Networks::new(&[8, 24], &[48]).expect("lengths that networks have");
    let spec = Spec { form: *form, networks: Some(networks), suffixes: true, days: true };
    let terms = spec.terms(value, Some(-1)).expect("a value of the form has terms");
    for term in &terms {
        assert!(term.check(*form, value, Some(-1)).is_ok(), "a value does not bear out its own term");
    }
    true
}

/// A question about a network or a suffix becomes terms within bounds, each with a token of its own.
pub(crate) fn index_question(data: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(data).ok() else { return false };
    let networks = Networks::new(&[16, 24, 32], &[32, 48, 128]).expect("lengths that networks have");
    let terms = match networks.query(text) {
        Ok(terms) => terms,
        Err(_) => match Term::suffix(text) {
            Ok(term) => vec![term],
            Err(_) => return false,
        },
    };
    assert!((1..=strongroom_blindindex::MAX_QUERY_TERMS).contains(&terms.len()));
    let key = IndexRoot::copied(&[1; 32]).expect("32 bytes").collector_epoch("c", 1).field("f");
    let mut tokens: Vec<_> = terms.iter().map(|term| term.token(&key)).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), terms.len(), "two terms of one question are the same");
    true
}

/// A case of the vectors: keys, and the header that they open.
struct Known {
    public: PublicKey,
    member: MemberKey,
    rights: RightSecrets,
    header: Vec<u8>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let file: serde_json::Value = serde_json::from_str(include_str!("../../../vectors/abe/fame-v1.json"))
            .expect("vectors are JSON");
        let case = file.get(4).expect("there are five cases");
        let field = |name: &str| unhex(case.get(name).and_then(|value| value.as_str()).expect("a text"));
        Known {
            public: PublicKey::from_bytes(&field("public_key")).expect("a public key"),
            member: MemberKey::from_bytes(&SecretBytes::new(field("member_key"))).expect("a key"),
            rights: RightSecrets::from_bytes(&SecretBytes::new(field("rights"))).expect("secrets"),
            header: field("header"),
        }
    })
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let digits = std::str::from_utf8(pair).expect("digits are ASCII");
        u8::from_str_radix(digits, 16).expect("a byte in hexadecimal")
    };
    pairs.iter().map(byte).collect()
}
