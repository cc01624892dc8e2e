//! A group in the making: each record decided by where its collector stands, those before it in the group included.

use crate::storage::{
    BatchRow, ConflictRow, DigestBytes, Group, HeadRow, HourRow, Posting, RecordRow, SpanRow, Standing,
    Storage, StorageError,
};
use crate::submission::{Fault, FaultKind, Submission, Submitted};
use std::collections::{HashMap, HashSet};
use strongroom_sharing::exchange::{Inserted, RefusedRecord};
use strongroom_sharing::{BatchId, MemberId};

/// A span ends with the group that brings it past so many postings.
pub(super) const SPAN_POSTINGS: u64 = 1 << 20;
/// Contradictions of a collector that are kept; more are counted.
const KEPT_CONFLICTS: u64 = 1_000;
/// Batches that are remembered.
const KNOWN_BATCHES: usize = 4_096;

/// Batches that the store has: collector and header digest.
#[derive(Debug, Default)]
pub(super) struct Batches(HashMap<BatchId, (u32, DigestBytes)>);

/// What would be committed.
pub(super) struct Draft<'a> {
    storage: &'a dyn Storage,
    standing: Standing,
    known: &'a mut Batches,
    /// Places of heads by collector.
    places: HashMap<MemberId, usize>,
    changed: HashSet<usize>,
    fresh: HashMap<BatchId, (u32, DigestBytes)>,
    touched: HashMap<BatchId, u64>,
    seen: HashMap<(u32, u64), DigestBytes>,
    hour: u32,
    group: Group,
}

/// What becomes of a record.
enum Verdict {
    Accepted,
    Repeated,
    Refused(Fault),
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        storage: &'a dyn Storage,
        standing: &Standing,
        known: &'a mut Batches,
        hour: u32,
    ) -> Self {
        let standing = standing.clone();
        let places = standing.heads.iter().enumerate().map(|(at, head)| (head.collector, at)).collect();
        // a clock that is set back does not make the past longer
        let hour = standing.hours.last().map_or(hour, |last| last.hour.max(hour));
        if known.0.len() > KNOWN_BATCHES {
            known.0.clear();
        }
        Self {
            storage,
            standing,
            known,
            places,
            changed: HashSet::new(),
            fresh: HashMap::new(),
            touched: HashMap::new(),
            seen: HashMap::new(),
            hour,
            group: Group::default(),
        }
    }

    /// Decides one insertion.
    pub(super) fn take(&mut self, submission: &Submission) -> Result<Inserted, StorageError> {
        let mut inserted = Inserted { accepted: 0, repeated: 0, refused: Vec::new(), next: 1 };
        for (at, record) in submission.records.iter().enumerate() {
            let verdict = match record {
                Ok(record) => self.decide(record, submission)?,
                Err(fault) => Verdict::Refused(fault.clone()),
            };
            match verdict {
                Verdict::Accepted => inserted.accepted += 1,
                Verdict::Repeated => inserted.repeated += 1,
                Verdict::Refused(Fault { id, kind, message }) => {
                    inserted.refused.push(RefusedRecord { at, id, error: kind.word().to_owned(), message });
                }
            }
        }
        let head = submission.collector.and_then(|collector| self.places.get(&collector));
        let head = head.and_then(|at| self.standing.heads.get(*at));
        inserted.next = head.map_or(1, |head| head.sequence.saturating_add(1));
        Ok(inserted)
    }

    fn decide(&mut self, record: &Submitted, submission: &Submission) -> Result<Verdict, StorageError> {
        let refuse = |kind, message: String| Verdict::Refused(Fault { id: Some(record.id), kind, message });
        let (sequence, last) =
            (record.id.sequence, self.head(record.id.collector).map_or(0, |head| head.sequence));
        let expected = last.saturating_add(1);
        if sequence == 0 {
            return Ok(refuse(FaultKind::Malformed, "records are counted from 1".to_owned()));
        }
        if sequence > expected {
            return Ok(refuse(FaultKind::Gap, format!("expected {expected}: those before it have not come")));
        }
        if sequence < expected {
            return self.again(record);
        }
        let previous = self.head(record.id.collector).map_or([0; 32], |head| head.digest);
        if record.previous != previous {
            self.conflict(record);
            return Ok(refuse(
                FaultKind::Conflict,
                format!("it does not follow record {last} as it is kept here"),
            ));
        }
        if !self.has_header(record, submission)? {
            return Ok(refuse(FaultKind::Header, "its batch's header is not here: send it along".to_owned()));
        }
        self.accept(record, submission);
        Ok(Verdict::Accepted)
    }

    fn head(&self, collector: MemberId) -> Option<&HeadRow> {
        self.standing.heads.get(*self.places.get(&collector)?)
    }

    /// The head of a collector to change; one that never was here gets a number.
    fn head_mut(&mut self, collector: MemberId) -> Option<&mut HeadRow> {
        let next = self.standing.heads.len();
        let at = *self.places.entry(collector).or_insert(next);
        if at == next {
            let highest = self.standing.heads.iter().map(|head| head.number).max().unwrap_or(0);
            self.standing.heads.push(HeadRow {
                number: highest.saturating_add(1),
                collector,
                first: 1,
                sequence: 0,
                digest: [0; 32],
                conflicts: 0,
            });
        }
        self.changed.insert(at);
        self.standing.heads.get_mut(at)
    }

    /// A record whose place is taken: by itself, or by another.
    fn again(&mut self, record: &Submitted) -> Result<Verdict, StorageError> {
        let Some(head) = self.head(record.id.collector) else { return Ok(Verdict::Repeated) };
        let (number, first) = (head.number, head.first);
        let kept = match self.seen.get(&(number, record.id.sequence)) {
            Some(digest) => Some(*digest),
            None => self.storage.digest_of(number, record.id.sequence)?,
        };
        match kept {
            Some(kept) if kept == record.digest => Ok(Verdict::Repeated),
            // it was taken once, and its hour has gone since: nothing is left to compare it with
            None if record.id.sequence < first => Ok(Verdict::Repeated),
            None => Err(StorageError::Corrupt { place: format!("record {} is missing", record.id) }),
            Some(_) => {
                self.conflict(record);
                let message = "another record of this number is kept here".to_owned();
                Ok(Verdict::Refused(Fault { id: Some(record.id), kind: FaultKind::Conflict, message }))
            }
        }
    }

    fn conflict(&mut self, record: &Submitted) {
        let hour = self.hour;
        let Some(head) = self.head_mut(record.id.collector) else { return };
        head.conflicts = head.conflicts.saturating_add(1);
        let (number, conflicts) = (head.number, head.conflicts);
        if conflicts <= KEPT_CONFLICTS {
            self.group.conflicts.push(ConflictRow {
                collector: number,
                sequence: record.id.sequence,
                digest: record.digest,
                hour,
                bytes: record.bytes.clone(),
            });
        }
    }

    fn has_header(&mut self, record: &Submitted, submission: &Submission) -> Result<bool, StorageError> {
        let number = self.head(record.id.collector).map(|head| head.number);
        let mut known = self.known.0.get(&record.batch).or_else(|| self.fresh.get(&record.batch)).copied();
        if known.is_none() {
            known = self.storage.batch(&record.batch)?.map(|batch| (batch.collector, batch.digest));
            self.known.0.extend(known.map(|known| (record.batch, known)));
        }
        Ok(match known {
            Some((collector, digest)) => Some(collector) == number && digest == record.header,
            None => {
                submission.headers.get(&record.batch).is_some_and(|header| header.digest == record.header)
            }
        })
    }

    fn accept(&mut self, record: &Submitted, submission: &Submission) {
        let arrival = self.standing.last.saturating_add(1);
        self.standing.last = arrival;
        let Some(head) = self.head_mut(record.id.collector) else { return };
        head.sequence = record.id.sequence;
        head.digest = record.digest;
        let collector = head.number;
        self.seen.insert((collector, record.id.sequence), record.digest);
        if self.known.0.contains_key(&record.batch) || self.fresh.contains_key(&record.batch) {
            self.touched.insert(record.batch, arrival);
        } else if let Some(header) = submission.headers.get(&record.batch) {
            self.fresh.insert(record.batch, (collector, header.digest));
            self.touched.insert(record.batch, arrival);
            self.group.batches.push(BatchRow {
                id: record.batch,
                collector,
                digest: header.digest,
                last: arrival,
                header: header.bytes.clone(),
            });
        }
        self.index(record, arrival);
        self.group.records.push(RecordRow {
            arrival,
            collector,
            sequence: record.id.sequence,
            digest: record.digest,
            hour: self.hour,
            bytes: record.bytes.clone(),
        });
    }

    fn index(&mut self, record: &Submitted, arrival: u64) {
        if self.standing.hours.last().is_none_or(|last| last.hour != self.hour) {
            let hour = HourRow { hour: self.hour, first: arrival };
            self.standing.hours.push(hour);
            self.group.hours.push(hour);
        }
        let begun_before = self.group.records.is_empty();
        let full =
            self.standing.spans.last().is_none_or(|span| begun_before && span.postings >= SPAN_POSTINGS);
        if full {
            let span = self.standing.spans.last().map_or(1, |last| last.span.saturating_add(1));
            self.standing.spans.push(SpanRow { span, first: arrival, postings: 0 });
        }
        let Some(span) = self.standing.spans.last_mut() else { return };
        span.postings = span.postings.saturating_add(u64::try_from(record.tokens.len()).unwrap_or(0));
        let number = span.span;
        let postings = record.tokens.iter().map(|token| Posting { span: number, token: *token, arrival });
        self.group.postings.extend(postings);
    }

    /// The group, and where everything stands once it is committed.
    pub(super) fn finish(self) -> (Group, Standing) {
        let Self { standing, known, changed, fresh, touched, mut group, .. } = self;
        group.heads = changed.iter().filter_map(|at| standing.heads.get(*at)).cloned().collect();
        if !group.records.is_empty() {
            group.spans.extend(standing.spans.last());
        }
        // side by side in the index: fewer pages to write
        group.postings.sort_unstable();
        group.touched = touched.into_iter().collect();
        known.0.extend(fresh);
        (group, standing)
    }
}
