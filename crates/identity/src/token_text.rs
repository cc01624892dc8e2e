//! Tokens: a recognisable prefix and 256 random bits; stored as SHA-256.

use strongroom_ambient::Ambient;
use strongroom_crypto::sha256;
use strongroom_secret::{SecretArray, SecretBytes};

/// What a native token begins with, so that scanners recognise one that leaked.
pub const TOKEN_PREFIX: &str = "sr.t1.";
const BODY_CHARS: usize = 64;

/// A new token and its digest.
pub(crate) fn generate(ambient: &Ambient) -> (SecretBytes, [u8; 32]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = SecretArray::<32>::filled(|bytes| ambient.entropy.fill(bytes));
    let mut text = Vec::with_capacity(TOKEN_PREFIX.len() + BODY_CHARS);
    text.extend_from_slice(TOKEN_PREFIX.as_bytes());
    bytes.expose(|bytes| {
        for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            text.extend(HEX.get(usize::from(nibble)));
        }
    });
    let digest = sha256(&text);
    (SecretBytes::new(text), digest)
}

/// The digest of a text that has a token's shape.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    let body = text.strip_prefix(TOKEN_PREFIX)?;
    let shaped =
        body.len() == BODY_CHARS && body.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    shaped.then(|| sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_shape_and_digest() {
        let (token, made) = generate(&Ambient::system());
        token.expose(|text| assert_eq!(digest(std::str::from_utf8(text).unwrap()), Some(made)));
        for wrong in [
            "",
            "sr.t1.",
            "s.abc",
            &format!("sr.t1.{}", "G".repeat(64)),
            &format!("sr.t1.{}", "a".repeat(63)),
        ] {
            assert_eq!(digest(wrong), None, "{wrong}");
        }
    }
}
