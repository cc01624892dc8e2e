//! The one-time token of an installation: whoever can read the server's run directory may initialise.

use crate::ServerError;
use crate::tls::write_private;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use strongroom_ambient::Ambient;
use strongroom_secret::SecretBytes;

/// The token's file, in the run directory.
pub const INSTALL_TOKEN_FILE: &str = "init-token";

/// A token that is valid from a first start until the initialisation is confirmed.
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
        tracing::info!(file = %self.path.display(), "not initialised: whoever reads this file may initialise");
        Ok(())
    }

    /// Whether a text is the token, in constant time.
    pub(crate) fn is(&self, text: &str) -> bool {
        let token = self.token.lock();
        token
            .as_ref()
            .is_some_and(|token| token.expose(|bytes| strongroom_secret::bytes_eq(bytes, text.as_bytes())))
    }

    /// Voids the token and removes its file.
    pub(crate) fn remove(&self) {
        if self.token.lock().take().is_some()
            && let Err(fault) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%fault, file = %self.path.display(), "the initialisation token's file is still there");
        }
    }
}
