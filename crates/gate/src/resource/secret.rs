//! Secrets and the names of a store as resources.

use super::{Resource, open};
use crate::admit::Gate;
use crate::seer::{Seer, Shown};
use std::num::NonZeroU64;
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_barrier::{BarrierError, Batch, Entry, Folder, Head, Opened, Page, VersionRecord};
use strongroom_model::{Access, Name, ObjectId, SecretPath};
use strongroom_secret::SecretBytes;

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

    fn target(&self) -> Target<'_> {
        Target::Store(self.store.as_str())
    }

    async fn resolve(
        self,
        _: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<FolderView>, BarrierError> {
        let folder = open(opened)?.find_store(self.store.as_str()).await?;
        Ok(folder.map(|folder| FolderView { folder, store: self.store, seer: None }))
    }

    fn shown_to(view: &mut FolderView, seer: impl FnOnce() -> Seer) {
        view.seer = Some(seer());
    }
}

/// A view of a store's names.
#[derive(Debug)]
pub struct FolderView {
    folder: Arc<Folder>,
    store: Name,
    seer: Option<Seer>,
}

impl FolderView {
    /// Names that the caller may see, in order, that begin with `prefix`, after `after`, and that `keep` wants.
    pub async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Page, BarrierError> {
        let shown = self.shown();
        let keep = |name: &str| keep(name) && shown.as_ref().is_some_and(|shown| shown.shows(name));
        self.folder.page(prefix, after, limit, keep).await
    }

    /// The same, with those whose newest version is deleted or destroyed if `keep` wants them.
    pub async fn page_where(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str, bool) -> bool + Send + Sync,
    ) -> Result<Page, BarrierError> {
        let shown = self.shown();
        let keep =
            |name: &str, gone| keep(name, gone) && shown.as_ref().is_some_and(|shown| shown.shows(name));
        self.folder.page_where(prefix, after, limit, keep).await
    }

    /// What the caller sees; nobody's view shows nothing.
    fn shown(&self) -> Option<Shown> {
        self.seer.as_ref().map(|seer| seer.secrets(self.store.as_str()))
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

    fn target(&self) -> Target<'_> {
        Target::Secret { store: self.store.as_str(), path: self.path.as_str() }
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
    /// The payload of the store's entry: its type and settings.
    pub fn store_payload(&self) -> Arc<Vec<u8>> {
        self.0.folder.payload()
    }

    /// Its newest version.
    pub async fn latest(&self) -> Result<Option<VersionRecord>, BarrierError> {
        self.0.latest().await
    }

    /// One of its versions.
    pub async fn version(&self, version: u64) -> Result<Option<VersionRecord>, BarrierError> {
        let path = self.0.path.as_str();
        match self.0.folder.find(path).await? {
            Some(head) => self.0.folder.version(path, head.object, version).await,
            None => Ok(None),
        }
    }

    /// Its entry and what `each` makes of its versions, newest first.
    pub async fn history<T: Send>(
        &self,
        limit: usize,
        each: impl FnMut(VersionRecord) -> T + Send,
    ) -> Result<Option<(Entry, Vec<T>)>, BarrierError> {
        let Some(entry) = self.0.folder.entry(self.0.path.as_str()).await? else { return Ok(None) };
        let versions = self.0.folder.versions(&entry, limit, each).await?;
        Ok(Some((entry, versions)))
    }
}

impl ResolvedSecret {
    async fn latest(&self) -> Result<Option<VersionRecord>, BarrierError> {
        let path = self.path.as_str();
        match self.folder.find(path).await? {
            Some(head) => self.folder.latest(path, &head).await,
            None => Ok(None),
        }
    }

    /// What is there: the object and its newest version.
    async fn present(&self) -> Result<Option<(Arc<Head>, u64)>, BarrierError> {
        let path = self.path.as_str();
        let Some(head) = self.folder.find(path).await? else { return Ok(None) };
        let version = match head.seen_version() {
            Some(version) => Some(version),
            None => self.folder.latest(path, &head).await?.map(|record| record.version),
        };
        Ok(version.map(|version| (head, version)))
    }

    /// The entry of the object that was found.
    async fn entry(&self, head: &Head) -> Result<Option<Entry>, BarrierError> {
        let entry = self.folder.entry(self.path.as_str()).await?;
        Ok(entry.filter(|entry| entry.object == head.object))
    }
}

/// A view that writes versions of one secret.
#[derive(Debug)]
pub struct SecretWriteView(ResolvedSecret);

impl From<ResolvedSecret> for SecretWriteView {
    fn from(secret: ResolvedSecret) -> Self {
        Self(secret)
    }
}

impl SecretWriteView {
    /// The payload of the store's entry: its type and settings.
    pub fn store_payload(&self) -> Arc<Vec<u8>> {
        self.0.folder.payload()
    }

    /// Holds its name: writers of one secret follow each other.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.folder.hold(self.0.path.as_str()).await
    }

    /// What is there: the object and its newest version.
    pub async fn present(&self) -> Result<Option<(Arc<Head>, u64)>, BarrierError> {
        self.0.present().await
    }

    /// The newest version, for a new one that is made from it: a certificate to the key of an earlier request.
    pub async fn beneath(&self) -> Result<Option<VersionRecord>, BarrierError> {
        self.0.latest().await
    }

    /// A first version under a free name.
    pub fn create(&self, payload: &[u8], plain: &[u8]) -> Batch {
        let mut batch = self.0.folder.batch();
        batch.need(Access::WRITE);
        self.0.opened.require_store(&mut batch, &self.0.folder);
        let object = ObjectId(self.0.opened.random_id());
        let head = self.0.folder.create_entry(&mut batch, self.0.path.as_str(), object, payload);
        self.0.folder.add_version(&mut batch, &head, 1, plain);
        batch
    }

    /// A further version; the oldest beyond `keep` go. `None`: the object was removed meanwhile.
    pub async fn add_version(
        &self,
        head: &Arc<Head>,
        version: u64,
        plain: &SecretBytes,
        keep: Option<NonZeroU64>,
    ) -> Result<Option<Batch>, BarrierError> {
        let mut batch = self.0.folder.batch();
        batch.need(Access::MODIFY);
        plain.expose(|plain| self.0.folder.add_version(&mut batch, head, version, plain));
        // the entry changes only if something is deleted or too old
        if keep.is_some_and(|keep| version > keep.get()) || head.is_gone() {
            let Some(mut entry) = self.0.entry(head).await? else { return Ok(None) };
            self.0.folder.trim(&mut batch, &mut entry, version, keep);
            self.0.folder.rewrite_lives(&mut batch, head, &entry);
        }
        Ok(Some(batch))
    }
}

/// A view that deletes, undeletes and destroys versions of one secret, and adds none.
#[derive(Debug)]
pub struct SecretLivesView(ResolvedSecret);

impl From<ResolvedSecret> for SecretLivesView {
    fn from(secret: ResolvedSecret) -> Self {
        Self(secret)
    }
}

impl SecretLivesView {
    /// Holds its name: writers of one secret follow each other.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.folder.hold(self.0.path.as_str()).await
    }

    /// What is there: the object, its newest version, its entry.
    pub async fn present(&self) -> Result<Option<(Arc<Head>, u64, Entry)>, BarrierError> {
        let Some((head, version)) = self.0.present().await? else { return Ok(None) };
        Ok(self.0.entry(&head).await?.map(|entry| (head, version, entry)))
    }

    /// One of its versions.
    pub async fn version(&self, head: &Head, version: u64) -> Result<Option<VersionRecord>, BarrierError> {
        self.0.folder.version(self.0.path.as_str(), head.object, version).await
    }

    /// Writes its entry with other lives, and in the place of versions what is left of them.
    pub fn rewrite(&self, head: &Arc<Head>, entry: &Entry, left: &[(u64, SecretBytes)]) -> Batch {
        let mut batch = self.0.folder.batch();
        for (version, plain) in left {
            plain.expose(|plain| {
                self.0.folder.replace_version(&mut batch, head.object, *version, plain);
            });
        }
        self.0.folder.rewrite_lives(&mut batch, head, entry);
        batch
    }

    /// Removes it with all its versions.
    pub fn remove(&self, head: &Head) -> Batch {
        let mut batch = self.0.folder.batch();
        self.0.folder.remove_entry(&mut batch, self.0.path.as_str(), head.object);
        batch
    }
}
