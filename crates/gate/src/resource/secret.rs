//! Secrets and the names of a store as resources.

use super::{Resource, open};
use crate::admit::Gate;
use std::sync::Arc;
use strongroom_barrier::{BarrierError, Batch, Entry, Folder, Head, Opened, Page, VersionRecord};
use strongroom_model::{Name, ObjectId, SecretPath};

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
