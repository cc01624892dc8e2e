//! The state folder: tokens and private keys, for their owner's eyes only.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_secret::SecretBytes;

/// The largest file that is read as a token or a key, in bytes.
const MAX_SECRET_FILE_BYTES: u64 = 64 * 1024;

/// What is wrong with a file that holds something secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// Neither `XDG_STATE_HOME` nor `HOME`.
    #[error("no state folder: neither XDG_STATE_HOME nor HOME is set")]
    NoHome,
    /// The system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("{path} can be read by others than its owner: chmod 600 it", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// Far too large.
    #[error("{path} is too large to be a token or a key", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io { path, source }
}

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct StateFolder(PathBuf);

impl StateFolder {
    /// The folder of this user.
    pub(crate) fn of_user() -> Result<Self, StateError> {
        crate::context::xdg("XDG_STATE_HOME", ".local/state").map(Self).ok_or(StateError::NoHome)
    }

    /// A folder somewhere.
    #[cfg(test)]
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// A folder in it.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The token kept under a name.
    pub(crate) fn token(&self, name: &str) -> Result<Option<SecretBytes>, StateError> {
        match read_private(&self.token_path(name)) {
            Ok(token) => Ok(Some(trimmed(&token))),
            Err(StateError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a token under a name.
    pub(crate) fn keep_token(&self, name: &str, token: &SecretBytes) -> Result<PathBuf, StateError> {
        let path = self.token_path(name);
        write_private(&path, token)?;
        Ok(path)
    }

    /// Forgets a token.
    pub(crate) fn forget_token(&self, name: &str) -> Result<(), StateError> {
        let path = self.token_path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => Ok(()),
        }
    }

    /// Keeps a private key.
    pub(crate) fn keep_key(&self, name: &str, pem: &SecretBytes) -> Result<PathBuf, StateError> {
        let path = self.0.join("keys").join(format!("{}.pem", file_name(name)));
        write_private(&path, pem)?;
        Ok(path)
    }

    fn token_path(&self, name: &str) -> PathBuf {
        self.0.join("tokens").join(file_name(name))
    }
}

/// A name as one component of a file's path; different names stay different.
fn file_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") })
        .collect()
}

/// Without the white space around it.
pub(crate) fn trimmed(secret: &SecretBytes) -> SecretBytes {
    secret.expose(|bytes| SecretBytes::new(bytes.trim_ascii().to_vec()))
}

/// Reads a file that only its owner may read.
pub(crate) fn read_private(path: &Path) -> Result<SecretBytes, StateError> {
    let file = fs::File::open(path).map_err(at(path))?;
    let meta = file.metadata().map_err(at(path))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(StateError::Exposed { path: path.to_owned() });
    }
    if meta.len() > MAX_SECRET_FILE_BYTES {
        return Err(StateError::TooLarge { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    file.take(MAX_SECRET_FILE_BYTES).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(SecretBytes::new(bytes))
}

/// Writes a file that only its owner may read: wholly or not at all.
pub(crate) fn write_private(path: &Path, content: &SecretBytes) -> Result<(), StateError> {
    content.expose(|bytes| write_whole(path, bytes, 0o600)).map_err(at(path))
}

/// Writes a file beside its name and moves it there when it is complete; folders are made 0700.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut draft = Draft::beside(path, mode)?;
    draft.file.write_all(bytes)?;
    draft.finish()
}

/// A file in the making: it gets its name when it is finished, and is removed if it never is.
pub(crate) struct Draft {
    /// Where to write.
    pub(crate) file: fs::File,
    temporary: PathBuf,
    path: PathBuf,
    done: bool,
}

impl Draft {
    /// A draft in the folder that the file is going to be in.
    pub(crate) fn beside(path: &Path, mode: u32) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let temporary = folder.join(format!(".{name}.{}", std::process::id()));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        Ok(Self { file, temporary, path: path.to_owned(), done: false })
    }

    /// What was written so far, to be read.
    pub(crate) fn reopen(&self) -> io::Result<fs::File> {
        fs::File::open(&self.temporary)
    }

    /// Makes it durable and gives it its name.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.done {
            // nothing can be done if even this fails
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn tokens_are_for_their_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&home.path().join("state"));
        assert!(state.token("dev").unwrap().is_none());
        let path = state.keep_token("dev", &SecretBytes::new(b"sr.t1.abc".to_vec())).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&home.path().join("state")), 0o700);
        state.token("dev").unwrap().unwrap().expose(|token| assert_eq!(token, b"sr.t1.abc"));
        state.forget_token("dev").unwrap();
        state.forget_token("dev").unwrap();
        assert!(state.token("dev").unwrap().is_none());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let state = StateFolder::at(home.path());
        let path = state.keep_key("k", &SecretBytes::new(b"pem".to_vec())).unwrap();
        assert!(read_private(&path).is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_private(&path), Err(StateError::Exposed { .. })));
    }

    #[test]
    fn different_names_have_different_files() {
        assert_eq!(file_name("dev_1"), "dev_1");
        assert_eq!(file_name("https://h:1"), "https%3a%2f%2fh%3a1");
        assert_eq!(file_name("../x"), "%2e%2e%2fx");
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("out");
        drop(Draft::beside(&path, 0o644).unwrap());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        write_whole(&path, b"x", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
