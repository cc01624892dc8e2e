//! The header of a batch: a fixed part, which records name by its digest, and wraps, which can be replaced.

use strongroom_abe::{Header, MAX_POLICY_BYTES, Policy, PublicKey, Suite};
use strongroom_crypto::{Digest, sha256};
use strongroom_sharing::{BatchId, MemberId};

use crate::epoch::{check_plain, policy_at};
use crate::keys::{PolicyKey, WRAPPED_KEY_BYTES, policy_digest, suite_number};
use crate::policies::{Entry, MAX_POLICIES};
use strongroom_abe::wire::{Fields, FormatError, put_length, put_short};

/// Longest header in bytes.
pub const MAX_HEADER_BYTES: usize = 2 << 20;
const WHAT: &str = "batch header";

/// What comes before the records of a batch.
#[derive(Clone, PartialEq, Eq)]
pub struct BatchHeader {
    pub(crate) authority: Digest,
    pub(crate) collector: MemberId,
    pub(crate) batch: BatchId,
    pub(crate) digest: Digest,
    pub(crate) policies: Vec<PolicyOf>,
    pub(crate) wraps: Vec<Wrap>,
}

/// One policy of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOf {
    /// Who may open it; without epochs.
    pub policy: Policy,
    /// What protects it.
    pub suite: Suite,
    /// What stands for both in what is bound to them.
    pub(crate) digest: Digest,
    /// Of the batch's key for this policy.
    pub(crate) commitment: Digest,
}

/// The batch's key for one policy, for whoever satisfies it in an epoch.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wrap {
    pub(crate) epoch: u64,
    pub(crate) header: Header,
    pub(crate) key: [u8; WRAPPED_KEY_BYTES],
}

impl BatchHeader {
    pub(crate) fn new(
        authority: Digest,
        collector: MemberId,
        batch: BatchId,
        policies: Vec<PolicyOf>,
    ) -> Self {
        let mut header = Self { authority, collector, batch, digest: [0; 32], policies, wraps: Vec::new() };
        header.digest = sha256(&header.fixed());
        header
    }

    /// Reads a header. Whether its keys open, and are those that it commits to, is seen when it is opened.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields = Fields::within(WHAT, bytes, MAX_HEADER_BYTES)?;
        let authority = *fields.array()?;
        let (collector, batch) = (MemberId(*fields.array()?), BatchId(*fields.array()?));
        let count = fields.short()?;
        fields.count("policies", count, MAX_POLICIES)?;
        fields.field("number of policies", (count > 0).then_some(()))?;
        let mut policies: Vec<PolicyOf> = Vec::with_capacity(count);
        for _ in 0..count {
            let next = read_policy(&mut fields)?;
            let is_new = policies.iter().all(|policy| policy.digest != next.digest);
            fields.field("policy: it stands there twice", is_new.then_some(()))?;
            policies.push(next);
        }
        let fixed = bytes.len() - fields.left();
        let digest = sha256(bytes.get(..fixed).unwrap_or_default());
        let mut wraps = Vec::with_capacity(count);
        for policy in &policies {
            wraps.push(read_wrap(&mut fields, &authority, policy)?);
        }
        fields.end()?;
        Ok(Self { authority, collector, batch, digest, policies, wraps })
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.fixed();
        for wrap in &self.wraps {
            out.extend_from_slice(&wrap.epoch.to_be_bytes());
            let header = wrap.header.to_bytes();
            put_length(&mut out, header.len());
            out.extend_from_slice(&header);
            out.extend_from_slice(&wrap.key);
        }
        out
    }

    /// What records name and no wrap changes.
    fn fixed(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 * (1 + self.policies.len()));
        out.push(1);
        out.extend_from_slice(&self.authority);
        out.extend_from_slice(&self.collector.0);
        out.extend_from_slice(&self.batch.0);
        put_short(&mut out, self.policies.len());
        for policy in &self.policies {
            out.push(suite_number(policy.suite));
            put_short(&mut out, policy.policy.as_str().len());
            out.extend_from_slice(policy.policy.as_str().as_bytes());
            out.extend_from_slice(&policy.commitment);
        }
        out
    }

    /// What the batch's records name it by: SHA-256 of the part that no new wrap changes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Which batch.
    pub fn batch(&self) -> BatchId {
        self.batch
    }

    /// Whose.
    pub fn collector(&self) -> MemberId {
        self.collector
    }

    /// The authority whose members it is for, by the digest of its public key.
    pub fn authority(&self) -> &Digest {
        &self.authority
    }

    /// The latest epoch whose members can open something of it: the epoch of all policies, until some are wrapped anew.
    pub fn epoch(&self) -> u64 {
        self.epochs().max().unwrap_or_default()
    }

    /// The epoch of each policy, in their order.
    pub fn epochs(&self) -> impl Iterator<Item = u64> {
        self.wraps.iter().map(|wrap| wrap.epoch)
    }

    /// The policies; fields name them by their places.
    pub fn policies(&self) -> &[PolicyOf] {
        &self.policies
    }

    /// What a wrap is made in: a header moved elsewhere does not open.
    pub(crate) fn context(&self, place: usize, epoch: u64) -> Vec<u8> {
        let mut context = b"strongroom-envelope batch".to_vec();
        context.extend_from_slice(&self.digest);
        put_short(&mut context, place);
        context.extend_from_slice(&epoch.to_be_bytes());
        context
    }

    /// The key of one policy, wrapped under an epoch's members.
    pub(crate) fn wrap(
        &self,
        ambient: &strongroom_ambient::Ambient,
        place: usize,
        set: &crate::PolicySet,
        entry: &Entry,
        key: &PolicyKey,
    ) -> Result<Wrap, strongroom_abe::EncapsulateError> {
        let context = self.context(place, set.epoch());
        let (header, shared) = match entry.given.suite {
            Suite::Pairing => entry.prepared.encapsulate(ambient, &context),
            Suite::PairingAndRights => {
                entry.prepared.encapsulate_with_rights(ambient, set.rights(), &context)?
            }
        };
        let mut sealed = Vec::with_capacity(WRAPPED_KEY_BYTES);
        key.wrap(&shared, &context, &mut sealed);
        let mut wrapped = [0; WRAPPED_KEY_BYTES];
        wrapped.iter_mut().zip(&sealed).for_each(|(to, from)| *to = *from);
        Ok(Wrap { epoch: set.epoch(), header, key: wrapped })
    }

    /// Whether it is for members of this authority.
    pub(crate) fn is_of(&self, public: &PublicKey) -> bool {
        self.authority == *public.digest()
    }
}

impl PolicyOf {
    pub(crate) fn of(entry: &Entry, batch: BatchId, key: &PolicyKey) -> Self {
        let crate::PolicyAndSuite { policy, suite } = entry.given.clone();
        Self { policy, suite, digest: entry.digest, commitment: key.commitment(&batch.0, &entry.digest) }
    }
}

fn read_policy(fields: &mut Fields<'_>) -> Result<PolicyOf, FormatError> {
    let suite = match fields.byte()? {
        1 => Suite::Pairing,
        2 => Suite::PairingAndRights,
        _ => return fields.field("suite", None),
    };
    let length = fields.short()?;
    fields.count("bytes of a policy", length, MAX_POLICY_BYTES)?;
    let text = std::str::from_utf8(fields.bytes(length)?).ok();
    let canonical = text.and_then(|text| Policy::parse(text).ok().filter(|policy| policy.as_str() == text));
    let policy = fields.field("policy", canonical.filter(|policy| check_plain(policy).is_ok()))?;
    let digest = policy_digest(suite, policy.as_str());
    Ok(PolicyOf { policy, suite, digest, commitment: *fields.array()? })
}

fn read_wrap(fields: &mut Fields<'_>, authority: &Digest, policy: &PolicyOf) -> Result<Wrap, FormatError> {
    let epoch = fields.long()?;
    let length = fields.length()?;
    let header = Header::parse(fields.bytes(length)?)?;
    let is_of = policy_at(&policy.policy, epoch).is_ok_and(|at| at == *header.policy())
        && header.suite() == policy.suite
        && header.authority() == authority;
    fields.field("wrap: it is of another policy", is_of.then_some(()))?;
    Ok(Wrap { epoch, header, key: *fields.array()? })
}

impl std::fmt::Debug for BatchHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchHeader({}, epoch {}, {} policies)", self.batch, self.epoch(), self.policies.len())
    }
}
