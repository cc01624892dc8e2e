//! SHA-256, HMAC-SHA-256, HKDF-SHA-256.

use aws_lc_rs::{digest, hkdf, hmac};
use strongroom_secret::SecretArray;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// SHA-256 of a byte string (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> Digest {
    sha256_parts(&[bytes])
}

/// SHA-256 of byte strings one after another. The caller makes the boundaries unambiguous.
pub fn sha256_parts(parts: &[&[u8]]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    array(context.finish().as_ref())
}

/// SHA-256 of what comes piece by piece: of a file that need not fit into memory.
pub struct DigestStream(digest::Context);

impl DigestStream {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        array(self.0.finish().as_ref())
    }
}

impl Default for DigestStream {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for DigestStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestStream")
    }
}

/// A key for HMAC-SHA-256 (RFC 2104), made ready once.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Makes a key ready.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The MAC of byte strings one after another. The caller makes the boundaries unambiguous.
    pub fn sign(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        array(context.sign().as_ref())
    }

    /// Derives another key for MACs: HKDF-Expand (RFC 5869, section 2.3) to 32 bytes, this key being uniform. The parts of
    /// the context are joined as they are: the caller makes them unambiguous by fixed widths.
    #[must_use]
    pub fn derive_mac(&self, context: &[&[u8]]) -> Self {
        let mut bytes = self.expand(context);
        let key = Self::new(&bytes);
        strongroom_secret::wipe(&mut bytes);
        key
    }

    /// Derives a key that seals, as [`MacKey::derive_mac`].
    pub fn derive_sealing(&self, context: &[&[u8]]) -> crate::SealingKey {
        let mut bytes = self.expand(context);
        let key = crate::SealingKey::new(&bytes);
        strongroom_secret::wipe(&mut bytes);
        key
    }

    /// Derives 32 bytes, as [`MacKey::derive_mac`].
    pub fn derive_bytes(&self, context: &[&[u8]]) -> SecretArray<32> {
        SecretArray::filled(|out| *out = self.expand(context))
    }

    /// The first block of HKDF-Expand.
    fn expand(&self, context: &[&[u8]]) -> [u8; 32] {
        let mut running = hmac::Context::with_key(&self.0);
        for part in context {
            running.update(part);
        }
        running.update(&[1]);
        array(running.sign().as_ref())
    }

    /// Whether a MAC is right, in constant time.
    pub fn verify(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        strongroom_secret::bytes_eq(&self.sign(parts), mac)
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey")
    }
}

/// Derives 256 bits from a uniform key and a context (HKDF-SHA-256, RFC 5869, without salt). The parts of the
/// context are joined as they are: the caller makes them unambiguous by fixed widths.
pub fn derive_key(key: &[u8; 32], context: &[&[u8]]) -> SecretArray<32> {
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key);
    SecretArray::filled(|out| {
        let filled = extracted.expand(context, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(out));
        debug_assert!(filled.is_ok(), "32 bytes are within HKDF's limit");
        if filled.is_err() {
            // a key of zeros must never leave this function
            unreachable!("32 bytes are within HKDF's limit");
        }
    })
}

fn array(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// FIPS 180-4 example, "abc".
    #[test]
    fn sha256_vector_holds() {
        let expected = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(b"abc").to_vec(), expected);
        assert_eq!(sha256_parts(&[b"a", b"bc"]).to_vec(), expected);
        let mut stream = super::DigestStream::new();
        stream.update(b"ab");
        stream.update(b"c");
        assert_eq!(stream.finish().to_vec(), expected);
    }

    /// RFC 4231, test case 4 has a 25-byte key; case 1's key padded with zeros to 32 bytes is the same HMAC key.
    #[test]
    fn hmac_vector_holds() {
        let mut key = [0; 32];
        key[..20].copy_from_slice(&[0x0b; 20]);
        let expected = hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let key = MacKey::new(&key);
        assert_eq!(key.sign(&[b"Hi ", b"There"]).to_vec(), expected);
        assert!(key.verify(&[b"Hi There"], &expected));
        assert!(!key.verify(&[b"Hi There"], &expected[..31]));
    }

    /// RFC 5869, test case 1: the first 32 bytes of its output, from its pseudorandom key.
    #[test]
    fn expansion_is_hkdf_expand() {
        let prk = hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        let key = MacKey::new(&prk.try_into().unwrap());
        let expected = hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
        let info = hex("f0f1f2f3f4f5f6f7f8f9");
        let derived = key.derive_bytes(&[&info[..4], &info[4..]]).expose(|bytes| bytes.to_vec());
        assert_eq!(derived, expected);
        let again = MacKey::new(&derived.try_into().unwrap());
        assert_eq!(key.derive_mac(&[&info]).sign(&[b"x"]), again.sign(&[b"x"]));
    }

    #[test]
    fn derived_keys_differ_by_context() {
        let derive = |context: &[u8]| derive_key(&[1; 32], &[context]).expose(|bytes| *bytes);
        assert_eq!(derive(b"a"), derive(b"a"));
        assert_ne!(derive(b"a"), derive(b"b"));
    }
}
