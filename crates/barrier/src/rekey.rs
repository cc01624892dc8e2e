//! Changes of keys: new keysets, terms and KEKs, and what memory makes of them.
//!
//! Every change of a keyset has its row's revision as a precondition; every change of which keysets there are writes the
//! partition's row, so that whoever wraps them all anew cannot miss one. Memory follows the store: at the commit, or,
//! when its outcome was not known, as soon as somebody finds that the rows are others ([`Opened::refresh`]).

use crate::batch::Batch;
use crate::keysets::KeysetCell;
use crate::load::{keyset_of, unwrap_keyset};
use crate::opened::{MAX_ROWS, Opened};
use crate::payload::Reader;
use crate::{BarrierError, KeysetState, keys};
use std::sync::Arc;
use strongroom_keyring::{Keyset, Kind, Partition, RootKey};
use strongroom_model::{KeysetId, Name, ObjectId, StoreId};
use strongroom_store::{Precondition, Range, Revision, Row, StoreError};

/// The partition's keys, with the revision of the row they came from.
pub(crate) struct Hierarchy {
    pub(crate) partition: Arc<Partition>,
    pub(crate) revision: Revision,
}

/// A change of a key that is ready to be committed.
#[derive(Debug)]
pub struct KeyChange {
    /// What makes it.
    pub batch: Batch,
    /// The keyset's write term from then on.
    pub write_term: u32,
}

fn busy() -> BarrierError {
    BarrierError::Store(StoreError::Busy)
}

impl Opened {
    /// A keyset.
    pub fn keyset(&self, id: KeysetId) -> Option<Arc<KeysetState>> {
        self.cell(id).map(|cell| cell.current())
    }

    pub(crate) fn cell(&self, id: KeysetId) -> Option<Arc<KeysetCell>> {
        self.keysets.read().get(&id).cloned()
    }

    /// The keyset of the partition's own records.
    pub fn system_keyset(&self) -> KeysetId {
        self.system.id()
    }

    /// Every keyset, the internal two included.
    pub fn keyset_ids(&self) -> Vec<KeysetId> {
        self.keysets.read().keys().copied().collect()
    }

    /// The keyset of the trail: its terms are never retired, so that old entries stay readable.
    pub fn trail_keyset(&self) -> KeysetId {
        self.hierarchy.load().partition.trail
    }

    /// Held while keys change: one change follows another, and each begins with what the store has.
    pub async fn key_turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, BarrierError> {
        let turn = self.turn.lock().await;
        self.refresh().await?;
        Ok(turn)
    }

    /// Makes a keyset under a free name.
    pub async fn create_keyset(self: &Arc<Self>, name: &Name) -> Result<(KeysetId, Batch), BarrierError> {
        let hierarchy = self.hierarchy.load_full();
        let id = KeysetId(self.ambient.random());
        let keyset = Keyset::generate(&self.ambient, id);
        let row = keys::keyset(self.partition, id);
        let mut batch = self.keyset_names.batch();
        self.touch_partition(&mut batch, &hierarchy).await?;
        batch.require(Precondition::Absent(row.clone()));
        batch.put(row.clone(), keyset.wrap(&self.ambient, self.partition, &hierarchy.partition.kek));
        let opened = Arc::clone(self);
        // before its name: whoever finds the name must find it
        batch.then_at(move |revision| {
            opened.keysets.write().insert(id, KeysetCell::new(row, keyset, revision));
        });
        self.keyset_names.create_entry(&mut batch, name.as_str(), ObjectId(id.0), &[]);
        Ok((id, batch))
    }

    /// Removes a keyset that no store uses, its terms with it; `None` if one does.
    pub async fn remove_keyset(
        self: &Arc<Self>,
        name: &Name,
        id: KeysetId,
    ) -> Result<Option<Batch>, BarrierError> {
        let hierarchy = self.hierarchy.load_full();
        let Some(state) = self.keyset(id) else { return Ok(None) };
        let mut batch = self.keyset_names.batch();
        self.touch_partition(&mut batch, &hierarchy).await?;
        batch.require(Precondition::Revision(state.row.clone(), state.revision));
        // each store that is made or removed writes the count of stores
        let count = keys::count(self.stores.id);
        batch.require(match self.store.get(&count).await? {
            Some(row) => Precondition::Revision(count, row.revision),
            None => Precondition::Absent(count),
        });
        if !self.attached_to(id).await?.is_empty() {
            return Ok(None);
        }
        self.keyset_names.remove_entry(&mut batch, name.as_str(), ObjectId(id.0));
        batch.delete(state.row.clone());
        let opened = Arc::clone(self);
        batch.then(move || {
            opened.keysets.write().remove(&id);
        });
        Ok(Some(batch))
    }

    /// The stores that the key map attaches to a keyset, as it is stored.
    pub async fn attached_to(&self, id: KeysetId) -> Result<Vec<StoreId>, BarrierError> {
        let mut stores = Vec::new();
        let mut after = None;
        loop {
            let range = Range { after, ..Range::prefix(keys::keymaps(self.partition), MAX_ROWS) };
            let rows = self.store.list(range).await?;
            let Some(last) = rows.last().map(|row| row.key.clone()) else { return Ok(stores) };
            for row in rows {
                let store = row.key.as_bytes().get(17..).and_then(StoreId::from_slice).unwrap_or_default();
                if self.keyset_of_store(store, &row).await? == Some(id) {
                    stores.push(store);
                }
            }
            after = Some(last);
        }
    }

    async fn keyset_of_store(&self, store: StoreId, row: &Row) -> Result<Option<KeysetId>, BarrierError> {
        let plain = match self.open_single(Kind::KeyMap, store.0, &row.value) {
            Ok(plain) => Some(plain),
            Err(_) => self.read_single(Kind::KeyMap, store.0, &row.key).await?,
        };
        let Some(plain) = plain else { return Ok(None) };
        let id = plain.expose(|bytes| Reader::new(bytes).array()).map(KeysetId);
        id.map(Some).ok_or_else(|| BarrierError::corrupt(format!("key map of store {store}")))
    }

    /// Gives a keyset a new term, which seals from the commit on. `None`: it has no room for one.
    pub fn add_term(&self, id: KeysetId) -> Result<Option<KeyChange>, BarrierError> {
        let cell = self.cell(id).ok_or_else(busy)?;
        let state = cell.current();
        let next = state.keyset.with_new_term(&self.ambient);
        Ok(next.map(|next| self.change_keyset(&cell, &state, next)))
    }

    /// Drops every term before `oldest`: nothing may be sealed under them any more.
    pub fn retire_terms(&self, id: KeysetId, oldest: u32) -> Result<KeyChange, BarrierError> {
        let cell = self.cell(id).ok_or_else(busy)?;
        let state = cell.current();
        let next = state.keyset.without_terms_before(oldest);
        Ok(self.change_keyset(&cell, &state, next))
    }

    fn change_keyset(&self, cell: &Arc<KeysetCell>, state: &KeysetState, next: Keyset) -> KeyChange {
        // the state before the KEK: a KEK that is newer than the state's fails the precondition, never an older one
        let hierarchy = self.hierarchy.load_full();
        let mut batch = Batch::new();
        batch.require(Precondition::Revision(state.row.clone(), state.revision));
        batch.require(Precondition::Revision(keys::partition(self.partition), hierarchy.revision));
        batch.put(state.row.clone(), next.wrap(&self.ambient, self.partition, &hierarchy.partition.kek));
        let (cell, next) = (Arc::clone(cell), Arc::new(next));
        let write_term = next.write_term();
        batch.then_at(move |revision| cell.install(&next, revision));
        KeyChange { batch, write_term }
    }

    /// A new KEK wraps every keyset anew, and the root key wraps the KEK; with `terms` every keyset gets a new term as
    /// well. One transaction. Gives the keysets' new write terms. `None`: a keyset has no room for a term.
    pub async fn rotate_kek(
        self: &Arc<Self>,
        root: &RootKey,
        root_generation: u64,
        terms: bool,
    ) -> Result<Option<(Batch, Vec<(KeysetId, u32)>)>, BarrierError> {
        self.refresh().await?;
        let hierarchy = self.hierarchy.load_full();
        let next = Arc::new(hierarchy.partition.with_new_kek(&self.ambient));
        let mut batch = Batch::new();
        let row = next.wrap(&self.ambient, root, root_generation);
        batch.require(Precondition::Revision(keys::partition(self.partition), hierarchy.revision));
        batch.put(keys::partition(self.partition), row.clone());
        *self.coming.lock() = Some((row, Arc::clone(&next)));
        let mut rewrapped = Vec::new();
        for id in self.keyset_ids() {
            let cell = self.cell(id).ok_or_else(busy)?;
            let state = cell.current();
            let keyset = if terms {
                let Some(keyset) = state.keyset.with_new_term(&self.ambient) else { return Ok(None) };
                Arc::new(keyset)
            } else {
                Arc::clone(&state.keyset)
            };
            batch.require(Precondition::Revision(state.row.clone(), state.revision));
            batch.put(state.row.clone(), keyset.wrap(&self.ambient, self.partition, &next.kek));
            rewrapped.push((cell, keyset));
        }
        let written = rewrapped.iter().map(|(cell, keyset)| (cell.id(), keyset.write_term())).collect();
        let opened = Arc::clone(self);
        batch.then_at(move |revision| {
            // the KEK before the keysets: see `change_keyset`
            opened.install_hierarchy(next, revision);
            for (cell, keyset) in rewrapped {
                cell.install(&keyset, revision);
            }
        });
        Ok(Some((batch, written)))
    }

    /// The partition's row, wrapped anew under another root key.
    pub fn rewrap(self: &Arc<Self>, root: &RootKey, root_generation: u64) -> Batch {
        let hierarchy = self.hierarchy.load_full();
        let mut batch = Batch::new();
        let key = keys::partition(self.partition);
        batch.require(Precondition::Revision(key.clone(), hierarchy.revision));
        batch.put(key, hierarchy.partition.wrap(&self.ambient, root, root_generation));
        let opened = Arc::clone(self);
        let partition = Arc::clone(&hierarchy.partition);
        batch.then_at(move |revision| opened.install_hierarchy(partition, revision));
        batch
    }

    /// Writes the partition's row as it is: of two changes to which keysets there are one fails.
    async fn touch_partition(
        self: &Arc<Self>,
        batch: &mut Batch,
        hierarchy: &Hierarchy,
    ) -> Result<(), BarrierError> {
        let key = keys::partition(self.partition);
        let row = self.store.get(&key).await?.filter(|row| row.revision == hierarchy.revision);
        let row = row.ok_or_else(busy)?;
        batch.require(Precondition::Revision(key.clone(), row.revision));
        batch.put(key, row.value);
        let (opened, partition) = (Arc::clone(self), Arc::clone(&hierarchy.partition));
        batch.then_at(move |revision| opened.install_hierarchy(partition, revision));
        Ok(())
    }

    fn install_hierarchy(&self, partition: Arc<Partition>, revision: Revision) {
        let next = Arc::new(Hierarchy { partition, revision });
        self.hierarchy.rcu(|present| {
            let newer = present.revision < revision;
            if newer { Arc::clone(&next) } else { Arc::clone(present) }
        });
    }

    /// Takes from the store what keys have become, if they changed behind memory's back: a commit whose outcome was
    /// not known, or one that is durable and not yet applied here.
    pub async fn refresh(&self) -> Result<(), BarrierError> {
        self.refresh_partition().await?;
        let looked = self.store.revision();
        let rows = self.store.list(Range::prefix(keys::keysets(self.partition), MAX_ROWS)).await?;
        let hierarchy = self.hierarchy.load_full();
        for row in &rows {
            let id = keyset_of(&row.key)?;
            let known = self.cell(id);
            if known.as_ref().is_some_and(|cell| cell.current().revision >= row.revision) {
                continue;
            }
            if Keyset::kek_generation_of(&row.value) != Some(hierarchy.partition.kek.generation()) {
                // between the two readings a KEK came: whoever asked looks again
                return Err(busy());
            }
            let keyset = unwrap_keyset(&hierarchy.partition, id, &row.value)?;
            if let Some(cell) = known {
                cell.install(&Arc::new(keyset), row.revision);
            } else {
                let cell = KeysetCell::new(row.key.clone(), keyset, row.revision);
                self.keysets.write().entry(id).or_insert(cell);
            }
        }
        let row_of = |cell: &KeysetCell| rows.iter().any(|row| row.key == *cell.row());
        self.keysets.write().retain(|_, cell| row_of(cell) || cell.current().revision > looked);
        Ok(())
    }

    async fn refresh_partition(&self) -> Result<(), BarrierError> {
        let present = self.hierarchy.load_full();
        let row = self.store.get(&keys::partition(self.partition)).await?;
        let row = row.ok_or_else(|| BarrierError::corrupt(format!("partition {}", self.partition)))?;
        if row.revision <= present.revision {
            return Ok(());
        }
        let coming =
            self.coming.lock().as_ref().filter(|(bytes, _)| *bytes == row.value).map(|(_, p)| Arc::clone(p));
        // wrapped anew by another root key, or written as it was: the KEK is the same
        let partition = coming.unwrap_or_else(|| Arc::clone(&present.partition));
        self.install_hierarchy(partition, row.revision);
        Ok(())
    }
}
