//! Folders: named objects with versions, sealed under one keyset.

mod versions;

use crate::batch::Batch;
use crate::index::{Head, Index};
use crate::keysets::{KeysetCell, Live};
use crate::lives::{Deleted, Lives};
use crate::name_list::Names;
use crate::names::{self, NameLocks};
use crate::opened::REREADS;
use crate::payload::{Reader, Writer};
use crate::{BarrierError, keys};
use arc_swap::ArcSwap;
use parking_lot::RwLock;
use std::sync::Arc;
use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_crypto::MacKey;
use strongroom_keyring::{Keyset, Kind, OpenError, Place, Sealer};
use strongroom_model::{FolderId, KeysetId, ObjectId, PartitionId};
use strongroom_secret::SecretBytes;
use strongroom_store::{Change, MergeRefused, Order, Precondition, Range, Row, RowKey, SharedStore};

/// Rows read at a time while a folder is opened.
const SCAN_ROWS: usize = 1_000;
/// Most names that a listing of a folder beyond the index opens.
const MAX_UNINDEXED_LIST: usize = 10_000_000;

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

/// A page of names.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The names, in order.
    pub names: Names,
    /// Whether there are more after the last.
    pub more: bool,
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

    /// Names in order that begin with `prefix`, after `after`, that `keep` wants, and whose newest version can be read.
    pub async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Page, BarrierError> {
        self.page_where(prefix, after, limit, |name, gone| !gone && keep(name)).await
    }

    /// The same, with those whose newest version is gone if `keep` wants them.
    pub async fn page_where(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str, bool) -> bool + Send + Sync,
    ) -> Result<Page, BarrierError> {
        let indexed = {
            let index = self.index.read();
            index.is_whole().then(|| index.page(prefix, after, limit.saturating_add(1), &keep))
        };
        let mut names = match indexed {
            Some(names) => names,
            None => self.page_unindexed(prefix, after, limit.saturating_add(1), &keep).await?,
        };
        let more = names.len() > limit;
        names.truncate(limit);
        Ok(Page { names, more })
    }

    /// Opens the whole folder, keeping the smallest names beyond `after`.
    async fn page_unindexed(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: &(impl Fn(&str, bool) -> bool + Send + Sync),
    ) -> Result<Names, BarrierError> {
        let mut smallest =
            std::collections::BinaryHeap::with_capacity(limit.saturating_add(1).min(SCAN_ROWS));
        let wanted = |name: &str, gone| {
            name.starts_with(prefix) && after.is_none_or(|after| name > after) && keep(name, gone)
        };
        let mut position = None;
        let mut opened = 0;
        loop {
            let rows = self.scan(position.take()).await?;
            let Some(last) = rows.last().map(|row| row.key.clone()) else { break };
            opened += rows.len();
            if opened > MAX_UNINDEXED_LIST {
                return Err(BarrierError::Store(strongroom_store::StoreError::Busy));
            }
            for row in &rows {
                let Some(entry) = self.open_entry(row).await? else { continue };
                if wanted(&entry.name, entry.lives.gone) {
                    smallest.push((entry.name, entry.lives.gone));
                    if smallest.len() > limit {
                        smallest.pop();
                    }
                }
            }
            position = Some(last);
        }
        Ok(smallest.into_sorted_vec().iter().map(|(name, gone)| (name.as_str(), *gone)).collect())
    }

    /// Entries, and when one was last made or removed.
    pub async fn count(&self) -> Result<(u64, UnixMillis), BarrierError> {
        match self.store.get(&keys::count(self.id)).await? {
            Some(row) => {
                let count =
                    self.opened(&row, "count", |sealers, row| open_count(sealers, self.id, &row.value));
                Ok(count.await?.unwrap_or((0, UnixMillis(0))))
            }
            None => Ok((0, UnixMillis(0))),
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

    fn change_count(&self, batch: &mut Batch, by: i64) {
        let (sealers, ambient, id) = (Arc::clone(&self.sealers), self.ambient.clone(), self.id);
        // the keys of the moment: the fence sees to it that they are the batch's
        let merge = move |present: Option<&[u8]>| {
            let sealers = sealers.current();
            let (count, _) = match present {
                Some(record) => open_count(&sealers, id, record).map_err(|_| MergeRefused)?,
                None => (0, UnixMillis(0)),
            };
            let count = count.checked_add_signed(by).ok_or(MergeRefused)?;
            Ok(Some(seal_count(&sealers, &ambient, id, count)))
        };
        batch.changes.push(Change::Merge(keys::count(self.id), Box::new(merge)));
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

fn open_count(
    sealers: &FolderSealers,
    folder: FolderId,
    record: &[u8],
) -> Result<(u64, UnixMillis), Unopened> {
    let plain = sealers.counts.open(&ObjectId(folder.0), 0, record)?;
    let count = plain.expose(|bytes| {
        let mut reader = Reader::new(bytes);
        Some((reader.u64()?, UnixMillis(reader.i64()?)))
    });
    count.ok_or(Unopened::Damaged)
}

fn seal_count(sealers: &FolderSealers, ambient: &Ambient, folder: FolderId, count: u64) -> Vec<u8> {
    let plain = Writer::new().u64(count).i64(ambient.now().0).finish();
    sealers.counts.seal(ambient, &ObjectId(folder.0), 0, &plain)
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({})", self.id)
    }
}
