//! Sealing a group into the spool.

use super::{Pipeline, PipelineError, Ready, Worker};
use crate::plan::Plan;
use crate::record::{Incoming, RecordError};
use crate::spool::{Draft, Position};
use std::collections::BTreeMap;
use std::time::Duration;
use strongroom_envelope::{Batch, PlainField, SealError};

/// The batch that goes on.
pub(super) struct Open {
    pub(super) batch: Batch,
    pub(super) epoch: u64,
    /// On the monotonic clock.
    pub(super) begun: Duration,
}

type Results = Vec<Result<(), RecordError>>;

/// Records that are sealed together.
pub(super) struct Group<'a> {
    /// What they were planned by.
    pub(super) ready: &'a Ready,
    /// Who planned them.
    pub(super) worker: &'a Worker,
    /// The records.
    pub(super) texts: &'a [&'a [u8]],
    /// Whether they make room in the end.
    pub(super) drains: bool,
}

impl Pipeline {
    /// Seals what was planned, and returns when it is durable: all of it or nothing. `close` adds what goes with the records.
    pub(super) fn seal(
        &self,
        group: &Group<'_>,
        mut results: Results,
        close: impl FnOnce(&mut Draft<'_>, &Results),
    ) -> Result<Results, PipelineError> {
        let place = self.write(group, &mut results, close)?;
        self.spool.sync(place)?;
        Ok(results)
    }

    fn write(
        &self,
        group: &Group<'_>,
        results: &mut Results,
        close: impl FnOnce(&mut Draft<'_>, &Results),
    ) -> Result<Position, PipelineError> {
        let mut open = self.lock_open();
        // under the lock, so that no record is sealed by an epoch that has passed, or by a manifest that is stale
        let now = self.fresh().filter(|now| now.manifest.epoch() == group.ready.manifest.epoch());
        let now = now.ok_or(PipelineError::Changed)?;
        let written = self.spool.write(group.drains, |draft| {
            let planned = group.texts.iter().zip(&group.worker.plans).zip(results.iter_mut());
            for ((text, plan), result) in planned.filter(|(_, result)| result.is_ok()) {
                *result = self.seal_one(&now, &mut open, draft, text, plan)?;
            }
            close(draft, results);
            Ok::<_, PipelineError>(())
        });
        if written.is_err() {
            // its header may not have been written
            *open = None;
            self.spool.end_batch();
        }
        written.map(|((), place)| place)
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
