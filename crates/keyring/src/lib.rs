//! Root key, KEKs, keysets, terms: the key hierarchy as pure state.
//!
//! ```text
//! root key --wraps--> partition KEK --wraps--> keyset (terms) --HKDF--> sealing key --seals--> record
//! ```
//!
//! **What it promises.** A record opens only in its own place: format, kind, partition, store, object, version,
//! keyset and term are its associated data. Layouts are in `docs/formats/keys-and-records.md`; every past one
//! opens for ever.
//!
//! **What it does not know.** Rows, disks, names, people. Everything here is a function of its arguments.
//!
//! Start at [`Sealer`] for records, [`Partition`] and [`Keyset`] for keys.

mod keyset;
mod partition;
mod record;
mod root;

pub use keyset::{Keyset, Term};
pub use partition::{Folders, Kek, NamesKey, Partition};
pub use record::{Kind, OpenError, Place, Sealer};
pub use root::RootKey;

/// A wrapped key or a settings record did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrapError {
    /// Written by a newer version.
    #[error("format {0} is newer than this version reads")]
    NewerFormat(u8),
    /// Too short, or of an impossible shape.
    #[error("malformed")]
    Malformed,
    /// Authentication failed: damaged, moved, or wrapped by another key.
    #[error(transparent)]
    Rejected(#[from] strongroom_crypto::Rejected),
}
