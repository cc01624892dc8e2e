//! Backups away from a server: verified, and restored to a new data directory.

use std::io::{BufReader, Read};
use std::path::Path;
use strongroom_ambient::Ambient;
pub use strongroom_backup::{BackupError, Header, Report, Restored};
use strongroom_secret::SecretBytes;
use strongroom_store_sqlite::Restoring;

/// Read at a time, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

/// Checks a backup; with unlock keys also that a server which they open made it.
///
/// # Errors
/// What is wrong with it, and where.
pub fn verify(
    source: impl Read,
    keys: Option<&[SecretBytes]>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, BackupError> {
    strongroom_backup::verify(BufReader::with_capacity(BUFFER_BYTES, source), keys, progress)
}

/// Restores a backup to a directory that is new or empty: the beginning of a new life. All of it, or nothing.
///
/// # Errors
/// What is wrong with the backup or the directory; then the directory is as it was.
pub fn restore(
    source: impl Read,
    dir: &Path,
    keys: Option<&[SecretBytes]>,
    progress: &mut dyn FnMut(u64),
) -> Result<Restored, BackupError> {
    let source = BufReader::with_capacity(BUFFER_BYTES, source);
    let mut restoring = Restoring::begin(dir)?;
    let ambient = Ambient::system();
    let restored = strongroom_backup::restore(source, keys, &ambient, progress, |item| restoring.put(item))?;
    restoring.finish(restored.revision)?;
    Ok(restored)
}
