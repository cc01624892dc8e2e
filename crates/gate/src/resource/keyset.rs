//! Keysets and jobs as resources.

use super::{Resource, open};
use crate::admit::Gate;
use crate::jobs::{self, JobRecord, JobsView, ResolvedJob, StoredJob};
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_barrier::{BarrierError, Batch, KeyChange, Opened};
use strongroom_model::{JobId, KeysetId, Name};

/// The partition's keysets, for making one.
#[derive(Debug, Clone)]
pub struct Keysets {
    /// The keyset to be made.
    pub name: Name,
}

impl Resource for Keysets {
    type Resolved = KeysetsView;

    fn describe(&self) -> String {
        self.name.to_string()
    }

    fn target(&self) -> Target<'_> {
        Target::Keyset(self.name.as_str())
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<KeysetsView>, BarrierError> {
        Ok(Some(KeysetsView { opened: open(opened)?, name: self.name }))
    }
}

/// A view that makes one keyset.
#[derive(Debug)]
pub struct KeysetsView {
    opened: Arc<Opened>,
    name: Name,
}

impl KeysetsView {
    /// Held while keys change.
    pub async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, BarrierError> {
        self.opened.key_turn().await
    }

    /// Whether the name is taken.
    pub async fn taken(&self) -> Result<bool, BarrierError> {
        Ok(self.opened.keyset_names.find(self.name.as_str()).await?.is_some())
    }

    /// How many keysets there are, internal ones included.
    pub fn count(&self) -> usize {
        self.opened.keyset_ids().len()
    }

    /// Makes it.
    pub async fn create(&self) -> Result<(KeysetId, Batch), BarrierError> {
        self.opened.create_keyset(&self.name).await
    }
}

/// One keyset.
#[derive(Debug, Clone)]
pub struct Keyset {
    /// Its name.
    pub name: Name,
}

impl Resource for Keyset {
    type Resolved = KeysetView;

    fn describe(&self) -> String {
        self.name.to_string()
    }

    fn target(&self) -> Target<'_> {
        Target::Keyset(self.name.as_str())
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<KeysetView>, BarrierError> {
        let opened = open(opened)?;
        let found = opened.keyset_names.find(self.name.as_str()).await?;
        Ok(found.map(|head| KeysetView { id: KeysetId(head.object.0), name: self.name, opened }))
    }
}

/// A view that changes one keyset.
#[derive(Debug)]
pub struct KeysetView {
    opened: Arc<Opened>,
    name: Name,
    id: KeysetId,
}

impl KeysetView {
    /// Its id.
    pub fn id(&self) -> KeysetId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Held while keys change.
    pub async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, BarrierError> {
        self.opened.key_turn().await
    }

    /// How many terms it has; `None` if it is gone.
    pub fn terms(&self) -> Option<usize> {
        self.opened.keyset(self.id).map(|state| state.keyset.terms().len())
    }

    /// The job at work on it.
    pub async fn job(&self) -> Result<Option<StoredJob>, BarrierError> {
        jobs::at_work_on(&self.opened, self.id).await
    }

    /// Records that it seals, roughly.
    pub async fn records(&self) -> Result<u64, BarrierError> {
        self.opened.records_of(self.id).await
    }

    /// Gives it a new term; `None` if it has no room for one.
    pub fn add_term(&self) -> Result<Option<KeyChange>, BarrierError> {
        self.opened.add_term(self.id)
    }

    /// Begins a job on it.
    pub async fn begin(&self, batch: &mut Batch, record: &JobRecord) -> Result<JobId, BarrierError> {
        jobs::forget_ended(&self.opened, batch, &jobs::all(&self.opened).await?.jobs);
        Ok(jobs::begin(&self.opened, batch, record))
    }

    /// Removes it; `None` if a store uses it.
    pub async fn remove(&self) -> Result<Option<Batch>, BarrierError> {
        self.opened.remove_keyset(&self.name, self.id).await
    }
}

/// The background jobs.
#[derive(Debug, Clone, Copy)]
pub struct Jobs;

impl Resource for Jobs {
    type Resolved = JobsView;

    fn describe(&self) -> String {
        String::new()
    }

    fn target(&self) -> Target<'_> {
        Target::Server
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<JobsView>, BarrierError> {
        Ok(Some(JobsView { opened: open(opened)? }))
    }
}

/// One background job.
#[derive(Debug, Clone)]
pub struct Job {
    id: JobId,
    text: String,
}

impl Job {
    /// The job of an id.
    pub fn new(id: JobId) -> Self {
        Self { id, text: id.to_string() }
    }
}

impl Resource for Job {
    type Resolved = ResolvedJob;

    fn describe(&self) -> String {
        self.text.clone()
    }

    fn target(&self) -> Target<'_> {
        Target::Job(&self.text)
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<ResolvedJob>, BarrierError> {
        ResolvedJob::find(open(opened)?, self.id).await
    }
}
