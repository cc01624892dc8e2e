//! Stores and keysets as resources.

use super::{Resource, open};
use crate::admit::Gate;
use crate::seer::Seer;
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_barrier::{BarrierError, Batch, Entry, Folder, Opened, Page};
use strongroom_model::{Action, KeysetId, Name, StoreId};

/// The partition's stores and keysets.
#[derive(Debug, Clone)]
pub struct Stores {
    /// The store to be made, if it is about one.
    pub name: Option<Name>,
}

impl Resource for Stores {
    type Resolved = StoresView;

    fn describe(&self) -> String {
        self.name.as_ref().map_or_else(String::new, ToString::to_string)
    }

    fn target(&self) -> Target<'_> {
        self.name.as_ref().map_or(Target::Server, |name| Target::Store(name.as_str()))
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<StoresView>, BarrierError> {
        Ok(Some(StoresView { opened: open(opened)?, name: self.name, seer: None }))
    }

    fn shown_to(view: &mut StoresView, seer: impl FnOnce() -> Seer) {
        view.seer = Some(seer());
    }
}

/// A view of the partition's stores and keysets.
#[derive(Debug)]
pub struct StoresView {
    opened: Arc<Opened>,
    name: Option<Name>,
    seer: Option<Seer>,
}

impl StoresView {
    /// Names of stores that the caller may see, in order.
    pub async fn names(&self) -> Result<Vec<String>, BarrierError> {
        let keep = |name: &str| self.seer.as_ref().is_some_and(|seer| seer.store(name));
        Ok(self.opened.stores.page("", None, usize::MAX - 1, keep).await?.names.to_vec())
    }

    /// Names of a store's secrets that the caller may see, in order, after `after`.
    pub async fn secrets(
        &self,
        store: &str,
        folder: &Folder,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, BarrierError> {
        let shown = self.seer.as_ref().map(|seer| seer.secrets(store));
        let keep = |path: &str| shown.as_ref().is_some_and(|shown| shown.shows(path));
        folder.page("", after, limit, keep).await
    }

    /// Whether the caller may know of a secret what its metadata says.
    pub fn tells(&self, store: &str, path: &str) -> bool {
        let about = Target::Secret { store, path };
        self.seer.as_ref().is_some_and(|seer| seer.sees(Action::ReadMetadata, about))
    }

    /// A store's entry and folder.
    pub async fn store(&self, name: &str) -> Result<Option<(Entry, Arc<Folder>)>, BarrierError> {
        store(&self.opened, name).await
    }

    /// Names of keysets with their ids.
    pub async fn keysets(&self) -> Result<Vec<(String, KeysetId)>, BarrierError> {
        let names = self.opened.keyset_names.page("", None, usize::MAX - 1, |_| true).await?.names.to_vec();
        let mut keysets = Vec::with_capacity(names.len());
        for name in names {
            if let Some(head) = self.opened.keyset_names.find(&name).await? {
                keysets.push((name, KeysetId(head.object.0)));
            }
        }
        Ok(keysets)
    }

    /// Terms of a keyset, and the one that seals.
    pub fn terms(&self, id: KeysetId) -> Option<(usize, u32)> {
        self.opened.keyset(id).map(|state| (state.keyset.terms().len(), state.keyset.write_term()))
    }

    /// Holds the new store's name while it is made.
    pub async fn hold(&self) -> Option<(&Name, tokio::sync::MutexGuard<'_, ()>)> {
        let name = self.name.as_ref()?;
        Some((name, self.opened.stores.hold(name.as_str()).await))
    }

    /// Whether the new store's name is taken.
    pub async fn taken(&self) -> Result<bool, BarrierError> {
        match &self.name {
            Some(name) => Ok(self.opened.stores.find(name.as_str()).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Makes the store that the permit is about; `None` if the keyset is gone by now.
    pub fn create(&self, keyset: KeysetId, payload: &[u8]) -> Result<Option<(StoreId, Batch)>, BarrierError> {
        let name = self.name.as_ref().map_or("", Name::as_str);
        self.opened.create_store(name, keyset, payload)
    }
}

async fn store(opened: &Opened, name: &str) -> Result<Option<(Entry, Arc<Folder>)>, BarrierError> {
    let Some(folder) = opened.find_store(name).await? else { return Ok(None) };
    match opened.stores.entry(name).await? {
        Some(entry) => Ok(Some((entry, folder))),
        // the index names it, so its entry was there when the index was made
        None if opened.stores.find(name).await?.is_some() => {
            Err(BarrierError::corrupt(format!("entry of store {}", folder.id)))
        }
        None => Ok(None),
    }
}

/// One store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Its name.
    pub name: Name,
}

impl Resource for Store {
    type Resolved = ResolvedStore;

    fn describe(&self) -> String {
        self.name.to_string()
    }

    fn target(&self) -> Target<'_> {
        Target::Store(self.name.as_str())
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<ResolvedStore>, BarrierError> {
        let opened = open(opened)?;
        let found = store(&opened, self.name.as_str()).await?;
        Ok(found.map(|(entry, folder)| ResolvedStore { opened, name: self.name, entry, folder }))
    }
}

/// A store that was found.
#[derive(Debug)]
pub struct ResolvedStore {
    opened: Arc<Opened>,
    name: Name,
    entry: Entry,
    folder: Arc<Folder>,
}

/// A view of a store's metadata.
#[derive(Debug)]
pub struct StoreReadView(ResolvedStore);

impl From<ResolvedStore> for StoreReadView {
    fn from(store: ResolvedStore) -> Self {
        Self(store)
    }
}

impl StoreReadView {
    /// Its entry.
    pub fn entry(&self) -> &Entry {
        &self.0.entry
    }

    /// Its folder: count and keyset.
    pub fn folder(&self) -> &Arc<Folder> {
        &self.0.folder
    }

    /// The keyset's name.
    pub async fn keyset_name(&self) -> Result<String, BarrierError> {
        keyset_name(&self.0.opened, self.0.folder.keyset()).await
    }
}

impl StoresView {
    /// A keyset's name.
    pub async fn keyset_name(&self, id: KeysetId) -> Result<String, BarrierError> {
        keyset_name(&self.opened, id).await
    }
}

async fn keyset_name(opened: &Opened, id: KeysetId) -> Result<String, BarrierError> {
    for name in opened.keyset_names.page("", None, usize::MAX - 1, |_| true).await?.names.to_vec() {
        if opened.keyset_names.find(&name).await?.is_some_and(|head| head.object.0 == id.0) {
            return Ok(name);
        }
    }
    Ok(String::new())
}

/// A view that removes a store.
#[derive(Debug)]
pub struct StoreWriteView(ResolvedStore);

impl From<ResolvedStore> for StoreWriteView {
    fn from(store: ResolvedStore) -> Self {
        Self(store)
    }
}

impl StoreWriteView {
    /// Holds its name.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.opened.stores.hold(self.0.name.as_str()).await
    }

    /// Its entry as it is now: another may have changed it since the permit was given.
    pub async fn entry(&self) -> Result<Option<Entry>, BarrierError> {
        let entry = self.0.opened.stores.entry(self.0.name.as_str()).await?;
        Ok(entry.filter(|entry| entry.object.0 == self.0.folder.id.0))
    }

    /// Its folder: count and keyset.
    pub fn folder(&self) -> &Arc<Folder> {
        &self.0.folder
    }

    /// The keyset's name.
    pub async fn keyset_name(&self) -> Result<String, BarrierError> {
        keyset_name(&self.0.opened, self.0.folder.keyset()).await
    }

    /// Writes its entry anew.
    pub fn rewrite(&self, entry: &Entry) -> Batch {
        self.0.opened.rewrite_store(entry, &self.0.folder)
    }

    /// Removes it and everything in it.
    pub fn remove(&self) -> Batch {
        self.0.opened.remove_store(self.0.name.as_str(), &self.0.folder)
    }
}
