//! The one-time token of an installation: whoever can read the server's run directory may initialise.

use crate::ServerError;
use crate::tls::write_private;
use parking_lot::Mutex;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use strongroom_ambient::Ambient;
use strongroom_secret::SecretBytes;

/// The token's file, in the run directory.
pub const INSTALL_TOKEN_FILE: &str = "init-token";

/// A token that is valid until the initialisation is confirmed; each start before that makes a new one.
pub(crate) struct InstallToken {
    path: PathBuf,
    token: Mutex<Option<SecretBytes>>,
}

impl InstallToken {
    pub(crate) fn at(run_dir: &Path) -> Self {
        Self { path: run_dir.join(INSTALL_TOKEN_FILE), token: Mutex::new(None) }
    }

    /// Makes a token and writes it to its file, readable by the server's user alone.
    pub(crate) fn write(&self, ambient: &Ambient) -> Result<(), ServerError> {
        let text = ambient.random::<32>().iter().fold("sr.init.".to_owned(), |mut text, byte| {
            use std::fmt::Write;
            let _ = write!(text, "{byte:02x}");
            text
        });
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir).map_err(|source| ServerError::io("make", dir, source))?;
        }
        write_private(&self.path, text.as_bytes())?;
        *self.token.lock() = Some(SecretBytes::new(text.into_bytes()));
        tracing::info!(file = %self.path.display(), "no initialisation is confirmed: whoever reads this file may initialise");
        Ok(())
    }

    /// Whether a text is the token, in constant time.
    pub(crate) fn is(&self, text: &str) -> bool {
        let token = self.token.lock();
        token
            .as_ref()
            .is_some_and(|token| token.expose(|bytes| strongroom_secret::bytes_eq(bytes, text.as_bytes())))
    }

    /// Whether there is a token that is still valid.
    pub(crate) fn is_valid(&self) -> bool {
        self.token.lock().is_some()
    }

    /// Voids the token and removes its file.
    pub(crate) fn remove(&self) {
        if self.token.lock().take().is_some() {
            self.remove_file();
        }
    }

    /// Removes the file, which a server that was killed may have left.
    pub(crate) fn remove_file(&self) {
        match std::fs::remove_file(&self.path) {
            Err(fault) if fault.kind() != ErrorKind::NotFound => {
                tracing::warn!(%fault, file = %self.path.display(), "the initialisation token's file is still there");
            }
            _ => {}
        }
    }
}
