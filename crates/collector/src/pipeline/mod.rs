//! From a record to a durable, sealed record: plan outside the lock, seal in the order of the chain, sync in groups.
//!
//! While the manifest is fresh, records are sealed for good. While it is not, nothing is encrypted for anybody: records wait,
//! sealed under the spool's own key, and are sealed for good when there is a fresh manifest again.

mod drain;
mod error;
mod seal;

pub use error::PipelineError;

use crate::plan::{Keyed, Plan};
use crate::policy::Rules;
use crate::record::{Incoming, RecordError};
use crate::spool::{Level, Spool};
use drain::Draining;
use seal::{Group, Open};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_blindindex::CollectorEpochKey;
use strongroom_crypto::SealingKey;
use strongroom_envelope::PolicySet;
use strongroom_member::config::{BatchLimits, SpoolConfig};
use strongroom_member::{Session, Trusted};
use tokio::sync::Notify;

/// What is told of a record that was acknowledged before it could be looked at, and then could not be taken.
pub type Rejected = Box<dyn Fn(&Incoming, &RecordError) + Send + Sync>;

/// Records in, durable sealed records out.
pub struct Pipeline {
    session: Arc<Session>,
    rules: Arc<Rules>,
    limits: BatchLimits,
    pub(crate) spool: Spool,
    raw_key: SealingKey,
    rejected: Rejected,
    /// What records are sealed by; the last one may be stale.
    ready: RwLock<Option<Arc<Ready>>>,
    open: Mutex<Option<Open>>,
    workers: Mutex<Vec<Worker>>,
    raw: Mutex<Draining>,
    /// Something became durable.
    pub(crate) news: Notify,
}

/// What records of an epoch are sealed by.
pub struct Ready {
    /// The manifest that says so.
    pub manifest: Arc<Trusted>,
    /// Policies of the epoch.
    pub policies: PolicySet,
    /// What tokens and labels are made with.
    pub key: Arc<CollectorEpochKey>,
}

/// What a thread plans with.
pub(super) struct Worker {
    epoch: u64,
    keyed: Keyed,
    pub(super) plans: Vec<Plan>,
}

impl Pipeline {
    /// Opens the spool, and brings it into order after a kill. Until it is made [`Ready`], records wait.
    pub fn open(
        session: Arc<Session>,
        rules: Arc<Rules>,
        batch: BatchLimits,
        spool: &SpoolConfig,
        rejected: Rejected,
    ) -> Result<Self, PipelineError> {
        let spool = Spool::open(spool, session.member())?;
        let raw_key = session.spool_key()?.expose(SealingKey::new);
        Ok(Self {
            session,
            rules,
            limits: batch,
            spool,
            raw_key,
            rejected,
            ready: RwLock::new(None),
            open: Mutex::new(None),
            workers: Mutex::default(),
            raw: Mutex::default(),
            news: Notify::new(),
        })
    }

    /// The member at work.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// How the spool stands.
    pub fn level(&self) -> Level {
        self.spool.level()
    }

    /// How far a source is read.
    pub fn mark(&self, source: &str) -> Option<Vec<u8>> {
        self.spool.mark(source)
    }

    pub(super) fn ambient(&self) -> &Ambient {
        self.session.ambient()
    }

    /// What records are sealed by from now on.
    pub fn set_ready(&self, ready: Ready) -> Result<(), PipelineError> {
        let mut open = self.lock_open();
        let epoch = ready.manifest.epoch();
        if open.as_ref().is_some_and(|open| open.epoch != epoch) {
            *open = None;
        }
        self.spool.set_epoch(epoch)?;
        *self.ready.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(ready));
        Ok(())
    }

    /// What records are sealed by; it may be stale.
    pub fn ready(&self) -> Option<Arc<Ready>> {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, if it may be used.
    pub fn fresh(&self) -> Option<Arc<Ready>> {
        self.ready().filter(|ready| ready.manifest.is_fresh(self.ambient()))
    }

    fn lock_open(&self) -> MutexGuard<'_, Option<Open>> {
        let mut open = self.open.lock().unwrap_or_else(|poisoned| {
            // a batch in whose midst something went wrong is not gone on with
            let mut open = PoisonError::into_inner(poisoned);
            *open = None;
            open
        });
        let old = |open: &Open| self.ambient().clock.monotonic() >= open.begun + self.limits.max_age;
        if open
            .as_ref()
            .is_some_and(|open| open.batch.records() >= u64::from(self.limits.max_records) || old(open))
        {
            *open = None;
            self.spool.end_batch();
        }
        open
    }

    /// Takes records. When it returns, those whose result is good are durable; the others are not there, and why.
    pub fn accept(&self, group: &[Incoming]) -> Result<Vec<Result<(), RecordError>>, PipelineError> {
        let results = match self.fresh() {
            Some(ready) => self.accept_sealed(&ready, group),
            None => self.accept_raw(group),
        }?;
        self.news.notify_waiters();
        Ok(results)
    }

    fn accept_sealed(
        &self,
        ready: &Arc<Ready>,
        group: &[Incoming],
    ) -> Result<Vec<Result<(), RecordError>>, PipelineError> {
        let mut worker = self.worker(ready);
        let texts: Vec<&[u8]> = group.iter().map(|incoming| incoming.json.as_slice()).collect();
        let results = worker.plan(&texts);
        let together = Group { ready, worker: &worker, texts: &texts, drains: false };
        let sealed = self.seal(&together, results, |draft, results| {
            let taken = group.iter().zip(results).filter(|(_, result)| result.is_ok());
            seal::last_marks(taken.map(|(incoming, _)| incoming), draft);
        });
        self.give_back(worker);
        match sealed {
            // the epoch has changed meanwhile: once more by the new one, or raw
            Err(PipelineError::Changed) => match self.fresh() {
                Some(ready) => self.accept_sealed(&ready, group),
                None => self.accept_raw(group),
            },
            other => other,
        }
    }

    /// A worker for an epoch.
    fn worker(&self, ready: &Ready) -> Worker {
        let epoch = ready.manifest.epoch();
        let kept = self.lock_workers().pop().filter(|worker| worker.epoch == epoch);
        kept.unwrap_or_else(|| {
            let keyed = Keyed::new(self.rules.clone(), ready.key.clone());
            Worker { epoch, keyed, plans: Vec::new() }
        })
    }

    fn give_back(&self, worker: Worker) {
        self.lock_workers().push(worker);
    }

    fn lock_workers(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until the batch that goes on is too old.
    pub fn batch_age(&self) -> Duration {
        self.limits.max_age
    }
}

impl Worker {
    /// Plans each text; those that are not taken say why.
    pub(super) fn plan(&mut self, texts: &[&[u8]]) -> Vec<Result<(), RecordError>> {
        if self.plans.len() < texts.len() {
            self.plans.resize_with(texts.len(), Plan::default);
        }
        let Self { keyed, plans, .. } = self;
        texts.iter().zip(plans).map(|(text, plan)| keyed.plan(text, plan)).collect()
    }
}

#[cfg(test)]
mod tests;
