//! Background jobs: a step at a time, paced, until they are done, given up, or kept from going on.

use crate::actions::{CancelJob, JobStep, ListJobs, ShowJob};
use crate::initialise::fail;
use crate::{Operator, OperatorError};
use std::time::Duration;
use strongroom_gate::{
    BarrierError, Batch, Bounds, CommitError, Denied, Held, Job, JobRecord, JobState, JobStepView, JobView,
    Permit, Space, StoreError, StoredJob, StoredJobs, Verdict,
};
use strongroom_model::JobId;

/// What one step does: little enough that nobody waits for it. A read's entry waits for the group that a step is in, and
/// most records are each on a page of their own.
pub(crate) const STEP: Bounds = Bounds { records: 192, bytes: 512 * 1024, rows: 4_096 };
/// After each step the job rests so many times as long as the step took: alone, it has a fifth of a processor.
const REST: u32 = 4;
/// No longer than until this has passed since the step began: on a busy server a step takes long because it waits, and then
/// it costs others little. That is 1,900 records a second.
const BEAT: Duration = Duration::from_millis(100);
/// However long the step took, others have the server to themselves for this long, if `REST` asks for as much.
const LEAST_REST: Duration = Duration::from_millis(25);
/// How soon a job that could not go on tries again.
const RETRY: Duration = Duration::from_millis(250);
/// The same while something lasts that it cannot change: a full disk, a lock.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often somebody looks for a job without having been told of one.
const IDLE: Duration = Duration::from_mins(1);

/// A job as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// Its id.
    pub id: JobId,
    /// Its record.
    pub record: JobRecord,
    /// Why it does not get on at present, though it wants to.
    pub waits_for: Option<String>,
}

/// The jobs there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobsFound {
    /// Those whose records open, oldest first.
    pub jobs: Vec<JobSummary>,
    /// Those whose records do not: all that can be done is to give them up.
    pub damaged: Vec<JobId>,
}

/// What a step left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// More.
    More,
    /// Nothing.
    Ended,
}

impl Operator {
    fn summary(&self, job: StoredJob) -> JobSummary {
        let waiting = self.job_waits.lock().clone();
        let waits_for = waiting.filter(|(id, _)| *id == job.id && job.record.state == JobState::Running);
        JobSummary { id: job.id, record: job.record, waits_for: waits_for.map(|(_, why)| why) }
    }

    /// Lists jobs, oldest first.
    pub async fn list_jobs(&self, permit: Permit<ListJobs>) -> Result<Held<JobsFound>, OperatorError> {
        let (view, mut entry) = permit.open();
        match view.all().await {
            Ok(StoredJobs { jobs, damaged }) => {
                entry.note(format!("{} jobs, {} damaged", jobs.len(), damaged.len()));
                let jobs = jobs.into_iter().map(|job| self.summary(job)).collect();
                Ok(entry.hold(Verdict::Released, JobsFound { jobs, damaged }))
            }
            Err(fault) => fail(entry, fault.into()).await,
        }
    }

    /// Shows a job.
    pub async fn show_job(&self, permit: Permit<ShowJob>) -> Result<Held<JobSummary>, OperatorError> {
        let (view, entry) = permit.open();
        match view.job() {
            Ok(job) => Ok(entry.hold(Verdict::Released, self.summary(job.clone()))),
            Err(fault) => fail(entry, fault.into()).await,
        }
    }

    /// Gives a job up. What it has done stays done; of a keyset both the new term and the old ones stay, and the next
    /// rotation takes the rest up. A job whose record does not open goes altogether.
    pub async fn cancel_job(&self, permit: Permit<CancelJob>) -> Result<(), OperatorError> {
        let (view, mut entry) = permit.open();
        let _step = self.steps.lock().await;
        let view = match view.again().await {
            Ok(view) => view,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        match self.given_up(&view) {
            Ok((batch, note)) => {
                entry.note(note);
                entry.remember(Vec::new());
                entry.commit(batch).await?;
                self.job_bell.notify_one();
                Ok(())
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    fn given_up(&self, view: &JobView) -> Result<(Batch, &'static str), OperatorError> {
        if let Some(batch) = view.discard() {
            return Ok((batch, "its record did not open, and is gone"));
        }
        let mut record = view.job()?.record.clone();
        if record.state != JobState::Running {
            return Err(OperatorError::JobEnded);
        }
        record.state = JobState::Cancelled;
        record.updated = self.gate.now();
        "given up by a user; the older terms stay until the next rotation".clone_into(&mut record.note);
        Ok((view.save(record)?, ""))
    }

    /// Does one step of a job.
    pub async fn job_step(&self, id: JobId) -> Result<Stepped, OperatorError> {
        let _step = self.steps.lock().await;
        let (view, mut entry) = self.gate.system::<JobStep>(Job::new(id)).await?.open();
        match self.stepped(&view).await {
            Ok((batch, record)) => {
                let ended = record.state != JobState::Running;
                entry.note(told(&record));
                entry.commit(batch).await?;
                Ok(if ended { Stepped::Ended } else { Stepped::More })
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// A step's change, with the record that goes with it.
    async fn stepped(&self, view: &JobStepView) -> Result<(Batch, JobRecord), OperatorError> {
        let record = view.job()?.record.clone();
        if record.state != JobState::Running {
            return Err(OperatorError::JobEnded);
        }
        let (mut batch, record) = match self.step(view, record.clone()).await {
            Ok(step) => step,
            // damage stays: to try again would fill the trail, and keep the jobs behind this one waiting
            Err(fault @ (BarrierError::Corrupt { .. } | BarrierError::Store(StoreError::Corrupt { .. }))) => {
                (Batch::new(), self.failed(record, &fault.to_string()))
            }
            Err(fault) => return Err(fault.into()),
        };
        view.save(&mut batch, record.clone())?;
        Ok((batch, record))
    }

    async fn step(
        &self,
        view: &JobStepView,
        mut record: JobRecord,
    ) -> Result<(Batch, JobRecord), BarrierError> {
        let found = view.rewrite(self.step).await?;
        record.advance(&found);
        record.updated = self.gate.now();
        if !found.done {
            return Ok((found.batch, record));
        }
        if record.older > 0 {
            record.next_pass();
            return Ok((found.batch, record));
        }
        if record.damaged > 0 {
            record.state = JobState::Failed;
            return Ok((found.batch, record));
        }
        // a whole pass since the term began to seal, and nothing older anywhere
        record.state = JobState::Done;
        Ok((view.retire().await?, record))
    }

    fn failed(&self, mut record: JobRecord, why: &str) -> JobRecord {
        record.state = JobState::Failed;
        record.updated = self.gate.now();
        record.note = why.chars().take(500).collect();
        record
    }

    /// Does every job there is, one after another; for tests and for programs that wait.
    pub async fn finish_jobs(&self) -> Result<(), OperatorError> {
        while let Some(id) = self.gate.agenda().await?.next {
            while self.job_step(id).await? == Stepped::More {}
        }
        Ok(())
    }

    /// Does one step of the oldest job there is, if any; says how long to rest before the next, unless the bell
    /// rings. What keeps a job from going on (a full disk, a lock) only makes it wait.
    pub async fn jobs_round(&self) -> Duration {
        match self.gate.agenda().await {
            Ok(agenda) => {
                self.note_damaged(agenda.damaged);
                match agenda.next {
                    Some(id) => self.paced_step(id).await,
                    None => IDLE,
                }
            }
            Err(BarrierError::Locked) => IDLE,
            Err(fault) => {
                tracing::warn!(%fault, "jobs cannot be read");
                PATIENCE
            }
        }
    }

    /// Jobs whose records do not open, as of the last look.
    pub fn damaged_jobs(&self) -> Vec<JobId> {
        self.damaged_jobs.lock().clone()
    }

    fn note_damaged(&self, found: Vec<JobId>) {
        let mut known = self.damaged_jobs.lock();
        for job in found.iter().filter(|job| !known.contains(job)) {
            tracing::error!(%job, "a job's record is damaged: it is left out; give it up to be rid of it");
        }
        *known = found;
    }

    /// Waits until there may be a job to do: somebody asked for one, or the server was unlocked.
    pub async fn job_bell(&self) {
        self.job_bell.notified().await;
    }

    async fn paced_step(&self, id: JobId) -> Duration {
        // asked first: a refused step would leave its entry in the reserve
        if self.gate.space() != Space::Ample {
            return self.wait(id, "the disk is full");
        }
        let began = self.gate.ambient().clock.monotonic();
        match self.job_step(id).await {
            Ok(_) => {
                *self.job_waits.lock() = None;
                let took = self.gate.ambient().clock.monotonic().saturating_sub(began);
                rest(took)
            }
            Err(OperatorError::Denied(Denied::Full) | OperatorError::Commit(CommitError::Full)) => {
                self.wait(id, "the disk is full")
            }
            Err(OperatorError::Denied(Denied::Locked)) => PATIENCE,
            Err(
                fault @ (OperatorError::Commit(CommitError::Changed | CommitError::Busy)
                | OperatorError::Denied(Denied::Busy)
                | OperatorError::JobEnded),
            ) => {
                tracing::info!(%fault, job = %id, "a job's step is tried again");
                RETRY
            }
            // it lasts, as far as can be told
            Err(fault) => self.wait(id, &fault.to_string()),
        }
    }

    fn wait(&self, id: JobId, why: &str) -> Duration {
        let mut waits = self.job_waits.lock();
        if waits.as_ref().is_none_or(|(known, _)| *known != id) {
            tracing::warn!(job = %id, why, "a job waits");
        }
        *waits = Some((id, why.to_owned()));
        PATIENCE
    }
}

/// How long a job rests after a step that took so long.
fn rest(took: Duration) -> Duration {
    (took * REST).min(BEAT.saturating_sub(took).max(LEAST_REST))
}

fn told(record: &JobRecord) -> String {
    let JobRecord { name, pass, seen, rewritten, .. } = record;
    match record.state {
        JobState::Running => format!("keyset {name:?}: pass {pass}, {seen} seen, {rewritten} sealed anew"),
        JobState::Done => format!("keyset {name:?}: {rewritten} sealed anew, older terms retired"),
        JobState::Failed => format!("keyset {name:?}: {}", record.note),
        JobState::Cancelled => format!("keyset {name:?}: given up"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_keeps_the_beat_and_always_rests() {
        let rests = |took| rest(Duration::from_millis(took)).as_millis();
        // nobody else: a fifth of a processor
        assert_eq!([rests(0), rests(5), rests(15)], [0, 20, 60]);
        // company: a step every 100 ms
        assert_eq!([rests(20), rests(45), rests(75)], [80, 55, 25]);
        // a crowd: the beat is lost, the rest is not
        assert_eq!([rests(100), rests(5_000)], [25, 25]);
    }
}
