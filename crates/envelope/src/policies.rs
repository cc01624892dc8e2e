//! Policies made ready for an epoch's batches, and remarks on policies that nobody or everybody satisfies.

use std::fmt;
use std::sync::Arc;

use strongroom_abe::{
    Attribute, AttributeSet, EncapsulateError, Policy, Prepared, PublicKey, RightKeys, Suite, rights_of,
};
use strongroom_crypto::Digest;

use crate::epoch::{EpochError, policy_at, right_at};
use crate::keys::policy_digest;

/// Most policies of a batch.
pub const MAX_POLICIES: usize = 64;
/// Leaves of all policies together up to which tables are made: 18 kB a leaf.
const MAX_TABLED_LEAVES: usize = 256;

/// For whom something is sealed, and against whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyAndSuite {
    /// Who may open it; without epochs.
    pub policy: Policy,
    /// What has to be broken to open it without a right to.
    pub suite: Suite,
}

/// Why no batch can be sealed under policies.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// None, or more than [`MAX_POLICIES`].
    #[error("a batch has 1 to {MAX_POLICIES} policies, not {found}")]
    Number {
        /// How many.
        found: usize,
    },
    /// One stands there twice.
    #[error("policy {policy} stands there twice")]
    Twice {
        /// Which.
        policy: Policy,
    },
    /// It does not go into an epoch.
    #[error("policy {policy}: {source}")]
    Epoch {
        /// Which.
        policy: Policy,
        /// Why.
        source: EpochError,
    },
    /// Nothing can be encrypted under it.
    #[error("policy {policy}: {source}")]
    Encapsulate {
        /// Which.
        policy: Policy,
        /// Why.
        source: EncapsulateError,
    },
}

/// Policies made ready at one epoch. Cloning shares what was made ready.
#[derive(Clone)]
pub struct PolicySet(Arc<Ready>);

struct Ready {
    authority: Digest,
    epoch: u64,
    entries: Vec<Entry>,
    rights: RightKeys,
}

/// One policy, ready.
pub(crate) struct Entry {
    pub(crate) given: PolicyAndSuite,
    pub(crate) digest: Digest,
    pub(crate) prepared: Prepared,
}

impl PolicySet {
    /// Makes policies ready, in the order in which fields will name them. `rights` are the authority's of this epoch, for
    /// policies of the suite that asks for them.
    pub fn prepare(
        public: &PublicKey,
        epoch: u64,
        policies: &[PolicyAndSuite],
        rights: &RightKeys,
    ) -> Result<Self, PolicyError> {
        if !(1..=MAX_POLICIES).contains(&policies.len()) {
            return Err(PolicyError::Number { found: policies.len() });
        }
        let leaves: usize = policies.iter().map(|given| given.policy.leaves()).sum();
        let mut entries: Vec<Entry> = Vec::with_capacity(policies.len());
        for given in policies {
            if entries.iter().any(|entry| entry.given == *given) {
                return Err(PolicyError::Twice { policy: given.policy.clone() });
            }
            let entry = prepare_one(public, epoch, given, rights)?;
            let has_tables = leaves <= MAX_TABLED_LEAVES;
            entries.push(if has_tables { entry.with_tables() } else { entry });
        }
        let (authority, rights) = (*public.digest(), rights.clone());
        Ok(Self(Arc::new(Ready { authority, epoch, entries, rights })))
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.0.epoch
    }

    /// The authority, by the digest of its public key.
    pub fn authority(&self) -> &Digest {
        &self.0.authority
    }

    /// The policies in their order.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = &PolicyAndSuite> {
        self.0.entries.iter().map(|entry| &entry.given)
    }

    /// The place of a policy, for fields to name.
    pub fn place(&self, wanted: &PolicyAndSuite) -> Option<u16> {
        self.policies().position(|given| given == wanted).and_then(|place| u16::try_from(place).ok())
    }

    /// What may be wrong with the policies, given what attributes there are.
    pub fn remarks(&self, known: &AttributeSet) -> Vec<Remark> {
        self.policies().flat_map(|given| remark(&given.policy, known)).collect()
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0.entries
    }

    pub(crate) fn entry(&self, policy: &Policy, suite: Suite) -> Option<&Entry> {
        self.0.entries.iter().find(|entry| entry.given.policy == *policy && entry.given.suite == suite)
    }

    pub(crate) fn rights(&self) -> &RightKeys {
        &self.0.rights
    }
}

impl Entry {
    fn with_tables(self) -> Self {
        Self { prepared: self.prepared.with_tables(), ..self }
    }
}

fn prepare_one(
    public: &PublicKey,
    epoch: u64,
    given: &PolicyAndSuite,
    rights: &RightKeys,
) -> Result<Entry, PolicyError> {
    let policy = given.policy.clone();
    let in_epoch = |source| PolicyError::Epoch { policy: policy.clone(), source };
    let sealing = |source| PolicyError::Encapsulate { policy: policy.clone(), source };
    let at = policy_at(&given.policy, epoch).map_err(in_epoch)?;
    let prepared = public.prepare(&at).map_err(sealing)?;
    if given.suite == Suite::PairingAndRights {
        let own = rights_of(&given.policy).map_err(|error| sealing(error.into()))?;
        for right in own {
            let at = right_at(&right, epoch).map_err(in_epoch)?;
            if !rights.iter().any(|(known, _)| *known == at) {
                return Err(sealing(EncapsulateError::UnknownRight { right: at }));
            }
        }
    }
    let digest = policy_digest(given.suite, given.policy.as_str());
    Ok(Entry { given: given.clone(), digest, prepared })
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.policies()).finish()
    }
}

/// What the author of a policy may not have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Attributes that no member has: misspelt, or not given yet.
    Unknown {
        /// The policy.
        policy: Policy,
        /// Which.
        attributes: Vec<Attribute>,
    },
    /// Not even who had every known attribute could open it.
    Nobody {
        /// The policy.
        policy: Policy,
    },
    /// Each known attribute alone opens it: whoever has any reads it.
    Everybody {
        /// The policy.
        policy: Policy,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { policy, attributes } => {
                let names: Vec<&str> = attributes.iter().map(Attribute::as_str).collect();
                write!(f, "policy {policy}: no member has {}", names.join(", "))
            }
            Self::Nobody { policy } => write!(f, "policy {policy}: nobody satisfies it"),
            Self::Everybody { policy } => {
                write!(f, "policy {policy}: whoever has any attribute at all satisfies it")
            }
        }
    }
}

/// Remarks on one policy, given all attributes that any member has.
pub fn remark(policy: &Policy, known: &AttributeSet) -> Vec<Remark> {
    let (mut remarks, policy) = (Vec::new(), policy.clone());
    let attributes = policy.unknown(known);
    if !attributes.is_empty() {
        remarks.push(Remark::Unknown { policy: policy.clone(), attributes });
    }
    let alone = |attribute: &Attribute| {
        AttributeSet::parse([attribute.as_str()]).is_ok_and(|set| policy.is_satisfied_by(&set))
    };
    if !policy.is_satisfied_by(known) {
        remarks.push(Remark::Nobody { policy });
    } else if known.iter().all(alone) {
        remarks.push(Remark::Everybody { policy });
    }
    remarks
}
