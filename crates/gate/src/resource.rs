//! Resources: what a permit can be about, and the views that it opens.

use crate::admit::Gate;
use crate::people::PeopleView;
use crate::server_view::{ServerView, TrailView};
use std::future::Future;
use std::sync::Arc;
use strongroom_barrier::{BarrierError, Batch, Entry, Folder, Head, Opened, Page, VersionRecord};
use strongroom_model::{Action as ActionCode, KeysetId, Name, ObjectId, SecretPath, StoreId};

/// An action is a type: of one kind of resource, opening one kind of view. Engines declare theirs.
pub trait Action: Send + Sync + 'static {
    /// Its code in rules and trail.
    const CODE: ActionCode;
    /// What it is about.
    type Resource: Resource;
    /// What its permit opens.
    type View: From<<Self::Resource as Resource>::Resolved> + Send;
}

/// Something that an action can be about, as a caller named it.
pub trait Resource: Sized + Send {
    /// The thing itself.
    type Resolved: Send;

    /// Its path, for rules and the trail.
    fn describe(&self) -> String;

    /// Finds it. `None`: there is no such thing.
    fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> impl Future<Output = Result<Option<Self::Resolved>, BarrierError>> + Send;
}

fn open(opened: Option<Arc<Opened>>) -> Result<Arc<Opened>, BarrierError> {
    opened.ok_or(BarrierError::Locked)
}

/// The server itself.
#[derive(Debug, Clone, Copy)]
pub struct Server;

impl Resource for Server {
    type Resolved = ServerView;

    fn describe(&self) -> String {
        String::new()
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<ServerView>, BarrierError> {
        Ok(Some(ServerView { gate: Arc::clone(gate), opened }))
    }
}

/// The trail.
#[derive(Debug, Clone, Copy)]
pub struct Trail;

impl Resource for Trail {
    type Resolved = TrailView;

    fn describe(&self) -> String {
        "trail".to_owned()
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<TrailView>, BarrierError> {
        Ok(Some(TrailView { gate: Arc::clone(gate), opened: open(opened)? }))
    }
}

/// Users, their credentials and tokens.
#[derive(Debug, Clone)]
pub struct People {
    /// What of them, for rules and the trail: an access key id, a token's accessor.
    pub what: String,
}

impl Resource for People {
    type Resolved = PeopleView;

    fn describe(&self) -> String {
        self.what.clone()
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<PeopleView>, BarrierError> {
        Ok(Some(PeopleView { opened: open(opened)? }))
    }
}

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

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<StoresView>, BarrierError> {
        Ok(Some(StoresView { opened: open(opened)?, name: self.name }))
    }
}

/// A view of the partition's stores and keysets.
#[derive(Debug)]
pub struct StoresView {
    opened: Arc<Opened>,
    name: Option<Name>,
}

impl StoresView {
    /// Names of stores, in order.
    pub async fn names(&self) -> Result<Vec<String>, BarrierError> {
        Ok(self.opened.stores.page("", None, usize::MAX - 1, |_| true).await?.names)
    }

    /// A store's entry and folder.
    pub async fn store(&self, name: &str) -> Result<Option<(Entry, Arc<Folder>)>, BarrierError> {
        store(&self.opened, name).await
    }

    /// Names of keysets with their ids.
    pub async fn keysets(&self) -> Result<Vec<(String, KeysetId)>, BarrierError> {
        let names = self.opened.keyset_names.page("", None, usize::MAX - 1, |_| true).await?.names;
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

    /// Makes the store that the permit is about.
    pub fn create(&self, keyset: KeysetId, payload: &[u8]) -> Result<(StoreId, Batch), BarrierError> {
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
        keyset_name(&self.0.opened, self.0.folder.keyset().keyset.id()).await
    }
}

impl StoresView {
    /// A keyset's name.
    pub async fn keyset_name(&self, id: KeysetId) -> Result<String, BarrierError> {
        keyset_name(&self.opened, id).await
    }
}

async fn keyset_name(opened: &Opened, id: KeysetId) -> Result<String, BarrierError> {
    for name in opened.keyset_names.page("", None, usize::MAX - 1, |_| true).await?.names {
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

    /// Removes it and everything in it.
    pub fn remove(&self) -> Batch {
        self.0.opened.remove_store(self.0.name.as_str(), &self.0.folder)
    }
}

/// The secrets of one store, for a listing.
#[derive(Debug, Clone)]
pub struct StoreFolder {
    /// The store's name.
    pub store: Name,
}

impl Resource for StoreFolder {
    type Resolved = FolderView;

    fn describe(&self) -> String {
        self.store.to_string()
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<FolderView>, BarrierError> {
        let folder = open(opened)?.find_store(self.store.as_str()).await?;
        Ok(folder.map(|folder| FolderView { folder }))
    }
}

/// A view of a store's names.
#[derive(Debug)]
pub struct FolderView {
    folder: Arc<Folder>,
}

impl FolderView {
    /// Names in order that begin with `prefix`, after `after`, and that `keep` wants.
    pub async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Page, BarrierError> {
        self.folder.page(prefix, after, limit, keep).await
    }
}

/// One secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its store.
    pub store: Name,
    /// Its path in the store.
    pub path: SecretPath,
}

impl Resource for Secret {
    type Resolved = ResolvedSecret;

    fn describe(&self) -> String {
        let (store, path) = (self.store.as_str(), self.path.as_str());
        let mut text = String::with_capacity(store.len() + 1 + path.len());
        text.push_str(store);
        text.push('/');
        text.push_str(path);
        text
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<ResolvedSecret>, BarrierError> {
        let opened = open(opened)?;
        let folder = opened.find_store(self.store.as_str()).await?;
        Ok(folder.map(|folder| ResolvedSecret { opened, folder, path: self.path }))
    }
}

/// A place for a secret, in a store that was found.
#[derive(Debug)]
pub struct ResolvedSecret {
    opened: Arc<Opened>,
    folder: Arc<Folder>,
    path: SecretPath,
}

/// A view that reads one secret.
#[derive(Debug)]
pub struct SecretReadView(ResolvedSecret);

impl From<ResolvedSecret> for SecretReadView {
    fn from(secret: ResolvedSecret) -> Self {
        Self(secret)
    }
}

impl SecretReadView {
    /// Its newest version.
    pub async fn latest(&self) -> Result<Option<VersionRecord>, BarrierError> {
        let path = self.0.path.as_str();
        match self.0.folder.find(path).await? {
            Some(head) => self.0.folder.latest(path, &head).await,
            None => Ok(None),
        }
    }

    /// One of its versions.
    pub async fn version(&self, version: u64) -> Result<Option<VersionRecord>, BarrierError> {
        match self.0.folder.find(self.0.path.as_str()).await? {
            Some(head) => self.0.folder.version(head.object, version).await,
            None => Ok(None),
        }
    }

    /// Its entry and its versions, newest first.
    pub async fn history(&self, limit: usize) -> Result<Option<(Entry, Vec<VersionRecord>)>, BarrierError> {
        let Some(entry) = self.0.folder.entry(self.0.path.as_str()).await? else { return Ok(None) };
        let versions = self.0.folder.versions(entry.object, limit).await?;
        Ok(Some((entry, versions)))
    }
}

/// A view that writes one secret.
#[derive(Debug)]
pub struct SecretWriteView(ResolvedSecret);

impl From<ResolvedSecret> for SecretWriteView {
    fn from(secret: ResolvedSecret) -> Self {
        Self(secret)
    }
}

impl SecretWriteView {
    /// Holds its name: writers of one secret follow each other.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.folder.hold(self.0.path.as_str()).await
    }

    /// What is there: the object and its newest version.
    pub async fn present(&self) -> Result<Option<(Arc<Head>, u64)>, BarrierError> {
        let path = self.0.path.as_str();
        let Some(head) = self.0.folder.find(path).await? else { return Ok(None) };
        let seen = head.seen_version();
        let version = match seen {
            Some(version) => Some(version),
            None => self.0.folder.latest(path, &head).await?.map(|record| record.version),
        };
        Ok(version.map(|version| (head, version)))
    }

    /// A first version under a free name.
    pub fn create(&self, payload: &[u8], plain: &[u8]) -> Batch {
        let mut batch = self.0.folder.batch();
        self.0.opened.require_store(&mut batch, &self.0.folder);
        let object = ObjectId(self.0.opened.random_id());
        let head = self.0.folder.create_entry(&mut batch, self.0.path.as_str(), object, payload);
        self.0.folder.add_version(&mut batch, &head, 1, plain);
        batch
    }

    /// A further version.
    pub fn add_version(&self, head: &Arc<Head>, version: u64, plain: &[u8]) -> Batch {
        let mut batch = self.0.folder.batch();
        self.0.folder.add_version(&mut batch, head, version, plain);
        batch
    }

    /// Removes it with all its versions.
    pub fn remove(&self, head: &Head) -> Batch {
        let mut batch = self.0.folder.batch();
        self.0.folder.remove_entry(&mut batch, self.0.path.as_str(), head.object);
        batch
    }
}
