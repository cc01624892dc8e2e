//! Keysets: made, given new terms, removed.
//!
//! A new term seals at once, everywhere, from the commit that adds it; a job then seals what is already stored anew.

use crate::actions::{CreateKeyset, RemoveKeyset, RotateKeyset};
use crate::initialise::fail;
use crate::{Operator, OperatorError};
use strongroom_gate::{JobRecord, JobState, KeysetView, KeysetsView, Permit, StoredJob};
use strongroom_model::{JobId, KeysetId, RequestId, UserId};

/// Most keysets of a partition.
const MAX_KEYSETS: usize = 1_000;
/// Terms that a keyset may have before its records have been sealed anew: each costs time on every unlock.
const MAX_OPEN_TERMS: usize = 32;

/// Who asked for a job, and by which request.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Who.
    pub by: UserId,
    /// The request: the job's entry in the trail.
    pub request: RequestId,
}

impl Operator {
    /// Makes a keyset.
    pub async fn create_keyset(&self, permit: Permit<CreateKeyset>) -> Result<KeysetId, OperatorError> {
        let (view, mut entry) = permit.open();
        let _turn = match view.turn().await {
            Ok(turn) => turn,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        match prepare(&view).await {
            Ok((id, batch)) => {
                entry.remember(id.0.to_vec());
                entry.commit(batch).await?;
                Ok(id)
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Removes a keyset that no store uses and no job works on. Its terms are gone for ever.
    pub async fn remove_keyset(&self, permit: Permit<RemoveKeyset>) -> Result<(), OperatorError> {
        let (view, mut entry) = permit.open();
        let _turn = match view.turn().await {
            Ok(turn) => turn,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let removed = async {
            idle(&view).await?;
            view.remove().await?.ok_or(OperatorError::KeysetInUse)
        };
        match removed.await {
            Ok(batch) => {
                entry.remember(Vec::new());
                entry.commit(batch).await?;
                Ok(())
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Gives a keyset a new term, and begins the job that seals its records anew.
    pub async fn rotate_keyset(
        &self,
        permit: Permit<RotateKeyset>,
        asked: Asked,
    ) -> Result<(JobId, JobRecord), OperatorError> {
        let (view, mut entry) = permit.open();
        let _turn = match view.turn().await {
            Ok(turn) => turn,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        match self.rotation(&view, asked).await {
            Ok((id, record, batch)) => {
                entry.note(format!("term {}, job {id}", record.term));
                entry.remember(id.0.to_vec());
                entry.commit(batch).await?;
                self.job_bell.notify_one();
                Ok((id, record))
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn rotation(
        &self,
        view: &KeysetView,
        asked: Asked,
    ) -> Result<(JobId, JobRecord, strongroom_gate::Batch), OperatorError> {
        // the keys before the jobs: a rotation that comes in between changes them, and this one fails
        let room = view.terms().is_some_and(|terms| terms < MAX_OPEN_TERMS);
        let change = view.add_term()?.filter(|_| room).ok_or(OperatorError::TooManyTerms)?;
        idle(view).await?;
        let total = view.records().await?;
        let record = JobRecord {
            keyset: view.id(),
            name: view.name().to_string(),
            total,
            ..self.fresh_job(change.write_term, asked)
        };
        let mut batch = change.batch;
        let id = view.begin(&mut batch, &record).await?;
        Ok((id, record, batch))
    }

    pub(crate) fn fresh_job(&self, term: u32, asked: Asked) -> JobRecord {
        let now = self.gate.now();
        JobRecord {
            state: JobState::Running,
            keyset: KeysetId::default(),
            name: String::new(),
            term,
            by: asked.by,
            request: asked.request,
            started: now,
            updated: now,
            pass: 1,
            cursor: Vec::new(),
            seen: 0,
            older: 0,
            damaged: 0,
            rewritten: 0,
            total: 0,
            note: String::new(),
        }
    }
}

async fn prepare(view: &KeysetsView) -> Result<(KeysetId, strongroom_gate::Batch), OperatorError> {
    if view.taken().await? {
        return Err(OperatorError::AlreadyExists);
    }
    if view.count() >= MAX_KEYSETS {
        return Err(OperatorError::TooManyKeysets);
    }
    Ok(view.create().await?)
}

async fn idle(view: &KeysetView) -> Result<(), OperatorError> {
    match view.job().await? {
        Some(StoredJob { id, .. }) => Err(OperatorError::JobAtWork { job: id }),
        None => Ok(()),
    }
}
