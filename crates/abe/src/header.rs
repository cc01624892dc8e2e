//! The header: what travels before the records that its key seals.

use strongroom_crypto::{Digest, sha256_parts};

use crate::curve::{G1_BYTES, G2_BYTES};
use crate::policy::{MAX_POLICY_BYTES, Policy};
use crate::rights::{MAX_RIGHTS, WRAPPED_BYTES, rights_of};
use crate::wire::{Fields, FormatError, put_short};

/// Longest header in bytes.
pub const MAX_HEADER_BYTES: usize = 200 * 1024;

const WHAT: &str = "header";
/// Three points of the second group come first.
pub(crate) const ZERO_BYTES: usize = 3 * G2_BYTES;
/// Three points of the first group a leaf.
pub(crate) const ROW_BYTES: usize = 3 * G1_BYTES;

/// What has to be broken to read without a right to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// FAME on BLS12-381 alone: a quantum computer opens it.
    Pairing,
    /// FAME, and X-Wing for each right: both must be broken.
    PairingAndRights,
}

impl Suite {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Pairing => 1,
            Self::PairingAndRights => 2,
        }
    }
}

/// A key under a policy.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    pub(crate) suite: Suite,
    pub(crate) authority: Digest,
    pub(crate) policy: Policy,
    /// The points of the pairing's ciphertext.
    pub(crate) points: Vec<u8>,
    /// The seed under its mask.
    pub(crate) masked: [u8; 32],
    /// A ciphertext and a masked secret for each right; empty without rights.
    pub(crate) rights: Vec<u8>,
    pub(crate) commitment: Digest,
}

impl Header {
    /// Reads a header. Its points are read when it is opened.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_HEADER_BYTES {
            return Err(FormatError::Length { what: WHAT });
        }
        let mut fields = Fields::of(WHAT, bytes)?;
        let suite = match fields.byte()? {
            1 => Suite::Pairing,
            2 => Suite::PairingAndRights,
            _ => return fields.field("suite", None),
        };
        let authority = *fields.array()?;
        let length = fields.short()?;
        let text = std::str::from_utf8(fields.bytes(length)?).ok();
        let policy = fields.field("policy", text.and_then(Policy::parse_canonical))?;
        let points = fields.bytes(ZERO_BYTES + policy.leaves() * ROW_BYTES)?.to_vec();
        let masked = *fields.array()?;
        let rights = read_rights(&mut fields, suite, &policy)?;
        let commitment = *fields.array()?;
        fields.end()?;
        Ok(Self { suite, authority, policy, points, masked, rights, commitment })
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let policy = self.policy.as_str().as_bytes();
        let mut out = Vec::with_capacity(128 + policy.len() + self.points.len() + self.rights.len());
        out.extend_from_slice(&[1, self.suite.number()]);
        out.extend_from_slice(&self.authority);
        put_short(&mut out, policy.len());
        out.extend_from_slice(policy);
        out.extend_from_slice(&self.points);
        out.extend_from_slice(&self.masked);
        if self.suite == Suite::PairingAndRights {
            put_short(&mut out, self.rights.len() / WRAPPED_BYTES);
            out.extend_from_slice(&self.rights);
        }
        out.extend_from_slice(&self.commitment);
        out
    }

    /// Whom it is for. Anybody reads this.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What protects it.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The authority whose members it is for, by the digest of its public key.
    pub fn authority(&self) -> &Digest {
        &self.authority
    }

    /// The digest of the pairing's ciphertext.
    pub(crate) fn pairing_part(points: &Digest, masked: &[u8; 32]) -> Digest {
        sha256_parts(&[b"strongroom-abe pairing part", points, masked])
    }
}

fn read_rights(fields: &mut Fields<'_>, suite: Suite, policy: &Policy) -> Result<Vec<u8>, FormatError> {
    if suite == Suite::Pairing {
        return Ok(Vec::new());
    }
    let count = fields.short()?;
    fields.field("number of rights", (1..=MAX_RIGHTS).contains(&count).then_some(()))?;
    let rights = fields.field("policy for rights", rights_of(policy).ok())?;
    fields.field("number of rights", (rights.len() == count).then_some(()))?;
    Ok(fields.bytes(count * WRAPPED_BYTES)?.to_vec())
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Header({:?}, {})", self.suite, self.policy)
    }
}

const _: () = assert!(MAX_POLICY_BYTES <= u16::MAX as usize, "a policy's length has two bytes");
