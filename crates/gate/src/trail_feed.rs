//! The trail as it grows, for an export that goes on: opened with whatever keys there are when it is read.

use crate::admit::Gate;
use std::sync::Arc;
use strongroom_audit::{Checkpoint, EntryError, Record};
use strongroom_barrier::{Opened, keys};
use strongroom_store::{Range, RowKey, StoreError, TrailEntry, TrailHead};

/// Most checkpoints that are read at once.
const CHECKPOINTS: usize = 100;

/// Follows the trail. It holds no key: while locked, sealed entries stay sealed.
pub struct TrailFeed {
    gate: Arc<Gate>,
}

impl TrailFeed {
    pub(crate) fn new(gate: &Arc<Gate>) -> Self {
        Self { gate: Arc::clone(gate) }
    }

    /// The last durable entry.
    pub fn head(&self) -> TrailHead {
        self.gate.store().trail_head()
    }

    /// Whether there are keys to open entries with.
    pub fn is_unlocked(&self) -> bool {
        self.gate.is_unlocked()
    }

    /// Entries from a number on, at most `limit`, each with what it opens to now.
    pub async fn entries(
        &self,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(TrailEntry, Result<Record, EntryError>)>, StoreError> {
        let entries = self.gate.store().entries(from, limit).await?;
        let opened = self.gate.opened().ok();
        let trail = opened.as_deref().map(Opened::trail);
        let open = |entry: TrailEntry| {
            let record = Record::decode(&entry.body, trail.as_deref());
            (entry, record)
        };
        Ok(entries.into_iter().map(open).collect())
    }

    /// Signed checkpoints of entries after this one, oldest first.
    pub async fn checkpoints(&self, after: u64) -> Result<Vec<Checkpoint>, StoreError> {
        let after: Option<RowKey> = Some(keys::checkpoint(after));
        let range = Range { after, ..Range::prefix(keys::checkpoints(), CHECKPOINTS) };
        let rows = self.gate.store().list(range).await?;
        Ok(rows.iter().filter_map(|row| Checkpoint::decode(&row.value).ok()).collect())
    }

    /// A stand-in for a text that must not be shown: the same for the same text, under a key of this server.
    pub fn pseudonym(&self, text: &str) -> Option<[u8; 16]> {
        self.gate.opened().ok().map(|opened| opened.pseudonym(text))
    }
}

impl std::fmt::Debug for TrailFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrailFeed")
    }
}
