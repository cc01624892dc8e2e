//! Unlock keys: any-of-n wrappings, k-of-n shares, auto-unlock.
//!
//! **What it is for.** The root key is stored only wrapped. This crate makes the unlock keys that people keep, the
//! wrappings that the server keeps, and judges each key that is presented.
//!
//! **What it promises.** What the server keeps ([`UnlockSet`], [`RootRecord`]) opens nothing without enough unlock
//! keys, and tells a wrong, repeated or foreign key apart at once. With threshold 1 each key wraps the root key by
//! itself and can be revoked; with a threshold above, the keys are Shamir shares of one wrapping key. Secrets are
//! wiped on drop and never printed, except by [`UnlockKey::to_text`] and [`KeyFile::to_text`].
//!
//! **What it does not know.** Where the record is stored, who presents a key, when progress expires, which file
//! holds an auto-unlock key: it is pure and synchronous.
//!
//! **Where to start.** [`UnlockSet::generate`], then [`Progress::present`]. Layouts stand in
//! `docs/formats/unlock.md`.
//!
//! ```
//! use strongroom_ambient::Ambient;
//! use strongroom_keyring::RootKey;
//! use strongroom_unlock::{Judgement, Progress, UnlockKey, UnlockSet};
//!
//! let ambient = Ambient::system();
//! let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
//! let (set, keys) = UnlockSet::generate(&ambient, &root, 1, 5, 2)?;
//!
//! // what a person typed, some days later
//! let typed: Vec<_> = keys.iter().map(UnlockKey::to_text).collect();
//! let mut progress = Progress::new(&set);
//! let first = typed[4].expose(UnlockKey::parse)?;
//! assert!(matches!(progress.present(&set, &first), Judgement::Accepted { have: 1, need: 2 }));
//! assert!(matches!(progress.present(&set, &first), Judgement::Repeated { have: 1, need: 2 }));
//! let second = typed[1].expose(UnlockKey::parse)?;
//! let Judgement::Complete(opened) = progress.present(&set, &second) else { panic!("two keys are enough") };
//! assert!(opened.same_as(&root));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod auto;
#[cfg(test)]
mod golden;
mod key;
mod layout;
mod progress;
mod record;
mod set;
pub mod shamir;
mod text;
mod wrapping;

pub use auto::{AutoError, AutoUnlock, KeyFile};
pub use key::UnlockKey;
pub use progress::{Judgement, Progress};
pub use record::{
    AutoWrapping, LimitError, MAX_AUTO_BLOB_BYTES, MAX_AUTO_NAME_BYTES, MAX_AUTO_WRAPPINGS, MAX_RECORD_BYTES,
    Pending, PendingPurpose, RecordError, RootRecord,
};
pub use set::{RevokeError, SetError, UnlockSet};
pub use text::{KeyTextError, MAX_TEXT_BYTES};

/// Names a set of unlock keys: random, made with the set, printed in each of its keys.
pub type SetId = [u8; 8];
