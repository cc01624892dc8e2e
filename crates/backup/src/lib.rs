//! The form of a backup: framing, digests, manifest; verifying and restoring.
//!
//! **What it is for.** A backup is a stream: a header, chunks that hold rows and entries of one moment as they are
//! stored, a manifest. [`Framer`] writes it from a snapshot's items without knowing how many will come; [`Reader`] gives
//! them back; [`verify`] checks everything; [`restore`] makes of it what a new data directory is to hold.
//!
//! **What it promises.** Memory for one chunk and one row, however large the store. A flipped bit, a cut, a chunk of
//! another backup or out of its place is found without keys, and named with its place. The manifest's MAC is under a key
//! that only the unlock keys of then lead to: with them an attacker's backup is found as well. Whatever a backup holds is
//! sealed as at rest, root record included: the unlock keys of then open it. A restored backup is a new life with a new
//! incarnation; tokens and outcomes of the old one are not in it.
//!
//! **What it does not know.** Where the bytes go or come from, and what a row means beyond its table.
//!
//! The layout stands in `docs/formats/backup.md`. Start at [`Framer::begin`] and [`verify`].

mod check;
mod error;
mod frame;
mod header;
mod items;
mod keys;
mod mark;
mod read;
mod restore;
#[cfg(test)]
mod tests;
mod write;

pub use check::{Report, verify};
pub use error::{BackupError, KeysError};
pub use header::{DATA_FORMAT, FORMAT, Header};
pub use keys::open_partition;
pub use mark::Mark;
pub use read::Reader;
pub use restore::{Restored, restore};
pub use write::Framer;

/// Told how many bytes of a backup have been read.
pub type Progress<'a> = &'a mut dyn FnMut(u64);
