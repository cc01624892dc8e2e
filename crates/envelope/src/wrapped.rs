//! Keys on their way to a member: sealed to the member's public key, bound to what they are and whom they are for.

use strongroom_ambient::Ambient;
use strongroom_crypto::{
    Digest, KEM_CIPHERTEXT_BYTES, KemPublicKey, KemSecretKey, SealingKey, TAG_BYTES, derive_key, sha256,
};
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::MemberId;

use crate::keys::NONCE;
use strongroom_abe::wire::{Fields, FormatError};

/// Longest wrapped text in bytes.
pub const MAX_WRAPPED_BYTES: usize = crate::MAX_BUNDLE_BYTES + 1 + KEM_CIPHERTEXT_BYTES + TAG_BYTES;
const WHAT: &str = "wrapped keys";

/// What is wrapped: a text of one purpose is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A [`crate::KeyBundle`].
    MemberKeys,
    /// An [`crate::IndexBundle`].
    IndexKeys,
}

/// Whom it is for, and from whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// What it is.
    pub purpose: Purpose,
    /// The member.
    pub member: MemberId,
    /// The authority, by the digest of its FAME public key.
    pub authority: Digest,
}

/// Why wrapped keys do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// They are none.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Changed, or wrapped to another key, for another purpose, member or authority.
    #[error("wrapped keys are rejected: changed, or not wrapped for this key, member, authority and purpose")]
    Rejected,
}

impl Recipient {
    fn context(&self) -> Vec<u8> {
        let purpose = match self.purpose {
            Purpose::MemberKeys => 1,
            Purpose::IndexKeys => 2,
        };
        let label: &[u8] = b"strongroom-envelope recipient";
        [label, &[purpose], &self.member.0, &self.authority].concat()
    }
}

/// Seals a secret to a member's public key.
pub fn wrap(ambient: &Ambient, to: &KemPublicKey, recipient: &Recipient, secret: &SecretBytes) -> Vec<u8> {
    let (ciphertext, shared) = to.encapsulate(ambient);
    let context = recipient.context();
    let mut out = Vec::with_capacity(1 + ciphertext.len() + secret.len() + TAG_BYTES);
    out.push(1);
    out.extend_from_slice(&ciphertext);
    let key = key(&shared, &ciphertext, to, &context);
    secret.expose(|secret| key.seal_into(&NONCE, &context, secret, &mut out));
    out
}

/// Opens what [`wrap`] sealed.
pub fn unwrap(own: &KemSecretKey, recipient: &Recipient, wrapped: &[u8]) -> Result<SecretBytes, UnwrapError> {
    let mut fields = Fields::within(WHAT, wrapped, MAX_WRAPPED_BYTES)?;
    let ciphertext = fields.bytes(KEM_CIPHERTEXT_BYTES)?;
    let sealed = fields.bytes(fields.left())?;
    let shared = own.decapsulate(ciphertext).map_err(|_| UnwrapError::Rejected)?;
    let context = recipient.context();
    let key = key(&shared, ciphertext, &own.public_key(), &context);
    key.open(&NONCE, &context, sealed).map_err(|_| UnwrapError::Rejected)
}

/// The shared secret is fresh: so is the key, which seals once.
fn key(shared: &SecretArray<32>, ciphertext: &[u8], to: &KemPublicKey, context: &[u8]) -> SealingKey {
    let bound: [&[u8]; 4] =
        [b"strongroom-envelope member", &sha256(ciphertext), &to.digest(), &sha256(context)];
    shared.expose(|shared| derive_key(shared, &bound)).expose(SealingKey::new)
}
