//! Fernet tokens (<https://github.com/fernet/spec>): version `0x80`, time stamp, AES-128-CBC, HMAC-SHA-256, URL-safe
//! base64. Opened only; the time stamp is looked at by nobody, for a file that was sealed long ago is no worse.

use data_encoding::BASE64URL;
use strongroom_crypto::{MacKey, open_aes_128_cbc};
use strongroom_secret::{SecretArray, SecretBytes};

const VERSION: u8 = 0x80;
/// Version, time stamp, initialisation vector.
const HEAD: usize = 1 + 8 + 16;
const MAC: usize = 32;
const BLOCK: usize = 16;
/// Most keys of one ring.
const MAX_KEYS: usize = 1_024;

/// Why something does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FernetError {
    /// Not a key: 32 bytes in URL-safe base64.
    #[error("not a Fernet key")]
    NotKey,
    /// Not a token: another version, cut, or no base64.
    #[error("not a Fernet token, or a damaged one")]
    NotToken,
    /// A token of another key, or one that was changed.
    #[error("no key opens it: the key is another, or the token is damaged")]
    Rejected,
    /// More keys than any keyset has.
    #[error("more than {MAX_KEYS} keys")]
    TooManyKeys,
}

/// A key: one half authenticates, the other decrypts.
pub struct FernetKey {
    signing: MacKey,
    encryption: SecretArray<16>,
}

impl FernetKey {
    /// Reads a key's text; spaces around it say nothing.
    pub fn parse(text: &[u8]) -> Result<Self, FernetError> {
        let mut bytes = BASE64URL.decode(text.trim_ascii()).map_err(|_| FernetError::NotKey)?;
        let key = Self::of_bytes(&bytes);
        strongroom_secret::wipe(&mut bytes);
        key.ok_or(FernetError::NotKey)
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let (signing, encryption) = bytes.split_at(16);
        // HMAC pads a key with zeros to the block: one of 16 bytes is the same key as these 32
        let padded = SecretArray::<32>::filled(|padded| {
            for (to, from) in padded.iter_mut().zip(signing) {
                *to = *from;
            }
        });
        Some(Self { signing: padded.expose(MacKey::new), encryption: SecretArray::copied(encryption)? })
    }

    /// Opens a token; spaces around it say nothing.
    pub fn open(&self, token: &[u8]) -> Result<SecretBytes, FernetError> {
        self.open_decoded(&decoded(token)?)
    }

    fn open_decoded(&self, token: &[u8]) -> Result<SecretBytes, FernetError> {
        let parts = token.split_last_chunk::<MAC>();
        let (signed, mac) = parts.ok_or(FernetError::NotToken)?;
        if !self.signing.verify(&[signed], mac) {
            return Err(FernetError::Rejected);
        }
        let body = signed.split_at_checked(HEAD).ok_or(FernetError::NotToken)?;
        let iv = body.0.last_chunk::<16>().ok_or(FernetError::NotToken)?;
        self.encryption.expose(|key| open_aes_128_cbc(key, iv, body.1)).map_err(|_| FernetError::Rejected)
    }
}

impl std::fmt::Debug for FernetKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FernetKey")
    }
}

/// Keys of which one opens: a keyset.
#[derive(Debug)]
pub struct FernetKeys(Vec<FernetKey>);

impl FernetKeys {
    /// Reads keys, one a line; empty lines say nothing.
    pub fn parse(lines: &[u8]) -> Result<Self, FernetError> {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let keys = lines.take(MAX_KEYS + 1).map(FernetKey::parse).collect::<Result<Vec<_>, _>>()?;
        match keys.len() {
            0 => Err(FernetError::NotKey),
            count if count > MAX_KEYS => Err(FernetError::TooManyKeys),
            _ => Ok(Self(keys)),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Opens a token with whichever key opens it.
    pub fn open(&self, token: &[u8]) -> Result<SecretBytes, FernetError> {
        let token = decoded(token)?;
        let mut opened = self.0.iter().map(|key| key.open_decoded(&token));
        opened.find(Result::is_ok).unwrap_or(Err(FernetError::Rejected))
    }
}

/// The bytes of a token, as far as its form tells that it is one.
fn decoded(token: &[u8]) -> Result<Vec<u8>, FernetError> {
    let bytes = BASE64URL.decode(token.trim_ascii()).map_err(|_| FernetError::NotToken)?;
    let blocks = bytes.len().checked_sub(HEAD + MAC).filter(|body| body % BLOCK == 0 && *body > 0);
    match (bytes.first(), blocks) {
        (Some(&VERSION), Some(_)) => Ok(bytes),
        _ => Err(FernetError::NotToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // verify.json and invalid.json of the specification
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const HELLO: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
    const INVALID: &[(&str, &str, FernetError)] = &[
        (
            "incorrect mac",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
            FernetError::Rejected,
        ),
        ("too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==", FernetError::NotToken),
        (
            "invalid base64",
            "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
            FernetError::NotToken,
        ),
        (
            "payload size not multiple of block size",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
            FernetError::NotToken,
        ),
        (
            "payload padding error",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
            FernetError::Rejected,
        ),
        (
            "incorrect IV (causes padding error)",
            "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
            FernetError::Rejected,
        ),
    ];

    fn key() -> FernetKey {
        FernetKey::parse(KEY.as_bytes()).unwrap()
    }

    fn fault(opened: Result<SecretBytes, FernetError>) -> Option<FernetError> {
        opened.err()
    }

    #[test]
    fn the_specifications_token_opens() {
        key().open(HELLO.as_bytes()).unwrap().expose(|plain| assert_eq!(plain, b"hello"));
        key().open(format!("{HELLO}\n").as_bytes()).unwrap().expose(|plain| assert_eq!(plain, b"hello"));
    }

    #[test]
    fn the_specifications_invalid_tokens_are_refused() {
        for (what, token, expected) in INVALID {
            assert_eq!(fault(key().open(token.as_bytes())), Some(*expected), "{what}");
        }
    }

    #[test]
    fn any_changed_or_missing_byte_is_refused() {
        let whole = BASE64URL.decode(HELLO.as_bytes()).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key().open(BASE64URL.encode(&changed).as_bytes()).is_err(), "bit {bit}");
        }
        for length in 0..HELLO.len() {
            assert!(key().open(&HELLO.as_bytes()[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn one_of_many_keys_is_enough_and_none_is_told_apart() {
        let other = BASE64URL.encode(&[7; 32]);
        let keys = FernetKeys::parse(format!("{other}\n{KEY}\n\n").as_bytes()).unwrap();
        assert_eq!(keys.count(), 2);
        keys.open(HELLO.as_bytes()).unwrap().expose(|plain| assert_eq!(plain, b"hello"));
        let others = FernetKeys::parse(other.as_bytes()).unwrap();
        assert_eq!(fault(others.open(HELLO.as_bytes())), Some(FernetError::Rejected));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "cw_0", &KEY[1..], &KEY.replace('_', "/"), &BASE64URL.encode(&[1; 33])] {
            assert_eq!(FernetKey::parse(text.as_bytes()).err(), Some(FernetError::NotKey), "{text}");
            assert_eq!(FernetKeys::parse(text.as_bytes()).err(), Some(FernetError::NotKey), "{text}");
        }
        let many = format!("{KEY}\n").repeat(MAX_KEYS + 1);
        assert_eq!(FernetKeys::parse(many.as_bytes()).err(), Some(FernetError::TooManyKeys));
        assert_eq!(format!("{:?}", key()), "FernetKey");
    }
}
