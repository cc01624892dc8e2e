//! The one writer: takes what has come in, decides record by record, commits a group, answers.
//!
//! Where collectors stand is kept in memory and is what decides; the store is told of whole groups. After a commit whose
//! outcome is not known everything is read from the store again before anything else is decided.

mod draft;
mod expire;

use crate::storage::{Standing, Storage, StorageError};
use crate::submission::Submission;
use arc_swap::ArcSwap;
use draft::Draft;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_sharing::BatchId;
use strongroom_sharing::exchange::Inserted;
use tokio::sync::{mpsc, oneshot};

/// At most so many insertions share a flush,
const GROUP_JOBS: usize = 64;
/// and so many bytes.
const GROUP_BYTES: usize = 16 << 20;
/// Insertions that wait for the writer.
const QUEUE: usize = 64;
/// Between attempts to read a store that failed.
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);

/// Why an insertion was not decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// No room on the disk: nothing was taken.
    #[error("the disk is full; nothing was taken")]
    Full,
    /// The store refused or is away: nothing was taken.
    #[error("the store is not available; nothing was taken")]
    Unavailable,
    /// Nobody knows; sent again, it will be.
    #[error("the outcome is not known; send it again")]
    Unknown,
    /// Too much waits already.
    #[error("too many insertions wait")]
    Busy,
    /// The program ends.
    #[error("the exchange is stopping")]
    Closed,
}

impl From<&StorageError> for KeepError {
    fn from(error: &StorageError) -> Self {
        match error {
            StorageError::Full => Self::Full,
            StorageError::Unknown { .. } => Self::Unknown,
            _ => Self::Unavailable,
        }
    }
}

enum Job {
    Insert(Box<Submission>, oneshot::Sender<Result<Inserted, KeepError>>),
    Rewrap {
        id: BatchId,
        digest: [u8; 32],
        header: Vec<u8>,
        answer: oneshot::Sender<Result<bool, KeepError>>,
    },
    Expire {
        below_hour: u32,
        answer: oneshot::Sender<Result<u64, KeepError>>,
    },
}

/// The keeper, as doors see it. Clones are of the same.
#[derive(Clone)]
pub struct Keeper {
    jobs: mpsc::Sender<Job>,
    standing: Arc<ArcSwap<Standing>>,
    counters: Arc<Counters>,
}

/// What was done since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Records taken.
    pub accepted: AtomicU64,
    /// Records that were there.
    pub repeated: AtomicU64,
    /// Records refused.
    pub refused: AtomicU64,
    /// Groups committed.
    pub groups: AtomicU64,
}

impl Keeper {
    /// Starts the writer's thread on a store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn start(storage: Arc<dyn Storage>, ambient: Ambient) -> Result<(Self, Ending), StorageError> {
        let standing = storage.load()?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let standing = Arc::new(ArcSwap::from_pointee(standing));
        let counters = Arc::new(Counters::default());
        let keeper = Self { jobs, standing: Arc::clone(&standing), counters: Arc::clone(&counters) };
        let writer = Writer { storage, ambient, standing, counters, batches: draft::Batches::default() };
        let thread = std::thread::Builder::new().name("keeper".to_owned()).spawn(|| writer.run(queue));
        let thread = thread.map_err(|error| StorageError::Unavailable { context: error.to_string() })?;
        Ok((keeper, Ending(thread)))
    }

    /// Inserts; the answer comes when what was accepted is durable.
    ///
    /// # Errors
    /// Where nothing was decided.
    pub async fn insert(&self, submission: Submission) -> Result<Inserted, KeepError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Insert(Box::new(submission), answer), answered).await
    }

    /// Puts a batch's header with other wraps in the place of the present one; says whether there was one.
    ///
    /// # Errors
    /// Where nothing was decided.
    pub async fn rewrap(&self, id: BatchId, digest: [u8; 32], header: Vec<u8>) -> Result<bool, KeepError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Rewrap { id, digest, header, answer }, answered).await
    }

    /// Removes what arrived before an hour; says how many records.
    ///
    /// # Errors
    /// Where it was not finished: what was removed stays removed.
    pub async fn expire(&self, below_hour: u32) -> Result<u64, KeepError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Expire { below_hour, answer }, answered).await
    }

    async fn ask<T>(
        &self,
        job: Job,
        answered: oneshot::Receiver<Result<T, KeepError>>,
    ) -> Result<T, KeepError> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => KeepError::Busy,
            mpsc::error::TrySendError::Closed(_) => KeepError::Closed,
        })?;
        answered.await.unwrap_or(Err(KeepError::Unknown))
    }

    /// Where everything stands: what is in it is durable.
    pub fn standing(&self) -> Arc<Standing> {
        self.standing.load_full()
    }

    /// What was done since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// The writer's thread: it ends when the last keeper has gone.
pub struct Ending(std::thread::JoinHandle<()>);

impl Ending {
    /// Waits for the last group.
    pub fn wait(self) {
        // a panic there has been reported there
        let _ = self.0.join();
    }
}

struct Writer {
    storage: Arc<dyn Storage>,
    ambient: Ambient,
    standing: Arc<ArcSwap<Standing>>,
    counters: Arc<Counters>,
    batches: draft::Batches,
}

type Waiting = (Box<Submission>, oneshot::Sender<Result<Inserted, KeepError>>);

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(first) = queue.blocking_recv() {
            let (mut group, mut bytes, mut next) = (Vec::new(), 0, Some(first));
            while let Some(job) = next.take() {
                match job {
                    Job::Insert(submission, answer) => {
                        bytes += submission.weight();
                        group.push((submission, answer));
                    }
                    other => {
                        self.insert(std::mem::take(&mut group));
                        self.other(other);
                    }
                }
                if group.len() < GROUP_JOBS && bytes < GROUP_BYTES {
                    next = queue.try_recv().ok();
                }
            }
            self.insert(group);
        }
    }

    fn other(&mut self, job: Job) {
        match job {
            Job::Insert(..) => {}
            Job::Rewrap { id, digest, header, answer } => {
                let done = self.storage.replace_header(&id, &digest, &header);
                let _ = answer.send(done.map_err(|error| told(&error)));
            }
            Job::Expire { below_hour, answer } => {
                let done = expire::expire(&*self.storage, &self.standing, below_hour);
                // batches went with their last records
                self.batches = draft::Batches::default();
                if let Err(StorageError::Unknown { .. }) = &done {
                    self.recover();
                }
                let _ = answer.send(done.map_err(|error| told(&error)));
            }
        }
    }

    /// Decides and commits what shares a flush; where that fails for a reason that may lie in one of them, each by itself.
    fn insert(&mut self, group: Vec<Waiting>) {
        if group.is_empty() {
            return;
        }
        let submissions: Vec<&Submission> = group.iter().map(|(submission, _)| &**submission).collect();
        match self.attempt(&submissions) {
            Ok(outcomes) => {
                for ((_, answer), outcome) in group.into_iter().zip(outcomes) {
                    // whoever has gone will ask again
                    let _ = answer.send(Ok(outcome));
                }
            }
            Err(StorageError::Unavailable { .. }) if group.len() > 1 => {
                for one in group {
                    self.insert(vec![one]);
                }
            }
            Err(error) => {
                let why = told(&error);
                if why == KeepError::Unknown {
                    self.recover();
                }
                for (_, answer) in group {
                    let _ = answer.send(Err(why.clone()));
                }
            }
        }
    }

    fn attempt(&mut self, submissions: &[&Submission]) -> Result<Vec<Inserted>, StorageError> {
        let standing = self.standing.load_full();
        let hour = u32::try_from(self.ambient.now().0 / 3_600_000).unwrap_or(0);
        let mut draft = Draft::new(&*self.storage, &standing, &mut self.batches, hour);
        let outcomes: Result<Vec<_>, _> =
            submissions.iter().map(|submission| draft.take(submission)).collect();
        let (outcomes, (group, after)) = (outcomes, draft.finish());
        let committed = match &outcomes {
            Ok(_) if !group.is_empty() => self.storage.commit(&group),
            _ => Ok(()),
        };
        if outcomes.is_err() || committed.is_err() {
            // it knows batches now that were not kept
            self.batches = draft::Batches::default();
        }
        let outcomes = outcomes?;
        committed?;
        if !group.is_empty() {
            self.standing.store(Arc::new(after));
            self.counters.groups.fetch_add(1, Ordering::Relaxed);
        }
        for outcome in &outcomes {
            let refused = u64::try_from(outcome.refused.len()).unwrap_or(0);
            self.counters.accepted.fetch_add(outcome.accepted, Ordering::Relaxed);
            self.counters.repeated.fetch_add(outcome.repeated, Ordering::Relaxed);
            self.counters.refused.fetch_add(refused, Ordering::Relaxed);
        }
        Ok(outcomes)
    }

    /// Reads everything again: nothing is decided before.
    fn recover(&mut self) {
        self.batches = draft::Batches::default();
        loop {
            match self.storage.load() {
                Ok(standing) => return self.standing.store(Arc::new(standing)),
                Err(error) => tracing::error!(%error, "the store cannot be read again yet"),
            }
            std::thread::sleep(RECOVERY_PAUSE);
        }
    }
}

fn told(error: &StorageError) -> KeepError {
    tracing::error!(%error, "the store");
    KeepError::from(error)
}
