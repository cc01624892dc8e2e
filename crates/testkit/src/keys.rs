//! Shorthands for keys: keysets, rotations, jobs, unlock keys.

use crate::shorthands::{name, secret, user};
use crate::world::{TestWorld, WorldError};
use std::collections::BTreeMap;
use strongroom_gate::{Job, JobState, Jobs, Keyset, Keysets, Server, Stores};
use strongroom_model::{JobId, KeysetId};
use strongroom_operator as operator;
use strongroom_secret::SecretBytes;
use strongroom_secrets as secrets;
use strongroom_store::Range;

/// Unlock keys as they were shown.
pub fn texts(shown: &operator::NewKeys) -> Vec<String> {
    let text = |key: &SecretBytes| key.expose(|bytes| String::from_utf8_lossy(bytes).into_owned());
    shown.keys.iter().map(text).collect()
}

impl TestWorld {
    async fn asked(&self) -> Result<(strongroom_model::Caller, operator::Asked), WorldError> {
        let caller = self.root_caller().await?;
        let asked = operator::Asked { by: user(&caller), request: caller.request };
        Ok((caller, asked))
    }

    /// Makes a keyset.
    pub async fn create_keyset(&self, keyset: &str) -> Result<KeysetId, WorldError> {
        let caller = self.root_caller().await?;
        let about = Keysets { name: name(keyset) };
        let permit = self.gate.admit::<operator::CreateKeyset>(&caller, about).await?;
        Ok(self.operator.create_keyset(permit).await?)
    }

    /// Removes a keyset.
    pub async fn remove_keyset(&self, keyset: &str) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let about = Keyset { name: name(keyset) };
        let permit = self.gate.admit::<operator::RemoveKeyset>(&caller, about).await?;
        Ok(self.operator.remove_keyset(permit).await?)
    }

    /// Gives a keyset a new term; the job that this begins is left to do.
    pub async fn rotate_keyset(&self, keyset: &str) -> Result<JobId, WorldError> {
        let (caller, asked) = self.asked().await?;
        let about = Keyset { name: name(keyset) };
        let permit = self.gate.admit::<operator::RotateKeyset>(&caller, about).await?;
        Ok(self.operator.rotate_keyset(permit, asked).await?.0)
    }

    /// Creates a generic store that a keyset seals.
    pub async fn create_store_on(&self, store: &str, keyset: &str) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let about = Stores { name: Some(name(store)) };
        let permit = self.gate.admit::<secrets::CreateStore>(&caller, about).await?;
        let (by, now) = (user(&caller), self.gate.now());
        let usual = secrets::TypeRef::usual();
        secrets::create_store(permit, by, now, usual, Some(keyset), secrets::Settings::default()).await?;
        Ok(())
    }

    /// New KEK.
    pub async fn rotate_kek(&self, keys: &[String]) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::RotateKek>(&caller, Server).await?;
        Ok(self.operator.rotate_kek(permit, &secret(keys)).await?)
    }

    /// Finishes a rotation of the root key with every other key.
    pub async fn rotate_all(&self, keys: &[String]) -> Result<Vec<JobId>, WorldError> {
        let (caller, asked) = self.asked().await?;
        let permit = self.gate.admit::<operator::RotateAll>(&caller, Server).await?;
        Ok(self.operator.rotate_all(permit, &secret(keys), asked).await?)
    }

    /// Jobs, oldest first.
    pub async fn jobs(&self) -> Result<Vec<operator::JobSummary>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::ListJobs>(&caller, Jobs).await?;
        Ok(self.gate.release(self.operator.list_jobs(permit).await?).await?.jobs)
    }

    /// Jobs whose records do not open.
    pub async fn damaged_jobs(&self) -> Result<Vec<JobId>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::ListJobs>(&caller, Jobs).await?;
        Ok(self.gate.release(self.operator.list_jobs(permit).await?).await?.damaged)
    }

    /// What has become of a job.
    pub async fn job(&self, id: JobId) -> Result<JobState, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::ShowJob>(&caller, Job::new(id)).await?;
        Ok(self.gate.release(self.operator.show_job(permit).await?).await?.record.state)
    }

    /// Gives a job up.
    pub async fn cancel_job(&self, id: JobId) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::CancelJob>(&caller, Job::new(id)).await?;
        Ok(self.operator.cancel_job(permit).await?)
    }

    /// Lists unlock keys.
    pub async fn unlock_keys(&self) -> Result<Vec<operator::UnlockKeySet>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::ListUnlockKeys>(&caller, Server).await?;
        Ok(self.gate.release(self.operator.list_unlock_keys(permit).await?).await?)
    }

    /// Revokes an unlock key.
    pub async fn revoke_unlock_key(&self, index: u8, keys: &[String]) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::RevokeUnlockKey>(&caller, Server).await?;
        Ok(self.operator.revoke_unlock_key(permit, index, &secret(keys)).await?)
    }

    /// How many records of each term lie in the store, in the tables given: what a thief of the disk can count.
    pub async fn terms_in(&self, tables: &[u8]) -> BTreeMap<u32, usize> {
        let mut terms = BTreeMap::new();
        for row in self.store().list(Range::prefix(Vec::new(), usize::MAX)).await.expect("rows can be read") {
            let table = row.key.as_bytes().first().copied().unwrap_or_default();
            if !tables.contains(&table) {
                continue;
            }
            let record = if table == 0x04 { row.value.get(16..) } else { Some(row.value.as_slice()) };
            let term = record.and_then(|record| record.get(1..5)).and_then(|term| term.try_into().ok());
            *terms.entry(term.map_or(0, u32::from_be_bytes)).or_default() += 1;
        }
        terms
    }
}
