//! Keys as they are stored, unwrapped.

use crate::keysets::KeysetCell;
use crate::opened::MAX_ROWS;
use crate::rekey::Hierarchy;
use crate::{BarrierError, keys};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_keyring::{Keyset, Partition, RootKey, WrapError};
use strongroom_model::{KeysetId, PartitionId};
use strongroom_store::{Range, RowKey, SharedStore};

/// The partition, unwrapped by the root key.
pub(crate) async fn load_partition(store: &SharedStore, root: &RootKey) -> Result<Hierarchy, BarrierError> {
    let rows = store.list(Range::prefix(keys::partitions(), MAX_ROWS)).await?;
    let row = rows.first().ok_or_else(|| BarrierError::corrupt("no partition"))?;
    let id = row.key.as_bytes().get(1..).and_then(PartitionId::from_slice);
    let id = id.ok_or_else(|| BarrierError::corrupt(format!("partition {:?}", row.key)))?;
    let partition = Partition::unwrap(id, root, &row.value)
        .map_err(|fault| unwrap_fault(&format!("partition {id}"), fault))?;
    Ok(Hierarchy { partition: Arc::new(partition), revision: row.revision })
}

/// Every keyset, unwrapped by the partition's KEK.
pub(crate) async fn load_keysets(
    store: &SharedStore,
    partition: &Partition,
) -> Result<BTreeMap<KeysetId, Arc<KeysetCell>>, BarrierError> {
    let mut keysets = BTreeMap::new();
    for row in store.list(Range::prefix(keys::keysets(partition.id), MAX_ROWS)).await? {
        let id = keyset_of(&row.key)?;
        let keyset = unwrap_keyset(partition, id, &row.value)?;
        keysets.insert(id, KeysetCell::new(row.key, keyset, row.revision));
    }
    Ok(keysets)
}

pub(crate) fn keyset_of(key: &RowKey) -> Result<KeysetId, BarrierError> {
    let id = key.as_bytes().get(17..).and_then(KeysetId::from_slice);
    id.ok_or_else(|| BarrierError::corrupt(format!("keyset {key:?}")))
}

pub(crate) fn unwrap_keyset(
    partition: &Partition,
    id: KeysetId,
    wrapped: &[u8],
) -> Result<Keyset, BarrierError> {
    Keyset::unwrap(partition.id, id, &partition.kek, wrapped)
        .map_err(|fault| unwrap_fault(&format!("keyset {id}"), fault))
}

/// Unlock keys are verified before the root key is used, so what does not unwrap is damaged.
fn unwrap_fault(what: &str, fault: WrapError) -> BarrierError {
    BarrierError::corrupt(format!("{what}: {fault}"))
}
