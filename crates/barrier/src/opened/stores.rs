//! The stores of an opened hierarchy: found, made, removed, and read anew.

use super::Opened;
use crate::batch::Batch;
use crate::folder::{Entry, Folder, FolderParts};
use crate::payload::{Reader, Writer};
use crate::{BarrierError, keys};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_keyring::Kind;
use strongroom_model::{KeysetId, ObjectId, StoreId};
use strongroom_store::Precondition;

impl Opened {
    /// A store's folder, if it is open.
    pub fn store_folder(&self, id: StoreId) -> Option<Arc<Folder>> {
        self.open_stores.read().get(&id).cloned()
    }

    /// A store by name.
    pub async fn find_store(&self, name: &str) -> Result<Option<Arc<Folder>>, BarrierError> {
        let Some(head) = self.stores.find(name).await? else { return Ok(None) };
        let id = StoreId(head.object.0);
        match self.store_folder(id) {
            Some(folder) => Ok(Some(folder)),
            None => match self.stores.entry(name).await?.filter(|entry| entry.object == head.object) {
                Some(entry) => self.open_store(id, entry.payload).await.map(Some),
                None => Ok(None),
            },
        }
    }

    pub(super) async fn open_store(
        &self,
        id: StoreId,
        payload: Vec<u8>,
    ) -> Result<Arc<Folder>, BarrierError> {
        let folder = Arc::new(self.folder(id, self.attached_keyset(id).await?)?);
        folder.set_payload(payload);
        folder.load().await?;
        // whoever came first stays: two folders of one store would have two indexes
        Ok(Arc::clone(self.open_stores.write().entry(id).or_insert(folder)))
    }

    pub(crate) async fn attached_keyset(&self, id: StoreId) -> Result<KeysetId, BarrierError> {
        let missing = || BarrierError::corrupt(format!("store {id} has no keyset"));
        let key = keys::keymap(self.partition, id);
        let plain = self.read_single(Kind::KeyMap, id.0, &key).await?.ok_or_else(missing)?;
        plain.expose(|bytes| Reader::new(bytes).array()).map(KeysetId).ok_or_else(missing)
    }

    fn folder(&self, id: StoreId, keyset: KeysetId) -> Result<Folder, BarrierError> {
        let keyset = self
            .cell(keyset)
            .ok_or_else(|| BarrierError::corrupt(format!("store {id} is attached to a missing keyset")))?;
        Ok(Folder::new(FolderParts {
            id: id.into(),
            partition: self.partition,
            store: Arc::clone(&self.store),
            ambient: self.ambient.clone(),
            names: Arc::clone(&self.names),
            keyset,
            index_limit: self.limits.indexed_names,
        }))
    }

    /// Adds a store: its entry, its place in the key map, its folder.
    pub fn create_store(
        self: &Arc<Self>,
        name: &str,
        keyset: KeysetId,
        payload: &[u8],
    ) -> Result<Option<(StoreId, Batch)>, BarrierError> {
        let id = StoreId(self.ambient.random());
        if self.cell(keyset).is_none() {
            return Ok(None);
        }
        let folder = Arc::new(self.folder(id, keyset)?);
        folder.set_payload(payload.to_vec());
        let mut batch = self.stores.batch();
        // the keyset must outlive the moment it is attached
        batch.require(Precondition::Present(keys::keyset(self.partition, keyset)));
        // the folder before its name: whoever finds the name must find this folder
        let opened = Arc::clone(self);
        batch.then(move || {
            opened.open_stores.write().entry(id).or_insert(folder);
        });
        self.stores.create_entry(&mut batch, name, ObjectId(id.0), payload);
        let keymap = Writer::new().raw(&keyset.0).finish();
        batch.put(keys::keymap(self.partition, id), self.seal(Kind::KeyMap, id.0, &keymap));
        Ok(Some((id, batch)))
    }

    /// Writes a store's entry anew, with another payload. The caller holds its name.
    pub fn rewrite_store(&self, entry: &Entry, folder: &Arc<Folder>) -> Batch {
        let mut batch = self.stores.batch();
        self.require_store(&mut batch, folder);
        self.stores.rewrite_entry(&mut batch, entry);
        let (folder, payload) = (Arc::clone(folder), entry.payload.clone());
        batch.then(move || folder.set_payload(payload));
        batch
    }

    /// Removes a store and everything in it.
    pub fn remove_store(self: &Arc<Self>, name: &str, folder: &Arc<Folder>) -> Batch {
        let id = StoreId(folder.id.0);
        let mut batch = self.stores.batch().essential();
        // the name may name another store by now
        self.require_store(&mut batch, folder);
        self.stores.remove_entry(&mut batch, name, ObjectId(id.0));
        batch.delete(keys::keymap(self.partition, id));
        folder.remove_all(&mut batch);
        let opened = Arc::clone(self);
        batch.then(move || {
            opened.open_stores.write().remove(&id);
        });
        batch
    }

    /// The precondition that a store is still there.
    pub fn require_store(&self, batch: &mut Batch, folder: &Folder) {
        batch.require(Precondition::Present(keys::keymap(self.partition, StoreId(folder.id.0))));
    }

    /// Reads every index anew: after a commit of unknown outcome.
    pub async fn reindex(&self) -> Result<(), BarrierError> {
        self.refresh().await?;
        for folder in [&self.keyset_names, &self.users, &self.groups, &self.acls] {
            folder.load().await?;
        }
        let stores = self.load_stores().await?;
        self.open_stores.write().retain(|id, _| stores.contains_key(id));
        for (id, payload) in stores {
            match self.store_folder(id) {
                Some(folder) => {
                    folder.load().await?;
                    folder.set_payload(payload);
                }
                None => self.open_store(id, payload).await.map(drop)?,
            }
        }
        Ok(())
    }

    /// Loads the index of stores; gives every store with its payload.
    pub(super) async fn load_stores(&self) -> Result<BTreeMap<StoreId, Vec<u8>>, BarrierError> {
        let mut stores = BTreeMap::new();
        let each = |entry: Entry| drop(stores.insert(StoreId(entry.object.0), entry.payload));
        self.stores.load_each(each).await?;
        Ok(stores)
    }
}
