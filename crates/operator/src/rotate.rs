//! Rotating the root key, in two commits. The first adds the new set of unlock keys beside the old and shows it; the
//! second, when a threshold of the new has been presented, re-wraps the KEK and drops the old.

use crate::actions::{CancelRotateRoot, ConfirmRotateRoot, RotateRoot};
use crate::initialise::{fail, read_root};
use crate::{NewKeys, Operator, OperatorError, hex, parse_keys};
use strongroom_gate::{Batch, Permit, RootKey, ServerView};
use strongroom_secret::SecretBytes;
use strongroom_unlock::{Judgement, Pending, PendingPurpose, Progress, RootRecord, UnlockKey, UnlockSet};

/// Opens the root key with a threshold of a set's keys, presented at once.
pub(crate) fn open_root(set: &UnlockSet, keys: &[SecretBytes]) -> Result<RootKey, OperatorError> {
    let mut progress = Progress::new(set);
    for (at, key) in parse_keys(keys)?.iter().enumerate() {
        let index = at + 1;
        match progress.present(set, key) {
            Judgement::Complete(root) => return Ok(root),
            Judgement::Accepted { .. } => {}
            Judgement::Wrong => return Err(OperatorError::WrongKey { index }),
            Judgement::Repeated { .. } => return Err(OperatorError::RepeatedKey { index }),
            Judgement::OtherSet => return Err(OperatorError::ForeignKey { index }),
            Judgement::Damaged => return Err(crate::lock::damaged()),
        }
    }
    Err(OperatorError::TooFewKeys { have: progress.have(), need: set.threshold() })
}

impl Operator {
    /// First commit: the new set stands beside the old, and is shown. Asked again, it makes another.
    pub async fn rotate_root(
        &self,
        permit: Permit<RotateRoot>,
        keys: &[SecretBytes],
        num_keys: Option<u8>,
        threshold: Option<u8>,
    ) -> Result<NewKeys, OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        let prepared = async {
            let (mut record, revision) = read_root(&view).await?.ok_or(OperatorError::NotInitialised)?;
            // a threshold of the present keys, not only a token
            open_root(&record.current, keys)?;
            let ambient = self.gate.ambient();
            let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
            let num_keys = num_keys.unwrap_or(record.current.key_count());
            let threshold = threshold.unwrap_or(record.current.threshold());
            let generation = record.root_generation() + 1;
            let (set, keys) = UnlockSet::generate(ambient, &root, generation, num_keys, threshold)?;
            let set_id = hex(&set.id());
            record.pending = Some(Pending { purpose: PendingPurpose::Rotation, set });
            Ok((
                record,
                revision,
                NewKeys { set_id, threshold, keys: keys.iter().map(UnlockKey::to_text).collect() },
            ))
        };
        match prepared.await {
            Ok((record, revision, keys)) => {
                let mut batch = Batch::new();
                view.put_root(&mut batch, Some(revision), record.encode());
                view.forget_beside(&mut batch);
                if let Some(pending) = &record.pending {
                    view.note_set(&mut batch, pending.set.id());
                }
                entry.note(format!("set {}", keys.set_id));
                entry.commit(batch).await?;
                Ok(keys)
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Second commit: a threshold of the new set re-wraps the KEK and takes the old set's place. Repeated after its
    /// answer was lost, it says yes again.
    pub async fn confirm_rotate_root(
        &self,
        permit: Permit<ConfirmRotateRoot>,
        keys: &[SecretBytes],
    ) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        match self.promote(&view, keys).await {
            Ok(Some((batch, lost))) => {
                if !lost.is_empty() {
                    let lost = lost.join(", ");
                    tracing::warn!(
                        providers = lost,
                        "auto-unlock ends with the old root key: not configured here"
                    );
                    entry.note(format!("auto-unlock by {lost} ended with the old root key"));
                }
                entry.commit(batch).await?;
                Ok(())
            }
            Ok(None) => {
                entry.note("already confirmed");
                Ok(entry.finish(strongroom_gate::Verdict::Done).await?)
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// The second commit, and the auto-unlock providers that it leaves behind because their keys are not at hand.
    async fn promote(
        &self,
        view: &ServerView,
        keys: &[SecretBytes],
    ) -> Result<Option<(Batch, Vec<String>)>, OperatorError> {
        let (mut record, revision) = read_root(view).await?.ok_or(OperatorError::NotInitialised)?;
        let Some(pending) = &record.pending else {
            return match open_root(&record.current, keys) {
                Ok(_) => Ok(None),
                Err(_) => Err(OperatorError::NothingPending),
            };
        };
        let root = open_root(&pending.set, keys)?;
        let providers = self.promote_record(&mut record, &root)?;
        let rewrapped = view.rewrap(&root, record.root_generation());
        let mut batch = rewrapped.ok_or(strongroom_gate::BarrierError::Locked)?;
        view.put_root(&mut batch, Some(revision), RootRecord::encode(&record));
        view.forget_beside(&mut batch);
        Ok(Some((batch, providers)))
    }

    /// Puts the pending set in the old one's place; gives the auto-unlock providers whose keys are not at hand.
    pub(crate) fn promote_record(
        &self,
        record: &mut RootRecord,
        root: &RootKey,
    ) -> Result<Vec<String>, OperatorError> {
        let mut providers: Vec<String> =
            record.autos().iter().map(|auto| auto.provider().to_owned()).collect();
        record.promote_pending();
        self.rewrap_autos(&providers, root, record)?;
        providers.retain(|name| record.autos().iter().all(|auto| auto.provider() != name));
        Ok(providers)
    }

    /// Gives a rotation up: the old unlock keys stay as they are.
    pub async fn cancel_rotate_root(&self, permit: Permit<CancelRotateRoot>) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        let Some((mut record, revision)) = read_root(&view).await? else {
            return fail(entry, OperatorError::NotInitialised).await;
        };
        if record.pending.take().is_none() {
            return fail(entry, OperatorError::NothingPending).await;
        }
        let mut batch = Batch::new();
        view.put_root(&mut batch, Some(revision), record.encode());
        view.forget_beside(&mut batch);
        entry.commit(batch).await?;
        Ok(())
    }
}
