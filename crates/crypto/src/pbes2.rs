//! Private keys with a password: PKCS#8 (RFC 5958, section 3) under PBES2 (RFC 8018, section 6.2), as OpenSSL and its kin write
//! them: PBKDF2 with HMAC-SHA-1, -256 or -512, and AES-128 or AES-256 in CBC. Opened only; older schemes are not.

use crate::cbc::open_cbc;
use crate::sign::{KeyError, MAX_PEM_BYTES};
use aws_lc_rs::cipher::{AES_128, AES_256, Algorithm};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use std::num::NonZeroU32;
use strongroom_secret::{SecretArray, SecretBytes};

/// The most that a file may ask for: some seconds of work.
const MAX_ITERATIONS: u32 = 10_000_000;

const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
const HMAC_SHA1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x07";
const HMAC_SHA256: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x09";
const HMAC_SHA512: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x0b";
const AES_128_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x02";
const AES_256_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a";

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Whether a PEM text holds such a key.
pub(crate) fn is_encrypted(pem: &[u8]) -> bool {
    block(pem).is_some()
}

/// The PKCS#8 structure of such a PEM text.
pub(crate) fn open(pem: &[u8], password: &SecretBytes) -> Result<SecretBytes, KeyError> {
    let body = block(pem).ok_or(KeyError::NotPem { wanted: "encrypted private" })?;
    let base64: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let der = data_encoding::BASE64.decode(&base64).map_err(|_| KeyError::Malformed)?;
    let Scheme { prf, salt, iterations, cipher, key_bytes, iv, sealed } = scheme(&der)?;
    let iterations = NonZeroU32::new(iterations).filter(|count| count.get() <= MAX_ITERATIONS);
    let iterations = iterations.ok_or(KeyError::Unsupported)?;
    let key = SecretArray::<32>::filled(|key| {
        password.expose(|password| {
            if let Some(key) = key.get_mut(..key_bytes) {
                pbkdf2::derive(prf, iterations, salt, password, key);
            }
        });
    });
    key.expose(|key| open_cbc(cipher, key.get(..key_bytes).unwrap_or_default(), iv, sealed))
        .map_err(|_| KeyError::Password)
}

/// What stands between the lines of the first block.
fn block(pem: &[u8]) -> Option<&[u8]> {
    let label = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
    let text = pem.get(..pem.len().min(MAX_PEM_BYTES))?;
    let begin = text.windows(label.len()).position(|part| part == label)?;
    let rest = text.get(begin + label.len()..)?;
    let end = rest.windows(5).position(|part| part == b"-----")?;
    rest.get(..end)
}

struct Scheme<'a> {
    prf: pbkdf2::Algorithm,
    salt: &'a [u8],
    iterations: u32,
    cipher: &'static Algorithm,
    key_bytes: usize,
    iv: &'a [u8; 16],
    sealed: &'a [u8],
}

fn scheme(der: &[u8]) -> Result<Scheme<'_>, KeyError> {
    let mut whole = Der(Der(der).take(SEQUENCE)?);
    let mut algorithm = Der(whole.take(SEQUENCE)?);
    let sealed = whole.take(OCTETS)?;
    if algorithm.take(OID)? != PBES2 {
        return Err(KeyError::Unsupported);
    }
    let mut parameters = Der(algorithm.take(SEQUENCE)?);
    let (mut derivation, mut encryption) = (Der(parameters.take(SEQUENCE)?), Der(parameters.take(SEQUENCE)?));
    if derivation.take(OID)? != PBKDF2 {
        return Err(KeyError::Unsupported);
    }
    let (cipher, key_bytes) = match encryption.take(OID)? {
        AES_128_CBC => (&AES_128, 16),
        AES_256_CBC => (&AES_256, 32),
        _ => return Err(KeyError::Unsupported),
    };
    let iv = encryption.take(OCTETS)?.try_into().map_err(|_| KeyError::Malformed)?;
    let mut derivation = Der(derivation.take(SEQUENCE)?);
    let salt = derivation.take(OCTETS)?;
    let iterations = number(derivation.take(INTEGER)?).ok_or(KeyError::Unsupported)?;
    // a length of the key, which the cipher says as well
    if derivation.is_next(INTEGER) {
        derivation.take(INTEGER)?;
    }
    let prf = if derivation.0.is_empty() { HMAC_SHA1 } else { Der(derivation.take(SEQUENCE)?).take(OID)? };
    let prf = match prf {
        HMAC_SHA1 => PBKDF2_HMAC_SHA1,
        HMAC_SHA256 => PBKDF2_HMAC_SHA256,
        HMAC_SHA512 => PBKDF2_HMAC_SHA512,
        _ => return Err(KeyError::Unsupported),
    };
    Ok(Scheme { prf, salt, iterations, cipher, key_bytes, iv, sealed })
}

fn number(bytes: &[u8]) -> Option<u32> {
    (bytes.len() <= 4).then(|| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// What is left of a structure (X.690, section 8): lengths of at most two bytes, which a key never needs more of.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn is_next(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The content of the next element, which must have this tag.
    fn take(&mut self, tag: u8) -> Result<&'a [u8], KeyError> {
        let (length, content) = match self.0 {
            [found, length, rest @ ..] if *found == tag && *length < 0x80 => (usize::from(*length), rest),
            [found, 0x81, length, rest @ ..] if *found == tag => (usize::from(*length), rest),
            [found, 0x82, high, low, rest @ ..] if *found == tag => {
                (usize::from(u16::from_be_bytes([*high, *low])), rest)
            }
            _ => return Err(KeyError::Malformed),
        };
        let (content, rest) = content.split_at_checked(length).ok_or(KeyError::Malformed)?;
        self.0 = rest;
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PrivateKey, PublicKey};

    /// One Ed25519 key as `openssl pkcs8 -topk8` (OpenSSL 3) seals it under `hunter2`: AES-256 with HMAC-SHA-256, AES-128 with
    /// HMAC-SHA-1, AES-256 with HMAC-SHA-512.
    const SEALED: [&str; 3] = [
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh/tZzHia9RkQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDZDiVSmm7dcXEviRwpbJTEEQPPC
x7kEYgpR9sBGVHyrxqpvMQR6gTg6ypgy3PhK5cL+HLMIOTxglX+LKV8krks+MuKg
4lYfbh/1FcuGzuzNCE4=",
        "MIGNMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAgQmJZdIgRrIQICCAAw
HQYJYIZIAWUDBAECBBC/AAn+I+ngziS5zWvFowa/BECBhD0RgmyjqMp/mR4pb9SI
HdXyIs3xyFll4IUMDA13U1K8UZSDVb0kpiy7+1ug1d287QdyRUOikV65pUlHLRdq",
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhSuAKYT1o14wICCAAw
DAYIKoZIhvcNAgsFADAdBglghkgBZQMEASoEEFuZ8D23eAGM7jF6gXJrpOcEQOya
1oYtLsG1V5Q1fkJkcOcqllZ+aK/26KtPF/l2kQcW/l3+iD0fg252+g5d8aRUCjj9
WiCetGmIqADVASPj6Xk=",
    ];
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAlrRWLJ+yZjqo7tdevzNtJSNSALJPbTdyeOLrF7VJvGw=
-----END PUBLIC KEY-----";

    fn pem(body: &str) -> SecretBytes {
        let text =
            format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----\n");
        SecretBytes::new(text.into_bytes())
    }

    fn password(text: &str) -> SecretBytes {
        SecretBytes::new(text.as_bytes().to_vec())
    }

    #[test]
    fn keys_of_openssls_open_with_their_password_only() {
        let public = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
        for body in SEALED {
            let key = PrivateKey::from_sealed_pem(&pem(body), &password("hunter2")).unwrap();
            assert_eq!(key.public_key().unwrap().spki(), public.spki());
            for wrong in ["hunter3", "", "hunter2\n"] {
                let found = PrivateKey::from_sealed_pem(&pem(body), &password(wrong));
                assert_eq!(found.err(), Some(KeyError::Password), "{wrong:?}");
            }
            assert_eq!(PrivateKey::from_pem(&pem(body)).err(), Some(KeyError::Encrypted), "without one");
        }
    }

    #[test]
    fn what_is_cut_or_of_another_scheme_is_refused() {
        let whole: String = SEALED[0].split_whitespace().collect();
        for end in (0..whole.len()).step_by(4) {
            let found = PrivateKey::from_sealed_pem(&pem(&whole[..end]), &password("hunter2"));
            assert!(matches!(found.err(), Some(KeyError::Malformed | KeyError::Password)), "{end}");
        }
        let triple_des = "MIGKME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAiEkPX6zYRpoAICCAAw
DAYIKoZIhvcNAgkFADAUBggqhkiG9w0DBwQIex5J3axh/dIEOChzh/vzZya4qN6R
swu/IIspIYsOf044uYe3l9cUwX+XCye49ez4hK51IKZ8OwhWu5v+H0SzFX5E";
        let found = PrivateKey::from_sealed_pem(&pem(triple_des), &password("hunter2"));
        assert_eq!(found.err(), Some(KeyError::Unsupported));
        let plain = PrivateKey::from_sealed_pem(&password("no PEM"), &password("x"));
        assert_eq!(plain.err(), Some(KeyError::NotPem { wanted: "encrypted private" }));
    }
}
