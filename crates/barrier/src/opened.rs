//! The opened hierarchy: a partition's keys, its folders, its single records.

use crate::batch::Batch;
use crate::folder::{Entry, Folder, FolderParts};
use crate::payload::{Reader, Writer};
use crate::{BarrierError, Limits, keys};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_crypto::MacKey;
use strongroom_keyring::{Keyset, Kind, Partition, Place, RootKey, Sealer, WrapError};
use strongroom_model::{FolderId, KeysetId, ObjectId, PartitionId, StoreId};
use strongroom_secret::SecretBytes;
use strongroom_store::{Precondition, Range, Revision, RowKey, SharedStore};

/// Most partitions, keysets and such that are read at once.
const MAX_ROWS: usize = 10_000;

/// A keyset, unwrapped, with the row it came from: the fence of everything it seals.
#[derive(Debug)]
pub struct KeysetState {
    /// The keys.
    pub keyset: Keyset,
    /// Its row.
    pub row: RowKey,
    /// The row's revision when it was read.
    pub revision: Revision,
}

/// Everything that the root key opens.
pub struct Opened {
    partition: Partition,
    store: SharedStore,
    ambient: Ambient,
    limits: Limits,
    names: Arc<MacKey>,
    keysets: BTreeMap<KeysetId, Arc<KeysetState>>,
    system: Arc<KeysetState>,
    trail: Sealer,
    singles: Vec<(Kind, Sealer)>,
    /// The folder of stores.
    pub stores: Arc<Folder>,
    /// The folder of users.
    pub users: Arc<Folder>,
    /// The folder of keysets.
    pub keyset_names: Arc<Folder>,
    /// The folder of groups.
    pub groups: Arc<Folder>,
    /// The folder of ACLs.
    pub acls: Arc<Folder>,
    open_stores: RwLock<BTreeMap<StoreId, Arc<Folder>>>,
}

/// Kinds that lie in no folder, under the partition's system keyset.
const SINGLES: [Kind; 10] = [
    Kind::User,
    Kind::Credential,
    Kind::Token,
    Kind::CheckpointKey,
    Kind::Outcome,
    Kind::Clock,
    Kind::KeyMap,
    Kind::Group,
    Kind::Acl,
    Kind::Password,
];

/// A fresh hierarchy: the rows that make it, and the hierarchy itself, not yet durable.
pub struct NewHierarchy {
    /// The rows.
    pub batch: Batch,
    /// What they will open to.
    pub opened: Opened,
}

impl Opened {
    /// Generates a partition with its keysets and one keyset for stores, called `default`.
    pub fn generate(
        store: &SharedStore,
        ambient: &Ambient,
        limits: Limits,
        root: &RootKey,
        root_generation: u64,
    ) -> Result<NewHierarchy, BarrierError> {
        let partition = Partition::generate(ambient, PartitionId(ambient.random()));
        let default = KeysetId(ambient.random());
        let mut batch = Batch::new();
        batch.put(keys::partition(partition.id), partition.wrap(ambient, root, root_generation));
        let mut keysets = BTreeMap::new();
        for id in [partition.system, partition.trail, default] {
            let keyset = Keyset::generate(ambient, id);
            let row = keys::keyset(partition.id, id);
            batch.put(row.clone(), keyset.wrap(ambient, partition.id, &partition.kek));
            keysets.insert(id, Arc::new(KeysetState { keyset, row, revision: Revision(0) }));
        }
        let opened = Self::assemble(store, ambient, limits, partition, keysets)?;
        opened.keyset_names.create_entry(&mut batch, "default", ObjectId(default.0), &[]);
        Ok(NewHierarchy { batch, opened })
    }

    /// Unwraps what is stored and loads the index of names.
    pub(crate) async fn load(
        store: &SharedStore,
        ambient: &Ambient,
        limits: Limits,
        root: &RootKey,
    ) -> Result<Self, BarrierError> {
        let partition = load_partition(store, root).await?;
        let keysets = load_keysets(store, &partition).await?;
        let opened = Self::assemble(store, ambient, limits, partition, keysets)?;
        opened.keyset_names.load().await?;
        for folder in [&opened.users, &opened.groups, &opened.acls] {
            folder.load().await?;
        }
        for entry in opened.stores.load().await? {
            opened.open_store(StoreId(entry.object.0), entry.payload).await?;
        }
        Ok(opened)
    }

    fn assemble(
        store: &SharedStore,
        ambient: &Ambient,
        limits: Limits,
        partition: Partition,
        keysets: BTreeMap<KeysetId, Arc<KeysetState>>,
    ) -> Result<Self, BarrierError> {
        let of = |id: KeysetId| {
            keysets.get(&id).cloned().ok_or_else(|| BarrierError::corrupt(format!("keyset {id} is missing")))
        };
        let (system, trail) = (of(partition.system)?, of(partition.trail)?);
        let names = Arc::new(partition.names_mac());
        let place = |kind| Place { partition: partition.id, folder: FolderId::default(), kind };
        let folder = |id| {
            Arc::new(Folder::new(FolderParts {
                id,
                partition: partition.id,
                store: Arc::clone(store),
                ambient: ambient.clone(),
                names: Arc::clone(&names),
                keyset: Arc::clone(&system),
                index_limit: limits.indexed_names,
            }))
        };
        Ok(Self {
            trail: Sealer::new(&trail.keyset, place(Kind::Trail)),
            singles: SINGLES.map(|kind| (kind, Sealer::new(&system.keyset, place(kind)))).into(),
            stores: folder(partition.folders.stores),
            users: folder(partition.folders.users),
            keyset_names: folder(partition.folders.keysets),
            groups: folder(derived_folder(&names, b"groups")),
            acls: folder(derived_folder(&names, b"acls")),
            open_stores: RwLock::default(),
            store: Arc::clone(store),
            ambient: ambient.clone(),
            partition,
            limits,
            names,
            keysets,
            system,
        })
    }

    /// The partition.
    pub fn partition(&self) -> PartitionId {
        self.partition.id
    }

    /// The store below.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Clock and entropy.
    pub fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    /// A fresh random id.
    pub fn random_id(&self) -> [u8; 16] {
        self.ambient.random()
    }

    /// The partition's row, wrapped anew under another root key.
    pub fn rewrap(&self, root: &RootKey, root_generation: u64) -> (RowKey, Vec<u8>) {
        (keys::partition(self.partition.id), self.partition.wrap(&self.ambient, root, root_generation))
    }

    /// Seals the trail's entries.
    pub fn trail(&self) -> &Sealer {
        &self.trail
    }

    /// A stand-in for a text, the same for the same text.
    pub fn pseudonym(&self, text: &str) -> [u8; 16] {
        let mac = self.names.sign(&[b"strongroom pseudonym v1\0", text.as_bytes()]);
        mac.first_chunk::<16>().copied().unwrap_or_default()
    }

    /// A keyset.
    pub fn keyset(&self, id: KeysetId) -> Option<&Arc<KeysetState>> {
        self.keysets.get(&id)
    }

    /// A batch of single records: it fails if the system keyset is rotated meanwhile.
    pub fn batch(&self) -> Batch {
        let mut batch = Batch::new();
        batch.require(Precondition::Fence(self.system.row.clone(), self.system.revision));
        batch
    }

    /// Seals a record that lies in no folder.
    pub fn seal(&self, kind: Kind, object: [u8; 16], plain: &[u8]) -> Vec<u8> {
        match self.single(kind) {
            Some(sealer) => sealer.seal(&self.ambient, &ObjectId(object), 0, plain),
            None => unreachable!("{kind:?} is in SINGLES"),
        }
    }

    /// Opens a record that lies in no folder.
    pub fn open_single(
        &self,
        kind: Kind,
        object: [u8; 16],
        record: &[u8],
    ) -> Result<SecretBytes, BarrierError> {
        self.single(kind)
            .and_then(|sealer| sealer.open(&ObjectId(object), 0, record).ok())
            .ok_or_else(|| BarrierError::corrupt(format!("{kind:?} {}", ObjectId(object))))
    }

    /// Reads and opens a record that lies in no folder.
    pub async fn read_single(
        &self,
        kind: Kind,
        object: [u8; 16],
        key: &RowKey,
    ) -> Result<Option<SecretBytes>, BarrierError> {
        match self.store.get(key).await? {
            Some(row) => self.open_single(kind, object, &row.value).map(Some),
            None => Ok(None),
        }
    }

    fn single(&self, kind: Kind) -> Option<&Sealer> {
        self.singles.iter().find(|(of, _)| *of == kind).map(|(_, sealer)| sealer)
    }

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

    async fn open_store(&self, id: StoreId, payload: Vec<u8>) -> Result<Arc<Folder>, BarrierError> {
        let folder = Arc::new(self.folder(id, self.attached_keyset(id).await?)?);
        folder.set_payload(payload);
        folder.load().await?;
        // whoever came first stays: two folders of one store would have two indexes
        Ok(Arc::clone(self.open_stores.write().entry(id).or_insert(folder)))
    }

    async fn attached_keyset(&self, id: StoreId) -> Result<KeysetId, BarrierError> {
        let missing = || BarrierError::corrupt(format!("store {id} has no keyset"));
        let key = keys::keymap(self.partition.id, id);
        let plain = self.read_single(Kind::KeyMap, id.0, &key).await?.ok_or_else(missing)?;
        plain.expose(|bytes| Reader::new(bytes).array()).map(KeysetId).ok_or_else(missing)
    }

    fn folder(&self, id: StoreId, keyset: KeysetId) -> Result<Folder, BarrierError> {
        let keyset = self
            .keysets
            .get(&keyset)
            .ok_or_else(|| BarrierError::corrupt(format!("store {id} is attached to a missing keyset")))?;
        Ok(Folder::new(FolderParts {
            id: id.into(),
            partition: self.partition.id,
            store: Arc::clone(&self.store),
            ambient: self.ambient.clone(),
            names: Arc::clone(&self.names),
            keyset: Arc::clone(keyset),
            index_limit: self.limits.indexed_names,
        }))
    }

    /// Adds a store: its entry, its place in the key map, its folder.
    pub fn create_store(
        self: &Arc<Self>,
        name: &str,
        keyset: KeysetId,
        payload: &[u8],
    ) -> Result<(StoreId, Batch), BarrierError> {
        let id = StoreId(self.ambient.random());
        let folder = Arc::new(self.folder(id, keyset)?);
        folder.set_payload(payload.to_vec());
        let mut batch = self.stores.batch();
        // the keyset must outlive the moment it is attached
        batch.require(Precondition::Present(folder.keyset().row.clone()));
        // the folder before its name: whoever finds the name must find this folder
        let opened = Arc::clone(self);
        batch.then(move || {
            opened.open_stores.write().entry(id).or_insert(folder);
        });
        self.stores.create_entry(&mut batch, name, ObjectId(id.0), payload);
        let keymap = Writer::new().raw(&keyset.0).finish();
        batch.put(keys::keymap(self.partition.id, id), self.seal(Kind::KeyMap, id.0, &keymap));
        Ok((id, batch))
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
        batch.delete(keys::keymap(self.partition.id, id));
        folder.remove_all(&mut batch);
        let opened = Arc::clone(self);
        batch.then(move || {
            opened.open_stores.write().remove(&id);
        });
        batch
    }

    /// The precondition that a store is still there.
    pub fn require_store(&self, batch: &mut Batch, folder: &Folder) {
        batch.require(Precondition::Present(keys::keymap(self.partition.id, StoreId(folder.id.0))));
    }

    /// Reads every index anew: after a commit of unknown outcome.
    pub async fn reindex(&self) -> Result<(), BarrierError> {
        for folder in [&self.keyset_names, &self.users, &self.groups, &self.acls] {
            folder.load().await?;
        }
        let stores = self.stores.load().await?;
        self.open_stores.write().retain(|id, _| stores.iter().any(|entry| entry.object.0 == id.0));
        for entry in stores {
            match self.store_folder(StoreId(entry.object.0)) {
                Some(folder) => {
                    folder.load().await?;
                    folder.set_payload(entry.payload);
                }
                None => self.open_store(StoreId(entry.object.0), entry.payload).await.map(drop)?,
            }
        }
        Ok(())
    }

    /// Names in the indexes.
    pub fn indexed(&self) -> usize {
        self.open_stores.read().values().map(|folder| folder.indexed()).sum()
    }

    pub(crate) fn wipe(&self) {
        for folder in [&self.stores, &self.users, &self.keyset_names, &self.groups, &self.acls] {
            folder.wipe();
        }
        for (_, folder) in std::mem::take(&mut *self.open_stores.write()) {
            folder.wipe();
        }
    }
}

/// The id of a folder that partitions of the first format do not name: a keyed hash of what is in it, the same at
/// each unlock.
fn derived_folder(names: &MacKey, what: &[u8]) -> FolderId {
    let mac = names.sign(&[b"strongroom folder v1\0", what]);
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(mac) {
        *to = from;
    }
    FolderId(id)
}

async fn load_partition(store: &SharedStore, root: &RootKey) -> Result<Partition, BarrierError> {
    let rows = store.list(Range::prefix(keys::partitions(), MAX_ROWS)).await?;
    let row = rows.first().ok_or_else(|| BarrierError::corrupt("no partition"))?;
    let id = row.key.as_bytes().get(1..).and_then(PartitionId::from_slice);
    let id = id.ok_or_else(|| BarrierError::corrupt(format!("partition {:?}", row.key)))?;
    Partition::unwrap(id, root, &row.value).map_err(|fault| unwrap_fault(&format!("partition {id}"), fault))
}

async fn load_keysets(
    store: &SharedStore,
    partition: &Partition,
) -> Result<BTreeMap<KeysetId, Arc<KeysetState>>, BarrierError> {
    let mut keysets = BTreeMap::new();
    for row in store.list(Range::prefix(keys::keysets(partition.id), MAX_ROWS)).await? {
        let id = row.key.as_bytes().get(17..).and_then(KeysetId::from_slice);
        let id = id.ok_or_else(|| BarrierError::corrupt(format!("keyset {:?}", row.key)))?;
        let keyset = Keyset::unwrap(partition.id, id, &partition.kek, &row.value)
            .map_err(|fault| unwrap_fault(&format!("keyset {id}"), fault))?;
        keysets.insert(id, Arc::new(KeysetState { keyset, row: row.key, revision: row.revision }));
    }
    Ok(keysets)
}

/// Unlock keys are verified before the root key is used, so what does not unwrap is damaged.
fn unwrap_fault(what: &str, fault: WrapError) -> BarrierError {
    BarrierError::corrupt(format!("{what}: {fault}"))
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.partition.id)
    }
}
