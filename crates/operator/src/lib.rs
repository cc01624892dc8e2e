//! Engine: initialise, unlock, lock, rotate the root key, read the trail.
//!
//! **What it promises.** A second initialisation is refused once the first was confirmed. Each unlock key is judged
//! at once, and a bad one does not reset the progress, which belongs to its caller and expires. A rotation of the
//! root key takes two commits: until the second, the old unlock keys open; from it on, the new ones; an answer lost
//! anywhere in between loses nothing.
//!
//! **What it does not know.** Where an auto-unlock key is kept: see [`AutoSource`].

mod actions;
mod archive;
mod auto;
mod backup;
mod initialise;
mod jobs;
mod keysets;
mod lock;
mod progress;
mod rekey;
mod rotate;
mod rotate_locked;
mod status;
mod trail;
mod trail_filter;
mod unlock_keys;

pub use actions::{
    AcceptClock, AddAutoUnlock, ArchiveTrail, AutoUnlock, CancelJob, CancelRotateRoot, ChoreCheckpoint,
    ConfirmInitialise, ConfirmRotateRoot, CreateBackup, CreateKeyset, DeepCheck, EndBackup, FollowTrail,
    Housekeeping, Initialise, JobStep, ListJobs, ListSegments, ListUnlockKeys, Lock, ReadTrail,
    RemoveAutoUnlock, RemoveKeyset, RevokeUnlockKey, RotateAll, RotateKek, RotateKeyset, RotateRoot,
    RotateRootAndLock, ShowJob, SignCheckpoint, Start, Stop, Unlock, VerifyTrail,
};
pub use archive::{Archive, SegmentLine};
pub use auto::{AutoSource, AutoSourceError};
pub use initialise::{Initialised, WARNINGS};
pub use jobs::{JobSummary, JobsFound, Stepped};
pub use keysets::Asked;
pub use lock::Unlocking;
pub use status::Status;
pub use trail::{TrailExport, TrailFound, TrailLine};
pub use trail_filter::TrailFilter;

pub use unlock_keys::UnlockKeySet;

use crate::progress::Attempts;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use strongroom_gate::{
    BarrierError, Bounds, CheckpointError, CommitError, Denied, Gate, StoreError, TrailError,
};
use strongroom_model::JobId;
use strongroom_secret::SecretBytes;
use strongroom_unlock::{KeyTextError, LimitError, RecordError, SetError, UnlockKey};

/// Why an operator's request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no root key yet.
    #[error("the server is not initialised")]
    NotInitialised,
    /// There is one, and it is in use.
    #[error("the server is already initialised")]
    AlreadyInitialised,
    /// It is unlocked already.
    #[error("the server is already unlocked")]
    AlreadyUnlocked,
    /// Numbers of keys that make no set.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A public key that cannot be used.
    #[error("public key: {0}")]
    PublicKey(#[from] strongroom_crypto::KeyError),
    /// A text that is no unlock key.
    #[error("unlock key {index}: {fault}")]
    KeyText {
        /// Which of those presented, from 1.
        index: usize,
        /// What is wrong with it.
        fault: KeyTextError,
    },
    /// A key that is not one of this set.
    #[error("unlock key {index} is wrong")]
    WrongKey {
        /// Which of those presented, from 1.
        index: usize,
    },
    /// A key that was presented before.
    #[error("unlock key {index} was already presented")]
    RepeatedKey {
        /// Which of those presented, from 1.
        index: usize,
    },
    /// A key of another set.
    #[error("unlock key {index} belongs to another set")]
    ForeignKey {
        /// Which of those presented, from 1.
        index: usize,
    },
    /// Too few keys.
    #[error("{have} of {need} unlock keys")]
    TooFewKeys {
        /// Presented.
        have: u8,
        /// Needed.
        need: u8,
    },
    /// The set to confirm is not the one that waits.
    #[error("no such set of unlock keys waits for confirmation")]
    NothingPending,
    /// No auto-unlock is configured.
    #[error("no auto-unlock is configured")]
    NoAutoUnlock,
    /// Its key cannot be had.
    #[error("auto-unlock: {0}")]
    Auto(#[from] AutoSourceError),
    /// Its key does not open what is stored.
    #[error("auto-unlock: {0}")]
    AutoKey(#[from] strongroom_unlock::AutoError),
    /// More than the root record holds.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The name is taken.
    #[error("it already exists")]
    AlreadyExists,
    /// As many keysets as there may be.
    #[error("there are as many keysets as there may be")]
    TooManyKeysets,
    /// A store is attached to the keyset.
    #[error("a store uses this keyset")]
    KeysetInUse,
    /// A job works on the keyset.
    #[error("job {job} is at work on this keyset")]
    JobAtWork {
        /// The job.
        job: JobId,
    },
    /// The keyset has too many terms: those before must be retired first.
    #[error("the keyset has too many terms; let a rotation come to its end first")]
    TooManyTerms,
    /// The job has nothing left to do.
    #[error("the job has ended")]
    JobEnded,
    /// An unlock key cannot be revoked.
    #[error(transparent)]
    Revoke(#[from] strongroom_unlock::RevokeError),
    /// A key was presented to revoke itself.
    #[error("present an unlock key that stays, not the one to be revoked")]
    RevokedKeyPresented,
    /// The root record is damaged, or newer.
    #[error("root record: {0}")]
    Record(#[from] RecordError),
    /// Not admitted.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Stored data.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
    /// The store below.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The change was not, or perhaps not, made.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The trail cannot be written.
    #[error(transparent)]
    Trail(#[from] TrailError),
    /// No checkpoint can be signed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The right was lost while it was used.
    #[error(transparent)]
    Right(#[from] strongroom_gate::RightLost),
    /// The front of the trail did not move out.
    #[error(transparent)]
    Archive(#[from] strongroom_gate::ArchiveError),
}

/// New unlock keys: shown once.
#[derive(Debug)]
pub struct NewKeys {
    /// The set they belong to, in hexadecimal.
    pub set_id: String,
    /// How many of them unlock together.
    pub threshold: u8,
    /// The keys.
    pub keys: Vec<SecretBytes>,
}

/// The operator engine.
pub struct Operator {
    gate: Arc<Gate>,
    attempts: Attempts,
    auto: Option<Arc<dyn AutoSource>>,
    archive: Option<Archive>,
    /// A lock could not end the tokens: the next unlock does.
    void_tokens: AtomicBool,
    /// Held while the lock changes: two who unlock at once would open two hierarchies, each with its own indexes.
    turn: tokio::sync::Mutex<()>,
    /// Held while a job's record is read and written: a step, and whoever gives jobs up, follow each other.
    steps: tokio::sync::Mutex<()>,
    /// Rung when there is a job to do.
    job_bell: tokio::sync::Notify,
    /// The job that waits, and for what.
    job_waits: parking_lot::Mutex<Option<(JobId, String)>>,
    /// Jobs whose records do not open.
    damaged_jobs: parking_lot::Mutex<Vec<JobId>>,
    /// How much one step of a job does.
    step: Bounds,
}

impl Operator {
    /// An engine over a gate, with the auto-unlock that the configuration names.
    pub fn new(gate: Arc<Gate>, auto: Option<Arc<dyn AutoSource>>) -> Self {
        let (attempts, turn) = (Attempts::default(), tokio::sync::Mutex::default());
        let (job_bell, job_waits, damaged_jobs) = <(tokio::sync::Notify, _, _)>::default();
        Self {
            void_tokens: AtomicBool::new(false),
            gate,
            attempts,
            auto,
            archive: None,
            turn,
            steps: tokio::sync::Mutex::default(),
            job_bell,
            job_waits,
            damaged_jobs,
            step: jobs::STEP,
        }
    }

    /// The same, with other bounds of a job's step.
    #[must_use]
    pub fn with_steps(mut self, step: Bounds) -> Self {
        self.step = step;
        self
    }

    /// The same, with a place for the front of the trail.
    #[must_use]
    pub fn with_archive(mut self, archive: Archive) -> Self {
        self.archive = Some(archive);
        self
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Operator")
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn parse_keys(texts: &[SecretBytes]) -> Result<Vec<UnlockKey>, OperatorError> {
    let parse = |(at, text): (usize, &SecretBytes)| {
        text.expose(UnlockKey::parse).map_err(|fault| OperatorError::KeyText { index: at + 1, fault })
    };
    texts.iter().enumerate().map(parse).collect()
}
