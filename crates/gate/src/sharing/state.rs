//! What is known of the authority, its members, groups and rights while unlocked. The rows are the truth; each change is
//! made here once it is durable.

use super::notes::{HeadRecord, MarkRecord, ReplacedRecord};
use super::records::{AuthorityRecord, CollectorsRecord, MemberRecord, RightRecord, Row, Standing, What};
use crate::people::each;
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use strongroom_barrier::{BarrierError, Opened, keys};
use strongroom_keyring::Kind;
use strongroom_sharing::MemberId;

/// Most members, those who were removed among them.
pub const MAX_MEMBERS: usize = 10_000;
/// Most groups of collectors.
pub const MAX_COLLECTOR_GROUPS: usize = 1_000;
/// Most rights.
pub const MAX_REGISTERED_RIGHTS: usize = 256;
/// Most ended tokens and used proofs that are remembered of one member.
pub const MAX_MARKS: usize = 1_000;

#[derive(Default)]
pub(super) struct Known {
    /// Grows with each change.
    pub(super) version: u64,
    pub(super) authority: Option<Arc<AuthorityRecord>>,
    /// Removed ones too.
    pub(super) members: BTreeMap<MemberId, Arc<MemberRecord>>,
    /// Of those who were not removed.
    pub(super) names: HashMap<String, MemberId>,
    pub(super) groups: BTreeMap<String, Arc<CollectorsRecord>>,
    pub(super) rights: BTreeSet<RightRecord>,
    pub(super) heads: BTreeMap<MemberId, Arc<HeadRecord>>,
    pub(super) marks: HashMap<[u8; 16], MarkRecord>,
    pub(super) marks_of: HashMap<MemberId, usize>,
    /// Up to which record each counts.
    pub(super) replaced: HashMap<MemberId, BTreeMap<Vec<u8>, u64>>,
}

impl Known {
    pub(super) fn put_member(&mut self, member: MemberRecord) {
        let name = member.name.as_str();
        if member.standing == Standing::Removed {
            if self.names.get(name) == Some(&member.id) {
                self.names.remove(name);
            }
        } else {
            self.names.insert(name.to_owned(), member.id);
        }
        self.members.insert(member.id, Arc::new(member));
    }

    pub(super) fn put_replaced(&mut self, replaced: ReplacedRecord) {
        self.replaced.entry(replaced.member).or_default().insert(replaced.key, replaced.last);
    }

    pub(super) fn put_mark(&mut self, mark: MarkRecord) {
        if self.marks.insert(mark.id, mark).is_none() {
            *self.marks_of.entry(mark.member).or_default() += 1;
        }
    }

    pub(super) fn forget_mark(&mut self, id: &[u8; 16]) {
        let Some(mark) = self.marks.remove(id) else { return };
        if let Some(count) = self.marks_of.get_mut(&mark.member) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.marks_of.remove(&mark.member);
            }
        }
    }
}

/// Names are wiped with the last record that has them.
impl Drop for Known {
    fn drop(&mut self) {
        let members = self.members.values_mut().filter_map(Arc::get_mut);
        members.for_each(|member| member.name.end(strongroom_secret::wipe));
        let groups = self.groups.values_mut().filter_map(Arc::get_mut);
        groups.for_each(|group| group.name.end(strongroom_secret::wipe));
    }
}

/// The sharing system of one unlocking.
pub(crate) struct SharingState {
    /// Held while something is changed: one change follows another, each decided by what holds then.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) known: RwLock<Known>,
}

impl SharingState {
    /// Reads everything. One damaged record, and nothing is read: what it says may be what refuses somebody.
    pub(crate) async fn load(opened: &Opened) -> Result<Self, BarrierError> {
        let mut known = Known::default();
        let mut secrets = false;
        let mut rows = 0_usize;
        let prefix = keys::sharing_all(opened.partition());
        each(opened, prefix, Kind::Sharing, Loaded::decode, |_, record| {
            rows += 1;
            match record? {
                Loaded::Authority(record) => known.authority = Some(Arc::new(record)),
                Loaded::Secrets => secrets = true,
                Loaded::Member(record) => known.put_member(record),
                Loaded::Group(record) => {
                    known.groups.insert(record.name.to_string(), Arc::new(record));
                }
                Loaded::Right(record) => drop(known.rights.insert(record)),
                Loaded::Head(record) => drop(known.heads.insert(record.collector, Arc::new(record))),
                Loaded::Mark(record) => known.put_mark(record),
                Loaded::Replaced(record) => known.put_replaced(record),
            }
            Ok(())
        })
        .await?;
        // whatever is there without its authority would be there under another one
        if rows > 0 && (known.authority.is_none() || !secrets) {
            return Err(BarrierError::corrupt("the attribute authority's record or its keys are gone"));
        }
        Ok(Self { turn: tokio::sync::Mutex::default(), known: RwLock::new(known) })
    }
}

enum Loaded {
    Authority(AuthorityRecord),
    Secrets,
    Member(MemberRecord),
    Group(CollectorsRecord),
    Right(RightRecord),
    Head(HeadRecord),
    Mark(MarkRecord),
    Replaced(ReplacedRecord),
}

impl Loaded {
    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(match What::of(*bytes.first()?)? {
            What::Authority => Self::Authority(AuthorityRecord::decode(bytes)?),
            What::Secrets => Self::Secrets,
            What::Member | What::Removed => Self::Member(MemberRecord::decode(bytes)?),
            What::Group => Self::Group(CollectorsRecord::decode(bytes)?),
            What::Right => Self::Right(RightRecord::decode(bytes)?),
            What::Head => Self::Head(HeadRecord::decode(bytes)?),
            What::Mark => Self::Mark(MarkRecord::decode(bytes)?),
            What::Replaced => Self::Replaced(ReplacedRecord::decode(bytes)?),
        })
    }
}
