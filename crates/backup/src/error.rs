//! What can be wrong with a backup.

use strongroom_store::StoreError;
use strongroom_unlock::{KeyTextError, RecordError};

/// Why a backup cannot be used. Offsets are bytes from the start of the file.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something else.
    #[error("this is not a backup of a strongroom")]
    NotABackup,
    /// Written by a newer version, in a form of its own.
    #[error(
        "backup has format {found} and was made by version {version}; this version reads up to format {supported}"
    )]
    NewerFormat {
        /// Its format.
        found: u16,
        /// The version that made it.
        version: String,
        /// The newest format that is read here.
        supported: u16,
    },
    /// Made of a newer version's data.
    #[error(
        "backup holds data of format {found} and was made by version {version}; this version knows up to {supported}"
    )]
    NewerData {
        /// The data's format.
        found: u32,
        /// The version that made it.
        version: String,
        /// The newest format that is known here.
        supported: u32,
    },
    /// Not what was written.
    #[error("backup is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where.
        offset: u64,
        /// What does not hold.
        what: &'static str,
    },
    /// It ends before its manifest.
    #[error("backup is cut short: it ends at byte {offset}")]
    Cut {
        /// Where.
        offset: u64,
    },
    /// A whole chunk, of another backup.
    #[error("chunk {index} at byte {offset} belongs to another backup")]
    Foreign {
        /// Its number.
        index: u64,
        /// Where.
        offset: u64,
    },
    /// A whole chunk in another's place.
    #[error("chunk {found} stands at byte {offset}, where chunk {expected} belongs")]
    Misplaced {
        /// Its number.
        found: u64,
        /// The number that belongs there.
        expected: u64,
        /// Where.
        offset: u64,
    },
    /// Something follows the manifest.
    #[error("backup goes on at byte {offset}, behind its manifest")]
    Trailing {
        /// Where.
        offset: u64,
    },
    /// Every digest holds, and the MAC does not: somebody else made it.
    #[error(
        "the manifest's MAC does not hold under these unlock keys: the backup was altered after it was made"
    )]
    Forged,
    /// The unlock keys do not open it.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The source cannot be read.
    #[error("reading the backup: {0}")]
    Read(#[source] std::io::Error),
    /// What it is restored to failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why unlock keys do not open a backup.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A text that is no unlock key.
    #[error("unlock key {index}: {fault}")]
    Text {
        /// Which of those presented, from 1.
        index: usize,
        /// What is wrong with it.
        fault: KeyTextError,
    },
    /// A key of the right set with a wrong secret.
    #[error("unlock key {index} is wrong")]
    Wrong {
        /// Which of those presented, from 1.
        index: usize,
    },
    /// A key that was presented before.
    #[error("unlock key {index} was already presented")]
    Repeated {
        /// Which of those presented, from 1.
        index: usize,
    },
    /// A key of another set: of another server, or of another time of this one.
    #[error(
        "unlock key {index} belongs to another set than this backup's: a backup opens with the unlock keys of its time"
    )]
    OtherSet {
        /// Which of those presented, from 1.
        index: usize,
    },
    /// Too few keys.
    #[error("{have} of {need} unlock keys")]
    TooFew {
        /// Presented.
        have: u8,
        /// Needed.
        need: u8,
    },
    /// The root record cannot be read.
    #[error("root record: {0}")]
    Record(#[from] RecordError),
    /// What the keys should open does not open.
    #[error("{0} does not open with the root key")]
    Sealed(&'static str),
    /// There is nothing that keys could open.
    #[error("the backup holds no {0}")]
    Missing(&'static str),
}
