//! Sealing a group into the spool.

use super::{Pipeline, PipelineError, Ready, Worker};
use crate::plan::Plan;
use crate::record::{Incoming, RecordError};
use crate::spool::{Draft, Position};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use strongroom_envelope::{Batch, PlainField, SealError};

/// A frame is ended beyond this many bytes.
const FRAME_BYTES: usize = 8 << 20;

/// The batch that goes on.
pub(super) struct Open {
    pub(super) batch: Batch,
    pub(super) epoch: u64,
    /// On the monotonic clock.
    pub(super) begun: Duration,
}

type Results = Vec<Result<(), RecordError>>;

impl Pipeline {
    /// Seals what was planned, and returns when it is durable. `close` adds what goes with the records of a frame.
    pub(super) fn seal(
        &self,
        ready: &Arc<Ready>,
        worker: &Worker,
        texts: &[&[u8]],
        mut results: Results,
        drains: bool,
        close: impl Fn(&mut Draft<'_>, Range<usize>, &Results),
    ) -> Result<Results, PipelineError> {
        let mut place: Option<Position> = None;
        let mut from = 0;
        while from < texts.len() {
            let (end, written) = self.seal_frame(ready, worker, texts, &mut results, from, drains, &close)?;
            from = end;
            place = place.max(Some(written));
        }
        if let Some(place) = place {
            self.spool.sync(place)?;
        }
        Ok(results)
    }

    fn seal_frame(
        &self,
        ready: &Arc<Ready>,
        worker: &Worker,
        texts: &[&[u8]],
        results: &mut Results,
        from: usize,
        drains: bool,
        close: &impl Fn(&mut Draft<'_>, Range<usize>, &Results),
    ) -> Result<(usize, Position), PipelineError> {
        let mut open = self.lock_open();
        // under the lock, so that no record is sealed by an epoch that has passed, or by a manifest that is stale
        let now = self.fresh().filter(|now| now.manifest.epoch() == ready.manifest.epoch());
        let now = now.ok_or(PipelineError::Changed)?;
        let written = self.spool.write(drains, |draft| {
            let mut at = from;
            for ((text, plan), result) in texts.iter().zip(&worker.plans).zip(results.iter_mut()).skip(from) {
                if result.is_ok() {
                    *result = self.seal_one(&now, &mut open, draft, text, plan)?;
                }
                at += 1;
                if draft.bytes() >= FRAME_BYTES {
                    break;
                }
            }
            close(draft, from..at, results);
            Ok::<_, PipelineError>(at)
        });
        if written.is_err() {
            // its header may not have been written
            *open = None;
            self.spool.end_batch();
        }
        written
    }

    fn seal_one(
        &self,
        ready: &Ready,
        open: &mut Option<Open>,
        draft: &mut Draft<'_>,
        text: &[u8],
        plan: &Plan,
    ) -> Result<Result<(), RecordError>, PipelineError> {
        if open.as_ref().is_some_and(|open| open.batch.records() >= u64::from(self.limits.max_records)) {
            *open = None;
        }
        let open = match open {
            Some(open) => open,
            None => open.insert(self.begin(ready, draft)?),
        };
        let fields: Vec<PlainField<'_>> = plan
            .fields(text)
            .map(|field| PlainField {
                label: field.label,
                name: field.name,
                value: field.value,
                policy: field.policy,
            })
            .collect();
        let signer = self.session.identity().signer();
        let sealed = draft.record(|chain, out| {
            open.batch.seal(chain, signer, &fields, plan.tokens(), out).map(|id| id.sequence)
        });
        Ok(sealed.map_err(|error| refused(&error, &fields)))
    }

    fn begin(&self, ready: &Ready, draft: &mut Draft<'_>) -> Result<Open, PipelineError> {
        let begun = Batch::begin(self.ambient(), self.session.member(), &ready.policies);
        let (batch, header) = begun.map_err(PipelineError::Batch)?;
        draft.header(header.to_bytes());
        Ok(Open { batch, epoch: ready.manifest.epoch(), begun: self.ambient().clock.monotonic() })
    }
}

/// A field that cannot be encrypted stops its record.
fn refused(error: &SealError, fields: &[PlainField<'_>]) -> RecordError {
    let at = match error {
        SealError::Policy { at, .. } | SealError::NotText { at } => Some(*at),
        _ => None,
    };
    let field = at.and_then(|at| fields.get(at)).map_or("(the record)", |field| field.name);
    RecordError::Encrypt { field: field.to_owned(), why: error.to_string() }
}

/// The last mark of each source.
pub(super) fn last_marks<'a>(records: impl Iterator<Item = &'a Incoming>, draft: &mut Draft<'_>) {
    let mut last: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for mark in records.filter_map(|incoming| incoming.mark.as_ref()) {
        last.insert(&mark.source, &mark.position);
    }
    for (source, position) in last {
        draft.mark(source, position);
    }
}
