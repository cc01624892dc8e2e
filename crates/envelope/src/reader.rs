//! A reader: a member's keys, and what they open.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use strongroom_abe::{AttributeSet, DecapsulateError, MemberKey, Policy, Prepared, PublicKey, RightSecrets};

use crate::FormatError;
use crate::bundle::KeyBundle;
use crate::header::{BatchHeader, PolicyOf, Wrap};
use crate::keys::PolicyKey;
use crate::open::{OpenBatch, OpenPolicy};

/// Policies that are kept ready: making one ready costs about as much as opening a header.
const MAX_READY: usize = 64;
/// Headers of one policy after which tables pay for themselves,
const TABLED_AFTER: u32 = 3;
/// and leaves up to which they are made: 18 kB each.
const MAX_TABLED_LEAVES: usize = 16;

/// One member's keys. Cheap to share between threads behind a reference.
pub struct Reader {
    public: PublicKey,
    keys: BTreeMap<u64, MemberKey>,
    rights: RightSecrets,
    ready: Mutex<BTreeMap<String, Ready>>,
}

/// A policy made ready, and how often it was asked for.
struct Ready {
    prepared: Prepared,
    uses: u32,
}

/// Why the fields of a policy stay sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Locked {
    /// The batch is of another authority's members.
    #[error("sealed for members of another authority")]
    OtherAuthority,
    /// The reader has no key of that epoch.
    #[error("no key of epoch {epoch}")]
    NoKey {
        /// The epoch.
        epoch: u64,
    },
    /// The reader's attributes do not satisfy the policy.
    #[error("attributes do not satisfy the policy")]
    NotSatisfied,
    /// The wrap is not what the collector, or who wrapped anew, wrote; or it opens to another key than the batch's.
    #[error("header of the batch is rejected: it was changed, or opens to another key than it commits to")]
    Rejected,
}

impl Reader {
    /// Of a member that has no keys yet.
    pub fn new(public: PublicKey) -> Self {
        let (keys, ready) = (BTreeMap::new(), Mutex::new(BTreeMap::new()));
        Self { public, keys, rights: RightSecrets::none(), ready }
    }

    /// Of a member with the keys that its authority delivered.
    pub fn with_bundle(public: PublicKey, bundle: &KeyBundle) -> Result<Self, FormatError> {
        let mut reader = Self::new(public);
        for (epoch, key) in &bundle.epochs {
            reader.add_key(*epoch, MemberKey::from_bytes(key)?);
        }
        reader.set_rights(RightSecrets::from_bytes(&bundle.rights)?);
        Ok(reader)
    }

    /// Adds the key of an epoch.
    pub fn add_key(&mut self, epoch: u64, key: MemberKey) {
        self.keys.insert(epoch, key);
    }

    /// The secrets of rights, for policies of the post-quantum suite.
    pub fn set_rights(&mut self, rights: RightSecrets) {
        self.rights = rights;
    }

    /// Epochs that it has keys of.
    pub fn epochs(&self) -> impl Iterator<Item = u64> {
        self.keys.keys().copied()
    }

    /// Whether it has the key of an epoch.
    pub fn has_epoch(&self, epoch: u64) -> bool {
        self.keys.contains_key(&epoch)
    }

    /// The authority's public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Opens as much of a batch as the keys reach. Costs some milliseconds a policy: keep the answer for all its records.
    pub fn open_batch(&self, header: &BatchHeader) -> OpenBatch {
        let wraps = header.policies.iter().zip(&header.wraps).enumerate();
        let open = |(place, (policy, wrap)): (usize, (&PolicyOf, &Wrap))| OpenPolicy {
            digest: policy.digest,
            key: self.open_policy(header, place, policy, wrap),
        };
        OpenBatch::new(header, wraps.map(open).collect())
    }

    fn open_policy(
        &self,
        header: &BatchHeader,
        place: usize,
        policy: &PolicyOf,
        wrap: &Wrap,
    ) -> Result<PolicyKey, Locked> {
        if !header.is_of(&self.public) {
            return Err(Locked::OtherAuthority);
        }
        let member = self.keys.get(&wrap.epoch).ok_or(Locked::NoKey { epoch: wrap.epoch })?;
        let at = wrap.header.policy();
        if !at.is_satisfied_by(&attributes_of(member)) {
            return Err(Locked::NotSatisfied);
        }
        let context = header.context(place, wrap.epoch);
        let prepared = self.prepared(at)?;
        let shared =
            prepared.decapsulate(member, &self.rights, &wrap.header, &context).map_err(
                |error| match error {
                    DecapsulateError::OtherAuthority => Locked::OtherAuthority,
                    DecapsulateError::NotSatisfied => Locked::NotSatisfied,
                    DecapsulateError::Rejected => Locked::Rejected,
                },
            )?;
        let key = PolicyKey::unwrap(&shared, &context, &wrap.key).ok_or(Locked::Rejected)?;
        let is_committed = key.is_committed(&header.batch.0, &policy.digest, &policy.commitment);
        if is_committed { Ok(key) } else { Err(Locked::Rejected) }
    }

    fn prepared(&self, policy: &Policy) -> Result<Prepared, Locked> {
        if let Some(ready) = self.ready.lock().get_mut(policy.as_str()) {
            ready.uses = ready.uses.saturating_add(1);
            if ready.uses == TABLED_AFTER && policy.leaves() <= MAX_TABLED_LEAVES {
                ready.prepared = ready.prepared.with_tables();
            }
            return Ok(ready.prepared.clone());
        }
        // an honest batch has a policy within the authority's uses
        let prepared = self.public.prepare(policy).map_err(|_| Locked::Rejected)?;
        let mut ready = self.ready.lock();
        if ready.len() >= MAX_READY {
            ready.clear();
        }
        ready.insert(policy.as_str().to_owned(), Ready { prepared: prepared.clone(), uses: 1 });
        Ok(prepared)
    }
}

/// Those of a key: cheap to ask, so that nothing is made ready for what will not open.
fn attributes_of(member: &MemberKey) -> AttributeSet {
    let mut all = AttributeSet::default();
    // a key has no more than a set may have
    member.attributes().for_each(|attribute| drop(all.insert(attribute.clone())));
    all
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({} epochs)", self.keys.len())
    }
}
