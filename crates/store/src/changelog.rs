//! Recent changes, kept for watches; shared by implementations of [`Store`](crate::Store).

use crate::{Changed, Revision, StoreError, Watch};
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::sync::broadcast;

/// How many changes a store keeps for watches that start in the past, and how far a watch may fall behind.
pub const KEPT_CHANGES: usize = 4_096;

/// The last [`KEPT_CHANGES`] changes and those who listen for more.
#[derive(Debug)]
pub struct ChangeLog(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    /// Every change after this revision is in `backlog`.
    floor: Revision,
    backlog: VecDeque<Changed>,
    /// `None` once closed.
    live: Option<broadcast::Sender<Changed>>,
}

impl ChangeLog {
    /// A log that knows nothing of the changes up to `floor`.
    pub fn new(floor: Revision) -> Self {
        let live = Some(broadcast::Sender::new(KEPT_CHANGES));
        Self(Mutex::new(Kept { floor, backlog: VecDeque::new(), live }))
    }

    /// Adds changes in commit order; to be called once they are durable, before they are answered.
    pub fn publish(&self, changes: impl IntoIterator<Item = Changed>) {
        let mut kept = self.0.lock();
        for change in changes {
            kept.add(change);
        }
    }

    /// Starts anew at `floor`, once a store knows where it stands; whoever listens already is told of the end.
    pub fn restart(&self, floor: Revision) {
        let mut kept = self.0.lock();
        kept.floor = floor;
        kept.backlog.clear();
        if kept.live.is_some() {
            kept.live = Some(broadcast::Sender::new(KEPT_CHANGES));
        }
    }

    /// Changes after `from`: those kept, then those to come.
    pub fn watch(&self, from: Revision) -> Result<Watch, StoreError> {
        let kept = self.0.lock();
        let live = kept.live.as_ref().ok_or(StoreError::Closed)?.subscribe();
        if from < kept.floor {
            return Err(StoreError::Compacted { oldest: kept.floor });
        }
        let backlog = kept.backlog.iter().filter(|change| change.revision > from).cloned().collect();
        Ok(Watch::new(from, backlog, live))
    }

    /// Ends every watch.
    pub fn close(&self) {
        self.0.lock().live = None;
    }
}

impl Kept {
    fn add(&mut self, change: Changed) {
        if let Some(live) = self.live.as_ref().filter(|live| live.receiver_count() > 0) {
            // an error means that the last listener has just left
            let _ = live.send(change.clone());
        }
        self.backlog.push_back(change);
        while self.backlog.len() > KEPT_CHANGES {
            if let Some(dropped) = self.backlog.pop_front() {
                self.floor = dropped.revision;
            }
        }
    }
}
