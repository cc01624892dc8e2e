//! Shorthands for what a door would do for root: ask the gate, call one engine function, release.

use crate::world::{TestWorld, WorldError};
use std::time::Duration;
use strongroom_gate::{Page, Secret, Server, Store, StoreFolder, Stores};
use strongroom_model::{Caller, JsonLimits, JsonText, Name, SecretPath, UserId, ValueKind};
use strongroom_operator as operator;
use strongroom_secret::SecretBytes;
use strongroom_secrets as secrets;

/// What a listing asks for.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Names begin with this.
    pub prefix: &'a str,
    /// Names come after this.
    pub after: Option<&'a str>,
    /// Names have this in them.
    pub contains: Option<&'a str>,
    /// At most so many.
    pub limit: usize,
}

impl Default for Listing<'_> {
    fn default() -> Self {
        Self { prefix: "", after: None, contains: None, limit: 1_000 }
    }
}

/// A store's name.
pub fn name(text: &str) -> Name {
    Name::new(text).expect("a test's name is valid")
}

/// A secret's path.
pub fn path(text: &str) -> SecretPath {
    SecretPath::new(text).expect("a test's path is valid")
}

/// A JSON value.
pub fn value(json: &str) -> secrets::Value {
    secrets::Value::json(&JsonText::new(json.as_bytes(), JsonLimits::VALUE).expect("a test's JSON is valid"))
}

pub(crate) fn user(caller: &Caller) -> UserId {
    caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default()
}

impl TestWorld {
    /// Unlocked, with a secret `a` in a store `web`.
    pub async fn with_a_secret() -> Self {
        let world = Self::unlocked().await;
        world.create_store("web").await.expect("a store");
        world.put("web", "a", "1").await.expect("a secret");
        world
    }

    /// Waits until the gate admits again after an unknown outcome.
    pub async fn settled(&self) {
        while self.gate.is_resolving() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Creates a generic store.
    pub async fn create_store(&self, store: &str) -> Result<secrets::StoreSummary, WorldError> {
        self.create_store_as(&self.root_caller().await?, store).await
    }

    /// The same for any caller.
    pub async fn create_store_as(
        &self,
        caller: &Caller,
        store: &str,
    ) -> Result<secrets::StoreSummary, WorldError> {
        let about = Stores { name: Some(name(store)) };
        let permit = self.gate.admit::<secrets::CreateStore>(caller, about).await?;
        let (by, now, usual) = (user(caller), self.gate.now(), secrets::TypeRef::usual());
        Ok(secrets::create_store(permit, by, now, usual, None, secrets::Settings::default()).await?)
    }

    /// Removes a store.
    pub async fn remove_store(&self, store: &str) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::RemoveStore>(&caller, Store { name: name(store) }).await?;
        Ok(secrets::remove_store(permit).await?)
    }

    /// Reads a store's metadata.
    pub async fn read_store(&self, store: &str) -> Result<secrets::StoreSummary, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::ReadStore>(&caller, Store { name: name(store) }).await?;
        Ok(self.gate.release(secrets::read_store(permit, store.to_owned()).await?).await?)
    }

    /// Names of stores.
    pub async fn stores(&self) -> Result<Vec<String>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::ListStores>(&caller, Stores { name: None }).await?;
        let stores = self.gate.release(secrets::list_stores(permit, |_| true).await?).await?;
        Ok(stores.into_iter().map(|store| store.name).collect())
    }

    /// Keysets.
    pub async fn keysets(&self) -> Result<Vec<secrets::KeysetSummary>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<secrets::ListKeysets>(&caller, Stores { name: None }).await?;
        Ok(self.gate.release(secrets::list_keysets(permit).await?).await?)
    }

    /// Writes a JSON value; says which version it became.
    pub async fn put(&self, store: &str, path: &str, json: &str) -> Result<u64, WorldError> {
        self.put_as(&self.root_caller().await?, store, path, &value(json), None).await
    }

    /// Writes a JSON value onto an expected version.
    pub async fn cas(&self, store: &str, path: &str, json: &str, expected: u64) -> Result<u64, WorldError> {
        self.put_as(&self.root_caller().await?, store, path, &value(json), Some(expected)).await
    }

    /// Writes any value for any caller.
    pub async fn put_as(
        &self,
        caller: &Caller,
        store: &str,
        path: &str,
        value: &secrets::Value,
        expected: Option<u64>,
    ) -> Result<u64, WorldError> {
        let about = Secret { store: name(store), path: self::path(path) };
        let permit = self.gate.admit::<secrets::PutSecret>(caller, about).await?;
        Ok(secrets::put(permit, user(caller), self.gate.now(), value, expected).await?.version)
    }

    /// Reads the newest version as text; `None` if there is no such secret.
    pub async fn get(&self, store: &str, path: &str) -> Result<Option<String>, WorldError> {
        let bytes = self.get_bytes(store, path, None).await?;
        Ok(bytes.map(|(_, _, bytes)| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Reads a version: its number, kind and bytes.
    pub async fn get_bytes(
        &self,
        store: &str,
        path: &str,
        version: Option<u64>,
    ) -> Result<Option<(u64, ValueKind, Vec<u8>)>, WorldError> {
        let caller = self.root_caller().await?;
        let about = Secret { store: name(store), path: self::path(path) };
        let permit = self.gate.admit::<secrets::GetSecret>(&caller, about).await?;
        let found = self.gate.release(secrets::read(permit, version).await?).await?;
        Ok(found
            .live()
            .map(|found| (found.version, found.value.kind, found.value.bytes.expose(<[u8]>::to_vec))))
    }

    /// Removes a secret with all its versions.
    pub async fn remove(&self, store: &str, path: &str) -> Result<(), WorldError> {
        self.remove_as(&self.root_caller().await?, store, path).await
    }

    /// The same for any caller.
    pub async fn remove_as(&self, caller: &Caller, store: &str, path: &str) -> Result<(), WorldError> {
        let about = Secret { store: name(store), path: self::path(path) };
        let permit = self.gate.admit::<secrets::RemoveSecret>(caller, about).await?;
        Ok(secrets::remove(permit).await?)
    }

    /// A secret's metadata.
    pub async fn metadata(&self, store: &str, path: &str) -> Result<Option<secrets::Metadata>, WorldError> {
        let caller = self.root_caller().await?;
        let about = Secret { store: name(store), path: self::path(path) };
        let permit = self.gate.admit::<secrets::ReadMetadata>(&caller, about).await?;
        Ok(self.gate.release(secrets::metadata(permit, 1_000).await?).await?)
    }

    /// Names in a store.
    pub async fn list(&self, store: &str) -> Result<Vec<String>, WorldError> {
        Ok(self.page(store, Listing::default()).await?.names.to_vec())
    }

    /// A page of names in a store.
    pub async fn page(&self, store: &str, listing: Listing<'_>) -> Result<Page, WorldError> {
        let caller = self.root_caller().await?;
        let about = StoreFolder { store: name(store) };
        let permit = self.gate.admit::<secrets::ListSecrets>(&caller, about).await?;
        let Listing { prefix, after, contains, limit } = listing;
        let wish = secrets::Wish { prefix, after, contains, gone: false };
        Ok(self.gate.release(secrets::list(permit, wish, limit).await?).await?)
    }

    /// Locks.
    pub async fn lock(&self) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::Lock>(&caller, Server).await?;
        Ok(self.operator.lock(permit).await?)
    }

    /// Confirms that the unlock keys of a set are kept.
    pub async fn confirm_initialise(&self, set_id: &str) -> Result<(), WorldError> {
        let permit = self.gate.admit::<operator::ConfirmInitialise>(&self.installer(), Server).await?;
        Ok(self.operator.confirm_initialise(permit, set_id).await?)
    }

    /// Begins a rotation of the root key; gives the new keys.
    pub async fn rotate_root(
        &self,
        keys: &[String],
        num_keys: Option<u8>,
        threshold: Option<u8>,
    ) -> Result<operator::NewKeys, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::RotateRoot>(&caller, Server).await?;
        Ok(self.operator.rotate_root(permit, &secret(keys), num_keys, threshold).await?)
    }

    /// Begins a rotation of the root key, and locks; gives the new keys.
    pub async fn rotate_root_and_lock(
        &self,
        keys: &[String],
        num_keys: Option<u8>,
    ) -> Result<operator::NewKeys, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::RotateRootAndLock>(&caller, Server).await?;
        Ok(self.operator.rotate_root_and_lock(permit, &secret(keys), num_keys).await?)
    }

    /// Finishes a rotation with keys of the new set.
    pub async fn confirm_rotate_root(&self, keys: &[String]) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::ConfirmRotateRoot>(&caller, Server).await?;
        Ok(self.operator.confirm_rotate_root(permit, &secret(keys)).await?)
    }

    /// Gives a rotation up.
    pub async fn cancel_rotate_root(&self) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::CancelRotateRoot>(&caller, Server).await?;
        Ok(self.operator.cancel_rotate_root(permit).await?)
    }

    /// Adds auto-unlock.
    pub async fn add_auto_unlock(&self, keys: &[String]) -> Result<(String, String), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::AddAutoUnlock>(&caller, Server).await?;
        Ok(self.operator.add_auto_unlock(permit, &secret(keys)).await?)
    }

    /// Removes auto-unlock.
    pub async fn remove_auto_unlock(&self) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::RemoveAutoUnlock>(&caller, Server).await?;
        Ok(self.operator.remove_auto_unlock(permit).await?)
    }

    /// Accepts the wall clock.
    pub async fn accept_clock(&self) -> Result<(), WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::AcceptClock>(&caller, Server).await?;
        Ok(self.operator.accept_clock(permit).await?)
    }

    /// Ends root's token.
    pub async fn deauth(&self, token: &str) -> Result<(), WorldError> {
        let mut caller = self.stranger();
        self.identity.authenticate(&mut caller, token).await?;
        let strongroom_model::Credential::Token { token, .. } = caller.credential else {
            return Err(strongroom_identity::IdentityError::Unauthenticated.into());
        };
        let about = strongroom_gate::Token::own(&caller, token);
        let permit = self.gate.admit::<strongroom_identity::Deauth>(&caller, about).await?;
        let by = caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default();
        Ok(self.identity.deauth(permit, by).await?)
    }
}

pub(crate) fn secret(keys: &[String]) -> Vec<SecretBytes> {
    keys.iter().map(|key| SecretBytes::new(key.as_bytes().to_vec())).collect()
}
