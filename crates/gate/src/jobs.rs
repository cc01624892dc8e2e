//! Long jobs: sealed records that say what was begun by which request, and how far it has come.
//!
//! A job is begun in the transaction of the operation that asked for it, whose entry it names by its request. Each of its
//! steps is a change together with the record: after any interruption it goes on where it was.

use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_barrier::{BarrierError, Batch, Bounds, Opened, Reader, Rewritten, Writer, keys};
use strongroom_keyring::Kind;
use strongroom_model::{JobId, KeysetId, RequestId, UserId};
use strongroom_store::{Precondition, Range, Revision};

const FORMAT: u8 = 1;
/// Most jobs that are ever read at once: those at work are at most one a keyset.
const MAX_JOBS: usize = 4_096;
/// Jobs that have ended are kept so long.
const KEPT_ENDED: usize = 100;
/// How often a record that does not open is read again.
const LOOKS: usize = 3;

/// What has become of a job. Numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum JobState {
    /// It has work to do.
    Running = 1,
    /// It has done everything.
    Done = 2,
    /// Somebody gave it up, or another took its place.
    Cancelled = 3,
    /// Something that it met keeps it from coming to its end.
    Failed = 4,
}

impl JobState {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Running, Self::Done, Self::Cancelled, Self::Failed]
            .into_iter()
            .find(|state| *state as u8 == code)
    }
}

/// The only kind of job so far: everything that a keyset seals is sealed anew under a term.
const REWRITE: u8 = 1;

/// A job that seals everything of a keyset anew, pass after pass until one finds nothing of an older term; then the
/// older terms are retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// What has become of it.
    pub state: JobState,
    /// The keyset.
    pub keyset: KeysetId,
    /// The keyset's name when it began; empty for the partition's own.
    pub name: String,
    /// Everything is sealed anew under this term, or a newer one.
    pub term: u32,
    /// Who began it.
    pub by: UserId,
    /// The request that began it: its entry in the trail.
    pub request: RequestId,
    /// Begun when.
    pub started: UnixMillis,
    /// When it last got on.
    pub updated: UnixMillis,
    /// Passes begun, from 1.
    pub pass: u32,
    /// The last row that this pass saw.
    pub cursor: Vec<u8>,
    /// Rows that this pass saw.
    pub seen: u64,
    /// Of them those of older terms.
    pub older: u64,
    /// Of them those that cannot be opened.
    pub damaged: u64,
    /// Records sealed anew, in all passes.
    pub rewritten: u64,
    /// Rows that a pass sees, roughly.
    pub total: u64,
    /// What a person should know.
    pub note: String,
}

impl JobRecord {
    /// Takes a step's findings in; the state stays.
    pub fn advance(&mut self, found: &Rewritten) {
        self.cursor.clone_from(&found.cursor);
        self.seen = self.seen.saturating_add(found.seen);
        self.older = self.older.saturating_add(found.older);
        self.rewritten = self.rewritten.saturating_add(found.older);
        self.damaged = self.damaged.saturating_add(found.damaged);
        self.total = self.total.max(self.seen);
        if self.note.is_empty() && !found.places.is_empty() {
            self.note = format!("cannot be opened: {}", found.places.join(", "));
        }
    }

    /// Begins another pass.
    pub fn next_pass(&mut self) {
        self.pass = self.pass.saturating_add(1);
        self.total = self.seen;
        (self.seen, self.older, self.damaged) = (0, 0, 0);
        self.cursor.clear();
        self.note.clear();
    }

    fn encode(&self) -> Vec<u8> {
        Writer::new()
            .u8(FORMAT)
            .u8(REWRITE)
            .u8(self.state as u8)
            .raw(&self.keyset.0)
            .u32(self.term)
            .raw(&self.by.0)
            .raw(&self.request.0)
            .i64(self.started.0)
            .i64(self.updated.0)
            .u32(self.pass)
            .u64(self.seen)
            .u64(self.older)
            .u64(self.damaged)
            .u64(self.rewritten)
            .u64(self.total)
            .bytes(&self.cursor)
            .bytes(self.name.as_bytes())
            .bytes(self.note.as_bytes())
            .finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FORMAT && reader.u8()? == REWRITE).then_some(())?;
        Some(Self {
            state: JobState::from_code(reader.u8()?)?,
            keyset: KeysetId(reader.array()?),
            term: reader.u32()?,
            by: UserId(reader.array()?),
            request: RequestId(reader.array()?),
            started: UnixMillis(reader.i64()?),
            updated: UnixMillis(reader.i64()?),
            pass: reader.u32()?,
            seen: reader.u64()?,
            older: reader.u64()?,
            damaged: reader.u64()?,
            rewritten: reader.u64()?,
            total: reader.u64()?,
            cursor: reader.bytes()?.to_vec(),
            name: reader.text()?.to_owned(),
            note: reader.text()?.to_owned(),
        })
    }
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// Its record.
    pub record: JobRecord,
    revision: Revision,
}

fn damaged(id: JobId) -> BarrierError {
    BarrierError::corrupt(format!("job {id}"))
}

/// A job.
pub(crate) async fn read(opened: &Opened, id: JobId) -> Result<Option<StoredJob>, BarrierError> {
    let key = keys::job(opened.partition(), id);
    let mut unopened = damaged(id);
    // its term may be retired between the two steps; then it is another row
    for _ in 0..LOOKS {
        let Some(row) = opened.store().get(&key).await? else { return Ok(None) };
        match opened.open_single(Kind::Job, id.0, &row.value) {
            Ok(plain) => {
                let record = plain.expose(JobRecord::decode).ok_or_else(|| damaged(id))?;
                return Ok(Some(StoredJob { id, record, revision: row.revision }));
            }
            Err(fault) => unopened = fault,
        }
    }
    Err(unopened)
}

/// All jobs, oldest first: their ids are in the order of time.
pub(crate) async fn all(opened: &Opened) -> Result<Vec<StoredJob>, BarrierError> {
    let rows = opened.store().list(Range::prefix(keys::jobs(opened.partition()), MAX_JOBS)).await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        let id = keys::id_of(&row.key).map(JobId).unwrap_or_default();
        jobs.extend(read(opened, id).await?);
    }
    Ok(jobs)
}

/// The job at work on a keyset.
pub(crate) async fn at_work_on(opened: &Opened, keyset: KeysetId) -> Result<Option<StoredJob>, BarrierError> {
    let jobs = all(opened).await?;
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
    pub async fn all(&self) -> Result<Vec<StoredJob>, BarrierError> {
        all(&self.opened).await
    }
}

/// A job that was found.
#[derive(Debug)]
pub struct ResolvedJob {
    pub(crate) opened: Arc<Opened>,
    pub(crate) job: StoredJob,
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
    /// The job.
    pub fn job(&self) -> &StoredJob {
        &self.0.job
    }

    /// The same view of the job as it is now: it may have got on since the permit was given.
    pub async fn again(self) -> Result<Self, BarrierError> {
        let ResolvedJob { opened, job } = self.0;
        let job = read(&opened, job.id).await?.unwrap_or(job);
        Ok(Self(ResolvedJob { opened, job }))
    }

    /// The job with another record, and nothing else.
    pub fn save(&self, record: JobRecord) -> Batch {
        let mut batch = self.0.opened.batch();
        save(&self.0.opened, &mut batch, &StoredJob { record, ..self.0.job.clone() });
        batch
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
    /// The job.
    pub fn job(&self) -> &StoredJob {
        &self.0.job
    }

    /// Seals the next records anew.
    pub async fn rewrite(&self, bounds: Bounds) -> Result<Rewritten, BarrierError> {
        let record = &self.0.job.record;
        self.0.opened.rewrite(record.keyset, &record.cursor, bounds).await
    }

    /// Retires every term before the job's. Only after a whole pass, begun since that term seals, has found nothing
    /// that is sealed under them.
    pub async fn retire(&self) -> Result<Batch, BarrierError> {
        let record = &self.0.job.record;
        self.0.opened.refresh().await?;
        let change = self.0.opened.retire_terms(record.keyset, record.term)?;
        Ok(change.batch)
    }

    /// Puts the job's record into a change.
    pub fn save(&self, batch: &mut Batch, record: JobRecord) {
        save(&self.0.opened, batch, &StoredJob { record, ..self.0.job.clone() });
    }
}

impl crate::admit::Gate {
    /// The oldest job that has work to do: for the server itself, which then asks for a step's permit.
    pub async fn next_job(&self) -> Result<Option<JobId>, BarrierError> {
        let jobs = all(&*self.opened()?).await?;
        Ok(jobs.into_iter().find(|job| job.record.state == JobState::Running).map(|job| job.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> JobRecord {
        JobRecord {
            state: JobState::Running,
            keyset: KeysetId([1; 16]),
            name: "web".to_owned(),
            term: 2,
            by: UserId([2; 16]),
            request: RequestId([3; 16]),
            started: UnixMillis(4),
            updated: UnixMillis(5),
            pass: 1,
            cursor: vec![5, 6],
            seen: 7,
            older: 6,
            damaged: 1,
            rewritten: 8,
            total: 9,
            note: "a note".to_owned(),
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_and_no_shorter_one_does() {
        let bytes = record().encode();
        assert_eq!(JobRecord::decode(&bytes), Some(record()));
        for length in 0..bytes.len() {
            assert_eq!(JobRecord::decode(&bytes[..length]), None, "{length}");
        }
    }

    /// `vectors/gate/job-v1.hex`: made from the description in `docs/formats/rows.md` on 2026-11-22, opened for ever.
    #[test]
    fn golden_job_decodes() {
        let golden = include_str!("../../../vectors/gate/job-v1.hex").trim();
        let hex = |byte: &u8| format!("{byte:02x}");
        assert_eq!(record().encode().iter().map(hex).collect::<String>(), golden);
    }

    #[test]
    fn another_pass_begins_at_the_front_and_knows_how_much_there_is() {
        let mut record = record();
        record.next_pass();
        assert_eq!((record.pass, record.total, record.seen, record.cursor.len()), (2, 7, 0, 0));
        assert_eq!((record.rewritten, record.note.as_str()), (8, ""));
    }
}
