//! Keys that stand in for keys that there are not, so that asking about an unknown one takes as long.

use crate::openssh::rsa_spki;
use crate::sha256_parts;
use crate::sign::PublicKey;
use std::sync::OnceLock;

/// Sizes of RSA keys that people have, in bytes of a signature.
const RSA_BYTES: [usize; 3] = [256, 384, 512];
/// An Ed25519 public key: RFC 8032, section 7.1, test 1. Who signs with it is refused all the same.
const POINT: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
    0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// Verifies a signature with a key, if there is one; a key that is not there, or that never makes signatures of this
/// length, costs what one that does would have.
pub fn verify_or_decoy(key: Option<&PublicKey>, message: &[u8], signature: &[u8]) -> bool {
    if let Some(key) = key.filter(|key| key.signature_bytes() == signature.len()) {
        return key.verify(message, signature).is_ok();
    }
    if let Some(decoy) = decoy(signature.len()) {
        // its outcome is nobody's proof
        let _ = decoy.verify(message, signature);
    }
    false
}

fn decoy(signature_bytes: usize) -> Option<&'static PublicKey> {
    static ED25519: OnceLock<Option<PublicKey>> = OnceLock::new();
    static RSA: [OnceLock<Option<PublicKey>>; RSA_BYTES.len()] = [const { OnceLock::new() }; RSA_BYTES.len()];
    let at = RSA_BYTES.iter().position(|bytes| *bytes == signature_bytes);
    match at.and_then(|at| RSA.get(at)) {
        Some(known) => known.get_or_init(|| PublicKey::from_spki(&rsa_spki(&modulus(signature_bytes))?).ok()),
        None => ED25519.get_or_init(|| PublicKey::ed25519(&POINT).ok()),
    }
    .as_ref()
}

/// A number of the size of an RSA modulus, odd, with its highest bit set, as a DER INTEGER. Nobody knows its factors,
/// and nothing depends on them.
fn modulus(bytes: usize) -> Vec<u8> {
    let blocks = (0..bytes / 32).map(|block| {
        let block = u8::try_from(block).unwrap_or(u8::MAX);
        sha256_parts(&[b"strongroom decoy v1", &[block]])
    });
    let mut number: Vec<u8> = std::iter::once(0).chain(blocks.flatten()).collect();
    if let Some(top) = number.get_mut(1) {
        *top |= 0x80;
    }
    if let Some(low) = number.last_mut() {
        *low |= 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyKind, PrivateKey};

    #[test]
    fn there_is_a_decoy_of_each_usual_kind() {
        for bytes in RSA_BYTES {
            let decoy = decoy(bytes).unwrap();
            assert_eq!((decoy.kind(), decoy.signature_bytes()), (KeyKind::Rsa, bytes));
        }
        for bytes in [0, 64, 1_000] {
            assert_eq!(decoy(bytes).unwrap().kind(), KeyKind::Ed25519);
        }
    }

    #[test]
    fn only_a_known_key_verifies() {
        let key = PrivateKey::ed25519_from_seed(&[1; 32]).unwrap();
        let (public, signature) = (key.public_key().unwrap(), key.sign(b"m").unwrap());
        assert!(verify_or_decoy(Some(&public), b"m", &signature));
        assert!(!verify_or_decoy(None, b"m", &signature));
        assert!(!verify_or_decoy(Some(&public), b"n", &signature));
        assert!(!verify_or_decoy(Some(&public), b"m", &[0; 256]), "a length that it never has");
    }

    /// RFC 8032, section 7.1, test 1: the decoy's private half is public knowledge.
    #[test]
    fn a_signature_of_the_decoy_itself_is_refused() {
        let seed = data_encoding::HEXLOWER
            .decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
        let key = PrivateKey::ed25519_from_seed(&seed.try_into().unwrap()).unwrap();
        assert!(!verify_or_decoy(None, b"m", &key.sign(b"m").unwrap()));
    }
}
