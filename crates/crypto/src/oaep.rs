//! RSA-OAEP with SHA-512, MGF1 with SHA-512 and an empty label (RFC 8017, section 7.1): something said so that only the
//! holder of a private key can read it.

use crate::openssh::rsa_spki;
use crate::sha256_parts;
use crate::sign::{KeyKind, PublicKey};
use aws_lc_rs::rsa::{OAEP_SHA512_MGF1SHA512, OaepPublicEncryptingKey, PublicEncryptingKey};

/// Sizes of the keys that stand in for keys that there are not, in bytes: those that people are likely to have.
const DECOY_BYTES: [usize; 3] = [256, 384, 512];
/// The highest byte of a product of two primes of the same size, each with its two highest bits set, is no less.
const LEAST_TOP: u8 = 0x90;

/// Encrypts to an RSA key; `None` for a key that cannot be encrypted to.
pub fn encrypt_to(key: &PublicKey, plain: &[u8]) -> Option<Vec<u8>> {
    if key.kind() != KeyKind::Rsa {
        return None;
    }
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(key.spki()).ok()?).ok()?;
    let mut out = vec![0; key.ciphertext_size()];
    let length = key.encrypt(&OAEP_SHA512_MGF1SHA512, plain, &mut out, None).ok()?.len();
    out.truncate(length);
    Some(out)
}

/// Encrypts to the key, if it can be encrypted to; else to one that nobody has, the same for the same seed. Whoever
/// does not know the seed cannot tell which of the two it was, nor by how long it took.
pub fn encrypt_or_decoy(key: Option<&PublicKey>, seed: &[u8; 16], plain: &[u8]) -> Option<Vec<u8>> {
    // made for a key that is there too: what it costs tells nothing
    let stand_in = decoy(seed)?;
    let sealed = key.and_then(|key| encrypt_to(key, plain));
    sealed.or_else(|| encrypt_to(&stand_in, plain))
}

/// A number that looks like an RSA modulus, made of a seed. Nobody knows its factors, and nothing depends on them.
fn decoy(seed: &[u8; 16]) -> Option<PublicKey> {
    let [choice, ..] = sha256_parts(&[b"strongroom OAEP decoy size v1", seed]);
    let bytes = *DECOY_BYTES.get(usize::from(choice) % DECOY_BYTES.len())?;
    let blocks = (0..bytes / 32).map(|block| {
        let block = u8::try_from(block).unwrap_or(u8::MAX);
        sha256_parts(&[b"strongroom OAEP decoy v1", seed, &[block]])
    });
    // as a DER INTEGER: a zero before the highest bit
    let mut number: Vec<u8> = std::iter::once(0).chain(blocks.flatten()).collect();
    let top = number.get_mut(1)?;
    *top = LEAST_TOP + *top % (u8::MAX - LEAST_TOP + 1);
    *number.last_mut()? |= 1;
    PublicKey::from_spki(&rsa_spki(&number)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};

    const SEED: [u8; 16] = [7; 16];

    fn pair() -> (PublicKey, OaepPrivateDecryptingKey) {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let spki = private.public_key().as_der().unwrap().as_ref().to_vec();
        (PublicKey::from_spki(&spki).unwrap(), OaepPrivateDecryptingKey::new(private).unwrap())
    }

    #[test]
    fn only_the_private_key_reads_what_was_encrypted_to_it() {
        let ((public, private), (_, other)) = (pair(), pair());
        let sealed = encrypt_or_decoy(Some(&public), &SEED, b"sixteen bytes...").unwrap();
        assert_eq!(sealed.len(), 256);
        let mut out = vec![0; 256];
        let plain = private.decrypt(&OAEP_SHA512_MGF1SHA512, &sealed, &mut out, None).unwrap();
        assert_eq!(plain, b"sixteen bytes...");
        let mut out = vec![0; 256];
        assert!(other.decrypt(&OAEP_SHA512_MGF1SHA512, &sealed, &mut out, None).is_err());
        assert_ne!(encrypt_to(&public, b"x"), encrypt_to(&public, b"x"), "no two are the same");
    }

    #[test]
    fn a_decoy_is_the_same_for_the_same_seed_and_looks_like_a_key() {
        assert_eq!(decoy(&SEED), decoy(&SEED));
        let mut sizes = std::collections::BTreeSet::new();
        for seed in 0..32 {
            let key = decoy(&[seed; 16]).unwrap();
            assert_ne!(Some(&key), decoy(&[seed + 1; 16]).as_ref());
            sizes.insert(encrypt_to(&key, &[0; 16]).unwrap().len());
        }
        assert_eq!(sizes.into_iter().collect::<Vec<_>>(), DECOY_BYTES);
    }

    #[test]
    fn a_key_that_cannot_be_encrypted_to_gets_the_decoy() {
        let seed = [1; 32];
        let ed = crate::PrivateKey::ed25519_from_seed(&seed).unwrap().public_key().unwrap();
        assert_eq!(encrypt_to(&ed, b"x"), None);
        let sealed = encrypt_or_decoy(Some(&ed), &SEED, b"x").unwrap();
        assert_eq!(sealed.len(), encrypt_or_decoy(None, &SEED, b"x").unwrap().len());
    }
}
