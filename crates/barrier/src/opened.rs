//! The opened hierarchy: a partition's keys, its folders, its single records.

mod stores;

use crate::batch::Batch;
use crate::folder::{Folder, FolderParts};
use crate::keysets::{KeysetCell, Live, Made};
use crate::load::{load_keysets, load_partition};
use crate::rekey::Hierarchy;
use crate::sealed::SINGLES;
use crate::{BarrierError, Limits, keys};
use arc_swap::{ArcSwap, Guard};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_crypto::MacKey;
use strongroom_keyring::{Keyset, Kind, OpenError, Partition, Place, RootKey, Sealer};
use strongroom_model::{FolderId, KeysetId, ObjectId, PartitionId, StoreId};
use strongroom_secret::SecretBytes;
use strongroom_store::{Revision, RowKey, SharedStore};

/// Most partitions, keysets and such that are read at once.
pub(crate) const MAX_ROWS: usize = 10_000;
/// How often a record is read again because its term was retired between reading and opening.
pub(crate) const REREADS: usize = 4;

/// Everything that the root key opens.
pub struct Opened {
    pub(crate) partition: PartitionId,
    pub(crate) hierarchy: ArcSwap<Hierarchy>,
    /// A hierarchy that is being committed: it may become the present one behind everybody's back.
    pub(crate) coming: Mutex<Option<(Vec<u8>, Arc<Partition>)>>,
    /// Held while keys change: one change follows another.
    pub(crate) turn: tokio::sync::Mutex<()>,
    pub(crate) store: SharedStore,
    pub(crate) ambient: Ambient,
    limits: Limits,
    names: Arc<MacKey>,
    pub(crate) keysets: RwLock<BTreeMap<KeysetId, Arc<KeysetCell>>>,
    pub(crate) system: Arc<KeysetCell>,
    trail: Live<Sealer>,
    pub(crate) singles: Live<Vec<(Kind, Sealer)>>,
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

/// Seals and opens the trail's entries.
pub struct TrailSealer(Guard<Arc<Made<Sealer>>>);

impl std::ops::Deref for TrailSealer {
    type Target = Sealer;

    fn deref(&self) -> &Sealer {
        &self.0
    }
}

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
            keysets.insert(id, KeysetCell::new(row, keyset, Revision(0)));
        }
        let hierarchy = Hierarchy { partition: Arc::new(partition), revision: Revision(0) };
        let opened = Self::assemble(store, ambient, limits, hierarchy, keysets)?;
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
        let hierarchy = load_partition(store, root).await?;
        let keysets = load_keysets(store, &hierarchy.partition).await?;
        let opened = Self::assemble(store, ambient, limits, hierarchy, keysets)?;
        opened.keyset_names.load().await?;
        for folder in [&opened.users, &opened.groups, &opened.acls] {
            folder.load().await?;
        }
        for (id, payload) in opened.load_stores().await? {
            opened.open_store(id, payload).await?;
        }
        Ok(opened)
    }

    fn assemble(
        store: &SharedStore,
        ambient: &Ambient,
        limits: Limits,
        hierarchy: Hierarchy,
        keysets: BTreeMap<KeysetId, Arc<KeysetCell>>,
    ) -> Result<Self, BarrierError> {
        let partition = Arc::clone(&hierarchy.partition);
        let of = |id: KeysetId| {
            keysets.get(&id).cloned().ok_or_else(|| BarrierError::corrupt(format!("keyset {id} is missing")))
        };
        let (system, trail) = (of(partition.system)?, of(partition.trail)?);
        let names = Arc::new(partition.names_mac());
        let id = partition.id;
        let place = move |kind| Place { partition: id, folder: FolderId::default(), kind };
        let singles = move |keyset: &Keyset| -> Vec<(Kind, Sealer)> {
            SINGLES.iter().map(|(_, kind)| (*kind, Sealer::new(keyset, place(*kind)))).collect()
        };
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
            trail: Live::new(&trail, move |keyset| Sealer::new(keyset, place(Kind::Trail))),
            singles: Live::new(&system, singles),
            stores: folder(partition.folders.stores),
            users: folder(partition.folders.users),
            keyset_names: folder(partition.folders.keysets),
            groups: folder(derived_folder(&names, b"groups")),
            acls: folder(derived_folder(&names, b"acls")),
            open_stores: RwLock::default(),
            store: Arc::clone(store),
            ambient: ambient.clone(),
            partition: id,
            hierarchy: ArcSwap::from_pointee(hierarchy),
            coming: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            limits,
            names,
            keysets: RwLock::new(keysets),
            system,
        })
    }

    /// The key of the MAC on a backup, if this partition's row is wrapped under the present KEK.
    pub fn backup_mac(&self, row: &[u8]) -> Option<MacKey> {
        let hierarchy = self.hierarchy.load();
        let present = hierarchy.partition.kek.generation();
        let same = Partition::kek_generation_of(row) == Some(present);
        same.then(|| hierarchy.partition.backup_mac())
    }

    /// The partition.
    pub fn partition(&self) -> PartitionId {
        self.partition
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

    /// Seals the trail's entries.
    pub fn trail(&self) -> TrailSealer {
        TrailSealer(self.trail.current())
    }

    /// A stand-in for a text, the same for the same text.
    pub fn pseudonym(&self, text: &str) -> [u8; 16] {
        let mac = self.names.sign(&[b"strongroom pseudonym v1\0", text.as_bytes()]);
        mac.first_chunk::<16>().copied().unwrap_or_default()
    }

    /// Where a record of the attribute authority lies: a keyed hash of what it is about.
    pub fn sharing_hash(&self, kind: u8, about: &[u8]) -> [u8; 16] {
        let mac = self.names.sign(&[b"strongroom sharing row v1\0", &[kind], about]);
        mac.first_chunk::<16>().copied().unwrap_or_default()
    }

    /// A batch of single records: it fails if the system keyset is rotated meanwhile.
    pub fn batch(&self) -> Batch {
        let mut batch = Batch::new();
        batch.require(self.system.current().fence());
        batch
    }

    /// Seals a record that lies in no folder.
    pub fn seal(&self, kind: Kind, object: [u8; 16], plain: &[u8]) -> Vec<u8> {
        let singles = self.singles.current();
        match singles.iter().find(|(of, _)| *of == kind) {
            Some((_, sealer)) => sealer.seal(&self.ambient, &ObjectId(object), 0, plain),
            None => unreachable!("{kind:?} is in SINGLES"),
        }
    }

    fn try_single(&self, kind: Kind, object: [u8; 16], record: &[u8]) -> Result<SecretBytes, OpenError> {
        let singles = self.singles.current();
        let sealer = singles.iter().find(|(of, _)| *of == kind);
        sealer.ok_or(OpenError::Malformed)?.1.open(&ObjectId(object), 0, record)
    }

    /// Opens a record that lies in no folder.
    pub fn open_single(
        &self,
        kind: Kind,
        object: [u8; 16],
        record: &[u8],
    ) -> Result<SecretBytes, BarrierError> {
        self.try_single(kind, object, record)
            .map_err(|_| BarrierError::corrupt(format!("{kind:?} {}", ObjectId(object))))
    }

    /// Reads and opens a record that lies in no folder.
    pub async fn read_single(
        &self,
        kind: Kind,
        object: [u8; 16],
        key: &RowKey,
    ) -> Result<Option<SecretBytes>, BarrierError> {
        for _ in 0..REREADS {
            let Some(row) = self.store.get(key).await? else { return Ok(None) };
            match self.try_single(kind, object, &row.value) {
                Ok(plain) => return Ok(Some(plain)),
                // retired since the row was read: it was sealed anew before that
                Err(OpenError::Term(_)) => {}
                Err(_) => break,
            }
        }
        Err(BarrierError::corrupt(format!("{kind:?} {}", ObjectId(object))))
    }

    /// Names in the indexes.
    pub fn indexed(&self) -> usize {
        self.open_stores.read().values().map(|folder| folder.indexed()).sum()
    }

    /// The folders that are the partition's own, sealed under its system keyset.
    pub(crate) fn own_folders(&self) -> [&Arc<Folder>; 5] {
        [&self.stores, &self.users, &self.keyset_names, &self.groups, &self.acls]
    }

    /// Every folder that is open.
    pub(crate) fn all_folders(&self) -> Vec<Arc<Folder>> {
        let own = self.own_folders().into_iter().cloned();
        own.chain(self.open_stores.read().values().cloned()).collect()
    }

    pub(crate) fn wipe(&self) {
        for folder in self.own_folders() {
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

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.partition)
    }
}
