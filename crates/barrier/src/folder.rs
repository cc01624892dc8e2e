//! Folders: named objects with versions, sealed under one keyset.

mod count;
mod listing;
mod versions;

pub use listing::Page;

use crate::batch::Batch;
use crate::index::{Head, Index};
use crate::keysets::{KeysetCell, Live};
use crate::lives::{Deleted, Lives};
use crate::names::{self, NameLocks};
use crate::opened::REREADS;
use crate::{BarrierError, keys};
use arc_swap::ArcSwap;
use parking_lot::RwLock;
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_crypto::MacKey;
use strongroom_keyring::{Keyset, Kind, OpenError, Place, Sealer};
use strongroom_model::{FolderId, KeysetId, ObjectId, PartitionId};
use strongroom_secret::SecretBytes;
use strongroom_store::{Order, Precondition, Range, Row, RowKey, SharedStore};

/// Rows read at a time while a folder is opened.
const SCAN_ROWS: usize = 1_000;

/// A directory entry, opened.
#[derive(Debug)]
pub struct Entry {
    /// What it names.
    pub object: ObjectId,
    /// The name.
    pub name: String,
    /// The lives of its versions.
    pub lives: Lives,
    /// What the engine put beside it.
    pub payload: Vec<u8>,
}

impl Entry {
    fn head(&self) -> Head {
        Head::new(self.object, self.lives.gone)
    }
}

/// A version of an object, opened.
#[derive(Debug)]
pub struct VersionRecord {
    /// Its number, from 1.
    pub version: u64,
    /// Whether it is deleted.
    pub deleted: Option<Deleted>,
    /// What the engine put there.
    pub plain: SecretBytes,
}

/// A folder: directory entries, versions of objects, and their authenticated count.
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    partition: PartitionId,
    store: SharedStore,
    ambient: Ambient,
    names: Arc<MacKey>,
    sealers: Arc<Live<FolderSealers>>,
    index: Arc<RwLock<Index>>,
    index_limit: usize,
    locks: NameLocks,
    /// The payload of the store's own entry, as last read or written.
    payload: ArcSwap<Vec<u8>>,
}

/// What a folder is made from.
pub(crate) struct FolderParts {
    pub(crate) id: FolderId,
    pub(crate) partition: PartitionId,
    pub(crate) store: SharedStore,
    pub(crate) ambient: Ambient,
    pub(crate) names: Arc<MacKey>,
    pub(crate) keyset: Arc<KeysetCell>,
    pub(crate) index_limit: usize,
}

/// Sealing keys of a folder, by kind.
pub(crate) struct FolderSealers {
    entries: Sealer,
    versions: Sealer,
    counts: Sealer,
}

impl FolderSealers {
    pub(crate) fn new(keyset: &Keyset, partition: PartitionId, folder: FolderId) -> Self {
        let sealer = |kind| Sealer::new(keyset, Place { partition, folder, kind });
        Self {
            entries: sealer(Kind::Entry),
            versions: sealer(Kind::SecretVersion),
            counts: sealer(Kind::Count),
        }
    }

    /// The sealer of a kind that lies in folders.
    pub(crate) fn of(&self, kind: Kind) -> Option<&Sealer> {
        match kind {
            Kind::Entry => Some(&self.entries),
            Kind::SecretVersion => Some(&self.versions),
            Kind::Count => Some(&self.counts),
            _ => None,
        }
    }
}

/// Why a row did not open.
enum Unopened {
    /// Its term is not in the keyset: perhaps it was retired after the row was read, and the row sealed anew before.
    Term,
    /// It is damaged, or out of place.
    Damaged,
}

impl From<OpenError> for Unopened {
    fn from(fault: OpenError) -> Self {
        if matches!(fault, OpenError::Term(_)) { Self::Term } else { Self::Damaged }
    }
}

impl Folder {
    pub(crate) fn new(parts: FolderParts) -> Self {
        let FolderParts { id, partition, store, ambient, names, keyset, index_limit } = parts;
        let make = move |keyset: &Keyset| FolderSealers::new(keyset, partition, id);
        Self {
            sealers: Arc::new(Live::new(&keyset, make)),
            id,
            partition,
            store,
            ambient,
            names,
            index: Arc::default(),
            index_limit,
            locks: NameLocks::new(),
            payload: ArcSwap::default(),
        }
    }

    /// Opens every entry into a new index, and checks their number against the folder's count.
    pub(crate) async fn load(&self) -> Result<(), BarrierError> {
        self.load_each(|_| {}).await
    }

    /// The same; `each` is given every entry.
    pub(crate) async fn load_each(&self, mut each: impl FnMut(Entry) + Send) -> Result<(), BarrierError> {
        let before = self.index.read().changes();
        let mut index = Index::default();
        let mut seen = 0_u64;
        let mut after = None;
        loop {
            let rows = self.scan(after.take()).await?;
            let Some(last) = rows.last().map(|row| row.key.clone()) else { break };
            for row in &rows {
                // gone since: then the index changed, and this one is not taken
                let Some(entry) = self.open_entry(row).await? else { continue };
                seen += 1;
                index.insert(&entry.name, Arc::new(entry.head()), self.index_limit);
                each(entry);
            }
            after = Some(last);
        }
        let (count, _) = self.count().await?;
        if count != seen {
            return Err(self.corrupt(&format!("{seen} entries where its count says {count}")));
        }
        if !self.index.write().replace(index, before) {
            // work admitted before went on meanwhile: whoever asked looks again
            return Err(BarrierError::Store(strongroom_store::StoreError::Busy));
        }
        Ok(())
    }

    async fn scan(&self, after: Option<RowKey>) -> Result<Vec<Row>, BarrierError> {
        let range =
            Range { prefix: keys::entries(self.id), after, order: Order::Ascending, limit: SCAN_ROWS };
        Ok(self.store.list(range).await?)
    }

    async fn open_entry(&self, row: &Row) -> Result<Option<Entry>, BarrierError> {
        self.opened(row, "directory entry", |sealers, row| self.try_open_entry(sealers, row)).await
    }

    /// Opens a row that was just read. If its term was retired since, it is read again: a term is retired once nothing
    /// is sealed under it. `None`: it was deleted meanwhile.
    async fn opened<T>(
        &self,
        row: &Row,
        what: &str,
        open: impl Fn(&FolderSealers, &Row) -> Result<T, Unopened> + Send + Sync,
    ) -> Result<Option<T>, BarrierError> {
        let mut fresh;
        let mut row = row;
        for _ in 0..REREADS {
            let opened = open(&self.sealers.current(), row);
            match opened {
                Ok(opened) => return Ok(Some(opened)),
                Err(Unopened::Damaged) => break,
                Err(Unopened::Term) => {}
            }
            fresh = self.store.get(&row.key).await?;
            match &fresh {
                Some(again) => row = again,
                None => return Ok(None),
            }
        }
        Err(self.corrupt(&format!("{what} {:?}", row.key)))
    }

    fn try_open_entry(&self, sealers: &FolderSealers, row: &Row) -> Result<Entry, Unopened> {
        let (object, record) = row.value.split_first_chunk::<16>().ok_or(Unopened::Damaged)?;
        let object = ObjectId(*object);
        let plain = sealers.entries.open(&object, 0, record)?;
        let entry = plain.expose(|bytes| {
            let (name, lives, payload) = names::unpad(bytes)?;
            // an entry moved to another row would otherwise answer to another name
            let in_place = keys::entry(self.id, &self.hash(name)) == row.key;
            in_place.then(|| Entry { object, name: name.to_owned(), lives, payload: payload.to_vec() })
        });
        entry.ok_or(Unopened::Damaged)
    }

    /// The hash under which a name lies.
    pub fn hash(&self, name: &str) -> [u8; 16] {
        names::hash(&self.names, self.id, name)
    }

    /// Holds a name: writers under one name follow each other.
    pub async fn hold(&self, name: &str) -> tokio::sync::MutexGuard<'_, ()> {
        self.locks.lock(&self.hash(name)).await
    }

    /// What a name names.
    pub async fn find(&self, name: &str) -> Result<Option<Arc<Head>>, BarrierError> {
        {
            let index = self.index.read();
            if index.is_whole() {
                return Ok(index.get(name));
            }
        }
        Ok(self.entry(name).await?.map(|entry| Arc::new(entry.head())))
    }

    /// The directory entry of a name.
    pub async fn entry(&self, name: &str) -> Result<Option<Entry>, BarrierError> {
        let key = keys::entry(self.id, &self.hash(name));
        match self.store.get(&key).await? {
            Some(row) => self.open_entry(&row).await,
            None => Ok(None),
        }
    }

    fn corrupt(&self, what: &str) -> BarrierError {
        BarrierError::corrupt(format!("folder {}: {what}", self.id))
    }

    /// A new batch in this folder: it fails if the keyset is rotated meanwhile.
    pub fn batch(&self) -> Batch {
        let mut batch = Batch::new();
        batch.require(self.sealers.cell().current().fence());
        batch
    }

    /// Adds an entry for a new object. Its name must be free.
    pub fn create_entry(&self, batch: &mut Batch, name: &str, object: ObjectId, payload: &[u8]) -> Arc<Head> {
        let key = keys::entry(self.id, &self.hash(name));
        let mut value = object.0.to_vec();
        let plain = names::pad(name, &Lives::default(), payload);
        self.sealers.current().entries.seal_into(&self.ambient, &object, 0, &plain, &mut value);
        batch.require(Precondition::Absent(key.clone()));
        batch.put(key, value);
        self.change_count(batch, 1);
        let head = Arc::new(Head::new(object, false));
        let (index, limit) = (Arc::clone(&self.index), self.index_limit);
        let (name, named) = (SecretBytes::new(name.as_bytes().to_vec()), Arc::clone(&head));
        batch.then(move || {
            name.expose(|bytes| {
                index.write().insert(std::str::from_utf8(bytes).unwrap_or_default(), named, limit);
            });
        });
        head
    }

    /// Removes an entry and every version of its object.
    pub fn remove_entry(&self, batch: &mut Batch, name: &str, object: ObjectId) {
        let key = keys::entry(self.id, &self.hash(name));
        batch.require(Precondition::Present(key.clone()));
        batch.delete(key);
        batch.delete_prefix(keys::versions(self.id, object));
        self.change_count(batch, -1);
        let index = Arc::clone(&self.index);
        let name = SecretBytes::new(name.as_bytes().to_vec());
        batch.then(move || {
            name.expose(|bytes| index.write().remove(std::str::from_utf8(bytes).unwrap_or_default(), object));
        });
    }

    /// Writes an entry anew, lives and payload included. The caller holds its name.
    pub fn rewrite_entry(&self, batch: &mut Batch, entry: &Entry) {
        let key = keys::entry(self.id, &self.hash(&entry.name));
        let mut value = entry.object.0.to_vec();
        let plain = names::pad(&entry.name, &entry.lives, &entry.payload);
        self.sealers.current().entries.seal_into(&self.ambient, &entry.object, 0, &plain, &mut value);
        batch.require(Precondition::Present(key.clone()));
        batch.put(key, value);
    }

    /// Removes everything in the folder, count included.
    pub fn remove_all(&self, batch: &mut Batch) {
        batch.delete_prefix(keys::folder_versions(self.id));
        batch.delete_prefix(keys::entries(self.id));
        batch.delete(keys::count(self.id));
        let index = Arc::clone(&self.index);
        batch.then(move || index.write().wipe());
    }

    /// The payload of the entry that names this folder: a store's settings, without a look at the store.
    pub fn payload(&self) -> Arc<Vec<u8>> {
        self.payload.load_full()
    }

    pub(crate) fn set_payload(&self, payload: Vec<u8>) {
        self.payload.store(Arc::new(payload));
    }

    /// The partition it lies in.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// The keyset that seals it.
    pub fn keyset(&self) -> KeysetId {
        self.sealers.cell().id()
    }

    /// Its sealing keys.
    pub(crate) fn sealers(&self) -> &Live<FolderSealers> {
        &self.sealers
    }

    /// Names in the index.
    pub fn indexed(&self) -> usize {
        self.index.read().len()
    }

    pub(crate) fn wipe(&self) {
        self.index.write().wipe();
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({})", self.id)
    }
}
