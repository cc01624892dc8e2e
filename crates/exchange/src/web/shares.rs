//! How much of the exchange one member holds at a time.

use super::answer::Refused;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_sharing::MemberId;

/// What is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A body of an insertion, or a proof.
    Body,
    /// A stream of lines.
    Stream,
}

impl Kind {
    fn most(self) -> u32 {
        match self {
            Self::Body => 2,
            Self::Stream => 4,
        }
    }
}

/// A member has a second body under way only while there are fewer of all: so few members cannot hold every place.
const FEW_BODIES: u32 = 8;

/// Who holds how many.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    of_each: HashMap<(MemberId, Kind), u32>,
    bodies: u32,
}

/// One of a member's, until it is dropped.
pub(crate) struct Share {
    of: Arc<Shares>,
    key: (MemberId, Kind),
}

impl Shares {
    /// One more.
    pub(crate) fn take(self: &Arc<Self>, member: MemberId, kind: Kind) -> Result<Share, Refused> {
        let key = (member, kind);
        let mut held = self.0.lock();
        let count = held.of_each.get(&key).copied().unwrap_or_default();
        let is_crowded = kind == Kind::Body && held.bodies >= FEW_BODIES;
        if count >= if is_crowded { 1 } else { kind.most() } {
            return Err(Refused::TOO_MUCH_AT_ONCE);
        }
        held.of_each.insert(key, count + 1);
        if kind == Kind::Body {
            held.bodies += 1;
        }
        Ok(Share { of: Arc::clone(self), key })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.of.0.lock();
        if self.key.1 == Kind::Body {
            held.bodies = held.bodies.saturating_sub(1);
        }
        if let Some(count) = held.of_each.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.of_each.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_holds_its_share_and_others_theirs() {
        let shares = Arc::new(Shares::default());
        let (one, other) = (MemberId([1; 16]), MemberId([2; 16]));
        let held: Vec<Share> = (0..2).map(|_| shares.take(one, Kind::Body).ok().unwrap()).collect();
        assert!(shares.take(one, Kind::Body).is_err());
        assert!(shares.take(one, Kind::Stream).is_ok() && shares.take(other, Kind::Body).is_ok());
        drop(held);
        assert!(shares.take(one, Kind::Body).is_ok());
        assert!(shares.0.lock().of_each.is_empty(), "nothing is remembered of who holds nothing");
    }

    #[test]
    fn eight_members_leave_places_for_others_whatever_they_do() {
        let shares = Arc::new(Shares::default());
        let greedy = (0..8_u8).flat_map(|member| [MemberId([member; 16]); 4]);
        let held: Vec<Share> = greedy.filter_map(|member| shares.take(member, Kind::Body).ok()).collect();
        assert!(held.len() <= 12, "{} of 16 places", held.len());
        assert!(shares.take(MemberId([9; 16]), Kind::Body).is_ok());
        drop(held);
        assert_eq!(shares.0.lock().bodies, 0);
    }
}
