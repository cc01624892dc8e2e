//! The writer's queue: what waits when the writer comes back is the next group.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::time::Duration;
use strongroom_store::{
    Change, Class, CommitError, Committed, MAX_TXN_BYTES, Merge, MergeRefused, PendingEntry, Precondition,
    RowKey, Slot, Txn,
};
use tokio::sync::oneshot;

pub(crate) type Outcome = Result<Committed, CommitError>;

/// What a transaction was made of. It goes back with its outcome, so that the thread that allocated it frees it: memory that
/// moves from thread to thread in one direction costs the allocator a fifth of a write.
pub(crate) type Spent = (Vec<Precondition>, Vec<Step>, Option<PendingEntry>);

/// To whoever waits for an outcome.
pub(crate) type Reply = oneshot::Sender<(Outcome, Spent)>;

/// How long a group waits for company at a time, after a group that had some.
const GATHER: Duration = Duration::from_micros(60);
/// How often it waits again while company keeps coming: under load larger groups cost less each.
const GATHER_ROUNDS: u32 = 6;
/// With so many it does not wait for more.
const GATHERED: usize = 128;

/// One transaction in the queue.
pub(crate) struct Job {
    pub(crate) class: Class,
    pub(crate) preconditions: Vec<Precondition>,
    pub(crate) steps: Vec<Step>,
    pub(crate) entry: Option<PendingEntry>,
    weight: usize,
    reply: Option<Reply>,
    slot: Slot,
}

/// A change that can be applied again when its group has to be.
pub(crate) enum Step {
    Put(RowKey, Vec<u8>),
    Delete(RowKey),
    DeletePrefix(Vec<u8>),
    Merge(RowKey, MergeRun),
    TrimTrail(u64),
}

/// A merge runs once; its result is good as long as it would see the same row.
pub(crate) enum MergeRun {
    Fresh(Merge),
    Running,
    Ran { seen: Option<Vec<u8>>, gave: Result<Option<Vec<u8>>, MergeRefused> },
}

impl Job {
    pub(crate) fn new(slot: Slot, txn: Txn, reply: Option<Reply>) -> Self {
        let weight = txn.weight();
        let steps = txn.changes.into_iter().map(Step::from).collect();
        Self {
            class: txn.class,
            preconditions: txn.preconditions,
            steps,
            entry: txn.entry,
            weight,
            reply,
            slot,
        }
    }

    /// Gives the outcome and the place in the queue back.
    pub(crate) fn answer(self, outcome: Outcome) {
        let Self { class, preconditions, steps, entry, reply, slot, .. } = self;
        drop(slot);
        let Some(reply) = reply else { return };
        let answer = match outcome {
            Err(CommitError::Fenced { index, .. }) => {
                let changes: Option<Vec<Change>> = steps.into_iter().map(Step::unapplied).collect();
                let txn = changes.map(|changes| Box::new(Txn { class, preconditions, changes, entry }));
                (Err(CommitError::Fenced { index, txn }), Spent::default())
            }
            outcome => (outcome, (preconditions, steps, entry)),
        };
        // whoever asked may have left
        let _ = reply.send(answer);
    }
}

impl From<Change> for Step {
    fn from(change: Change) -> Self {
        match change {
            Change::Put(key, value) => Self::Put(key, value),
            Change::Delete(key) => Self::Delete(key),
            Change::DeletePrefix(prefix) => Self::DeletePrefix(prefix),
            Change::Merge(key, merge) => Self::Merge(key, MergeRun::Fresh(merge)),
            Change::TrimTrail(seq) => Self::TrimTrail(seq),
        }
    }
}

impl Step {
    /// The change it came from; `None` of a merge that has run.
    fn unapplied(self) -> Option<Change> {
        Some(match self {
            Self::Put(key, value) => Change::Put(key, value),
            Self::Delete(key) => Change::Delete(key),
            Self::DeletePrefix(prefix) => Change::DeletePrefix(prefix),
            Self::TrimTrail(seq) => Change::TrimTrail(seq),
            Self::Merge(key, MergeRun::Fresh(merge)) => Change::Merge(key, merge),
            Self::Merge(_, MergeRun::Running | MergeRun::Ran { .. }) => return None,
        })
    }
}

/// What the writer finds.
pub(crate) enum Taken {
    Group(Vec<Job>),
    /// Nothing came for as long as it was willing to wait.
    Idle,
    /// Nothing is left and nothing will come.
    Closed,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    /// Wake the writer once so many wait.
    wake_at: usize,
}

/// First in, first out, between many tasks and one thread. Its bound is the semaphore that gives out the slots.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

impl Queue {
    /// Hands a job over; `false` if the queue is closed.
    pub(crate) fn push(&self, job: Job) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        state.jobs.push_back(job);
        let wake = state.jobs.len() >= state.wake_at;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        true
    }

    /// Lets a moment pass, unless the queue is closed.
    pub(crate) fn pause(&self, moment: Duration) {
        let mut state = self.state.lock();
        if !state.closed {
            state.wake_at = usize::MAX;
            self.wake.wait_for(&mut state, moment);
        }
    }

    /// Drops what waits, which is answered that its outcome is unknown: nobody is left to do it.
    pub(crate) fn abandon(&self) {
        let jobs = std::mem::take(&mut self.state.lock().jobs);
        drop(jobs);
    }

    /// No more jobs; what waits is still taken.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_one();
    }

    /// Waits for work, at most `idle` if that is given; then a moment for as many as came last time.
    pub(crate) fn take(&self, expected: usize, idle: Option<Duration>) -> Taken {
        let mut state = self.state.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            state.wake_at = 1;
            match idle {
                Some(idle) if self.wake.wait_for(&mut state, idle).timed_out() => return Taken::Idle,
                Some(_) => {}
                None => self.wake.wait(&mut state),
            }
        }
        if expected > 1 {
            self.gather(&mut state);
        }
        Taken::Group(state.group())
    }

    /// Waits while company keeps coming. Nobody wakes the writer meanwhile: a wake-up a job would cost more than the
    /// wait does.
    fn gather(&self, state: &mut MutexGuard<'_, State>) {
        for _ in 0..GATHER_ROUNDS {
            let before = state.jobs.len();
            if before >= GATHERED || state.closed {
                return;
            }
            state.wake_at = GATHERED;
            self.wake.wait_for(state, GATHER);
            if state.jobs.len() == before {
                return;
            }
        }
    }
}

impl State {
    fn group(&mut self) -> Vec<Job> {
        let mut weight = 0_usize;
        let fits = self.jobs.iter().take(crate::writer::MAX_GROUP).take_while(|job| {
            weight = weight.saturating_add(job.weight);
            weight <= MAX_TXN_BYTES
        });
        // one that is too heavy for company goes alone
        let count = fits.count().max(1).min(self.jobs.len());
        self.jobs.drain(..count).collect()
    }
}
