//! Backups of a world, and worlds that are restored from them.

use crate::world::{TestWorld, WorldError};
use std::sync::Arc;
use strongroom_backup::{BackupError, Restored};
use strongroom_gate::{BackupStream, Server};
use strongroom_operator as operator;
use strongroom_secret::SecretBytes;
use strongroom_store::{MemoryStore, SharedStore};

impl TestWorld {
    /// Begins a backup.
    pub async fn begin_backup(&self) -> Result<BackupStream, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::CreateBackup>(&caller, Server).await?;
        Ok(self.gate.release(self.operator.create_backup(permit, "0.0.0").await?).await?)
    }

    /// A whole backup.
    pub async fn backup(&self) -> Result<Vec<u8>, WorldError> {
        let mut stream = self.begin_backup().await?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await.expect("nothing is in its way") {
            bytes.extend(piece);
        }
        Ok(bytes)
    }

    /// The kept unlock keys.
    pub fn key_texts(&self) -> Vec<SecretBytes> {
        self.keys.iter().map(|key| SecretBytes::new(key.clone().into_bytes())).collect()
    }

    /// A store in memory that a backup is restored to.
    pub fn restore(&self, backup: &[u8]) -> Result<(Arc<MemoryStore>, Restored), BackupError> {
        let mut items = Vec::new();
        let restored = strongroom_backup::restore(backup, None, self.ambient(), &mut |_| {}, |item| {
            items.push(item.clone());
            Ok(())
        })?;
        Ok((MemoryStore::of_items(items, restored.revision, strongroom_audit::link), restored))
    }

    /// The world that begins with a restored backup: locked, keys and tokens in the hands of their owners.
    pub fn restored(&self, backup: &[u8]) -> Result<Self, BackupError> {
        let (store, _) = self.restore(backup)?;
        Ok(self.reopen_over(store as SharedStore))
    }
}
