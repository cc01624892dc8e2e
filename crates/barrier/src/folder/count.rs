//! How many entries a folder has: authenticated, so that an entry that was taken away is missed.

use super::{Folder, FolderSealers, Unopened};
use crate::batch::Batch;
use crate::payload::{Reader, Writer};
use crate::{BarrierError, keys};
use std::sync::Arc;
use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_model::{FolderId, ObjectId};
use strongroom_store::{Change, MergeRefused};

impl Folder {
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

    pub(super) fn change_count(&self, batch: &mut Batch, by: i64) {
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
