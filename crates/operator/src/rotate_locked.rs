//! Rotating the root key so that the server is locked until somebody has a new unlock key in hand.
//!
//! The first commit shows the new set, and lays what the new root key must open beside what the present one opens. The
//! second needs nothing that is open: it comes when enough keys of the new set are presented to unlock. Until then the
//! old unlock keys unlock too, and nothing is lost if the new ones never arrived.

use crate::actions::{ConfirmRotateRoot, RotateRootAndLock};
use crate::initialise::{fail, read_root};
use crate::rotate::open_root;
use crate::{NewKeys, Operator, OperatorError, hex};
use std::sync::atomic::Ordering;
use strongroom_gate::{Batch, CommitError, Permit, Revision, RootKey, Server, ServerView};
use strongroom_secret::SecretBytes;
use strongroom_unlock::{Pending, PendingPurpose, RootRecord, UnlockKey, UnlockSet};

/// The set that waits, if a key is of it and what its root key opens is laid beside.
pub(crate) async fn next_set(
    view: &ServerView,
    record: &RootRecord,
    key: &UnlockKey,
) -> Result<Option<UnlockSet>, OperatorError> {
    let rotation = |pending: &&Pending| pending.purpose == PendingPurpose::Rotation;
    let Some(pending) = record.pending.as_ref().filter(rotation) else { return Ok(None) };
    let named = key.set_id() == pending.set.id() && view.holds_beside(key.set_id()).await?;
    Ok(named.then(|| pending.set.clone()))
}

impl Operator {
    /// Shows a new set of unlock keys, and locks. Where one unlock key unlocks, the right to do it is enough, as it
    /// was where this comes from; where several must come together, as many of the present ones are needed.
    pub async fn rotate_root_and_lock(
        &self,
        permit: Permit<RotateRootAndLock>,
        keys: &[SecretBytes],
        num_keys: Option<u8>,
    ) -> Result<NewKeys, OperatorError> {
        let _turn = self.turn.lock().await;
        self.checkpoint_chore().await;
        let (view, mut entry) = permit.open();
        let (batch, keys) = match self.next_keys(&view, keys, num_keys).await {
            Ok(made) => made,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(format!("set {}, and locked", keys.set_id));
        let committed = entry.commit(batch).await;
        let unknown = matches!(committed, Err(CommitError::Unknown));
        if committed.is_ok() || unknown {
            view.lock();
        }
        if unknown {
            // if it was done after all, the tokens ended with it; if not, they end with the next unlock
            self.void_tokens.store(true, Ordering::Release);
        }
        committed?;
        Ok(keys)
    }

    async fn next_keys(
        &self,
        view: &ServerView,
        keys: &[SecretBytes],
        num_keys: Option<u8>,
    ) -> Result<(Batch, NewKeys), OperatorError> {
        let (mut record, revision) = read_root(view).await?.ok_or(OperatorError::NotInitialised)?;
        let threshold = record.current.threshold();
        if threshold > 1 || !keys.is_empty() {
            open_root(&record.current, keys)?;
        }
        let ambient = self.gate.ambient();
        let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
        let num_keys = num_keys.unwrap_or(record.current.key_count());
        let generation = record.root_generation() + 1;
        let (set, made) = UnlockSet::generate(ambient, &root, generation, num_keys, threshold)?;
        let mut batch = view.end_tokens();
        batch.absorb(view.lay_beside(&root, generation, set.id()).await?);
        view.note_set(&mut batch, set.id());
        let set_id = hex(&set.id());
        record.pending = Some(Pending { purpose: PendingPurpose::Rotation, set });
        record.auto_held = !record.autos().is_empty();
        view.put_root(&mut batch, Some(revision), record.encode());
        let keys = made.iter().map(UnlockKey::to_text).collect();
        Ok((batch, NewKeys { set_id, threshold, keys }))
    }

    /// The second commit: the new root key, which was just opened, takes the old one's place.
    pub(crate) async fn take_next_root(
        &self,
        view: &ServerView,
        root: &RootKey,
    ) -> Result<(RootRecord, Revision), OperatorError> {
        let _turn = self.turn.lock().await;
        let (mut record, revision) = read_root(view).await?.ok_or(OperatorError::NotInitialised)?;
        let pending = record.pending.as_ref().ok_or(OperatorError::NothingPending)?;
        let taken = view.take_beside(root, pending.set.id()).await?;
        let mut batch = taken.ok_or(OperatorError::NothingPending)?;
        let (_, mut entry) = self.gate.system::<ConfirmRotateRoot>(Server).await?.open();
        let providers = record.autos().iter().map(|auto| auto.provider().to_owned()).collect::<Vec<_>>();
        let lost = match self.promote_record(&mut record, root) {
            Ok(lost) => lost,
            // a key file that is not at hand must not keep people with unlock keys out
            Err(fault) => {
                tracing::warn!(%fault, "auto-unlock ends with the old root key");
                providers
            }
        };
        if !lost.is_empty() {
            entry.note(format!("auto-unlock by {} ended with the old root key", lost.join(", ")));
        }
        view.put_root(&mut batch, Some(revision), record.encode());
        entry.commit(batch).await?;
        read_root(view).await?.ok_or(OperatorError::NotInitialised)
    }
}
