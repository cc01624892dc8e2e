//! AES-256-GCM-SIV, in one shape: `ciphertext | tag`, nonce kept by the caller.

use crate::Rejected;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce as LibraryNonce, UnboundKey};
use strongroom_secret::SecretBytes;

/// Length of a nonce in bytes.
pub const NONCE_BYTES: usize = 12;
/// Length of a tag in bytes.
pub const TAG_BYTES: usize = 16;

/// A nonce: random, kept beside the ciphertext.
pub type Nonce = [u8; NONCE_BYTES];

/// A key that seals and opens, made ready once and used many times.
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    /// Makes 256 bits ready.
    pub fn new(bytes: &[u8; 32]) -> Self {
        match UnboundKey::new(&AES_256_GCM_SIV, bytes) {
            Ok(key) => Self(LessSafeKey::new(key)),
            // the only error is a wrong length, which the type excludes
            Err(_) => unreachable!("a 256-bit key has the algorithm's length"),
        }
    }

    /// Seals: `ciphertext | tag`, appended to `out`. The plaintext buffer is not kept.
    pub fn seal_into(&self, nonce: &Nonce, associated: &[u8], plaintext: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(plaintext.len() + TAG_BYTES);
        out.extend_from_slice(plaintext);
        self.seal_from(nonce, associated, start, out);
    }

    /// Seals what stands in `out` from `start` on, where it stands, and appends the tag. Nothing stands from beyond the end
    /// on: the caller wrote what is sealed.
    pub fn seal_from(&self, nonce: &Nonce, associated: &[u8], start: usize, out: &mut Vec<u8>) {
        let start = start.min(out.len());
        let Some(body) = out.get_mut(start..) else { return };
        let sealed = self.0.seal_in_place_separate_tag(
            LibraryNonce::assume_unique_for_key(*nonce),
            Aad::from(associated),
            body,
        );
        match sealed {
            Ok(tag) => out.extend_from_slice(tag.as_ref()),
            // the library refuses only plaintexts beyond 2^36 bytes
            Err(_) => unreachable!("plaintext is within the algorithm's limit"),
        }
    }

    /// Opens `ciphertext | tag`.
    pub fn open(&self, nonce: &Nonce, associated: &[u8], sealed: &[u8]) -> Result<SecretBytes, Rejected> {
        let mut buffer = sealed.to_vec();
        let length = self
            .0
            .open_in_place(LibraryNonce::assume_unique_for_key(*nonce), Aad::from(associated), &mut buffer)
            .map_err(|_| Rejected)?
            .len();
        buffer.truncate(length);
        Ok(SecretBytes::new(buffer))
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// RFC 8452, appendix C.2, `AEAD_AES_256_GCM_SIV`, the case with plaintext and additional data of 8 and 1 bytes.
    #[test]
    fn rfc_8452_vector_holds() {
        let key: [u8; 32] =
            hex("0100000000000000000000000000000000000000000000000000000000000000").try_into().unwrap();
        let nonce: Nonce = hex("030000000000000000000000").try_into().unwrap();
        let mut out = Vec::new();
        SealingKey::new(&key).seal_into(&nonce, &hex("01"), &hex("0200000000000000"), &mut out);
        assert_eq!(out, hex("1de22967237a813291213f267e3b452f02d01ae33e4ec854"));
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_and_any_flip_is_rejected(
            plaintext in proptest::collection::vec(any::<u8>(), 0..200),
            associated in proptest::collection::vec(any::<u8>(), 0..40),
            bit in any::<prop::sample::Index>(),
        ) {
            let key = SealingKey::new(&[7; 32]);
            let mut sealed = Vec::new();
            key.seal_into(&[1; 12], &associated, &plaintext, &mut sealed);
            key.open(&[1; 12], &associated, &sealed).unwrap().expose(|bytes| assert_eq!(bytes, plaintext));
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key.open(&[1; 12], &associated, &sealed).is_err());
        }
    }

    #[test]
    fn other_key_nonce_or_context_is_rejected() {
        let mut sealed = Vec::new();
        SealingKey::new(&[7; 32]).seal_into(&[1; 12], b"here", b"value", &mut sealed);
        assert!(SealingKey::new(&[8; 32]).open(&[1; 12], b"here", &sealed).is_err());
        assert!(SealingKey::new(&[7; 32]).open(&[2; 12], b"here", &sealed).is_err());
        assert!(SealingKey::new(&[7; 32]).open(&[1; 12], b"there", &sealed).is_err());
        assert!(SealingKey::new(&[7; 32]).open(&[1; 12], b"here", &sealed[..15]).is_err());
    }
}
