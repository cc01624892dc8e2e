//! The barrier: ciphertext below, plaintext above.
//!
//! **What it is for.** While locked it holds nothing. Opened with the root key it holds the partitions' keys and
//! the index of opened names, and hands out views that seal and open the records of one place.
//!
//! **What it promises.** Nothing below it sees plaintext or a name. [`Barrier::lock`] wipes keys and names. A
//! record that does not open, an entry without its record, a folder whose count is wrong: each is
//! [`BarrierError::Corrupt`] with its place, never an absent or a wrong answer.
//!
//! **What it does not know.** Who asks, what a payload means. Only the gate holds a [`Barrier`].
//!
//! Start at [`Barrier::open`], then [`Opened`], [`Folder`] and [`Batch`].

mod batch;
mod beside;
mod deep;
mod folder;
mod index;
mod keysets;
mod lives;
mod load;
mod name_list;
mod names;
mod opened;
mod payload;
mod rekey;
mod rewrite;
mod rows;
mod sealed;
mod settle;
mod shelves;

pub use batch::{Applied, Batch};
pub use deep::DeepReport;
pub use folder::{Entry, Folder, Page, VersionRecord};
pub use index::Head;
pub use keysets::KeysetState;
pub use lives::{Deleted, Lives, MAX_DELETED};
pub use name_list::Names;
pub use names::NameLocks;
pub use opened::{NewHierarchy, Opened, TrailSealer};
pub use payload::{Reader, Writer};
pub use rekey::KeyChange;
pub use rewrite::{Bounds, Rewritten};
pub use rows::keys;

use arc_swap::ArcSwapOption;
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_keyring::RootKey;
use strongroom_store::{SharedStore, StoreError};

/// Why the barrier could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BarrierError {
    /// It is locked.
    #[error("locked")]
    Locked,
    /// Stored data is damaged, or not what stands in its place.
    #[error("stored data is corrupt: {place}")]
    Corrupt {
        /// Where.
        place: String,
    },
    /// The store below failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BarrierError {
    /// Damage at a place.
    pub fn corrupt(place: impl Into<String>) -> Self {
        Self::Corrupt { place: place.into() }
    }
}

/// Bounds of what is kept opened in memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Names in a folder's index; a larger folder is opened for each listing.
    pub indexed_names: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { indexed_names: 1_000_000 }
    }
}

/// The barrier: locked, or opened with the root key.
pub struct Barrier {
    store: SharedStore,
    ambient: Ambient,
    limits: Limits,
    opened: ArcSwapOption<Opened>,
}

impl Barrier {
    /// A locked barrier over a store.
    pub fn new(store: SharedStore, ambient: Ambient, limits: Limits) -> Self {
        Self { store, ambient, limits, opened: ArcSwapOption::empty() }
    }

    /// The store below.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Clock and entropy.
    pub fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    /// Opens the hierarchy with the root key and loads the index of names.
    pub async fn open(&self, root: &RootKey) -> Result<Arc<Opened>, BarrierError> {
        let opened = Arc::new(Opened::load(&self.store, &self.ambient, self.limits, root).await?);
        self.opened.store(Some(Arc::clone(&opened)));
        Ok(opened)
    }

    /// Whether a root key that these unlock keys open would be taken: see [`Barrier::take_beside`].
    pub async fn holds_beside(&self, set: [u8; 8]) -> Result<bool, BarrierError> {
        beside::holds(&self.store, set).await
    }

    /// Puts what was laid beside for another root key in the place of what is in force, if it still stands for that.
    /// Nothing is open, and nothing becomes open.
    pub async fn take_beside(&self, root: &RootKey, set: [u8; 8]) -> Result<Option<Batch>, BarrierError> {
        beside::take(&self.store, root, set).await
    }

    /// What is open, if anything.
    pub fn opened(&self) -> Result<Arc<Opened>, BarrierError> {
        self.opened.load_full().ok_or(BarrierError::Locked)
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.opened.load().is_some()
    }

    /// Wipes keys and names. Requests that hold a view finish with it.
    pub fn lock(&self) {
        if let Some(opened) = self.opened.swap(None) {
            opened.wipe();
        }
    }
}

impl std::fmt::Debug for Barrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_open() { "Barrier(open)" } else { "Barrier(locked)" })
    }
}
