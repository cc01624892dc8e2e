//! From unlock keys to the key of the manifest's MAC.

use crate::KeysError;
use strongroom_keyring::{Partition, RootKey};
use strongroom_model::PartitionId;
use strongroom_secret::SecretBytes;
use strongroom_store::Row;
use strongroom_unlock::{Judgement, Progress, RootRecord, UnlockKey};

/// Opens a partition's row with a threshold of unlock keys, through the root record of the same moment.
pub fn open_partition(
    root: Option<&Row>,
    partition: Option<&Row>,
    keys: &[SecretBytes],
) -> Result<Partition, KeysError> {
    let root = root.ok_or(KeysError::Missing("root record"))?;
    let row = partition.ok_or(KeysError::Missing("partition"))?;
    let root = open_root(&RootRecord::decode(&root.value)?, keys)?;
    let id = row.key.as_bytes().get(1..).and_then(PartitionId::from_slice);
    let id = id.ok_or(KeysError::Missing("partition"))?;
    Partition::unwrap(id, &root, &row.value).map_err(|_| KeysError::Sealed("the partition"))
}

fn open_root(record: &RootRecord, keys: &[SecretBytes]) -> Result<RootKey, KeysError> {
    let mut progress = Progress::new(&record.current);
    for (at, text) in keys.iter().enumerate() {
        let index = at + 1;
        let key = text.expose(UnlockKey::parse).map_err(|fault| KeysError::Text { index, fault })?;
        match progress.present(&record.current, &key) {
            Judgement::Complete(root) => return Ok(root),
            Judgement::Accepted { .. } => {}
            Judgement::Wrong => return Err(KeysError::Wrong { index }),
            Judgement::Repeated { .. } => return Err(KeysError::Repeated { index }),
            Judgement::OtherSet => return Err(KeysError::OtherSet { index }),
            Judgement::Damaged => return Err(KeysError::Sealed("the wrapped root key")),
        }
    }
    Err(KeysError::TooFew { have: progress.have(), need: record.current.threshold() })
}
