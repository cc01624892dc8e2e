//! Key pairs that people keep: read from what tools write, checked, generated, and written in one form.
//!
//! Read are PEM and DER of PKCS#8 (RFC 5958), PKCS#1 (RFC 8017, appendix A.1.2) and SEC1 (RFC 5915); written is PKCS#8.

use crate::sign::{KeyError, MAX_PEM_BYTES, private_key_pem, spki_pem};
use crate::{Digest, Rejected, sha256};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use strongroom_secret::SecretBytes;

/// The smallest and the largest RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The smallest public exponent: smaller ones have a history, and nobody needs them.
const MIN_EXPONENT: u64 = 65_537;

/// What a key pair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaterialKind {
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// ECDSA over P-256.
    EcP256,
    /// ECDSA over P-384.
    EcP384,
    /// Ed25519.
    Ed25519,
}

impl MaterialKind {
    /// Its name: `rsa-3072`, `ec-p256`, `ec-p384`, `ed25519`.
    pub fn name(self) -> String {
        match self {
            Self::Rsa(bits) => format!("rsa-{bits}"),
            Self::EcP256 => "ec-p256".to_owned(),
            Self::EcP384 => "ec-p384".to_owned(),
            Self::Ed25519 => "ed25519".to_owned(),
        }
    }

    /// Of a name, if such a key can be generated.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::EcP256, Self::EcP384, Self::Ed25519, Self::Rsa(2048), Self::Rsa(3072), Self::Rsa(4096)]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A key pair whose halves belong together.
pub struct KeyMaterial {
    kind: MaterialKind,
    pkcs8: SecretBytes,
    spki: Vec<u8>,
}

impl KeyMaterial {
    /// Generates a key pair: RSA of 2048, 3072 or 4096 bits takes up to seconds.
    pub fn generate(kind: MaterialKind) -> Result<Self, KeyError> {
        match kind {
            MaterialKind::Rsa(bits) => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(KeyError::RsaSize { bits }),
                };
                Self::of_rsa(&RsaKeyPair::generate(size).map_err(|_| KeyError::Malformed)?)
            }
            MaterialKind::EcP256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
                Self::of_ec(kind, &pair.map_err(|_| KeyError::Malformed)?)
            }
            MaterialKind::EcP384 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING);
                Self::of_ec(kind, &pair.map_err(|_| KeyError::Malformed)?)
            }
            MaterialKind::Ed25519 => {
                Self::of_ed25519(&Ed25519KeyPair::generate().map_err(|_| KeyError::Malformed)?)
            }
        }
    }

    /// Reads a private key, PEM or DER, that is not encrypted.
    pub fn read(input: &[u8]) -> Result<Self, KeyError> {
        if input.len() > MAX_PEM_BYTES {
            return Err(KeyError::Malformed);
        }
        if !holds(input, b"-----BEGIN ") {
            return Self::read_der(input);
        }
        if holds(input, b"BEGIN ENCRYPTED PRIVATE KEY") || holds(input, b"Proc-Type: 4,ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        match PrivateKeyDer::from_pem_slice(input).map_err(|_| KeyError::NotPem { wanted: "private" })? {
            PrivateKeyDer::Pkcs8(der) => Self::read_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => Self::read_pkcs1(der.secret_pkcs1_der()),
            PrivateKeyDer::Sec1(der) => Self::read_sec1(der.secret_sec1_der()),
            _ => Err(KeyError::Unsupported),
        }
    }

    fn read_der(der: &[u8]) -> Result<Self, KeyError> {
        let readers = [Self::read_pkcs8, Self::read_pkcs1, Self::read_sec1];
        let mut telling = KeyError::Malformed;
        for read in readers {
            match read(der) {
                Err(KeyError::Malformed | KeyError::Unsupported) => {}
                // a size, an exponent: what it is was told from what it is not
                Err(fault) => telling = fault,
                read => return read,
            }
        }
        Err(telling)
    }

    fn read_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Some(inner) = rsa_of_pkcs8(der) {
            check_numbers(inner)?;
            return Self::of_rsa(&RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Inconsistent)?);
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Self::of_ed25519(&pair);
        }
        Self::first_curve(|algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).ok())
    }

    fn read_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        check_numbers(der)?;
        Self::of_rsa(&RsaKeyPair::from_der(der).map_err(|_| KeyError::Inconsistent)?)
    }

    fn read_sec1(der: &[u8]) -> Result<Self, KeyError> {
        Self::first_curve(|algorithm| EcdsaKeyPair::from_private_key_der(algorithm, der).ok())
    }

    fn first_curve(
        read: impl Fn(&'static EcdsaSigningAlgorithm) -> Option<EcdsaKeyPair>,
    ) -> Result<Self, KeyError> {
        let curves = [
            (MaterialKind::EcP256, &ECDSA_P256_SHA256_ASN1_SIGNING),
            (MaterialKind::EcP384, &ECDSA_P384_SHA384_ASN1_SIGNING),
        ];
        let found = curves.into_iter().find_map(|(kind, algorithm)| Some((kind, read(algorithm)?)));
        let (kind, pair) = found.ok_or(KeyError::Unsupported)?;
        Self::of_ec(kind, &pair)
    }

    fn of_rsa(pair: &RsaKeyPair) -> Result<Self, KeyError> {
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(pair);
        let spki = pair.public_key().as_der().map_err(|_| KeyError::Malformed)?.as_ref().to_vec();
        let pkcs8 = SecretBytes::new(pkcs8.map_err(|_| KeyError::Malformed)?.as_ref().to_vec());
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), PROBE, &mut signature)
            .map_err(|_| KeyError::Inconsistent)?;
        probe(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref(), &signature)?;
        Ok(Self { kind: MaterialKind::Rsa(pair.public_modulus_len() * 8), pkcs8, spki })
    }

    fn of_ec(kind: MaterialKind, pair: &EcdsaKeyPair) -> Result<Self, KeyError> {
        let spki = pair.public_key().as_der().map_err(|_| KeyError::Malformed)?.as_ref().to_vec();
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Malformed)?;
        let signature =
            pair.sign(&aws_lc_rs::rand::SystemRandom::new(), PROBE).map_err(|_| KeyError::Inconsistent)?;
        let algorithm =
            if kind == MaterialKind::EcP384 { &ECDSA_P384_SHA384_ASN1 } else { &ECDSA_P256_SHA256_ASN1 };
        probe(algorithm, pair.public_key().as_ref(), signature.as_ref())?;
        Ok(Self { kind, pkcs8: SecretBytes::new(pkcs8.as_ref().to_vec()), spki })
    }

    fn of_ed25519(pair: &Ed25519KeyPair) -> Result<Self, KeyError> {
        let spki = pair.public_key().as_der().map_err(|_| KeyError::Malformed)?.as_ref().to_vec();
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Malformed)?;
        probe(&ED25519, pair.public_key().as_ref(), pair.sign(PROBE).as_ref())?;
        Ok(Self { kind: MaterialKind::Ed25519, pkcs8: SecretBytes::new(pkcs8.as_ref().to_vec()), spki })
    }

    /// What it is.
    pub fn kind(&self) -> MaterialKind {
        self.kind
    }

    /// The private half as PKCS#8 DER.
    pub fn pkcs8(&self) -> &SecretBytes {
        &self.pkcs8
    }

    /// The private half as PKCS#8 PEM.
    pub fn private_pem(&self) -> SecretBytes {
        private_key_pem(&self.pkcs8)
    }

    /// The public half, DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The public half as PEM.
    pub fn public_pem(&self) -> String {
        spki_pem(&self.spki)
    }

    /// SHA-256 of the public half.
    pub fn fingerprint(&self) -> Digest {
        sha256(&self.spki)
    }
}

impl std::fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyMaterial({})", self.kind.name())
    }
}

/// What a fresh or imported pair signs, to see that its halves belong together.
const PROBE: &[u8] = b"strongroom key material probe";

fn probe(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    signature: &[u8],
) -> Result<(), KeyError> {
    UnparsedPublicKey::new(algorithm, key).verify(PROBE, signature).map_err(|_| KeyError::Inconsistent)
}

/// Signature schemes of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateSignature {
    /// `ecdsa-with-SHA256` by a key of P-256 or P-384.
    EcdsaSha256,
    /// `ecdsa-with-SHA384` by a key of P-256, P-384.
    EcdsaSha384,
    /// `ecdsa-with-SHA512` by a key of P-521.
    EcdsaSha512,
    /// `sha256WithRSAEncryption`.
    RsaSha256,
    /// `sha384WithRSAEncryption`.
    RsaSha384,
    /// `sha512WithRSAEncryption`.
    RsaSha512,
    /// RSA-PSS with SHA-256.
    RsaPssSha256,
    /// RSA-PSS with SHA-384.
    RsaPssSha384,
    /// RSA-PSS with SHA-512.
    RsaPssSha512,
    /// Ed25519.
    Ed25519,
}

impl CertificateSignature {
    /// Verifies a signature with the bits of a `SubjectPublicKeyInfo`.
    pub fn verify(self, key_bits: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        use aws_lc_rs::signature as s;
        let algorithms: &[&'static dyn VerificationAlgorithm] = match self {
            Self::EcdsaSha256 => &[&s::ECDSA_P256_SHA256_ASN1, &s::ECDSA_P384_SHA256_ASN1],
            Self::EcdsaSha384 => &[&s::ECDSA_P384_SHA384_ASN1, &s::ECDSA_P256_SHA384_ASN1],
            Self::EcdsaSha512 => &[&s::ECDSA_P521_SHA512_ASN1],
            Self::RsaSha256 => &[&s::RSA_PKCS1_2048_8192_SHA256],
            Self::RsaSha384 => &[&s::RSA_PKCS1_2048_8192_SHA384],
            Self::RsaSha512 => &[&s::RSA_PKCS1_2048_8192_SHA512],
            Self::RsaPssSha256 => &[&s::RSA_PSS_2048_8192_SHA256],
            Self::RsaPssSha384 => &[&s::RSA_PSS_2048_8192_SHA384],
            Self::RsaPssSha512 => &[&s::RSA_PSS_2048_8192_SHA512],
            Self::Ed25519 => &[&ED25519],
        };
        let holds = |algorithm: &&'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(*algorithm, key_bits).verify(message, signature).is_ok()
        };
        if algorithms.iter().any(holds) { Ok(()) } else { Err(Rejected) }
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Judges modulus and exponent of a PKCS#1 private key before the library sees it: it takes smaller ones.
fn check_numbers(pkcs1: &[u8]) -> Result<(), KeyError> {
    let (modulus, exponent) = numbers(pkcs1).ok_or(KeyError::Malformed)?;
    let bits = bits(modulus);
    if !RSA_BITS.contains(&bits) {
        return Err(KeyError::RsaSize { bits });
    }
    let small = exponent.iter().try_fold(0_u64, |value, byte| {
        value.checked_mul(256).and_then(|value| value.checked_add(u64::from(*byte)))
    });
    match small {
        Some(exponent) if (MIN_EXPONENT..1 << 33).contains(&exponent) && exponent % 2 == 1 => Ok(()),
        _ => Err(KeyError::RsaExponent),
    }
}

fn bits(number: &[u8]) -> usize {
    let significant = number.iter().position(|byte| *byte != 0).and_then(|at| number.get(at..));
    let lead = significant.and_then(<[u8]>::first).map_or(0, |byte| byte.leading_zeros());
    significant.map_or(0, <[u8]>::len) * 8 - usize::try_from(lead).unwrap_or(0)
}

/// Modulus and public exponent of a PKCS#1 private key.
fn numbers(pkcs1: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = pkcs1;
    let mut fields = value(&mut outer, 0x30)?;
    outer.is_empty().then_some(())?;
    value(&mut fields, 0x02)?;
    Some((value(&mut fields, 0x02)?, value(&mut fields, 0x02)?))
}

/// The PKCS#1 key inside of a PKCS#8 structure of an RSA key.
fn rsa_of_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let mut outer = der;
    let mut fields = value(&mut outer, 0x30)?;
    value(&mut fields, 0x02)?;
    let algorithm = value(&mut fields, 0x30)?;
    algorithm.starts_with(&crate::sign::RSA_OID).then_some(())?;
    value(&mut fields, 0x04)
}

/// Takes one DER value of a tag off the front (ITU-T X.690, section 8.1), at most 64 KiB.
fn value<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (head, after) = rest.split_first()?;
    (*head == tag).then_some(())?;
    let (first, after) = after.split_first()?;
    let (length, after) = match first {
        0x81 => after.split_first().map(|(byte, after)| (usize::from(*byte), after))?,
        0x82 => {
            let (bytes, after) = after.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*bytes)), after)
        }
        short if *short < 0x80 => (usize::from(*short), after),
        _ => return None,
    };
    let (body, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(body)
}

#[cfg(test)]
mod tests;
