//! The public key: with it anybody encrypts for whoever satisfies a policy.

use std::sync::Arc;

use strongroom_crypto::{Digest, sha256};

use crate::bases::Bases;
use crate::curve::{G2_BYTES, G2Affine, TARGET_BYTES, Target, TargetComb};
use crate::wire::{Fields, FormatError};

/// Length of an encoded public key.
pub const PUBLIC_KEY_BYTES: usize = 2 + 2 * G2_BYTES + 2 * TARGET_BYTES;
/// Most uses of an attribute in one policy that an authority can provide for.
pub const MAX_USES: u8 = 16;

const WHAT: &str = "public key";

/// The public key of an authority, made ready. Cloning shares what was made ready.
#[derive(Clone)]
pub struct PublicKey(Arc<Ready>);

struct Ready {
    uses: u8,
    bytes: Vec<u8>,
    digest: Digest,
    /// `h^a1`, `h^a2`.
    raised: [G2Affine; 2],
    /// `e(g,h)^(d1 a1 + d3)`, `e(g,h)^(d2 a2 + d3)`.
    targets: [TargetComb; 2],
    bases: Bases,
}

impl PublicKey {
    pub(crate) fn new(uses: u8, raised: &[G2Affine; 2], targets: &[Target; 2]) -> Self {
        let mut bytes = vec![1, uses];
        bytes.extend(raised.iter().flat_map(G2Affine::bytes));
        bytes.extend(targets.iter().flat_map(Target::bytes));
        let digest = sha256(&bytes);
        let targets = targets.each_ref().map(TargetComb::of);
        Self(Arc::new(Ready { uses, bytes, digest, raised: *raised, targets, bases: Bases::default() }))
    }

    /// Reads a public key. That the bytes are the authority's own is for a signature around them to say.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields = Fields::of(WHAT, bytes)?;
        let uses = fields.byte()?;
        fields.field("number of uses", (1..=MAX_USES).contains(&uses).then_some(()))?;
        let mut raised = || {
            let point = G2Affine::from_bytes(fields.array()?);
            fields.field("point", point)
        };
        let raised = [raised()?, raised()?];
        let mut target = || {
            let element = Target::from_bytes(fields.array()?);
            fields.field("element", element)
        };
        let targets = [target()?, target()?];
        fields.end()?;
        Ok(Self::new(uses, &raised, &targets))
    }

    /// The encoding, of [`PUBLIC_KEY_BYTES`].
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// What keys and ciphertexts name their authority by.
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// In how many places of one policy an attribute may stand.
    pub fn uses(&self) -> u8 {
        self.0.uses
    }

    pub(crate) fn raised(&self) -> &[G2Affine; 2] {
        &self.0.raised
    }

    pub(crate) fn targets(&self) -> &[TargetComb; 2] {
        &self.0.targets
    }

    pub(crate) fn bases(&self) -> &Bases {
        &self.0.bases
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.bytes == other.0.bytes
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicKey")
    }
}
