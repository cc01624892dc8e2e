//! X-Wing (draft-connolly-cfrg-xwing-kem-06): X25519 and ML-KEM-768 in one, so that both must be broken.
//!
//! What is wrapped for a member today can be recorded and kept until there is a quantum computer: so keys that open other
//! things go to members by this.

use crate::{Digest, Rejected, sha256};
use strongroom_ambient::Ambient;
use strongroom_secret::SecretArray;
use x_wing::{
    CIPHERTEXT_SIZE, Ciphertext, Decapsulate, DecapsulationKey, Decapsulator, ENCAPSULATION_KEY_SIZE,
    EncapsulationKey, KeyExport,
};

/// Length of a public key in bytes.
pub const KEM_PUBLIC_BYTES: usize = ENCAPSULATION_KEY_SIZE;
/// Length of a ciphertext in bytes.
pub const KEM_CIPHERTEXT_BYTES: usize = CIPHERTEXT_SIZE;

/// Whom something is wrapped for.
#[derive(Clone, PartialEq)]
pub struct KemPublicKey(EncapsulationKey);

/// Who opens it: kept as its seed.
pub struct KemSecretKey(SecretArray<32>);

impl KemPublicKey {
    /// Reads a public key of [`KEM_PUBLIC_BYTES`]. That it is the member's own is for others to know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::KeyError> {
        EncapsulationKey::try_from(bytes).map(Self).map_err(|_| crate::KeyError::Malformed)
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    /// SHA-256 of the encoding.
    pub fn digest(&self) -> Digest {
        sha256(&self.0.to_bytes())
    }

    /// A fresh secret, and the ciphertext that carries it.
    pub fn encapsulate(&self, ambient: &Ambient) -> (Vec<u8>, SecretArray<32>) {
        let randomness = SecretArray::<64>::filled(|bytes| ambient.entropy.fill(bytes));
        let (ciphertext, shared) =
            randomness.expose(|bytes| self.0.encapsulate_deterministic(&(*bytes).into()));
        (ciphertext.to_vec(), kept(shared))
    }
}

impl std::fmt::Debug for KemPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KemPublicKey")
    }
}

impl KemSecretKey {
    /// A new key.
    pub fn generate(ambient: &Ambient) -> Self {
        Self(SecretArray::filled(|seed| ambient.entropy.fill(seed)))
    }

    /// The key of a seed.
    pub fn from_seed(seed: SecretArray<32>) -> Self {
        Self(seed)
    }

    /// The seed, for keeping.
    pub fn expose<R>(&self, use_seed: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.0.expose(use_seed)
    }

    fn key(&self) -> DecapsulationKey {
        self.0.expose(|seed| DecapsulationKey::from(*seed))
    }

    /// The public half.
    pub fn public_key(&self) -> KemPublicKey {
        KemPublicKey(self.key().encapsulation_key().clone())
    }

    /// The secret of a ciphertext. One that was made for another key, or by nobody, gives a secret that nobody knows: what
    /// is sealed under it will not open.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<SecretArray<32>, Rejected> {
        let ciphertext = Ciphertext::try_from(ciphertext).map_err(|_| Rejected)?;
        Ok(kept(self.key().decapsulate(&ciphertext)))
    }
}

impl std::fmt::Debug for KemSecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KemSecretKey")
    }
}

/// Takes a shared secret over into a type that is wiped.
fn kept(mut shared: x_wing::SharedKey) -> SecretArray<32> {
    let kept = SecretArray::filled(|out| out.copy_from_slice(&shared));
    strongroom_secret::wipe(shared.as_mut_slice());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> KemSecretKey {
        KemSecretKey::from_seed(SecretArray::filled(|bytes| bytes.fill(seed)))
    }

    #[test]
    fn both_sides_have_one_secret_and_nobody_else() {
        let (ciphertext, secret) = key(1).public_key().encapsulate(&Ambient::system());
        assert_eq!(ciphertext.len(), KEM_CIPHERTEXT_BYTES);
        let is_same = |other: &SecretArray<32>| bool::from(strongroom_secret::ct_eq(&secret, other));
        assert!(is_same(&key(1).decapsulate(&ciphertext).unwrap()));
        assert!(!is_same(&key(2).decapsulate(&ciphertext).unwrap()));
        let mut changed = ciphertext.clone();
        changed[1100] ^= 1;
        assert!(!is_same(&key(1).decapsulate(&changed).unwrap()));
        assert_eq!(key(1).decapsulate(&ciphertext[1..]).err(), Some(Rejected));
    }

    #[test]
    fn a_public_key_reads_back_and_a_short_one_does_not() {
        let bytes = key(3).public_key().to_bytes();
        assert_eq!(bytes.len(), KEM_PUBLIC_BYTES);
        assert!(KemPublicKey::from_bytes(&bytes).unwrap() == key(3).public_key());
        assert!(KemPublicKey::from_bytes(&bytes[1..]).is_err());
        // coordinates above the modulus are no key
        assert!(KemPublicKey::from_bytes(&[0xff; KEM_PUBLIC_BYTES]).is_err());
    }
}
