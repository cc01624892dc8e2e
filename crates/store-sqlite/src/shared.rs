//! What the store's handle, its writer and its readers share.

use crate::cache::RowCache;
use crate::files::DataDir;
use crate::options::Options;
use crate::queue::Queue;
use crate::readers::Readers;
use crate::schema::Head;
use crate::writer::Done;
use parking_lot::Mutex;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use strongroom_ambient::Clock;
use strongroom_store::{ChangeLog, LinkFn, Revision, Row, RowKey, Space, StoreError, TrailHead};
use tokio::sync::{Semaphore, watch};

pub(crate) struct Shared {
    pub(crate) dir: DataDir,
    pub(crate) options: Options,
    pub(crate) link: LinkFn,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Queue,
    pub(crate) readers: Readers,
    pub(crate) cache: RowCache,
    pub(crate) changes: ChangeLog,
    /// Places in the queue.
    pub(crate) slots: Arc<Semaphore>,
    /// Scans that may be on blocking threads at once.
    pub(crate) scans: Arc<Semaphore>,
    /// Becomes true when everything is closed.
    pub(crate) done: watch::Sender<bool>,
    /// Held until then.
    pub(crate) lock: Mutex<Option<File>>,
    pub(crate) trail: Mutex<TrailHead>,
    pub(crate) revision: AtomicI64,
    pub(crate) space: AtomicU8,
}

impl Shared {
    /// Tells everyone of a durable group, before it is answered.
    pub(crate) fn publish(&self, done: Done) {
        self.set_head(done.head);
        self.changes.publish(done.changed);
    }

    /// After a recovery: tells what the group in doubt turned out to have changed, and opens the readers again.
    pub(crate) fn restart(&self, done: Done) {
        self.cache.clear();
        self.publish(done);
        if let Err(error) = self.readers.open(&self.dir, &self.options) {
            tracing::error!(%error, "reopening the readers failed");
        }
    }

    /// One row, from memory if it is there.
    pub(crate) fn get(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        if let Some(stop) = self.readers.interrupted() {
            return Err(stop);
        }
        let ticket = match self.cache.get(key) {
            Ok(row) => return Ok(Some(row)),
            Err(ticket) => ticket,
        };
        let row = self.readers.get(key)?;
        if let Some(row) = &row {
            self.cache.put(&ticket, row);
        }
        Ok(row)
    }

    pub(crate) fn set_head(&self, head: Head) {
        *self.trail.lock() = head.trail;
        self.revision.store(head.revision.0, Ordering::Release);
    }

    /// Places in the queue that are taken.
    pub(crate) fn waiting(&self) -> usize {
        self.options.queue.saturating_sub(self.slots.available_permits())
    }

    pub(crate) fn revision(&self) -> Revision {
        Revision(self.revision.load(Ordering::Acquire))
    }

    pub(crate) fn set_space(&self, space: Space) {
        self.space.store(space as u8, Ordering::Release);
    }

    pub(crate) fn space(&self) -> Space {
        match self.space.load(Ordering::Acquire) {
            0 => Space::Ample,
            1 => Space::Reserved,
            _ => Space::Exhausted,
        }
    }

    /// Admits nothing more; what is queued will be done.
    pub(crate) fn begin_close(&self) {
        self.slots.close();
        self.queue.close();
    }

    /// The writer has closed everything, or has died: whoever waits, and whoever comes, is told.
    pub(crate) fn closed(&self) {
        self.begin_close();
        self.readers.close();
        self.queue.abandon();
        self.changes.close();
        self.lock.lock().take();
        self.done.send_replace(true);
    }
}
