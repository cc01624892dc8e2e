//! Long jobs: sealed records that say what was begun by which request, and how far it has come.
//!
//! A job is begun in the transaction of the operation that asked for it, whose entry it names by its request. Each of its
//! steps is a change together with the record: after any interruption it goes on where it was.

mod record;

pub use record::{JobRecord, JobState};

use std::sync::Arc;
use strongroom_barrier::{BarrierError, Batch, Bounds, Opened, Rewritten, keys};
use strongroom_keyring::Kind;
use strongroom_model::{JobId, KeysetId};
use strongroom_store::{Precondition, Range, Revision};

/// Most jobs that are ever read at once: those at work are at most one a keyset.
const MAX_JOBS: usize = 4_096;
/// Jobs that have ended are kept so long.
const KEPT_ENDED: usize = 100;
/// How often a record that does not open is read again.
const LOOKS: usize = 3;

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// Its record.
    pub record: JobRecord,
    revision: Revision,
}

/// The jobs there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredJobs {
    /// Those whose records open, oldest first.
    pub jobs: Vec<StoredJob>,
    /// Those whose records do not: nobody knows what they were to do, and they keep no other from its work.
    pub damaged: Vec<JobId>,
}

/// What lies where a job should.
#[derive(Debug)]
enum Lies {
    Whole(Box<StoredJob>),
    /// A record that does not open, at this revision.
    Damaged(Revision),
}

fn damaged(id: JobId) -> BarrierError {
    BarrierError::corrupt(format!("job {id}"))
}

/// A job.
async fn read(opened: &Opened, id: JobId) -> Result<Option<Lies>, BarrierError> {
    let key = keys::job(opened.partition(), id);
    let mut last = None;
    // its term may be retired between the two steps; then it is another row
    for _ in 0..LOOKS {
        let Some(row) = opened.store().get(&key).await? else { return Ok(None) };
        let record = match opened.open_single(Kind::Job, id.0, &row.value) {
            Ok(plain) => plain.expose(JobRecord::decode),
            Err(BarrierError::Corrupt { .. }) => None,
            Err(fault) => return Err(fault),
        };
        if let Some(record) = record {
            return Ok(Some(Lies::Whole(Box::new(StoredJob { id, record, revision: row.revision }))));
        }
        last = Some(Lies::Damaged(row.revision));
    }
    Ok(last)
}

/// All jobs: their ids are in the order of time.
pub(crate) async fn all(opened: &Opened) -> Result<StoredJobs, BarrierError> {
    let rows = opened.store().list(Range::prefix(keys::jobs(opened.partition()), MAX_JOBS)).await?;
    let mut found = StoredJobs { jobs: Vec::with_capacity(rows.len()), damaged: Vec::new() };
    for row in rows {
        let id = keys::id_of(&row.key).map(JobId).unwrap_or_default();
        match read(opened, id).await? {
            Some(Lies::Whole(job)) => found.jobs.push(*job),
            Some(Lies::Damaged(_)) => found.damaged.push(id),
            None => {}
        }
    }
    Ok(found)
}

/// The job at work on a keyset.
pub(crate) async fn at_work_on(opened: &Opened, keyset: KeysetId) -> Result<Option<StoredJob>, BarrierError> {
    let jobs = all(opened).await?.jobs;
    Ok(jobs.into_iter().find(|job| job.record.keyset == keyset && job.record.state == JobState::Running))
}

/// Begins a job.
pub(crate) fn begin(opened: &Opened, batch: &mut Batch, record: &JobRecord) -> JobId {
    let id = JobId(opened.ambient().uuid_v7());
    let key = keys::job(opened.partition(), id);
    batch.absorb(opened.batch());
    batch.require(Precondition::Absent(key.clone()));
    batch.put(key, opened.seal(Kind::Job, id.0, &record.encode()));
    id
}

/// Lets go of the oldest of those that have ended. Once in a change: many jobs may begin in it.
pub(crate) fn forget_ended(opened: &Opened, batch: &mut Batch, jobs: &[StoredJob]) {
    let ended = || jobs.iter().filter(|job| job.record.state != JobState::Running);
    for job in ended().take(ended().count().saturating_sub(KEPT_ENDED)) {
        batch.delete(keys::job(opened.partition(), job.id));
    }
}

/// Writes a job's record, unless somebody else did since it was read.
pub(crate) fn save(opened: &Opened, batch: &mut Batch, job: &StoredJob) {
    let key = keys::job(opened.partition(), job.id);
    batch.absorb(opened.batch());
    batch.require(Precondition::Revision(key.clone(), job.revision));
    batch.put(key, opened.seal(Kind::Job, job.id.0, &job.record.encode()));
}

/// A view of jobs.
#[derive(Debug)]
pub struct JobsView {
    pub(crate) opened: Arc<Opened>,
}

impl JobsView {
    /// All jobs, oldest first.
    pub async fn all(&self) -> Result<StoredJobs, BarrierError> {
        all(&self.opened).await
    }
}

/// A job that was found, whole or not.
#[derive(Debug)]
pub struct ResolvedJob {
    opened: Arc<Opened>,
    id: JobId,
    lies: Lies,
}

impl ResolvedJob {
    pub(crate) async fn find(opened: Arc<Opened>, id: JobId) -> Result<Option<Self>, BarrierError> {
        let lies = read(&opened, id).await?;
        Ok(lies.map(|lies| Self { opened, id, lies }))
    }

    fn job(&self) -> Result<&StoredJob, BarrierError> {
        match &self.lies {
            Lies::Whole(job) => Ok(job),
            Lies::Damaged(_) => Err(damaged(self.id)),
        }
    }

    fn save(&self, batch: &mut Batch, record: JobRecord) -> Result<(), BarrierError> {
        save(&self.opened, batch, &StoredJob { record, ..self.job()?.clone() });
        Ok(())
    }
}

/// A view that shows one job.
#[derive(Debug)]
pub struct JobView(ResolvedJob);

impl From<ResolvedJob> for JobView {
    fn from(job: ResolvedJob) -> Self {
        Self(job)
    }
}

impl JobView {
    /// The job, if its record opens.
    pub fn job(&self) -> Result<&StoredJob, BarrierError> {
        self.0.job()
    }

    /// The same view of the job as it is now: it may have got on since the permit was given.
    pub async fn again(self) -> Result<Self, BarrierError> {
        let ResolvedJob { opened, id, lies } = self.0;
        let lies = read(&opened, id).await?.unwrap_or(lies);
        Ok(Self(ResolvedJob { opened, id, lies }))
    }

    /// The job with another record, and nothing else.
    pub fn save(&self, record: JobRecord) -> Result<Batch, BarrierError> {
        let mut batch = self.0.opened.batch();
        self.0.save(&mut batch, record)?;
        Ok(batch)
    }

    /// Of a job whose record does not open: its end. `None` if it does open.
    pub fn discard(&self) -> Option<Batch> {
        let Lies::Damaged(revision) = self.0.lies else { return None };
        let key = keys::job(self.0.opened.partition(), self.0.id);
        let mut batch = self.0.opened.batch();
        batch.require(Precondition::Revision(key.clone(), revision));
        batch.delete(key);
        Some(batch)
    }
}

/// A view for one step of one job: it seals anew what the job's keyset seals, and nothing else.
#[derive(Debug)]
pub struct JobStepView(ResolvedJob);

impl From<ResolvedJob> for JobStepView {
    fn from(job: ResolvedJob) -> Self {
        Self(job)
    }
}

impl JobStepView {
    /// The job, if its record opens.
    pub fn job(&self) -> Result<&StoredJob, BarrierError> {
        self.0.job()
    }

    /// Seals the next records anew.
    pub async fn rewrite(&self, bounds: Bounds) -> Result<Rewritten, BarrierError> {
        let record = &self.0.job()?.record;
        self.0.opened.rewrite(record.keyset, &record.cursor, bounds).await
    }

    /// Retires every term before the job's. Only after a whole pass, begun since that term seals, has found nothing
    /// that is sealed under them.
    pub async fn retire(&self) -> Result<Batch, BarrierError> {
        let record = &self.0.job()?.record;
        self.0.opened.refresh().await?;
        let change = self.0.opened.retire_terms(record.keyset, record.term)?;
        Ok(change.batch)
    }

    /// Puts the job's record into a change.
    pub fn save(&self, batch: &mut Batch, record: JobRecord) -> Result<(), BarrierError> {
        self.0.save(batch, record)
    }
}

/// What there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agenda {
    /// The oldest job that has work to do.
    pub next: Option<JobId>,
    /// Jobs whose records do not open.
    pub damaged: Vec<JobId>,
}

impl crate::admit::Gate {
    /// What there is to do: for the server itself, which then asks for a step's permit.
    pub async fn agenda(&self) -> Result<Agenda, BarrierError> {
        let StoredJobs { jobs, damaged } = all(&*self.opened()?).await?;
        let next = jobs.into_iter().find(|job| job.record.state == JobState::Running).map(|job| job.id);
        Ok(Agenda { next, damaged })
    }
}
