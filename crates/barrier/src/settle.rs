//! The last look at a change before it is committed: whatever it seals is sealed under the present terms, and fails if
//! they are not the present ones any more when the writer comes to it. So no record of an older term can appear once a
//! rotation is durable, whoever prepared it, and in whatever order.

use crate::batch::Batch;
use crate::keysets::KeysetState;
use crate::opened::Opened;
use crate::sealed::SealedAt;
use crate::{BarrierError, keys};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_keyring::Sealer;
use strongroom_model::{FolderId, StoreId};
use strongroom_store::{Change, Precondition, RowKey, Txn};

/// The state under which each keyset's records of a change are sealed, by the keyset's row. The oldest holds.
#[derive(Default)]
struct Fences(BTreeMap<RowKey, Arc<KeysetState>>);

impl Fences {
    fn add(&mut self, state: &Arc<KeysetState>) {
        let kept = self.0.entry(state.row.clone()).or_insert_with(|| Arc::clone(state));
        if kept.revision > state.revision {
            *kept = Arc::clone(state);
        }
    }

    /// In place of the fences that are there; first of all, so that a change is sealed again before it is judged.
    fn put_into(self, preconditions: &mut Vec<Precondition>) {
        if self.0.is_empty() {
            return;
        }
        preconditions
            .retain(|known| !matches!(known, Precondition::Fence(row, _) if self.0.contains_key(row)));
        preconditions.splice(0..0, self.0.into_values().map(|state| state.fence()));
    }
}

impl Opened {
    /// Makes sure that a batch seals under the present terms, and is fenced by them.
    pub fn settle(&self, batch: &mut Batch) -> Result<(), BarrierError> {
        self.settle_parts(&mut batch.changes, &mut batch.preconditions)
    }

    /// Seals a transaction again that came too late for the keys it was sealed under.
    pub async fn settle_again(&self, mut txn: Txn) -> Result<Txn, BarrierError> {
        self.refresh().await?;
        for precondition in &mut txn.preconditions {
            if let Precondition::Fence(row, revision) = precondition
                && let Some(cell) = self.cell_of_row(row)
            {
                *revision = cell.current().revision;
            }
        }
        self.settle_parts(&mut txn.changes, &mut txn.preconditions)?;
        Ok(txn)
    }

    fn settle_parts(
        &self,
        changes: &mut [Change],
        preconditions: &mut Vec<Precondition>,
    ) -> Result<(), BarrierError> {
        let mut fences = Fences::default();
        let is_fenced = |known: &[Precondition], row: &RowKey| {
            known.iter().any(|known| matches!(known, Precondition::Fence(of, _) if of == row))
        };
        for change in changes {
            match change {
                Change::Put(key, value) => {
                    if let Some(at) = SealedAt::of(key, value) {
                        self.settle_value(&at, value, &mut fences)?;
                    }
                }
                // it seals on the writer, under the terms of then: the fence says whether they are these
                Change::Merge(key, _) => {
                    let state = SealedAt::folder_of(key).and_then(|id| self.folder_state(id));
                    if let Some(state) = state.filter(|state| !is_fenced(preconditions, &state.row)) {
                        fences.add(&state);
                    }
                }
                Change::Delete(_) | Change::DeletePrefix(_) | Change::TrimTrail(_) => {}
            }
        }
        fences.put_into(preconditions);
        Ok(())
    }

    fn settle_value(
        &self,
        at: &SealedAt,
        value: &mut Vec<u8>,
        fences: &mut Fences,
    ) -> Result<(), BarrierError> {
        if let Some(id) = at.folder {
            // a store that is gone: the change fails by its own preconditions
            let Some(folder) = self.known_folder(id) else { return Ok(()) };
            let made = folder.sealers().current();
            self.settle_under(at, made.of(at.kind), &made.state, value)?;
            fences.add(&made.state);
        } else {
            let made = self.singles.current();
            let sealer = made.iter().find(|(kind, _)| *kind == at.kind).map(|(_, sealer)| sealer);
            self.settle_under(at, sealer, &made.state, value)?;
            fences.add(&made.state);
        }
        Ok(())
    }

    fn settle_under(
        &self,
        at: &SealedAt,
        sealer: Option<&Sealer>,
        state: &KeysetState,
        value: &mut Vec<u8>,
    ) -> Result<(), BarrierError> {
        if at.term(value) == Some(state.keyset.write_term()) {
            return Ok(());
        }
        let resealed = sealer.and_then(|sealer| at.reseal(sealer, &self.ambient, value).ok());
        // sealed under a term that was added and retired since: whoever asked begins again
        *value = resealed.ok_or(BarrierError::Store(strongroom_store::StoreError::Busy))?;
        Ok(())
    }

    pub(crate) fn known_folder(&self, id: FolderId) -> Option<Arc<crate::Folder>> {
        match self.own_folders().into_iter().find(|folder| folder.id == id) {
            Some(folder) => Some(Arc::clone(folder)),
            None => self.store_folder(StoreId(id.0)),
        }
    }

    fn folder_state(&self, id: FolderId) -> Option<Arc<KeysetState>> {
        self.known_folder(id).map(|folder| folder.sealers().cell().current())
    }

    fn cell_of_row(&self, row: &RowKey) -> Option<Arc<crate::keysets::KeysetCell>> {
        let in_table = row.as_bytes().starts_with(&keys::keysets(self.partition));
        let id = crate::load::keyset_of(row).ok().filter(|_| in_table)?;
        self.cell(id)
    }
}
