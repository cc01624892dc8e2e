//! Tokens that were ended before their time, for who cannot ask about each: what the manifest says of them.

use crate::MAX_TOKEN_TTL;
use crate::callers::PROOF_KEPT;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{MarkRecord, MemberRecord, SharingView};
use strongroom_sharing::MemberId;

/// Most tokens that are named. Of members with the most of them all are ended instead that were made till then.
pub(crate) const MAX_ENDED: usize = 10_000;

/// What ended early and could be shown yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// A member's tokens that were made before a second since 1970.
    pub(crate) before: BTreeMap<MemberId, u64>,
    /// Single ones.
    pub(crate) tokens: BTreeSet<MemberId>,
}

impl Ended {
    pub(crate) fn of(
        view: &SharingView,
        members: &[Arc<MemberRecord>],
        now: UnixMillis,
        most: usize,
    ) -> Self {
        let ends = members.iter().map(|member| (member.id, member.tokens_ended));
        Self::new(ends, view.marks_beyond(now.plus(PROOF_KEPT)), now, most)
    }

    fn new(
        ends: impl Iterator<Item = (MemberId, UnixMillis)>,
        marks: Vec<MarkRecord>,
        now: UnixMillis,
        most: usize,
    ) -> Self {
        // what was made before has expired by itself
        let living = ends.filter(|(_, ended)| ended.0 > 0 && ended.plus(MAX_TOKEN_TTL) > now);
        let mut before: BTreeMap<_, _> = living.map(|(id, ended)| (id, after(ended))).collect();
        let mut of_each: BTreeMap<MemberId, Vec<MarkRecord>> = BTreeMap::new();
        for mark in marks {
            of_each.entry(mark.member).or_default().push(mark);
        }
        let mut by_count: Vec<_> = of_each.into_iter().collect();
        by_count.sort_by_key(|(_, marks)| marks.len());
        let mut tokens = BTreeSet::new();
        for (member, marks) in by_count {
            if tokens.len() + marks.len() <= most {
                tokens.extend(marks.iter().map(|mark| MemberId(mark.id)));
                continue;
            }
            let last = marks.iter().map(|mark| after(marked(mark))).max().unwrap_or_default();
            let all = before.entry(member).or_default();
            *all = last.max(*all);
        }
        Self { before, tokens }
    }
}

/// The first second whose tokens were not ended then.
fn after(ended: UnixMillis) -> u64 {
    u64::try_from(ended.0.div_euclid(1_000)).unwrap_or_default().saturating_add(1)
}

/// When a token was ended.
fn marked(mark: &MarkRecord) -> UnixMillis {
    let kept = MAX_TOKEN_TTL.saturating_add(PROOF_KEPT);
    UnixMillis(mark.until.0.saturating_sub(millis(kept)))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(2_000_000_000_500);

    fn mark(id: u8, member: u8) -> MarkRecord {
        let until = NOW.plus(MAX_TOKEN_TTL).plus(PROOF_KEPT);
        MarkRecord { id: [id; 16], member: MemberId([member; 16]), until }
    }

    #[test]
    fn tokens_are_named_or_ended_by_their_time() {
        let ends = [(MemberId([1; 16]), UnixMillis(0)), (MemberId([2; 16]), NOW)];
        let ended = Ended::new(ends.into_iter(), vec![mark(7, 1)], NOW, 10);
        assert_eq!(ended.tokens, BTreeSet::from([MemberId([7; 16])]));
        assert_eq!(ended.before, BTreeMap::from([(MemberId([2; 16]), 2_000_000_001)]));
        // what nobody can show any more is not told
        let old = UnixMillis(NOW.0 - millis(MAX_TOKEN_TTL));
        assert_eq!(Ended::new([(MemberId([2; 16]), old)].into_iter(), Vec::new(), NOW, 10), Ended::default());
    }

    #[test]
    fn too_many_to_name_are_ended_all_at_once_and_of_who_has_the_most() {
        let marks = vec![mark(1, 1), mark(2, 2), mark(3, 2), mark(4, 2)];
        let ended = Ended::new(std::iter::empty(), marks, NOW, 3);
        assert_eq!(ended.tokens, BTreeSet::from([MemberId([1; 16])]));
        assert_eq!(ended.before, BTreeMap::from([(MemberId([2; 16]), 2_000_000_001)]));
    }
}
