//! Versions of objects: made one after another, removed together.

use super::{Folder, VersionRecord};
use crate::index::Head;
use crate::{BarrierError, keys};
use strongroom_model::ObjectId;
use strongroom_store::{Order, Range, Row};

impl Folder {
    /// The newest version of an object that the index or an entry named: it must be there, unless the object was
    /// deleted meanwhile.
    pub async fn latest(&self, name: &str, head: &Head) -> Result<Option<VersionRecord>, BarrierError> {
        if let Some(version) = head.seen_version()
            && let Some(record) = self.version(head.object, version).await?
        {
            return Ok(Some(record));
        }
        if let Some(row) = self.store.last(&keys::versions(self.id, head.object)).await? {
            let record = self.open_version(head.object, &row)?;
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

    /// One version of an object. Versions are made one after another and removed together: one that is missing
    /// below a later one is damage.
    pub async fn version(
        &self,
        object: ObjectId,
        version: u64,
    ) -> Result<Option<VersionRecord>, BarrierError> {
        if let Some(record) = self.try_version(object, version).await? {
            return Ok(Some(record));
        }
        let last = self.store.last(&keys::versions(self.id, object)).await?;
        let later = last.and_then(|row| keys::version_of(&row.key)).is_some_and(|last| last > version);
        if version == 0 || !later {
            return Ok(None);
        }
        // it may have been written between the two looks
        match self.try_version(object, version).await? {
            Some(record) => Ok(Some(record)),
            None if self.store.last(&keys::versions(self.id, object)).await?.is_none() => Ok(None),
            None => Err(self.gap(object, version)),
        }
    }

    async fn try_version(
        &self,
        object: ObjectId,
        version: u64,
    ) -> Result<Option<VersionRecord>, BarrierError> {
        match self.store.get(&keys::version(self.id, object, version)).await? {
            Some(row) => self.open_version(object, &row).map(Some),
            None => Ok(None),
        }
    }

    fn gap(&self, object: ObjectId, version: u64) -> BarrierError {
        self.corrupt(&format!("object {object} has no version {version}, and later ones"))
    }

    /// The versions of an object, newest first, at most `limit`.
    pub async fn versions(&self, object: ObjectId, limit: usize) -> Result<Vec<VersionRecord>, BarrierError> {
        let range =
            Range { prefix: keys::versions(self.id, object), after: None, order: Order::Descending, limit };
        let rows = self.store.list(range).await?;
        let records: Vec<_> =
            rows.iter().map(|row| self.open_version(object, row)).collect::<Result<_, _>>()?;
        let Some(newest) = records.first().map(|record| record.version) else { return Ok(records) };
        for (expected, record) in (1..=newest).rev().zip(&records) {
            if record.version != expected {
                return Err(self.gap(object, expected));
            }
        }
        let complete = u64::try_from(records.len()).is_ok_and(|count| count == newest);
        if records.len() < limit && !complete {
            return Err(self.gap(object, 1));
        }
        Ok(records)
    }

    fn open_version(&self, object: ObjectId, row: &Row) -> Result<VersionRecord, BarrierError> {
        let corrupt = || self.corrupt(&format!("version {:?}", row.key));
        let version = keys::version_of(&row.key).ok_or_else(corrupt)?;
        let plain = self.versions.open(&object, version, &row.value).map_err(|_| corrupt())?;
        Ok(VersionRecord { version, plain })
    }
}
