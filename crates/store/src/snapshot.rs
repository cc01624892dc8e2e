//! A snapshot: everything of one moment, read piece by piece while work goes on.

use crate::{Revision, Row, StoreError, TrailEntry, TrailHead};

/// One thing that a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A row.
    Row(Row),
    /// An entry of the trail.
    Entry(TrailEntry),
}

impl Item {
    /// Bytes that it takes, roughly.
    pub fn weight(&self) -> usize {
        match self {
            Self::Row(row) => row.value.len().saturating_add(96),
            Self::Entry(entry) => entry.body.len().saturating_add(96),
        }
    }
}

/// Which moment a snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The last commit in it.
    pub revision: Revision,
    /// The trail's head in it.
    pub trail: TrailHead,
    /// What it holds in bytes, roughly: for showing progress.
    pub about_bytes: u64,
}

/// A moment of a store: rows in key order, then entries in their order. What is committed after it was taken is not in
/// it, and it keeps nobody from committing.
pub trait Snapshot: Send {
    /// Which moment it shows.
    fn moment(&self) -> Moment;

    /// What comes next, about `budget` bytes of it and at least one item; nothing at the end. Blocks the calling thread.
    fn read(&mut self, budget: usize) -> Result<Vec<Item>, StoreError>;
}

/// A snapshot that was copied into memory.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) moment: Moment,
    pub(crate) items: std::vec::IntoIter<Item>,
}

impl Snapshot for Copied {
    fn moment(&self) -> Moment {
        self.moment
    }

    fn read(&mut self, budget: usize) -> Result<Vec<Item>, StoreError> {
        let mut out = Vec::new();
        let mut weight = 0;
        while weight < budget || out.is_empty() {
            let Some(item) = self.items.next() else { break };
            weight = weight.saturating_add(item.weight());
            out.push(item);
        }
        Ok(out)
    }
}
