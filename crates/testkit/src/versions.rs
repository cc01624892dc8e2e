//! Shorthands for stores of every type and for the lives of versions.

use crate::shorthands::{name, path};
use crate::world::{TestWorld, WorldError};
use std::num::NonZeroU64;
use std::time::Duration;
use strongroom_gate::{Page, Secret, Store, StoreFolder, Stores};
use strongroom_model::{Caller, JsonLimits, JsonText, UserId};
use strongroom_secrets as secrets;

fn user(caller: &Caller) -> UserId {
    caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default()
}

fn json(text: &str) -> JsonText {
    JsonText::new(text.as_bytes(), JsonLimits::VALUE).expect("a test's JSON is valid")
}

fn about(store: &str, path: &str) -> Secret {
    Secret { store: name(store), path: self::path(path) }
}

/// Settings of a store: how many versions are kept (0: all), and the type's own.
pub fn settings(keep: u64, of_type: &str) -> secrets::Settings {
    secrets::Settings { keep: NonZeroU64::new(keep), cas_required: false, of_type: json(of_type) }
}

impl TestWorld {
    /// Creates a store of a type.
    pub async fn create_typed(
        &self,
        store: &str,
        store_type: &str,
        settings: secrets::Settings,
    ) -> Result<secrets::StoreSummary, WorldError> {
        let caller = self.root_caller().await?;
        let about = Stores { name: Some(name(store)) };
        let permit = self.gate.admit::<secrets::CreateStore>(&caller, about).await?;
        let store_type = secrets::TypeRef::from_name(store_type).expect("a test's type is known");
        let (by, now) = (user(&caller), self.gate.now());
        Ok(secrets::create_store(permit, by, now, store_type, None, settings).await?)
    }

    /// Changes a store's settings.
    pub async fn configure(
        &self,
        store: &str,
        change: secrets::Change,
    ) -> Result<secrets::StoreSummary, WorldError> {
        let caller = self.root_caller().await?;
        let about = Store { name: name(store) };
        let permit = self.gate.admit::<secrets::ConfigureStore>(&caller, about).await?;
        let (by, now) = (user(&caller), self.gate.now());
        Ok(secrets::configure_store(permit, by, now, store.to_owned(), change).await?)
    }

    /// Generates a version; says which it became and what is known of it.
    pub async fn generate(
        &self,
        store: &str,
        path: &str,
        wanted: &str,
    ) -> Result<(u64, secrets::Facts), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::GenerateSecret>(&caller, about(store, path)).await?;
        let (by, now, wanted) = (user(&caller), self.gate.now(), json(wanted));
        let (written, facts) = secrets::generate(permit, by, now, self.ambient(), &wanted, None).await?;
        Ok((written.version, facts))
    }

    /// Reads a version, the newest by default, and tells what was found.
    pub async fn find(
        &self,
        store: &str,
        path: &str,
        version: Option<u64>,
    ) -> Result<secrets::Found, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::GetSecret>(&caller, about(store, path)).await?;
        Ok(self.gate.release(secrets::read(permit, version).await?).await?)
    }

    /// Reads the public half of the newest version.
    pub async fn public(&self, store: &str, path: &str) -> Result<Option<secrets::PublicHalf>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::ReadPublic>(&caller, about(store, path)).await?;
        Ok(self.gate.release(secrets::public(permit, None).await?).await?)
    }

    /// Deletes versions, the newest if none is named.
    pub async fn delete_versions(&self, store: &str, path: &str, versions: &[u64]) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::DeleteSecret>(&caller, about(store, path)).await?;
        Ok(secrets::delete(permit, user(&caller), self.gate.now(), versions).await?)
    }

    /// Brings versions back, the newest if none is named.
    pub async fn undelete(&self, store: &str, path: &str, versions: &[u64]) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::UndeleteSecret>(&caller, about(store, path)).await?;
        Ok(secrets::undelete(permit, versions).await?)
    }

    /// Destroys versions.
    pub async fn destroy(&self, store: &str, path: &str, versions: &[u64]) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::DestroySecret>(&caller, about(store, path)).await?;
        Ok(secrets::destroy(permit, user(&caller), self.gate.now(), versions).await?)
    }

    /// What expires within a time, in all stores.
    pub async fn expiring(&self, within: Duration) -> Result<Vec<secrets::Expiring>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::ListExpiring>(&caller, Stores { name: None }).await?;
        let held = secrets::expiring(permit, self.gate.now(), within, 1_000).await?;
        Ok(self.gate.release(held).await?)
    }

    /// Names in a store, those whose newest version is gone included.
    pub async fn list_with_gone(&self, store: &str) -> Result<Page, WorldError> {
        let caller = self.root_caller().await?;
        let permit =
            self.gate.admit::<secrets::ListSecrets>(&caller, StoreFolder { store: name(store) }).await?;
        let wish = secrets::Wish { gone: true, ..secrets::Wish::default() };
        Ok(self.gate.release(secrets::list(permit, wish, 1_000).await?).await?)
    }
}
