//! Which epochs a member may read, with which attributes.

use crate::AuthorityError;
use std::collections::BTreeSet;
use strongroom_abe::AttributeSet;
use strongroom_envelope::attributes_at;
use strongroom_gate::{AuthorityRecord, MemberRecord, Span, Standing};

/// Most ranges of past epochs that one member is given.
const MAX_RANGES: usize = 1_000;
/// Most spans that are kept of one member: what was before is read by the explicit list.
const MAX_SPANS: usize = 1_000;

/// Reads attributes as members have them: in capitals, in order, without an epoch.
pub(crate) fn attributes<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, AuthorityError> {
    let set = AttributeSet::parse(names)?;
    // with the largest epoch behind it, each is still the name of an attribute
    attributes_at(&set, u64::MAX)?;
    Ok(set.iter().map(ToString::to_string).collect())
}

/// Attributes as the mechanisms take them.
pub(crate) fn set_of<'a>(
    names: impl IntoIterator<Item = &'a String>,
) -> Result<AttributeSet, AuthorityError> {
    Ok(AttributeSet::parse(names.into_iter().map(String::as_str))?)
}

/// Reads a list of epochs: `1-4,7`.
pub(crate) fn ranges(text: &str) -> Result<Vec<(u64, u64)>, AuthorityError> {
    let expected = "a list such as 1-4,7 of at most 1000 ranges, epochs counting from 1";
    let wrong = || AuthorityError::Malformed { what: "list of epochs", expected };
    let mut ranges = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let read = |text: &str| text.trim().parse::<u64>().ok().filter(|epoch| *epoch > 0);
        let (from, to) = read(from).zip(read(to)).filter(|(from, to)| from <= to).ok_or_else(wrong)?;
        if ranges.len() == MAX_RANGES {
            return Err(wrong());
        }
        ranges.push((from, to));
    }
    ranges.sort_unstable();
    Ok(ranges)
}

/// Reads an explicit list of past epochs. None of them may be yet to come.
pub(crate) fn past_epochs(text: &str, present: u64) -> Result<Vec<(u64, u64)>, AuthorityError> {
    let ranges = ranges(text)?;
    if ranges.iter().any(|(_, to)| *to > present) {
        let expected = "a list of epochs that have begun";
        return Err(AuthorityError::Malformed { what: "past_epochs", expected });
    }
    Ok(ranges)
}

/// What a member may read an epoch with; `None`: it may not.
pub(crate) fn readable(member: &MemberRecord, epoch: u64) -> Option<BTreeSet<String>> {
    if member.standing != Standing::Active || member.admin {
        return None;
    }
    let within = |span: &&Span| span.from <= epoch && span.to.is_none_or(|to| epoch <= to);
    let spans = member.spans.iter().filter(within).flat_map(|span| &span.attributes);
    let given = member.past.iter().any(|(from, to)| (*from..=*to).contains(&epoch));
    let more = given.then_some(&member.attributes).into_iter().flatten();
    let all: BTreeSet<String> = spans.chain(more).cloned().collect();
    let any = given || member.spans.iter().any(|span| within(&span));
    any.then_some(all)
}

/// The epochs of a range that a member may read, the first ones, at most `limit`; and whether there are more.
pub(crate) fn readable_epochs(
    member: &MemberRecord,
    authority: &AuthorityRecord,
    from: Option<u64>,
    to: Option<u64>,
    limit: usize,
) -> (Vec<(u64, BTreeSet<String>)>, bool) {
    let (from, to) = (from.unwrap_or(1).max(1), to.unwrap_or(authority.epoch).min(authority.epoch));
    let mut found = Vec::new();
    let mut ranges: Vec<(u64, u64)> = member.past.clone();
    ranges.extend(member.spans.iter().map(|span| (span.from, span.to.unwrap_or(authority.epoch))));
    ranges.sort_unstable();
    let mut next = from;
    for (first, last) in ranges {
        next = next.max(first);
        while next <= last.min(to) {
            if let Some((_, end)) = authority.gaps.iter().find(|(from, to)| (*from..=*to).contains(&next)) {
                next = end.saturating_add(1);
                continue;
            }
            if found.len() == limit {
                return (found, true);
            }
            found.extend(readable(member, next).map(|attributes| (next, attributes)));
            next = next.saturating_add(1);
        }
    }
    (found, false)
}

/// The member's attributes are these from an epoch on.
pub(crate) fn begin_span(member: &mut MemberRecord, epoch: u64) {
    end_span(member, epoch);
    let attributes = member.attributes.clone();
    member.spans.push(Span { from: epoch, to: None, attributes });
    let beyond = member.spans.len().saturating_sub(MAX_SPANS);
    member.spans.drain(..beyond);
}

/// The member has nothing from an epoch on.
pub(crate) fn end_span(member: &mut MemberRecord, epoch: u64) {
    for span in member.spans.iter_mut().filter(|span| span.to.is_none()) {
        span.to = Some(epoch.saturating_sub(1));
    }
    // one that ended before it began was of this same epoch
    member.spans.retain(|span| span.to.is_none_or(|to| span.from <= to));
}
