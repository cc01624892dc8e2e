//! Retention: records of hours that are kept no longer go, with all that the index says of them.

use crate::storage::{Arrival, HeadRow, Posting, RecordRow, Removal, Standing, Storage, StorageError};
use arc_swap::ArcSwap;
use std::sync::Arc;
use strongroom_envelope::SealedRecord;

/// Records that go in one transaction.
const STEP: usize = 500;

/// Removes what arrived before an hour; says how many records. After an interruption it goes on where it was.
pub(super) fn expire(
    storage: &dyn Storage,
    standing: &ArcSwap<Standing>,
    below_hour: u32,
) -> Result<u64, StorageError> {
    let mut removed = 0_u64;
    loop {
        let now = standing.load_full();
        let below = first_of(&now, below_hour);
        let oldest = now.hours.first().map_or(below, |hour| hour.first);
        if oldest >= below {
            return Ok(removed);
        }
        let rows = storage.records_from(1, STEP)?;
        let rows: Vec<RecordRow> = rows.into_iter().take_while(|row| row.arrival < below).collect();
        let (removal, after) = plan(&now, &rows, below);
        storage.remove(&removal)?;
        removed = removed.saturating_add(u64::try_from(rows.len()).unwrap_or(0));
        standing.store(Arc::new(after));
    }
}

/// The first record of an hour or of those after it.
fn first_of(standing: &Standing, hour: u32) -> Arrival {
    let kept = standing.hours.iter().find(|row| row.hour >= hour);
    kept.map_or(standing.last.saturating_add(1), |row| row.first)
}

fn plan(now: &Standing, rows: &[RecordRow], limit: Arrival) -> (Removal, Standing) {
    // fewer rows than a step: nothing else is below the limit
    let below = rows.last().filter(|_| rows.len() == STEP).map_or(limit, |row| row.arrival.saturating_add(1));
    let mut after = now.clone();
    let mut removal = Removal { below, ..Removal::default() };
    for row in rows {
        if let Some(head) = after.heads.iter_mut().find(|head| head.number == row.collector) {
            head.first = head.first.max(row.sequence.saturating_add(1));
        }
    }
    removal.heads = changed(&now.heads, &after.heads);
    let end_of = |firsts: Option<Arrival>| firsts.unwrap_or(now.last.saturating_add(1));
    let span_ends = now.spans.iter().skip(1).map(|span| Some(span.first)).chain([None]).map(end_of);
    let spans = now.spans.iter().zip(span_ends);
    removal.spans = spans.filter(|(_, end)| *end <= below).map(|(span, _)| span.span).collect();
    let hour_ends = now.hours.iter().skip(1).map(|hour| Some(hour.first)).chain([None]).map(end_of);
    let hours = now.hours.iter().zip(hour_ends);
    removal.hours = hours.filter(|(_, end)| *end <= below).map(|(hour, _)| hour.hour).collect();
    removal.postings = rows.iter().flat_map(|row| postings(now, &removal.spans, row)).collect();
    removal.postings.sort_unstable();
    after.spans.retain(|span| !removal.spans.contains(&span.span));
    after.hours.retain(|hour| !removal.hours.contains(&hour.hour));
    if let Some(oldest) = after.hours.first_mut() {
        oldest.first = oldest.first.max(below);
    }
    (removal, after)
}

fn changed(before: &[HeadRow], after: &[HeadRow]) -> Vec<HeadRow> {
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before != after)
        .map(|(_, after)| after.clone())
        .collect()
}

/// A record's postings, unless their whole span goes.
fn postings(now: &Standing, gone: &[u32], row: &RecordRow) -> Vec<Posting> {
    let span = now.spans.iter().rev().find(|span| span.first <= row.arrival).map(|span| span.span);
    let Some(span) = span.filter(|span| !gone.contains(span)) else { return Vec::new() };
    // what was taken was a record: it was read then as well
    let Ok(record) = SealedRecord::parse(&row.bytes) else { return Vec::new() };
    record.tokens().map(|token| Posting { span, token: token.0, arrival: row.arrival }).collect()
}
