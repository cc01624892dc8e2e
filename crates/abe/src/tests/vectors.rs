//! Known answers: what this version makes from fixed entropy, what every later one must open.

use serde_json::{Value, json};
use strongroom_secret::SecretBytes;
use x_wing::{Decapsulate, DecapsulationKey, Decapsulator, KeyExport};

use super::{ambient, policy, set};
use crate::*;

const FILE: &str = include_str!("../../../../vectors/abe/fame-v1.json");

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

const CASES: &[(&str, &[&str], bool)] = &[
    ("A", &["A"], false),
    ("ANALYST and (CERT or UNR@37)", &["ANALYST", "UNR@37"], false),
    ("2 of (A, B and C, D)", &["A", "B", "C"], false),
    ("(A and B) or (A and C)", &["A", "C"], true),
    ("TLP:AMBER", &["TLP:AMBER"], true),
];

/// Everything that a case writes, by its number as the seed of its entropy.
fn case(number: u64) -> Value {
    let (text, attributes, with_rights) = CASES[usize::try_from(number).unwrap()];
    let ambient = ambient(number);
    let master = MasterKey::generate(&ambient, 2).unwrap();
    let member = master.member_key(&ambient, &set(attributes));
    let rights = rights_of(&policy(text)).unwrap();
    let prepared = master.public().prepare(&policy(text)).unwrap();
    let keys = RightKeys::of(&master, &rights);
    let (header, key) = if with_rights {
        prepared.encapsulate_with_rights(&ambient, &keys, b"vector").unwrap()
    } else {
        prepared.encapsulate(&ambient, b"vector")
    };
    json!({
        "seed": number,
        "policy": prepared.policy().as_str(),
        "attributes": attributes,
        "master_key": master.to_bytes().expose(hex),
        "public_key": hex(master.public().as_bytes()),
        "member_key": member.to_bytes().expose(hex),
        "rights": master.rights_for(&set(attributes), &rights).to_bytes().expose(hex),
        "header": hex(&header.to_bytes()),
        "key": key.expose(|key| hex(key)),
    })
}

#[test]
fn fixed_entropy_still_writes_the_same() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let cases = file.as_array().unwrap();
    assert_eq!(cases.len(), CASES.len());
    for (number, expected) in (0..).zip(cases) {
        assert_eq!(&case(number), expected, "case {number}");
    }
}

#[test]
fn what_was_written_opens() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    for case in file.as_array().unwrap() {
        let secret = |name: &str| SecretBytes::new(bytes(&case[name]));
        let public = PublicKey::from_bytes(&bytes(&case["public_key"])).unwrap();
        let member = MemberKey::from_bytes(&secret("member_key")).unwrap();
        let rights = RightSecrets::from_bytes(&secret("rights")).unwrap();
        let header = Header::parse(&bytes(&case["header"])).unwrap();
        assert_eq!(header.policy().as_str(), case["policy"].as_str().unwrap());
        let key = public.decapsulate(&member, &rights, &header, b"vector").unwrap();
        assert_eq!(key.expose(|key| hex(key)), case["key"].as_str().unwrap());
    }
}

/// The vectors of draft-connolly-cfrg-xwing-kem-06.
#[test]
fn x_wing_is_the_drafts() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../vectors/abe/x-wing-draft-06.json")).unwrap();
    for vector in file.as_array().unwrap() {
        let seed: [u8; 32] = bytes(&vector["seed"]).try_into().unwrap();
        let key = DecapsulationKey::from(seed);
        assert_eq!(key.encapsulation_key().to_bytes().to_vec(), bytes(&vector["pk"]));
        let randomness: [u8; 64] = bytes(&vector["eseed"]).try_into().unwrap();
        let (ciphertext, shared) = key.encapsulation_key().encapsulate_deterministic(&randomness.into());
        assert_eq!((ciphertext.to_vec(), shared.to_vec()), (bytes(&vector["ct"]), bytes(&vector["ss"])));
        assert_eq!(key.decapsulate(&ciphertext), shared);
    }
}
