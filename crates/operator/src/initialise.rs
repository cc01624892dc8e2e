//! Initialising: the root key, the unlock keys, the first user.

use crate::actions::{ConfirmInitialise, Initialise};
use crate::{NewKeys, Operator, OperatorError, hex};
use strongroom_crypto::PublicKey;
use strongroom_gate::{Entry, Permit, Revision, RootKey, ServerView, Verdict};
use strongroom_model::{CredentialId, Name};
use strongroom_unlock::{RootRecord, UnlockKey, UnlockSet};

/// What to know about unlock keys.
pub const WARNINGS: [&str; 4] = [
    "These unlock keys are shown once and never again. Keep each in a safe place, apart from the others.",
    "Loss of all unlock keys is permanent loss of all data.",
    "Whoever holds enough unlock keys and the data can read everything.",
    "Give unlock keys by prompt, file or standard input, so that they stay out of shell histories.",
];

/// What an initialisation shows once.
#[derive(Debug)]
pub struct Initialised {
    /// The unlock keys.
    pub keys: NewKeys,
    /// Root's access key id.
    pub access_key: CredentialId,
}

impl Operator {
    /// Makes root key, unlock keys and first user. Repeatable until confirmed, until an unlock, and until the first
    /// store exists.
    pub async fn initialise(
        &self,
        permit: Permit<Initialise>,
        num_keys: u8,
        threshold: u8,
        public_key: &str,
    ) -> Result<Initialised, OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        match self.prepare(&view, num_keys, threshold, public_key).await {
            Ok((seen, root, record, keys, spki)) => {
                let name = Name::new("root").unwrap_or_else(|_| unreachable!("a valid name"));
                let (mut batch, access_key) = view.install(&root, record.root_generation(), &name, &spki)?;
                view.put_root(&mut batch, seen, record.encode());
                view.note_set(&mut batch, record.current.id());
                let set_id = hex(&record.current.id());
                entry.note(format!("{threshold} of {num_keys}, set {set_id}"));
                entry.commit(batch).await?;
                let keys = keys.iter().map(UnlockKey::to_text).collect();
                Ok(Initialised { keys: NewKeys { set_id, threshold, keys }, access_key })
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn prepare(
        &self,
        view: &ServerView,
        num_keys: u8,
        threshold: u8,
        public_key: &str,
    ) -> Result<(Option<Revision>, RootKey, RootRecord, Vec<UnlockKey>, Vec<u8>), OperatorError> {
        let seen = read_root(view).await?;
        if let Some((record, _)) = &seen
            && (record.confirmed || self.gate.is_unlocked() || view.has_stores().await?)
        {
            return Err(OperatorError::AlreadyInitialised);
        }
        let public_key = PublicKey::from_pem(public_key.as_bytes())?;
        let ambient = self.gate.ambient();
        let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
        let (set, keys) = UnlockSet::generate(ambient, &root, 1, num_keys, threshold)?;
        let record = RootRecord::new(ambient.random(), set);
        Ok((seen.map(|(_, revision)| revision), root, record, keys, public_key.spki().to_vec()))
    }

    /// Confirms that the unlock keys of a set are kept.
    pub async fn confirm_initialise(
        &self,
        permit: Permit<ConfirmInitialise>,
        set_id: &str,
    ) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        let Some((mut record, revision)) = read_root(&view).await? else {
            return fail(entry, OperatorError::NotInitialised).await;
        };
        if hex(&record.current.id()) != set_id {
            return fail(entry, OperatorError::NothingPending).await;
        }
        record.confirmed = true;
        let mut batch = strongroom_gate::Batch::new();
        view.put_root(&mut batch, Some(revision), record.encode());
        entry.commit(batch).await?;
        Ok(())
    }
}

/// The root record, decoded.
pub(crate) async fn read_root(view: &ServerView) -> Result<Option<(RootRecord, Revision)>, OperatorError> {
    match view.root_row().await? {
        Some((row, revision)) => Ok(Some((RootRecord::decode(&row)?, revision))),
        None => Ok(None),
    }
}

/// Writes a failed entry with its reason, and gives the error back.
pub(crate) async fn fail<T>(mut entry: Entry, fault: OperatorError) -> Result<T, OperatorError> {
    entry.note(fault.to_string());
    entry.finish(Verdict::Failed).await?;
    Err(fault)
}
