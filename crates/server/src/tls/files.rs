//! Files that are whole or absent, and the server's alone.

use super::TlsError;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Read and write for the server's user, nothing for others.
pub const PRIVATE_MODE: u32 = 0o600;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File { action: "read", path: path.to_owned(), source })
}

pub(super) fn make_dir(path: &Path) -> Result<(), TlsError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| TlsError::File { action: "make", path: path.to_owned(), source })
}

/// Writes a file of mode 0600, durable and whole: after any interruption the old content stands or the new.
///
/// # Errors
/// If the directory cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    let staged = staged(path);
    let written = write_new(&staged, bytes)
        .and_then(|()| std::fs::rename(&staged, path))
        .and_then(|()| File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all());
    written.map_err(|source| {
        let _ = std::fs::remove_file(&staged);
        TlsError::File { action: "write", path: path.to_owned(), source }
    })
}

fn staged(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // one that was left behind may have another mode
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
