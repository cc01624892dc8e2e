//! What compiled rules say for each kind of access: the first that denies and the first that allows.

use crate::acl::Acl;
use crate::rules::Mode;
use strongroom_model::Access;

/// The kinds of access, one by one.
pub(crate) const BITS: [Access; 4] = [Access::READ, Access::WRITE, Access::MODIFY, Access::DELETE];
const NONE: u32 = u32::MAX;

/// The first rule of each mode for each kind of access, by its place among the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    deny: [u32; 4],
    allow: [u32; 4],
}

impl Default for Verdict {
    fn default() -> Self {
        Self { deny: [NONE; 4], allow: [NONE; 4] }
    }
}

impl Verdict {
    /// What one ACL says.
    pub(crate) fn of(place: u32, acl: &Acl) -> Self {
        Self::with(place, acl, acl.access())
    }

    /// What one ACL says of some access.
    pub(crate) fn with(place: u32, acl: &Acl, access: Access) -> Self {
        let mut verdict = Self::default();
        let firsts = match acl.mode() {
            Mode::Deny => &mut verdict.deny,
            Mode::Allow => &mut verdict.allow,
        };
        for (first, bit) in firsts.iter_mut().zip(BITS) {
            if access.has(bit) {
                *first = place;
            }
        }
        verdict
    }

    /// Adds what another says.
    pub(crate) fn merge(&mut self, other: &Self) {
        let own = self.deny.iter_mut().chain(&mut self.allow);
        for (own, other) in own.zip(other.deny.iter().chain(&other.allow)) {
            *own = (*own).min(*other);
        }
    }

    /// Only what it denies.
    pub(crate) fn denials(&self) -> Self {
        Self { deny: self.deny, ..Self::default() }
    }

    /// Only what it allows.
    pub(crate) fn allowances(&self) -> Self {
        Self { allow: self.allow, ..Self::default() }
    }

    /// The first rule that denies some of an access.
    pub(crate) fn denied(&self, access: Access) -> Option<u32> {
        let first = BITS.iter().zip(self.deny).filter(|(bit, _)| access.has(**bit)).map(|(_, first)| first);
        first.min().filter(|first| *first != NONE)
    }

    /// A rule that allows, if every bit of an access is allowed.
    pub(crate) fn allowed(&self, access: Access) -> Option<u32> {
        let first = BITS.iter().zip(self.allow).filter(|(bit, _)| access.has(**bit)).map(|(_, first)| first);
        // of bits that several rules allow, the last is named: without it there would be no permit
        first.max().filter(|first| *first != NONE)
    }
}
