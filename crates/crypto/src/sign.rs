//! Ed25519 and RSA-PSS: public keys that verify, private keys that sign.

use crate::Rejected;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    UnparsedPublicKey, VerificationAlgorithm,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use strongroom_secret::SecretBytes;

/// The largest PEM text that is looked at, in bytes.
pub(crate) const MAX_PEM_BYTES: usize = 64 * 1024;

/// What is wrong with a key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM block of the kind that is needed.
    #[error("no PEM block with a {wanted} key")]
    NotPem {
        /// "public" or "private".
        wanted: &'static str,
    },
    /// Neither Ed25519 nor RSA.
    #[error("key is neither Ed25519 nor RSA")]
    Unsupported,
    /// An RSA key outside 2048 to 8192 bits.
    #[error("RSA key has {bits} bits, allowed are 2048 to 8192")]
    RsaSize {
        /// Its size in bits.
        bits: usize,
    },
    /// The structure is damaged.
    #[error("key is malformed")]
    Malformed,
    /// The private key is encrypted.
    #[error("private key is encrypted: decrypt it first, as with `openssl pkey -in FILE`")]
    Encrypted,
    /// The password is not the private key's.
    #[error("the password does not open the private key")]
    Password,
    /// A public exponent that is even, below 65537 or above 33 bits.
    #[error("RSA public exponent is not odd and from 65537 to 33 bits")]
    RsaExponent,
    /// The numbers of the key contradict each other.
    #[error("key is inconsistent: its halves do not belong together")]
    Inconsistent,
}

/// The kind of a key pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// RSA of 2048 bits or more; signs with PSS and SHA-256.
    Rsa,
}

impl KeyKind {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa-pss-sha256",
        }
    }

    fn algorithm(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ed25519 => &ED25519,
            Self::Rsa => &RSA_PSS_2048_8192_SHA256,
        }
    }
}

/// A public key that passed the checks: Ed25519, or RSA of 2048 to 8192 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: KeyKind,
    spki: Vec<u8>,
    raw: Vec<u8>,
}

pub(crate) const ED25519_SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
pub(crate) const RSA_OID: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

impl PublicKey {
    /// Reads a PEM text with a `PUBLIC KEY` block (RFC 7468, section 13).
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let bounded = text.get(..text.len().min(MAX_PEM_BYTES)).unwrap_or_default();
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(bounded)
            .map_err(|_| KeyError::NotPem { wanted: "public" })?;
        Self::from_spki(spki.as_ref())
    }

    /// Reads what people have: PEM, or a line of OpenSSH.
    pub fn from_text(text: &[u8]) -> Result<Self, KeyError> {
        let bounded = text.get(..text.len().min(MAX_PEM_BYTES)).unwrap_or_default();
        match std::str::from_utf8(bounded).ok().and_then(crate::openssh::spki) {
            Some(spki) => Self::from_spki(&spki?),
            None => Self::from_pem(bounded),
        }
    }

    /// An Ed25519 key from its point.
    pub(crate) fn ed25519(point: &[u8; 32]) -> Result<Self, KeyError> {
        Self::from_spki(&[ED25519_SPKI_PREFIX.as_slice(), point].concat())
    }

    /// How long its signatures are.
    pub fn signature_bytes(&self) -> usize {
        match self.kind {
            KeyKind::Ed25519 => 64,
            KeyKind::Rsa => rsa_bits(&self.spki).map_or(0, |bits| bits.div_ceil(8)),
        }
    }

    /// SHA-256 of its `SubjectPublicKeyInfo`: what people compare.
    pub fn fingerprint(&self) -> crate::Digest {
        crate::sha256(&self.spki)
    }

    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        if let Some(raw) = spki.strip_prefix(&ED25519_SPKI_PREFIX) {
            if raw.len() != 32 {
                return Err(KeyError::Malformed);
            }
            return Ok(Self { kind: KeyKind::Ed25519, spki: spki.to_vec(), raw: raw.to_vec() });
        }
        if !spki.get(..32.min(spki.len())).unwrap_or_default().windows(RSA_OID.len()).any(|w| w == RSA_OID) {
            return Err(KeyError::Unsupported);
        }
        let bits = rsa_bits(spki)?;
        if !(2048..=8192).contains(&bits) {
            return Err(KeyError::RsaSize { bits });
        }
        Ok(Self { kind: KeyKind::Rsa, spki: spki.to_vec(), raw: spki.to_vec() })
    }

    /// Its kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Verifies a signature over a message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        UnparsedPublicKey::new(self.kind.algorithm(), &self.raw)
            .verify(message, signature)
            .map_err(|_| Rejected)
    }
}

/// The modulus size of an RSA public key, by the library's own parser.
fn rsa_bits(spki: &[u8]) -> Result<usize, KeyError> {
    let key =
        aws_lc_rs::rsa::PublicEncryptingKey::from_der(spki).map_err(|_| match der_modulus_bits(spki) {
            Some(bits) if !(2048..=8192).contains(&bits) => KeyError::RsaSize { bits },
            _ => KeyError::Malformed,
        })?;
    Ok(key.key_size_bits())
}

/// The size of the first large INTEGER in a `SubjectPublicKeyInfo`; only words an error message.
fn der_modulus_bits(spki: &[u8]) -> Option<usize> {
    let at = spki.windows(RSA_OID.len()).position(|window| window == RSA_OID)?;
    let rest = spki.get(at + RSA_OID.len()..)?;
    // NULL, BIT STRING, SEQUENCE, INTEGER: every length here is below 64 KiB
    let mut at = rest.strip_prefix(&[0x05, 0x00])?;
    for (tag, skip) in [(0x03_u8, 1_usize), (0x30, 0)] {
        let (found, body) = der_head(at)?;
        (found == tag).then_some(())?;
        at = body.get(skip..)?;
    }
    let (tag, body) = der_head(at)?;
    (tag == 0x02).then_some(())?;
    let length = at.len().checked_sub(body.len())?.checked_sub(2).map(|_| der_length(at))??;
    let leading_zero = usize::from(body.first() == Some(&0));
    length.checked_sub(leading_zero).map(|bytes| bytes * 8)
}

fn der_length(at: &[u8]) -> Option<usize> {
    match at.get(1)? {
        0x81 => at.get(2).map(|byte| usize::from(*byte)),
        0x82 => Some(usize::from(*at.get(2)?) * 256 + usize::from(*at.get(3)?)),
        short if *short < 0x80 => Some(usize::from(*short)),
        _ => None,
    }
}

fn der_head(at: &[u8]) -> Option<(u8, &[u8])> {
    let header = match at.get(1)? {
        0x81 => 3,
        0x82 => 4,
        short if *short < 0x80 => 2,
        _ => return None,
    };
    Some((*at.first()?, at.get(header..)?))
}

enum Signer {
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// A private key that signs.
pub struct PrivateKey(Signer);

impl PrivateKey {
    /// Reads a PEM text with a PKCS#8 or PKCS#1 private key that is not encrypted.
    pub fn from_pem(text: &SecretBytes) -> Result<Self, KeyError> {
        text.expose(|bytes| {
            if crate::pbes2::is_encrypted(bytes) {
                return Err(KeyError::Encrypted);
            }
            let key =
                PrivateKeyDer::from_pem_slice(bytes).map_err(|_| KeyError::NotPem { wanted: "private" })?;
            match &key {
                PrivateKeyDer::Pkcs8(der) => Self::from_pkcs8(der.secret_pkcs8_der()),
                PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der())
                    .map(|pair| Self(Signer::Rsa(Box::new(pair))))
                    .map_err(|_| KeyError::Malformed),
                _ => Err(KeyError::Unsupported),
            }
        })
    }

    /// Reads a PEM text with a PKCS#8 private key that a password opens (PBES2).
    pub fn from_sealed_pem(text: &SecretBytes, password: &SecretBytes) -> Result<Self, KeyError> {
        let opened = text.expose(|bytes| crate::pbes2::open(bytes, password))?;
        // a wrong password may leave something that looks like padding
        opened.expose(Self::from_pkcs8).map_err(|_| KeyError::Password)
    }

    /// Reads a DER PKCS#8 structure (RFC 5958).
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(Self(Signer::Ed25519(pair)));
        }
        RsaKeyPair::from_pkcs8(der)
            .map(|pair| Self(Signer::Rsa(Box::new(pair))))
            .map_err(|_| KeyError::Unsupported)
    }

    /// An Ed25519 key from its 32-byte seed (RFC 8032, section 5.1.5).
    pub fn ed25519_from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(|pair| Self(Signer::Ed25519(pair)))
            .map_err(|_| KeyError::Malformed)
    }

    /// The public half.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        match &self.0 {
            Signer::Ed25519(pair) => {
                let mut spki = ED25519_SPKI_PREFIX.to_vec();
                spki.extend_from_slice(pair.public_key().as_ref());
                PublicKey::from_spki(&spki)
            }
            Signer::Rsa(pair) => {
                let der = pair.public_key().as_der().map_err(|_| KeyError::Malformed)?;
                PublicKey::from_spki(der.as_ref())
            }
        }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Rejected> {
        match &self.0 {
            Signer::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Signer::Rsa(pair) => {
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &aws_lc_rs::rand::SystemRandom::new(), message, &mut out)
                    .map_err(|_| Rejected)?;
                Ok(out)
            }
        }
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey")
    }
}

/// Generates an Ed25519 key pair as PKCS#8 DER.
pub fn generate_ed25519_pkcs8() -> Result<SecretBytes, KeyError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Malformed)?;
    let der = pair.to_pkcs8v1().map_err(|_| KeyError::Malformed)?;
    Ok(SecretBytes::new(der.as_ref().to_vec()))
}

/// Writes a PKCS#8 key as a PEM text (RFC 7468, section 10).
pub fn private_key_pem(pkcs8: &SecretBytes) -> SecretBytes {
    pkcs8.expose(|der| {
        let mut text = String::with_capacity(der.len() * 2 + 80);
        text.push_str("-----BEGIN PRIVATE KEY-----\n");
        let mut encoded = data_encoding::BASE64.encode(der);
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).unwrap_or_default());
            text.push('\n');
        }
        strongroom_secret::wipe(encoded.as_mut_str());
        text.push_str("-----END PRIVATE KEY-----\n");
        SecretBytes::new(text.into_bytes())
    })
}

/// Writes a public key as a PEM text (RFC 7468, section 13).
pub fn public_key_pem(key: &PublicKey) -> String {
    spki_pem(key.spki())
}

/// The same of a DER `SubjectPublicKeyInfo`.
pub(crate) fn spki_pem(spki: &[u8]) -> String {
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in data_encoding::BASE64.encode(spki).as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END PUBLIC KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_key_signs_and_flips_are_rejected() {
        let pem = private_key_pem(&generate_ed25519_pkcs8().unwrap());
        let key = PrivateKey::from_pem(&pem).unwrap();
        let public = PublicKey::from_pem(public_key_pem(&key.public_key().unwrap()).as_bytes()).unwrap();
        let mut signature = key.sign(b"message").unwrap();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert_eq!(public.verify(b"massage", &signature), Err(Rejected));
        signature[3] ^= 1;
        assert_eq!(public.verify(b"message", &signature), Err(Rejected));
    }

    #[test]
    fn rsa_key_signs_with_pss() {
        let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let key = PrivateKey(Signer::Rsa(Box::new(pair)));
        let public = key.public_key().unwrap();
        assert_eq!(public.kind(), KeyKind::Rsa);
        let signature = key.sign(b"message").unwrap();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert_eq!(public.verify(b"other", &signature), Err(Rejected));
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn rfc_8032_vector_holds() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = PrivateKey::ed25519_from_seed(&seed.try_into().unwrap()).unwrap();
        assert_eq!(
            key.sign(&[0x72]).unwrap(),
            hex(concat!(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
                "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ))
        );
    }

    #[test]
    fn short_rsa_and_strange_keys_are_named() {
        // an RSA-1024 public key made for this test
        let pem = "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdlatRjRjogo3WojgGHFHYLugdUWAY9iR3fy4arWNA1KoS8kVw33cJibXr8bvwUAUparCwlvdbH6dvEOfou0/gCFQsHUfQrSDv+MuSUMAe8jzKE4qW+jK+xQU9a03GUnKHkkle+Q0pX/g6jXZ7r1/xAK5Do2kQ+X5xK9cipRgEKwIDAQAB\n-----END PUBLIC KEY-----\n";
        assert_eq!(PublicKey::from_pem(pem.as_bytes()), Err(KeyError::RsaSize { bits: 1024 }));
        assert_eq!(PublicKey::from_pem(b"hello"), Err(KeyError::NotPem { wanted: "public" }));
        assert_eq!(PublicKey::from_spki(&[0x30, 0x01]), Err(KeyError::Unsupported));
        let mut ed = ED25519_SPKI_PREFIX.to_vec();
        ed.push(1);
        assert_eq!(PublicKey::from_spki(&ed), Err(KeyError::Malformed));
    }
}
