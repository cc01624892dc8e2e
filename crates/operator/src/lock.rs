//! Unlocking and locking; starting and stopping.

use crate::actions::{AcceptClock, ChoreCheckpoint, Housekeeping, Lock, Start, Stop, Unlock};
use crate::initialise::{fail, read_root};
use crate::rotate_locked::next_set;
use crate::{Operator, OperatorError};
use std::sync::atomic::Ordering;
use strongroom_gate::{
    Batch, Checkpoint, Entry, Permit, Revision, RootKey, Server, ServerView, Trail, Verdict,
};
use strongroom_model::Origin;
use strongroom_secret::SecretBytes;
use strongroom_unlock::{Judgement, RootRecord, UnlockKey};

/// Most batches that one round of housekeeping removes.
const HOUSEKEEPING_ROUNDS: usize = 200;

/// How far an unlock has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlocking {
    /// Whether the server is unlocked.
    pub done: bool,
    /// Keys that this caller has presented.
    pub have: u8,
    /// Keys needed.
    pub need: u8,
}

impl Operator {
    /// Judges one unlock key; with the last one needed, unlocks.
    pub async fn unlock(
        &self,
        permit: Permit<Unlock>,
        origin: Origin,
        key: &SecretBytes,
    ) -> Result<Unlocking, OperatorError> {
        let (view, mut entry) = permit.open();
        if self.gate.is_unlocked() {
            return refuse(entry, OperatorError::AlreadyUnlocked).await;
        }
        let Some((mut record, mut revision)) = read_root(&view).await? else {
            return refuse(entry, OperatorError::NotInitialised).await;
        };
        let key = match key.expose(UnlockKey::parse) {
            Ok(key) => key,
            Err(fault) => return refuse(entry, OperatorError::KeyText { index: 1, fault }).await,
        };
        let now = self.gate.ambient().clock.monotonic();
        let next = next_set(&view, &record, &key).await?;
        let set = next.as_ref().unwrap_or(&record.current);
        match self.attempts.present(origin.source(), set, &key, now) {
            Judgement::Accepted { have, need } => {
                entry.note(format!("key {}: {have} of {need}", key.index()));
                entry.finish(Verdict::Done).await?;
                Ok(Unlocking { done: false, have, need })
            }
            Judgement::Complete(root) => {
                entry.note(format!("key {}", key.index()));
                let need = set.threshold();
                if next.is_some() {
                    (record, revision) = match self.take_next_root(&view, &root).await {
                        Ok(taken) => taken,
                        Err(fault) => return fail(entry, fault).await,
                    };
                }
                self.complete(&view, entry, &root, record, revision).await?;
                Ok(Unlocking { done: true, have: need, need })
            }
            Judgement::Wrong => refuse(entry, OperatorError::WrongKey { index: 1 }).await,
            Judgement::Repeated { .. } => refuse(entry, OperatorError::RepeatedKey { index: 1 }).await,
            Judgement::OtherSet => refuse(entry, OperatorError::ForeignKey { index: 1 }).await,
            Judgement::Damaged => fail(entry, damaged()).await,
        }
    }

    /// Opens with the root key, and takes note that a person has: the initialisation is confirmed by it, and
    /// auto-unlock is on again.
    async fn complete(
        &self,
        view: &ServerView,
        mut entry: Entry,
        root: &RootKey,
        mut record: RootRecord,
        revision: Revision,
    ) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        if self.gate.is_unlocked() {
            return refuse(entry, OperatorError::AlreadyUnlocked).await;
        }
        if let Err(fault) = view.unlock(root, record.incarnation, &mut entry).await {
            return fail(entry, fault.into()).await;
        }
        // a lock whose commit failed left them: they end before anybody can use them again
        let void = self.void_tokens.load(Ordering::Acquire);
        let mut batch = if void { view.end_tokens() } else { Batch::new() };
        let begins = match view.begin_authz_revision(&mut batch) {
            Ok(begins) => begins,
            Err(fault) => {
                view.lock();
                return fail(entry, fault.into()).await;
            }
        };
        let news = !record.confirmed || record.auto_held || begins || void;
        record.confirmed = true;
        record.auto_held = false;
        let written = if news {
            view.put_root(&mut batch, Some(revision), record.encode());
            entry.commit(batch).await.map(drop).map_err(OperatorError::from)
        } else {
            entry.finish(Verdict::Done).await.map_err(OperatorError::from)
        };
        if let Err(fault) = written {
            view.lock();
            return Err(fault);
        }
        self.void_tokens.store(false, Ordering::Release);
        self.attempts.forget();
        self.job_bell.notify_one();
        self.checkpoint_chore().await;
        Ok(())
    }

    /// Signs a checkpoint without anybody asking. A failure is logged: what asked for it goes on.
    pub async fn checkpoint_chore(&self) -> Option<Checkpoint> {
        match self.try_checkpoint().await {
            Ok(checkpoint) => Some(checkpoint),
            Err(fault) => {
                tracing::warn!(%fault, "no checkpoint could be signed");
                None
            }
        }
    }

    async fn try_checkpoint(&self) -> Result<Checkpoint, OperatorError> {
        let permit = self.gate.system::<ChoreCheckpoint>(Trail).await?;
        let (view, mut entry) = permit.open();
        let (checkpoint, batch) = view.checkpoint()?;
        entry.note(format!("at entry {}", checkpoint.head.seq));
        entry.commit(batch).await?;
        Ok(checkpoint)
    }

    /// Locks: keys and names are wiped, every token ends, auto-unlock stays off until a manual unlock.
    pub async fn lock(&self, permit: Permit<Lock>) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        self.checkpoint_chore().await;
        let (view, mut entry) = permit.open();
        let mut batch = view.end_tokens().essential();
        // written anew even if nothing in it changes: a token in the making belongs to the time before
        if let Ok(Some((mut record, revision))) = read_root(&view).await {
            record.auto_held = !record.autos().is_empty();
            view.put_root(&mut batch, Some(revision), record.encode());
        }
        let committed = entry.commit(batch).await;
        // whatever became of the entry: an operator who says lock gets a locked server
        view.lock();
        if committed.is_err() {
            self.void_tokens.store(true, Ordering::Release);
        }
        committed?;
        Ok(())
    }

    /// Ends the tokens that a failed lock left, as soon as the store takes it: the next unlock of this process would, but the
    /// process may end before.
    pub async fn settle_lock(&self) -> Result<(), OperatorError> {
        if !self.void_tokens.load(Ordering::Acquire) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.gate.is_unlocked() || !self.void_tokens.load(Ordering::Acquire) {
            return Ok(());
        }
        let (view, mut entry) = self.gate.system::<Housekeeping>(Server).await?.open();
        let Some((mut record, revision)) = read_root(&view).await? else {
            return fail(entry, OperatorError::NotInitialised).await;
        };
        let mut batch = view.end_tokens().essential();
        record.auto_held = !record.autos().is_empty();
        view.put_root(&mut batch, Some(revision), record.encode());
        entry.note("tokens that a lock could not end");
        entry.commit(batch).await?;
        self.void_tokens.store(false, Ordering::Release);
        Ok(())
    }

    /// Takes note that the server started.
    pub async fn started(&self, version: &str) -> Result<(), OperatorError> {
        let (_, mut entry) = self.gate.system::<Start>(Server).await?.open();
        entry.note(version);
        Ok(entry.finish(Verdict::Done).await?)
    }

    /// Signs a checkpoint and takes note that the server stops in good order.
    pub async fn stopping(&self) -> Result<(), OperatorError> {
        if self.gate.is_unlocked() {
            self.checkpoint_chore().await;
        }
        if let Err(fault) = self.settle_lock().await {
            tracing::error!(%fault, "tokens that a lock could not end are still there");
        }
        let (_, entry) = self.gate.system::<Stop>(Server).await?.open();
        Ok(entry.finish(Verdict::Done).await?)
    }

    /// Believes the wall clock from here on.
    pub async fn accept_clock(&self, permit: Permit<AcceptClock>) -> Result<(), OperatorError> {
        let (view, entry) = permit.open();
        entry.finish(Verdict::Done).await?;
        view.accept_clock();
        Ok(())
    }

    /// Removes tokens and outcomes that have expired. Nothing expired: nothing happens.
    pub async fn housekeeping(&self) -> Result<(), OperatorError> {
        for _ in 0..HOUSEKEEPING_ROUNDS {
            if !self.gate.is_unlocked() || !self.gate.has_expired().await? {
                return Ok(());
            }
            let (view, mut entry) = self.gate.system::<Housekeeping>(Server).await?.open();
            match view.expired().await? {
                Some(batch) => {
                    entry.note(format!("{} rows", batch.len()));
                    entry.commit(batch).await?;
                }
                None => return Ok(entry.finish(Verdict::Done).await?),
            }
        }
        Ok(())
    }
}

pub(crate) fn damaged() -> OperatorError {
    OperatorError::Record(strongroom_unlock::RecordError::Corrupt { offset: 0, what: "wrapped root key" })
}

/// Writes a refused entry with its reason, and gives the error back.
pub(crate) async fn refuse<T>(mut entry: Entry, fault: OperatorError) -> Result<T, OperatorError> {
    entry.note(fault.to_string());
    entry.refuse().await?;
    Err(fault)
}
