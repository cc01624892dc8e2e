//! The storage directory: `root.key`, `keymap.db`, keysets, `auth.db`, stores.
//!
//! Whoever reads the files hands their bytes over; here they are opened, one key after another, and checked.

mod folder;
mod people;
mod stores;

pub use folder::{Folder, Opened, OpenedStore, Opening};
pub use people::{AccessMode, AclKind, OldAcl, OldGroup, OldKey, OldUser, People, read_people};
pub use stores::{OldSecret, StoreContents, read_store};

use crate::document::{self, DocumentError};
use crate::fernet::{FernetError, FernetKey, FernetKeys};
use strongroom_secret::SecretBytes;

/// The file of the root key, sealed once for each unlock key.
pub const ROOT_KEY: &str = "root.key";
/// The file that says which keyset a store is attached to.
pub const KEY_MAP: &str = "keymap.db";
/// The file of users, groups and ACLs.
pub const AUTH_DB: &str = "auth.db";
/// The keyset that seals it.
pub const AUTH_KEYSET: &str = "authdb";
/// What the keys of a rotation are called that did not come to its end.
pub const ROTATED: &str = "ROTATED_";
/// What the name of a keyset's file ends with.
pub const KEYSET_SUFFIX: &str = ".key";
/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 100_000_000;
/// Most files of a directory.
pub const MAX_FILES: usize = 10_000;
/// The largest directory, in bytes.
pub const MAX_FOLDER_BYTES: usize = 400_000_000;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// It is not there.
    #[error("is not there")]
    Absent,
    /// It is empty, as a write that was interrupted leaves it.
    #[error("is empty")]
    Empty,
    /// It does not open.
    #[error("{0}")]
    Sealed(#[from] FernetError),
    /// It is not opened by any of several keysets.
    #[error("no keyset opens it; tried: {}", .tried.join(", "))]
    NoKeyset {
        /// Their names.
        tried: Vec<String>,
    },
    /// None of the keys in it is sealed with this unlock key.
    #[error("the unlock key opens none of the {count} keys in it")]
    UnlockKey {
        /// How many there are.
        count: usize,
    },
    /// What is in it is not what should be.
    #[error("{0}")]
    Document(#[from] DocumentError),
    /// A keyset that is named and has no file.
    #[error("keyset {keyset} is not there")]
    NoSuchKeyset {
        /// Its name.
        keyset: String,
    },
    /// A keyset whose own file does not open.
    #[error("it needs keyset {keyset}, whose file {keyset}.key does not open")]
    KeysetClosed {
        /// Its name.
        keyset: String,
    },
}

/// What is wrong, and with which file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {fault}")]
pub struct StorageError {
    /// The file, in the directory.
    pub file: String,
    /// What is wrong.
    pub fault: FileFault,
}

impl StorageError {
    pub(crate) fn of(file: &str, fault: impl Into<FileFault>) -> Self {
        Self { file: file.to_owned(), fault: fault.into() }
    }
}

/// Opens `root.key` with an unlock key: the root key.
pub fn open_root(file: &[u8], unlock_key: &FernetKey) -> Result<FernetKey, FileFault> {
    let lines: Vec<&[u8]> =
        file.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    if lines.is_empty() {
        return Err(FileFault::Empty);
    }
    let mut sealed = 0;
    for line in &lines {
        match unlock_key.open(line) {
            Ok(root) => return Ok(root.expose(FernetKey::parse)?),
            Err(FernetError::Rejected) => sealed += 1,
            Err(_) => {}
        }
    }
    // a file of which no line is a token was never one of root keys
    if sealed == 0 { Err(FernetError::NotToken.into()) } else { Err(FileFault::UnlockKey { count: sealed }) }
}

/// Opens a keyset's file with the root key.
pub fn open_keyset(file: &[u8], root: &FernetKey) -> Result<FernetKeys, FileFault> {
    Ok(root.open(not_empty(file)?)?.expose(FernetKeys::parse)?)
}

/// A store as `keymap.db` knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub store: String,
    /// The keyset that seals it.
    pub keyset: String,
    /// Its type.
    pub store_type: String,
}

/// What `keymap.db` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyMap {
    /// The stores, by name.
    pub stores: Vec<Attachment>,
    /// The keysets.
    pub keysets: Vec<String>,
}

/// Opens `keymap.db` with the root key.
pub fn open_key_map(file: &[u8], root: &FernetKey) -> Result<KeyMap, FileFault> {
    Ok(read_key_map(&root.open(not_empty(file)?)?)?)
}

/// Reads what `keymap.db` holds when it is open.
pub fn read_key_map(opened: &SecretBytes) -> Result<KeyMap, DocumentError> {
    document::read(opened, |document| {
        let mut map = KeyMap { keysets: document::texts(document, "keysets")?, ..KeyMap::default() };
        let Some(stores) = document::table(document, "keymap")? else { return Ok(map) };
        for (store, value) in stores {
            let store = store.get_ref().to_string();
            let found = document::as_table(value.get_ref(), &store)?;
            let keyset = document::text(found, "keyset", &store)?;
            let store_type = document::text(found, "store_type", &store)?;
            map.stores.push(Attachment { store, keyset, store_type });
        }
        Ok(map)
    })
}

/// Opens a file of a keyset.
fn open_with(file: &[u8], keyset: &FernetKeys) -> Result<SecretBytes, FileFault> {
    Ok(keyset.open(not_empty(file)?)?)
}

fn not_empty(file: &[u8]) -> Result<&[u8], FileFault> {
    if file.trim_ascii().is_empty() { Err(FileFault::Empty) } else { Ok(file) }
}
