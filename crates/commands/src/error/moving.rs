//! What can go wrong when something is brought over.

use std::path::PathBuf;
use strongroom_convection::fernet::FernetError;
use strongroom_convection::storage::{MAX_FILE_BYTES, MAX_FILES, MAX_FOLDER_BYTES, StorageError};

/// Why it was not brought over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MovingError {
    /// A link where a file should be.
    #[error("{path}: is a symbolic link, and what it leads to is not this directory's", path = .0.display())]
    Link(PathBuf),
    /// Neither file nor folder.
    #[error("{path}: neither a file nor a folder", path = .0.display())]
    NoFile(PathBuf),
    /// A name that is no text.
    #[error("{path}: its name is not UTF-8", path = .0.display())]
    Name(PathBuf),
    /// A file beyond what is read.
    #[error("{path}: is larger than {MAX_FILE_BYTES} bytes", path = .0.display())]
    TooLarge(PathBuf),
    /// A directory beyond what is read.
    #[error(
        "{path}: has more than {MAX_FILES} files, {MAX_FOLDER_BYTES} bytes, or too many folders in folders; is it a \
         storage directory?",
        path = .0.display()
    )]
    TooMuch(PathBuf),
    /// The unlock key is none.
    #[error("the unlock key: {0}")]
    UnlockKey(#[source] FernetError),
    /// Files that do not open.
    #[error("{}", told(.dir, .faults))]
    Storage {
        /// The directory.
        dir: PathBuf,
        /// What is wrong.
        faults: Vec<StorageError>,
    },
    /// What was said about something that is not there.
    #[error("nothing has the name in {0}")]
    NothingSo(String),
    /// Names that have to be given anew.
    #[error("{0} names are refused here; nothing was written")]
    Names(usize),
    /// Values that cannot be kept.
    #[error("{0} values cannot be kept here; nothing was written")]
    Values(usize),
    /// Denies that would be lost.
    #[error("these denies cannot be written here, and without them more would be open: {}; nothing was written", .0.join(", "))]
    Denies(Vec<String>),
    /// What is there already and otherwise.
    #[error("{0} things are there already and are not the same; nothing was written")]
    Conflicts(usize),
    /// Some of it is not there.
    #[error("{count} of {total} were not brought over; the same command again brings what is missing")]
    Incomplete {
        /// How many are missing.
        count: usize,
        /// Of how many.
        total: usize,
    },
    /// A file of this program's own, where one of the original's is wanted.
    #[error("{path}: is a configuration of Strongroom already", path = .0.display())]
    OwnConfiguration(PathBuf),
    /// A configuration with keys that mean nothing here.
    #[error("{0} keys of the configuration are left out above; look at each")]
    Findings(usize),
}

fn told(dir: &std::path::Path, faults: &[StorageError]) -> String {
    let lines = faults.iter().map(|fault| format!("{}/{fault}", dir.display()));
    format!("{}\nnothing was written", lines.collect::<Vec<_>>().join("\n"))
}

impl MovingError {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Storage { .. } => {
                Some("--leave-out store:NAME goes on without a store, --map STORE=KEYSET names a keyset")
            }
            Self::Names(_) => Some("--rename KIND:OLD=NEW for each, or --rename-as-proposed"),
            Self::Values(_) => Some("--as-generic STORE, or --leave-out secret:STORE/NAME"),
            Self::Denies(_) => Some("make them by hand first, and give --leave-out acl:NAME for each"),
            Self::Conflicts(_) => Some("--rename KIND:OLD=NEW or --leave-out KIND:NAME for each"),
            _ => None,
        }
    }
}
