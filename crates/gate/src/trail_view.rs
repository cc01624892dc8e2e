//! The view of the trail: for the operator engine.

use crate::admit::Gate;
use crate::seer::Seer;
use crate::standing::{RightLost, Standing};
use std::sync::Arc;
use strongroom_audit::{
    Checkpoint, CheckpointError, EntryError, Proof, Record, Report, Segment, SegmentDir, segments, verify,
};
use strongroom_authz::Target;
use strongroom_barrier::{Batch, Opened, keys};
use strongroom_model::Action;
use strongroom_store::{StoreError, TrailEntry};

/// A view of the trail.
pub struct TrailView {
    pub(crate) gate: Arc<Gate>,
    pub(crate) opened: Arc<Opened>,
    pub(crate) seer: Option<Seer>,
}

/// The right to read the trail, for as long as an export of it takes.
pub struct TrailRight(Standing);

impl TrailRight {
    /// To be asked before each piece: whether it still stands.
    pub async fn goes_on(&mut self) -> Result<(), RightLost> {
        self.0.renew_fresh().await
    }
}

impl std::fmt::Debug for TrailRight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrailRight")
    }
}

impl TrailView {
    /// The right to go on reading; nobody's view has none.
    pub fn right(&self) -> Result<TrailRight, RightLost> {
        let seer = self.seer.clone().ok_or(RightLost)?;
        Ok(TrailRight(Standing::new(seer, Action::ReadTrail, &Target::Server)))
    }

    /// The last entry's number.
    pub fn head(&self) -> u64 {
        self.gate.store().trail_head().seq
    }

    /// The first entry that has not moved out.
    pub async fn oldest(&self) -> Result<u64, StoreError> {
        self.gate.oldest_entry().await
    }

    /// Entries from a number on, each with what it opens to.
    pub async fn entries(
        &self,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(TrailEntry, Result<Record, EntryError>)>, StoreError> {
        let entries = self.gate.store().entries(from, limit).await?;
        let sealer = self.opened.trail();
        let open = |entry: TrailEntry| {
            let record = Record::decode(&entry.body, Some(&sealer));
            (entry, record)
        };
        Ok(entries.into_iter().map(open).collect())
    }

    /// Verifies the whole trail, what has moved out to `dir` included.
    pub async fn verify(
        &self,
        against: Option<&Checkpoint>,
        dir: Option<&SegmentDir>,
    ) -> Result<Report, StoreError> {
        let own = self.gate.signer.load().as_ref().map(|signer| (signer.0, signer.1.public()));
        let trail = self.opened.trail();
        let proof = Proof { trail: Some(&trail), own, against, segments: dir };
        verify(self.gate.store(), proof).await
    }

    /// Signs the present head, and the change that keeps it.
    pub fn checkpoint(&self) -> Result<(Checkpoint, Batch), CheckpointError> {
        let signer = self.gate.signer.load_full().ok_or(CheckpointError::Key)?;
        let head = self.gate.store().trail_head();
        let checkpoint = signer.1.sign(signer.0, head, self.gate.now())?;
        let mut batch = Batch::new();
        batch.put(keys::checkpoint(head.seq), checkpoint.encode());
        Ok((checkpoint, batch))
    }

    /// The segments that moved out, oldest first.
    pub async fn segments(&self) -> Result<Vec<Segment>, StoreError> {
        segments(self.gate.store()).await
    }
}

impl std::fmt::Debug for TrailView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrailView")
    }
}
