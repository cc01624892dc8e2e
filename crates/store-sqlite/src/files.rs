//! The data directory: its files, its lock, their modes.

use crate::error::{DB, io};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use strongroom_store::StoreError;

/// Where everything lies.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Makes the directory, private, unless it is there.
    pub(crate) fn create(dir: &Path) -> Result<Self, StoreError> {
        if !dir.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(io("creating the data directory"))?;
        }
        Ok(Self(dir.to_owned()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.0.join(DB)
    }

    /// Where a new database is made, to be renamed when it is whole.
    pub(crate) fn unborn(&self) -> PathBuf {
        self.0.join("strongroom.db.new")
    }

    pub(crate) fn unborn_wal(&self) -> PathBuf {
        self.0.join("strongroom.db.new-wal")
    }

    pub(crate) fn wal(&self) -> PathBuf {
        self.0.join("strongroom.db-wal")
    }

    /// There while a restore fills the directory.
    pub(crate) fn restoring(&self) -> PathBuf {
        self.0.join("restoring")
    }

    /// What a restore left half done is no data directory.
    pub(crate) fn refuse_unfinished(&self) -> Result<(), StoreError> {
        if self.restoring().exists() {
            return Err(StoreError::Unfinished { path: self.0.display().to_string() });
        }
        Ok(())
    }

    pub(crate) fn reserve(&self) -> PathBuf {
        self.0.join("reserve")
    }

    /// Takes the directory for this process, for as long as the file is open.
    pub(crate) fn lock(&self) -> Result<File, StoreError> {
        let file = private(&self.0.join("lock")).map_err(io("opening the lock file"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: self.0.display().to_string() }),
            Err(TryLockError::Error(source)) => Err(io("locking the data directory")(source)),
        }
    }

    /// Makes names that were created or renamed durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        sync_dir(&self.0)
    }
}

/// Opens a file to read and write, mode 0600 if it is new.
pub(crate) fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Creates a file that must not be there, mode 0600.
pub(crate) fn private_new(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io("syncing a directory"))
}
