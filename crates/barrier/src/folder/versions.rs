//! Versions of objects: made one after another; the oldest go when no more are kept, or all together.

use super::{Entry, Folder, Unopened, VersionRecord};
use crate::batch::Batch;
use crate::index::Head;
use crate::{BarrierError, keys};
use std::num::NonZeroU64;
use std::sync::Arc;
use strongroom_model::ObjectId;
use strongroom_secret::SecretBytes;
use strongroom_store::{Order, Precondition, Range, Row, RowKey};

/// Versions read at a time: each may have a mebibyte.
const HISTORY_ROWS: usize = 16;
/// Most versions that one write removes because no more are kept: the next write goes on.
const MAX_TRIMMED: u64 = 4_096;

impl Folder {
    /// The newest version of an object that the index or an entry named: it must be there, unless the object was
    /// removed meanwhile.
    pub async fn latest(&self, name: &str, head: &Head) -> Result<Option<VersionRecord>, BarrierError> {
        let Some(record) = self.newest(name, head).await? else { return Ok(None) };
        if !head.is_gone() {
            return Ok(Some(record));
        }
        let entry = self.entry(name).await?.filter(|entry| entry.object == head.object);
        Ok(entry.map(|entry| marked(record, &entry)))
    }

    async fn newest(&self, name: &str, head: &Head) -> Result<Option<VersionRecord>, BarrierError> {
        if let Some(version) = head.seen_version()
            && let Some(record) = self.try_version(head.object, version).await?
        {
            return Ok(Some(record));
        }
        if let Some(row) = self.store.last(&keys::versions(self.id, head.object)).await?
            && let Some(record) = self.open_version(head.object, &row).await?
        {
            if head.seen_version().is_some_and(|seen| seen > record.version) {
                return Err(self.corrupt(&format!("object {} lost its newest version", head.object)));
            }
            head.saw(record.version);
            return Ok(Some(record));
        }
        match self.entry(name).await? {
            Some(entry) if entry.object == head.object => {
                Err(self.corrupt(&format!("object {} has an entry and no version", head.object)))
            }
            _ => Ok(None),
        }
    }

    /// One version of an object. Versions are made one after another: one that is missing between the oldest kept one
    /// and a later one is damage.
    pub async fn version(
        &self,
        name: &str,
        object: ObjectId,
        version: u64,
    ) -> Result<Option<VersionRecord>, BarrierError> {
        let Some(entry) = self.entry_keeping(name, object, version).await? else { return Ok(None) };
        if let Some(record) = self.try_version(object, version).await? {
            return Ok(Some(marked(record, &entry)));
        }
        let last = self.store.last(&keys::versions(self.id, object)).await?;
        let later = last.and_then(|row| keys::version_of(&row.key)).is_some_and(|last| last > version);
        if !later {
            return Ok(None);
        }
        // it may have been written between the looks, or be no longer kept
        let record = self.try_version(object, version).await?;
        match (record, self.entry_keeping(name, object, version).await?) {
            (_, None) => Ok(None),
            (Some(record), Some(entry)) => Ok(Some(marked(record, &entry))),
            (None, Some(_)) => Err(self.gap(object, version)),
        }
    }

    /// The entry of an object that keeps this version, if it was ever made.
    async fn entry_keeping(
        &self,
        name: &str,
        object: ObjectId,
        version: u64,
    ) -> Result<Option<Entry>, BarrierError> {
        let entry = self.entry(name).await?;
        Ok(entry.filter(|entry| entry.object == object && version >= entry.lives.oldest))
    }

    async fn try_version(
        &self,
        object: ObjectId,
        version: u64,
    ) -> Result<Option<VersionRecord>, BarrierError> {
        match self.store.get(&keys::version(self.id, object, version)).await? {
            Some(row) => self.open_version(object, &row).await,
            None => Ok(None),
        }
    }

    fn gap(&self, object: ObjectId, version: u64) -> BarrierError {
        self.corrupt(&format!("object {object} has no version {version}, and later ones"))
    }

    /// What `each` makes of the versions of an object, newest first, at most `limit`.
    pub async fn versions<T>(
        &self,
        entry: &Entry,
        limit: usize,
        mut each: impl FnMut(VersionRecord) -> T + Send,
    ) -> Result<Vec<T>, BarrierError>
    where
        T: Send,
    {
        let mut made = Vec::new();
        let mut expected: Option<u64> = None;
        let mut after = None;
        while made.len() < limit {
            let rows = self.older(entry.object, after.take(), HISTORY_ROWS.min(limit - made.len())).await?;
            let Some(last) = rows.last().map(|row| row.key.clone()) else { break };
            for row in rows {
                // removed meanwhile, with all the others or because no more are kept: the entry says which
                let Some(record) = self.open_version(entry.object, &row).await? else { break };
                if let Some(missing) = expected.filter(|expected| *expected != record.version) {
                    return Err(self.gap(entry.object, missing));
                }
                expected = Some(record.version.saturating_sub(1));
                made.push(each(marked(record, entry)));
            }
            after = Some(last);
        }
        let Some(next) = expected.filter(|next| made.len() < limit && *next >= entry.lives.oldest) else {
            return Ok(made);
        };
        // the oldest may be no longer kept since the entry was read
        match self.entry_keeping(&entry.name, entry.object, next).await? {
            Some(_) => Err(self.gap(entry.object, next)),
            None => Ok(made),
        }
    }

    async fn older(
        &self,
        object: ObjectId,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Vec<Row>, BarrierError> {
        let prefix = keys::versions(self.id, object);
        Ok(self.store.list(Range { prefix, after, order: Order::Descending, limit }).await?)
    }

    /// How many versions there are of all objects, deleted and destroyed ones included.
    pub async fn count_versions(&self) -> Result<u64, BarrierError> {
        Ok(self.store.count(&keys::folder_versions(self.id)).await?)
    }

    async fn open_version(&self, object: ObjectId, row: &Row) -> Result<Option<VersionRecord>, BarrierError> {
        self.opened(row, "version", |sealers, row| {
            let version = keys::version_of(&row.key).ok_or(Unopened::Damaged)?;
            let plain = sealers.versions.open(&object, version, &row.value)?;
            Ok(VersionRecord { version, deleted: None, plain })
        })
        .await
    }

    /// Adds a version. The one before must still be there, and this one must not.
    pub fn add_version(&self, batch: &mut Batch, head: &Arc<Head>, version: u64, plain: &[u8]) {
        let key = keys::version(self.id, head.object, version);
        if version > 1 {
            batch.require(Precondition::Present(keys::version(self.id, head.object, version - 1)));
        }
        batch.require(Precondition::Absent(key.clone()));
        batch.put(key, self.sealers.current().versions.seal(&self.ambient, &head.object, version, plain));
        let head = Arc::clone(head);
        batch.then(move || {
            head.saw(version);
            head.set_gone(false);
        });
    }

    /// Puts something else in the place of a version that is there: what is left of one that was destroyed.
    pub fn replace_version(&self, batch: &mut Batch, object: ObjectId, version: u64, plain: &[u8]) {
        let key = keys::version(self.id, object, version);
        batch.require(Precondition::Present(key.clone()));
        batch.put(key, self.sealers.current().versions.seal(&self.ambient, &object, version, plain));
    }

    /// Takes note, in the entry, of a new version: it can be read, and the oldest beyond `keep` go. The caller writes
    /// the entry.
    pub fn trim(&self, batch: &mut Batch, entry: &mut Entry, newest: u64, keep: Option<NonZeroU64>) {
        entry.lives.gone = false;
        let Some(keep) = keep else { return };
        let from = entry.lives.oldest;
        let oldest = newest.saturating_sub(keep.get() - 1).min(from.saturating_add(MAX_TRIMMED));
        for version in from..oldest {
            batch.delete(keys::version(self.id, entry.object, version));
        }
        entry.lives.keep_from(oldest);
    }

    /// Writes an entry whose lives have changed. The caller holds its name.
    pub fn rewrite_lives(&self, batch: &mut Batch, head: &Arc<Head>, entry: &Entry) {
        self.rewrite_entry(batch, entry);
        let (head, gone) = (Arc::clone(head), entry.lives.gone);
        let (index, name) = (Arc::clone(&self.index), SecretBytes::new(entry.name.as_bytes().to_vec()));
        batch.then(move || {
            head.set_gone(gone);
            // the index may have been read anew since, and have another head
            name.expose(|name| {
                let name = std::str::from_utf8(name).unwrap_or_default();
                index.write().relive(name, head.object, gone);
            });
        });
    }
}

fn marked(record: VersionRecord, entry: &Entry) -> VersionRecord {
    VersionRecord { deleted: entry.lives.deleted(record.version), ..record }
}
