//! The sole importer of algorithm crates: AEAD, KDF, MAC, digest, sign.
//!
//! **What it is for.** Every other crate names a purpose ("seal this record"); this one names the algorithm.
//!
//! **What it promises.** AES-256-GCM-SIV (RFC 8452) for sealing and wrapping, so that a repeated nonce costs no
//! more than showing equality; HKDF-SHA-256 (RFC 5869); HMAC-SHA-256 (RFC 2104); SHA-256 (FIPS 180-4); Ed25519
//! (RFC 8032); X-Wing (draft 06) for wrapping to a public key; RSA-PSS with SHA-256 (RFC 8017, section 8.1); RSA-OAEP with SHA-512 (section 7.1); argon2id (RFC 9106).
//! AES-128-CBC (SP 800-38A) opens what another system sealed, PBES2 (RFC 8018) private keys with a password; neither seals. A failure to open or verify has one
//! face, [`Rejected`].
//!
//! **What it does not know.** Records, keysets, people.

mod aead;
mod cbc;
mod decoy;
mod digest;
mod kem;
mod material;
mod oaep;
mod openssh;
mod password;
mod pbes2;
mod sign;

pub use aead::{NONCE_BYTES, Nonce, SealingKey, TAG_BYTES};
pub use cbc::open_aes_128_cbc;
pub use decoy::verify_or_decoy;
pub use digest::{Digest, DigestStream, MacKey, derive_key, sha256, sha256_parts};
pub use kem::{KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, KemPublicKey, KemSecretKey};
pub use material::{CertificateSignature, KeyMaterial, MaterialKind};
pub use oaep::{encrypt_or_decoy, encrypt_to};
pub use password::{PasswordCost, PasswordHash};
pub use sign::{
    KeyError, KeyKind, PrivateKey, PublicKey, generate_ed25519_pkcs8, private_key_pem, public_key_pem,
};

/// A ciphertext did not open or a signature did not verify. Why is not said: no answer may help a forger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rejected by authentication")]
pub struct Rejected;
