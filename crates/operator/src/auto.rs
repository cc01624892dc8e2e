//! Auto-unlock: another key that wraps the root key, kept outside the data directory.

use crate::actions::{AddAutoUnlock, AutoUnlock, RemoveAutoUnlock};
use crate::initialise::{fail, read_root};
use crate::rotate::open_root;
use crate::{Operator, OperatorError};
use std::sync::Arc;
use strongroom_gate::{Batch, Permit, Server, Verdict};
use strongroom_secret::SecretBytes;
use strongroom_unlock::{AutoUnlock as Provider, AutoWrapping, RootRecord};

/// An auto-unlock key cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct AutoSourceError {
    /// Where it should be.
    pub place: String,
    /// What is wrong.
    pub fault: String,
}

/// Where an auto-unlock key comes from: a file now, a TPM or PKCS#11 token later.
pub trait AutoSource: Send + Sync {
    /// The provider's name, as in the root record.
    fn name(&self) -> &str;
    /// Where its key is, for people.
    fn place(&self) -> String;
    /// Its key, ready for use.
    fn load(&self) -> Result<Box<dyn Provider>, AutoSourceError>;
    /// Makes a key if there is none yet.
    fn create(&self) -> Result<Box<dyn Provider>, AutoSourceError>;
}

impl Operator {
    fn source(&self) -> Result<&Arc<dyn AutoSource>, OperatorError> {
        self.auto.as_ref().ok_or(OperatorError::NoAutoUnlock)
    }

    /// Adds auto-unlock, with a threshold of unlock keys. Gives its provider's name and place.
    pub async fn add_auto_unlock(
        &self,
        permit: Permit<AddAutoUnlock>,
        keys: &[SecretBytes],
    ) -> Result<(String, String), OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        let made = async {
            let (mut record, revision) = read_root(&view).await?.ok_or(OperatorError::NotInitialised)?;
            let root = open_root(&record.current, keys)?;
            let source = self.source()?;
            let provider = source.create()?;
            let blob = provider.wrap(self.gate.ambient(), &root, &record.auto_context())?;
            record.put_auto(AutoWrapping::new(source.name(), blob, self.gate.now().0)?)?;
            Ok((record, revision, source))
        };
        match made.await {
            Ok((record, revision, source)) => {
                let mut batch = Batch::new();
                view.put_root(&mut batch, Some(revision), record.encode());
                entry.note(source.name());
                entry.commit(batch).await?;
                Ok((source.name().to_owned(), source.place()))
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Removes auto-unlock. Its key file stays where it is, and opens nothing any more.
    pub async fn remove_auto_unlock(&self, permit: Permit<RemoveAutoUnlock>) -> Result<(), OperatorError> {
        let _turn = self.turn.lock().await;
        let (view, mut entry) = permit.open();
        let Some((mut record, revision)) = read_root(&view).await? else {
            return fail(entry, OperatorError::NotInitialised).await;
        };
        let providers: Vec<String> = record.autos().iter().map(|auto| auto.provider().to_owned()).collect();
        if providers.is_empty() {
            return fail(entry, OperatorError::NoAutoUnlock).await;
        }
        for provider in providers {
            record.remove_auto(&provider);
        }
        let mut batch = Batch::new();
        view.put_root(&mut batch, Some(revision), record.encode());
        entry.commit(batch).await?;
        Ok(())
    }

    /// Unlocks without a person, if auto-unlock is set up and not held. Says whether it did.
    pub async fn auto_unlock(&self) -> Result<bool, OperatorError> {
        let _turn = self.turn.lock().await;
        let Some(row) = self.gate.root_row().await? else { return Ok(false) };
        let record = RootRecord::decode(&row)?;
        let Some(source) = &self.auto else { return Ok(false) };
        let wrapping = record.autos().iter().find(|auto| auto.provider() == source.name());
        let held = record.auto_held || self.void_tokens.load(std::sync::atomic::Ordering::Acquire);
        let Some(wrapping) = wrapping.filter(|_| !held && !self.gate.is_unlocked()) else {
            return Ok(false);
        };
        let (view, mut entry) = self.gate.system::<AutoUnlock>(Server).await?.open();
        entry.note(source.name());
        let opened = source
            .load()
            .map_err(OperatorError::from)
            .and_then(|provider| Ok(provider.unwrap(wrapping.blob(), &record.auto_context())?));
        match opened {
            Ok(root) => {
                if let Err(fault) = view.unlock(&root, record.incarnation, &mut entry).await {
                    return fail(entry, fault.into()).await;
                }
                let mut batch = Batch::new();
                let written = match view.begin_authz_revision(&mut batch) {
                    Ok(true) => entry.commit(batch).await.map(drop).map_err(OperatorError::from),
                    Ok(false) => entry.finish(Verdict::Done).await.map_err(OperatorError::from),
                    Err(fault) => Err(fault.into()),
                };
                if let Err(fault) = written {
                    view.lock();
                    return Err(fault);
                }
                self.job_bell.notify_one();
                self.checkpoint_chore().await;
                Ok(true)
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// The root key wrapped anew for every provider that is at hand; the others' wrappings are gone.
    pub(crate) fn rewrap_autos(
        &self,
        providers: &[String],
        root: &strongroom_gate::RootKey,
        record: &mut RootRecord,
    ) -> Result<(), OperatorError> {
        let Some(source) =
            self.auto.as_ref().filter(|source| providers.iter().any(|name| name == source.name()))
        else {
            return Ok(());
        };
        let blob = source.load()?.wrap(self.gate.ambient(), root, &record.auto_context())?;
        record.put_auto(AutoWrapping::new(source.name(), blob, self.gate.now().0)?)?;
        Ok(())
    }
}
