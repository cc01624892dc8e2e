//! Permits, their entries, and results that are held until their entry is durable.

use crate::admit::Gate;
use crate::outcome;
use crate::policy::{Asked, changes_rights, is_authz_fence};
use crate::reserve::is_essential;
use crate::resource::Action;
use std::sync::Arc;
use strongroom_audit::{Decision, Record, Verdict};
use strongroom_authz::{Decision as Decided, Question};
use strongroom_barrier::{Batch, Opened};
use strongroom_model::{Access, Action as ActionCode, Caller, Origin, Repeat};
use strongroom_store::{CommitError as StoreCommitError, Committed, PendingEntry, Slot, Txn};

/// How often a change is sealed again because keys were rotated under it, before it is answered busy.
const RESEALS: usize = 4;

/// Leave to do one thing once: a view of its resource, and the entry that goes with it.
#[must_use = "a permit dropped unspent leaves an abandoned entry"]
pub struct Permit<A: Action> {
    view: A::View,
    entry: Entry,
}

impl<A: Action> Permit<A> {
    pub(crate) fn new(view: A::View, entry: Entry) -> Self {
        Self { view, entry }
    }

    /// Spends the permit: a view of this resource only, and the entry that goes with it.
    pub fn open(self) -> (A::View, Entry) {
        (self.view, self.entry)
    }
}

impl<A: Action> std::fmt::Debug for Permit<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Permit<{}>", A::CODE.name())
    }
}

/// The trail could not take an entry, so nothing is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail cannot be written")]
pub struct TrailError;

/// Why a change was not, or perhaps not, made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The state changed meanwhile.
    #[error("the state changed meanwhile")]
    Changed,
    /// A key was rotated meanwhile, the server was locked and unlocked, or the queue is full: try again.
    #[error("busy")]
    Busy,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The right to it was lost since it was admitted, or does not reach what is there; nothing was changed.
    #[error("{action} on '{resource}' is refused: {rule}")]
    Refused {
        /// The action that was refused.
        action: &'static str,
        /// What upon, as the caller named it.
        resource: String,
        /// The rule that decided.
        rule: Arc<str>,
    },
    /// Too large for one transaction.
    #[error("too large for one transaction")]
    TooLarge,
    /// A count or counter that this change needs does not open.
    #[error("stored data is corrupt")]
    Corrupt,
    /// The store failed before it changed anything.
    #[error("the store failed, nothing was changed")]
    Failed,
    /// It may or may not have happened.
    #[error("outcome unknown")]
    Unknown,
}

/// The entry of a permit: becomes part of the change, or goes before the result.
pub struct Entry {
    gate: Arc<Gate>,
    opened: Option<Arc<Opened>>,
    action: ActionCode,
    record: Option<(Record, Slot)>,
    origin: Origin,
    repeat: Option<Repeat>,
    outcome: Option<Vec<u8>>,
    asked: Option<Box<Asked>>,
}

impl Entry {
    pub(crate) fn new(
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
        record: Record,
        slot: Slot,
        caller: &Caller,
    ) -> Self {
        Self {
            gate: Arc::clone(gate),
            opened,
            action: record.action,
            record: Some((record, slot)),
            origin: caller.origin,
            repeat: caller.repeat,
            outcome: None,
            asked: None,
        }
    }

    /// What is to be decided anew when it is committed.
    pub(crate) fn asked(mut self, asked: Option<Box<Asked>>) -> Self {
        self.asked = asked;
        self
    }

    /// Adds to the entry's note: which version, how many. Never a value.
    pub fn note(&mut self, text: impl Into<String>) {
        if let Some((record, _)) = &mut self.record {
            record.note = text.into();
        }
    }

    /// From here on the entry is sealed under these keys: an unlock seals its own.
    pub(crate) fn seal_under(&mut self, opened: Arc<Opened>) {
        self.opened = Some(opened);
    }

    /// Whether whoever asked for this write may also be told what an action would tell of the same thing.
    pub fn may_tell(&self, action: ActionCode) -> bool {
        let Some(asked) = &self.asked else { return true };
        let (policy, target) = (self.gate.policy.load(), asked.target.target());
        policy
            .policy
            .decide(&Question { caller: &asked.caller, action, access: Access::READ, target })
            .allowed
    }

    /// What a repetition of this request is to be answered. Never for an answer that bears a secret.
    pub fn remember(&mut self, outcome: Vec<u8>) {
        self.outcome = Some(outcome);
    }

    /// Holds a result until the entry, with this verdict, is durable.
    pub fn hold<T>(self, verdict: Verdict, value: T) -> Held<T> {
        Held { entry: self, verdict, value }
    }

    fn encode(&self, record: &Record) -> Vec<u8> {
        let sealer = self.opened.as_ref().map(|opened| opened.trail());
        record.encode(self.gate.ambient(), sealer.as_deref())
    }

    /// Commits a change together with this entry. The entry is spent unless the answer is [`CommitError::Busy`].
    pub async fn commit(&mut self, mut batch: Batch) -> Result<Committed, CommitError> {
        let Some((record, slot)) = self.record.take() else { return Err(CommitError::Failed) };
        if let (Some(opened), Some(repeat), Some(outcome)) = (&self.opened, &self.repeat, &self.outcome) {
            outcome::keep(opened, &mut batch, &record, repeat, outcome);
        }
        if is_essential(self.action) {
            batch = batch.essential();
        }
        if let Some(opened) = &self.opened
            && opened.settle(&mut batch).is_err()
        {
            self.record = Some((record, slot));
            return Err(CommitError::Busy);
        }
        let gate = Arc::clone(&self.gate);
        let changes_rights = changes_rights(self.opened.as_deref(), &batch);
        let _turn = gate.turn(changes_rights, self.asked.is_some()).await;
        if self.is_outlived() {
            self.record = Some((record, slot));
            return Err(CommitError::Busy);
        }
        if let (Some(asked), Some(opened)) = (&self.asked, &self.opened)
            && let Err(decision) = gate.decide_again(asked, self.action, opened, &mut batch)
        {
            return Err(self.refused_after_all(record, slot, decision).await);
        }
        let entry = PendingEntry {
            body: self.encode(&record),
            committed: Verdict::Done.code(),
            failed: Verdict::Failed.code(),
        };
        let before = self.gate.store().trail_head();
        let (txn, applied) = batch.into_txn(Some(entry));
        let committed = self.commit_sealed(slot, txn).await;
        if changes_rights {
            gate.policy_is_stale();
        }
        match committed {
            Ok(committed) => {
                for apply in applied {
                    apply(committed.revision);
                }
                if let Some(opened) = self.opened.as_ref().filter(|_| changes_rights)
                    && let Err(fault) = gate.fresh_policy(opened).await
                {
                    // it stays stale, and nobody is admitted before it is not
                    tracing::error!(%fault, "the policy cannot be loaded");
                }
                Ok(committed)
            }
            Err(fault) => Err(self.not_committed(&fault, record, before.seq)),
        }
    }

    /// Whether the server was locked and unlocked since a user was admitted: the indexes of now would not learn of the
    /// change. A lock needs none.
    fn is_outlived(&self) -> bool {
        match (&self.opened, self.gate.opened()) {
            (Some(before), Ok(now)) if self.asked.is_some() && self.action != ActionCode::Lock => {
                !Arc::ptr_eq(before, &now)
            }
            _ => false,
        }
    }

    /// Leaves word that something admitted was refused when it was to be committed.
    async fn refused_after_all(&self, mut record: Record, slot: Slot, decision: Decided) -> CommitError {
        record.decision = Decision::Refused;
        record.rule = decision.rule.to_string();
        let txn = Txn::entry_only(self.encode(&record), Verdict::Refused.code());
        if self.gate.store().commit(slot, txn).await.is_err() {
            return CommitError::Failed;
        }
        CommitError::Refused { action: self.action.name(), resource: record.resource, rule: decision.rule }
    }

    /// Commits; what a rotation overtook is sealed again under the new keys, and nobody notices.
    async fn commit_sealed(&self, slot: Slot, txn: Txn) -> Result<Committed, StoreCommitError> {
        let (mut slot, mut txn) = (slot, txn);
        for _ in 0..RESEALS {
            let (index, back) = match self.gate.store().commit(slot, txn).await {
                Err(StoreCommitError::Fenced { index, txn: Some(back) }) => (index, back),
                outcome => return outcome,
            };
            let fenced = || StoreCommitError::Fenced { index, txn: None };
            let opened = self.opened.as_ref().ok_or_else(fenced)?;
            if is_authz_fence(opened, back.preconditions.get(index)) {
                // another machine changed who may do what
                self.gate.policy_is_stale();
                return Err(fenced());
            }
            txn = opened.settle_again(*back).await.map_err(|_| fenced())?;
            slot = self.gate.store().reserve().map_err(|_| fenced())?;
        }
        self.gate.store().commit(slot, txn).await
    }

    fn not_committed(&mut self, fault: &StoreCommitError, record: Record, before: u64) -> CommitError {
        match fault {
            StoreCommitError::Precondition { .. } => CommitError::Changed,
            StoreCommitError::Refused { .. } => CommitError::Corrupt,
            StoreCommitError::Full => CommitError::Full,
            StoreCommitError::Unknown => {
                self.gate.unknown_outcome(&record, self.repeat, self.outcome.take(), before);
                CommitError::Unknown
            }
            StoreCommitError::Fenced { .. } => {
                self.record = self.gate.store().reserve().ok().map(|slot| (record, slot));
                CommitError::Busy
            }
            // nothing was written: leave an entry if the store still takes one
            StoreCommitError::TooLarge { .. } => {
                self.leave(&record, Verdict::Failed);
                CommitError::TooLarge
            }
            StoreCommitError::Closed | StoreCommitError::Failed { .. } => {
                self.leave(&record, Verdict::Failed);
                CommitError::Failed
            }
        }
    }

    fn leave(&self, record: &Record, verdict: Verdict) {
        if let Ok(slot) = self.gate.store().reserve() {
            self.gate.store().commit_detached(slot, Txn::entry_only(self.encode(record), verdict.code()));
        }
    }

    /// Writes the entry by itself, and answers once it is durable.
    pub async fn finish(mut self, verdict: Verdict) -> Result<(), TrailError> {
        self.write(verdict).await
    }

    /// Writes the entry of something refused after all: a wrong unlock key, a forged proof. Without a user, one entry
    /// a source and interval; the rest are counted.
    pub async fn refuse(mut self) -> Result<(), TrailError> {
        if let Some((record, _)) = &mut self.record
            && record.who.is_none()
            && !self.gate.note_refusal(self.origin, record)
        {
            self.record = None;
            return Ok(());
        }
        self.write(Verdict::Refused).await
    }

    async fn write(&mut self, verdict: Verdict) -> Result<(), TrailError> {
        let Some((mut record, slot)) = self.record.take() else { return Err(TrailError) };
        // anyone may ask for challenges, and nobody may fill the trail with them
        let asked_for = [ActionCode::Challenge, ActionCode::SharingManifest];
        let open = asked_for.contains(&self.action) && record.who.is_none();
        if open && !self.gate.note_challenge(self.origin, &mut record) {
            return Ok(());
        }
        let txn = Txn::entry_only(self.encode(&record), verdict.code());
        match self.gate.store().commit(slot, txn).await {
            Ok(_) => Ok(()),
            Err(StoreCommitError::Unknown) => {
                self.gate.unknown_outcome(&record, None, None, 0);
                Err(TrailError)
            }
            Err(_) => Err(TrailError),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some((record, slot)) = self.record.take() {
            let txn = Txn::entry_only(self.encode(&record), Verdict::Abandoned.code());
            self.gate.store().commit_detached(slot, txn);
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({})", self.action.name())
    }
}

/// A result that nobody may use before its entry is durable: [`Gate::release`] gives it up.
#[must_use = "a result is given up by the gate's release"]
pub struct Held<T> {
    entry: Entry,
    verdict: Verdict,
    value: T,
}

impl Gate {
    /// Gives up a result once its entry is durable.
    pub async fn release<T>(&self, held: Held<T>) -> Result<T, TrailError> {
        let Held { mut entry, verdict, value } = held;
        entry.write(verdict).await?;
        Ok(value)
    }
}

impl<T> std::fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({:?})", self.entry)
    }
}
