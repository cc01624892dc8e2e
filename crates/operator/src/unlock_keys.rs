//! Unlock keys as the server knows them: listed, and revoked one by one.

use crate::actions::{ListUnlockKeys, RevokeUnlockKey};
use crate::initialise::{fail, read_root};
use crate::rotate::open_root;
use crate::{Operator, OperatorError, hex, parse_keys};
use strongroom_ambient::UnixMillis;
use strongroom_gate::{Batch, Held, Permit, Revision, ServerView, Verdict};
use strongroom_secret::SecretBytes;
use strongroom_unlock::{RootRecord, UnlockSet};

/// A set of unlock keys, without any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockKeySet {
    /// Its id, in hexadecimal.
    pub set_id: String,
    /// Whether it opens the server, or waits to be confirmed.
    pub current: bool,
    /// How many keys unlock together.
    pub threshold: u8,
    /// The generation of the root key that it opens.
    pub root_generation: u64,
    /// Made when, if that is known.
    pub made: Option<UnixMillis>,
    /// Indices of its keys; revoked ones are gone.
    pub indices: Vec<u8>,
}

impl UnlockKeySet {
    async fn of(view: &ServerView, set: &UnlockSet, current: bool) -> Result<Self, OperatorError> {
        Ok(Self {
            set_id: hex(&set.id()),
            current,
            threshold: set.threshold(),
            root_generation: set.root_generation(),
            made: view.set_made(set.id()).await?,
            indices: set.indices().collect(),
        })
    }
}

impl Operator {
    /// Lists unlock keys, by set: what the server keeps of each is a verifier.
    pub async fn list_unlock_keys(
        &self,
        permit: Permit<ListUnlockKeys>,
    ) -> Result<Held<Vec<UnlockKeySet>>, OperatorError> {
        let (view, entry) = permit.open();
        match sets(&view).await {
            Ok(sets) => Ok(entry.hold(Verdict::Released, sets)),
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Revokes one key of a set of which any one unlocks. It takes another key of the set, which so is proved to be in
    /// somebody's hands: nobody locks themselves out.
    pub async fn revoke_unlock_key(
        &self,
        permit: Permit<RevokeUnlockKey>,
        index: u8,
        keys: &[SecretBytes],
    ) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        match revoked(&view, index, keys).await {
            Ok((record, revision)) => {
                let mut batch = Batch::new();
                view.put_root(&mut batch, Some(revision), record.encode());
                entry.note(format!("key {index} of set {}", hex(&record.current.id())));
                entry.remember(Vec::new());
                entry.commit(batch).await?;
                Ok(())
            }
            Err(fault) => fail(entry, fault).await,
        }
    }
}

/// The current set, and the one that waits.
async fn sets(view: &ServerView) -> Result<Vec<UnlockKeySet>, OperatorError> {
    let (record, _) = read_root(view).await?.ok_or(OperatorError::NotInitialised)?;
    let mut sets = vec![UnlockKeySet::of(view, &record.current, true).await?];
    if let Some(pending) = &record.pending {
        sets.push(UnlockKeySet::of(view, &pending.set, false).await?);
    }
    Ok(sets)
}

async fn revoked(
    view: &ServerView,
    index: u8,
    keys: &[SecretBytes],
) -> Result<(RootRecord, Revision), OperatorError> {
    let (mut record, revision) = read_root(view).await?.ok_or(OperatorError::NotInitialised)?;
    record.current.clone().revoke(index)?;
    if parse_keys(keys)?.iter().any(|key| key.index() == index) {
        return Err(OperatorError::RevokedKeyPresented);
    }
    open_root(&record.current, keys)?;
    record.current.revoke(index)?;
    Ok((record, revision))
}
