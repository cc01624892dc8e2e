//! The partition's row under a root key that is not in force yet, laid beside the row that is. Whoever presents that root
//! key while the server is locked puts the one in the other's place: nothing that is open is needed for it.
//!
//! It holds only as long as the row that it stands for is what it was: a new KEK makes it void.

use crate::batch::Batch;
use crate::opened::Opened;
use crate::payload::{Reader, Writer};
use crate::{BarrierError, keys};
use std::sync::Arc;
use strongroom_crypto::sha256;
use strongroom_keyring::{Partition, RootKey};
use strongroom_model::PartitionId;
use strongroom_store::{Precondition, Range, SharedStore, StoreError};

/// `format | name of the set of unlock keys 8 | SHA-256 of the row in force 32 | the row under the other root key`.
const FORMAT: u8 = 1;

impl Opened {
    /// Lays the partition's row, wrapped under another root key, beside the one in force. `set` names the unlock keys
    /// that open that root key.
    pub async fn lay_beside(
        self: &Arc<Self>,
        root: &RootKey,
        root_generation: u64,
        set: [u8; 8],
    ) -> Result<Batch, BarrierError> {
        let hierarchy = self.hierarchy.load_full();
        let key = keys::partition(self.partition);
        let row = self.store().get(&key).await?.filter(|row| row.revision == hierarchy.revision);
        let row = row.ok_or(BarrierError::Store(StoreError::Busy))?;
        let wrapped = hierarchy.partition.wrap(&self.ambient, root, root_generation);
        let value = Writer::new().u8(FORMAT).raw(&set).raw(&sha256(&row.value)).raw(&wrapped).finish();
        let mut batch = Batch::new();
        batch.require(Precondition::Revision(key, row.revision));
        batch.put(keys::beside(self.partition), value);
        Ok(batch)
    }
}

/// A row laid beside, and what it stands for.
struct Beside<'a> {
    set: [u8; 8],
    stands_for: [u8; 32],
    row: &'a [u8],
}

impl<'a> Beside<'a> {
    fn read(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        reader.u8().filter(|format| *format == FORMAT)?;
        let (set, stands_for) = (reader.array()?, reader.array()?);
        Some(Self { set, stands_for, row: reader.rest() })
    }
}

/// Whether a root key of these unlock keys has a row laid beside that would hold.
pub(crate) async fn holds(store: &SharedStore, set: [u8; 8]) -> Result<bool, BarrierError> {
    Ok(find(store, set).await?.is_some())
}

/// Puts the row laid beside in the place of the one in force.
pub(crate) async fn take(
    store: &SharedStore,
    root: &RootKey,
    set: [u8; 8],
) -> Result<Option<Batch>, BarrierError> {
    let Some((id, value, mut batch)) = find(store, set).await? else { return Ok(None) };
    let damaged = || BarrierError::corrupt(format!("the row laid beside partition {id}"));
    let row = Beside::read(&value).map(|beside| beside.row.to_vec()).ok_or_else(damaged)?;
    Partition::unwrap(id, root, &row).map_err(|_| damaged())?;
    batch.put(keys::partition(id), row);
    batch.delete(keys::beside(id));
    Ok(Some(batch))
}

/// The row laid beside for these unlock keys, with a batch that holds only as long as both rows are as they were seen.
async fn find(
    store: &SharedStore,
    set: [u8; 8],
) -> Result<Option<(PartitionId, Vec<u8>, Batch)>, BarrierError> {
    let Some(laid) = store.list(Range::prefix(keys::all_beside(), 1)).await?.into_iter().next() else {
        return Ok(None);
    };
    let id = laid.key.as_bytes().get(1..).and_then(PartitionId::from_slice);
    let id = id.ok_or_else(|| BarrierError::corrupt(format!("row {:?}", laid.key)))?;
    let beside = Beside::read(&laid.value);
    let beside =
        beside.ok_or_else(|| BarrierError::corrupt(format!("the row laid beside partition {id}")))?;
    let Some(present) = store.get(&keys::partition(id)).await? else { return Ok(None) };
    if beside.set != set || beside.stands_for != sha256(&present.value) {
        return Ok(None);
    }
    let mut batch = Batch::new();
    batch.require(Precondition::Revision(keys::partition(id), present.revision));
    batch.require(Precondition::Revision(laid.key, laid.revision));
    Ok(Some((id, laid.value, batch)))
}
