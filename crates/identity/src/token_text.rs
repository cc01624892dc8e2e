//! Tokens: a recognisable prefix and 256 random bits; or, where a client's protocol has no room for more, the 32
//! hexadecimal digits of a random UUID (version 4). Stored as SHA-256.

use strongroom_ambient::Ambient;
use strongroom_crypto::sha256;
use strongroom_secret::{SecretArray, SecretBytes};

/// What a native token begins with, so that scanners recognise one that leaked.
pub const TOKEN_PREFIX: &str = "sr.t1.";
const BODY_CHARS: usize = 64;
/// A token without a prefix: the digits of 16 bytes.
const BARE_CHARS: usize = 32;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A new token and its digest.
pub(crate) fn generate(ambient: &Ambient) -> (SecretBytes, [u8; 32]) {
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

/// The bytes of a new token without a prefix: a UUID of version 4 (RFC 9562, section 5.4), 122 bits of it random.
pub(crate) fn bare(ambient: &Ambient) -> SecretArray<16> {
    SecretArray::filled(|bytes: &mut [u8; 16]| {
        ambient.entropy.fill(bytes);
        let [_, _, _, _, _, _, version, _, variant, ..] = bytes;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
    })
}

/// The text of a token without a prefix.
pub(crate) fn bare_text(token: &SecretArray<16>) -> SecretBytes {
    let mut text = Vec::with_capacity(BARE_CHARS);
    token.expose(|bytes| {
        for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            text.extend(HEX.get(usize::from(nibble)));
        }
    });
    SecretBytes::new(text)
}

/// The digest of a text that has a token's shape.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    let (body, chars) = match text.strip_prefix(TOKEN_PREFIX) {
        Some(body) => (body, BODY_CHARS),
        None => (text, BARE_CHARS),
    };
    let shaped = body.len() == chars && body.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
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
            &format!("sr.t1.{}", "a".repeat(32)),
            &"a".repeat(31),
            &"a".repeat(64),
            &"A".repeat(32),
        ] {
            assert_eq!(digest(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_bare_token_is_a_random_uuid_of_version_4() {
        let (token, other) = (bare(&Ambient::system()), bare(&Ambient::system()));
        bare_text(&token).expose(|text| {
            assert_eq!(text.len(), BARE_CHARS);
            assert_eq!(text[12], b'4');
            assert!(matches!(text[16], b'8' | b'9' | b'a' | b'b'));
            assert_eq!(digest(std::str::from_utf8(text).unwrap()), Some(sha256(text)));
            bare_text(&other).expose(|other| assert_ne!(text, other));
        });
    }
}
