//! Rotating what wraps keysets: the KEK by itself, or every key there is.

use crate::actions::{RotateAll, RotateKek};
use crate::initialise::{fail, read_root};
use crate::keysets::Asked;
use crate::rotate::open_root;
use crate::{Operator, OperatorError};
use strongroom_gate::{BarrierError, Batch, Permit, ServerView};
use strongroom_model::JobId;
use strongroom_secret::SecretBytes;

impl Operator {
    /// A new KEK wraps every keyset anew, in one transaction. It takes a threshold of unlock keys: the root key, which
    /// wraps the KEK, is kept nowhere.
    pub async fn rotate_kek(
        &self,
        permit: Permit<RotateKek>,
        keys: &[SecretBytes],
    ) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        let _keys = match view.key_turn().await {
            Ok(keys) => keys,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        match new_kek(&view, keys).await {
            Ok(batch) => {
                entry.remember(Vec::new());
                entry.commit(batch).await?;
                Ok(())
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// After [`Operator::rotate_root`] has shown a new set: with a threshold of it, every key is another from one
    /// commit on (root key, KEK, a term of every keyset, the internal ones included), every token ends, and jobs seal
    /// everything that is stored anew. The trail's old entries stay sealed under its old terms, which are kept.
    pub async fn rotate_all(
        &self,
        permit: Permit<RotateAll>,
        keys: &[SecretBytes],
        asked: Asked,
    ) -> Result<Vec<JobId>, OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        let _keys = match view.key_turn().await {
            Ok(keys) => keys,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        // it takes the place of jobs at work: they stand still meanwhile
        let _step = self.steps.lock().await;
        match self.new_keys(&view, keys, asked).await {
            Ok((batch, jobs, lost)) => {
                if !lost.is_empty() {
                    entry.note(format!("auto-unlock by {} ended with the old root key", lost.join(", ")));
                }
                entry.remember(jobs.iter().flat_map(|job| job.0).collect());
                entry.commit(batch).await?;
                view.forget_callers();
                self.job_bell.notify_one();
                Ok(jobs)
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn new_keys(
        &self,
        view: &ServerView,
        keys: &[SecretBytes],
        asked: Asked,
    ) -> Result<(Batch, Vec<JobId>, Vec<String>), OperatorError> {
        let (mut record, revision) = read_root(view).await?.ok_or(OperatorError::NotInitialised)?;
        let pending = record.pending.as_ref().ok_or(OperatorError::NothingPending)?;
        let root = open_root(&pending.set, keys)?;
        let lost = self.promote_record(&mut record, &root)?;
        let job = self.fresh_job(0, asked);
        let rekeyed = view.rekey(&root, record.root_generation(), Some(&job)).await?;
        let (mut batch, jobs) = rekeyed.ok_or(OperatorError::TooManyTerms)?;
        batch.absorb(view.end_tokens());
        view.put_root(&mut batch, Some(revision), record.encode());
        view.forget_beside(&mut batch);
        Ok((batch, jobs, lost))
    }
}

async fn new_kek(view: &ServerView, keys: &[SecretBytes]) -> Result<Batch, OperatorError> {
    let (record, revision) = read_root(view).await?.ok_or(OperatorError::NotInitialised)?;
    let root = open_root(&record.current, keys)?;
    let rekeyed = view.rekey(&root, record.root_generation(), None).await?;
    let (mut batch, _) = rekeyed.ok_or(BarrierError::Locked)?;
    // what was laid beside is wrapped with the KEK of before
    view.forget_beside(&mut batch);
    // the root key that was opened is still the one
    view.put_root(&mut batch, Some(revision), record.encode());
    Ok(batch)
}
