//! The AuthFile: who logs in with what, and where the token goes.

use super::{Found, OriginalError, from_home, places};
use crate::state::{self, StateError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_convection::auth_file::AuthFile;
use strongroom_secret::SecretBytes;

/// An AuthFile and its place.
#[derive(Debug)]
pub(crate) struct AuthFileAt {
    found: Found,
    pub(crate) file: AuthFile,
}

impl AuthFileAt {
    /// The one that was asked for; else, for who has neither a context nor an address, the first of the three places.
    pub(crate) fn in_effect(
        global: &crate::args::Global,
        target: &crate::context::Target,
    ) -> Result<Option<Self>, crate::error::CliError> {
        match &global.auth_file {
            Some(path) => Self::named(path).map(Some),
            None if target.context.is_none() && global.address.is_none() => Self::first(),
            None => Ok(None),
        }
    }

    /// The one that was asked for.
    pub(crate) fn named(path: &Path) -> Result<Self, crate::error::CliError> {
        Self::read(Found::named(path, None)?)
    }

    /// The first of the three places, if there is one.
    pub(crate) fn first() -> Result<Option<Self>, crate::error::CliError> {
        let mut folders = places();
        folders.push(PathBuf::from("."));
        match Found::first(AuthFile::FILE, &folders) {
            Some(found) => Ok(Some(Self::read(found.trusted()?)?)),
            None => Ok(None),
        }
    }

    /// One that has anything secret in it is for its owner's eyes only.
    fn read(found: Found) -> Result<Self, crate::error::CliError> {
        let file = found.read(AuthFile::read)?;
        let failed = |source| OriginalError::Io { path: found.path.clone(), source };
        let mode = std::fs::metadata(&found.path).map_err(failed)?.permissions().mode();
        let secret = file.key_password.is_some() || file.auth_token.is_some();
        if secret && mode & 0o077 != 0 {
            return Err(StateError::Exposed { path: found.path }.into());
        }
        Ok(Self { found, file })
    }

    /// The file of the private key.
    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        self.file.private_key.as_deref().map(from_home)
    }

    /// The token that is in it.
    pub(crate) fn token(&self) -> Option<SecretBytes> {
        self.file.auth_token.as_ref().map(|token| token.expose(|bytes| SecretBytes::new(bytes.to_vec())))
    }

    /// Writes a token into it, 0600, or takes it out again. What else is in it is read again before, for it may have
    /// changed meanwhile.
    pub(crate) fn put(&self, token: Option<&SecretBytes>) -> Result<PathBuf, crate::error::CliError> {
        let failed = |source| OriginalError::Io { path: self.found.path.clone(), source };
        let path = std::fs::canonicalize(&self.found.path).map_err(failed)?;
        let text = self.found.read(|writing, bytes| AuthFile::with_token(writing, bytes, token))?;
        state::write_private(&path, &text)?;
        Ok(path)
    }
}
