//! Files of Convection Secrets Manager on this machine: where they are looked for, and how they are read.
//!
//! The places are the original's: `~/.local`, `/etc`, and for a client the working directory. What others than their owner
//! and root could have written is not believed: whoever chooses the server is shown the token.

mod auth;
mod client;
mod server;

pub(crate) use auth::AuthFileAt;
pub(crate) use client::target as client_target;
pub(crate) use server::ServerFile;

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use strongroom_convection::FileError;
use strongroom_import::{MAX_DOCUMENT_BYTES, Writing};
use strongroom_secret::SecretBytes;

/// What is wrong with such a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OriginalError {
    /// There is none.
    #[error("no {what}: looked for {}", .places.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    Nowhere {
        /// What was looked for.
        what: &'static str,
        /// Where.
        places: Vec<PathBuf>,
    },
    /// The system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A name that does not say what is in it.
    #[error("{path} ends with none of .toml, .yaml, .yml and .json; say which with --input-type", path = path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// What it says is wrong.
    #[error("{}", .source.to_string().lines().map(|line| format!("{}: {line}", path.display())).collect::<Vec<_>>().join("\n"))]
    Document {
        /// The file.
        path: PathBuf,
        /// What, and in which line.
        source: FileError,
    },
    /// Anybody could have written it.
    #[error("{path} could be written by others than its owner: chmod go-w it", path = path.display())]
    Writable {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else's.
    #[error("{path} belongs to somebody else, who would choose the server", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A protocol that this program's commands do not speak.
    #[error(
        "{path} asks for {address} over the network, where the original's protocol is spoken; \
         for this program's commands give --address https://HOST:PORT of the native listener",
        path = path.display()
    )]
    Network {
        /// The file.
        path: PathBuf,
        /// The server.
        address: std::net::SocketAddr,
    },
    /// A storage directory of the original's.
    #[error(
        "{path} holds the data of the original server, which this one does not write to: \
         take another folder, and bring them over with strongroom import convection",
        path = path.display()
    )]
    OriginalData {
        /// The directory.
        path: PathBuf,
    },
}

/// A file that was found, and what it is written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) writing: Writing,
    /// Whether it is only read if nobody else could have written it.
    guarded: bool,
}

impl Found {
    /// A file that was named: its ending says what it is written in, if nobody else does.
    pub(crate) fn named(path: &Path, writing: Option<Writing>) -> Result<Self, OriginalError> {
        let ending = || OriginalError::Ending { path: path.to_owned() };
        let writing = writing.or_else(|| Writing::of(path)).ok_or_else(ending)?;
        Ok(Self { path: path.to_owned(), writing, guarded: false })
    }

    /// The first of a name with any ending, in the order of the places.
    pub(crate) fn first(name: &str, folders: &[PathBuf]) -> Option<Self> {
        folders.iter().find_map(|folder| {
            ["json", "yaml", "yml", "toml"].iter().find_map(|ending| {
                let path = folder.join(format!("{name}.{ending}"));
                Writing::of(&path).filter(|_| path.is_file()).map(|writing| Self {
                    path,
                    writing,
                    guarded: false,
                })
            })
        })
    }

    /// Its bytes, which may be secret.
    pub(crate) fn bytes(&self) -> Result<SecretBytes, OriginalError> {
        let failed = |source| OriginalError::Io { path: self.path.clone(), source };
        let file = std::fs::File::open(&self.path).map_err(failed)?;
        let most = u64::try_from(MAX_DOCUMENT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let metadata = file.metadata().map_err(failed)?;
        // what was opened is what is judged: the name may lead elsewhere by now
        if self.guarded {
            self.judge(&metadata)?;
        }
        let length = metadata.len().min(most);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        file.take(most).read_to_end(&mut bytes).map_err(failed)?;
        Ok(SecretBytes::new(bytes))
    }

    /// What it says, read by `read`.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(Writing, &[u8]) -> Result<T, FileError>,
    ) -> Result<T, OriginalError> {
        let wrong = |source| OriginalError::Document { path: self.path.clone(), source };
        self.bytes()?.expose(|bytes| read(self.writing, bytes)).map_err(wrong)
    }

    /// The same, if nobody could have written it but this user and root.
    pub(crate) fn trusted(self) -> Result<Self, OriginalError> {
        let failed = |source| OriginalError::Io { path: self.path.clone(), source };
        self.judge(&std::fs::metadata(&self.path).map_err(failed)?)?;
        Ok(Self { guarded: true, ..self })
    }

    fn judge(&self, metadata: &std::fs::Metadata) -> Result<(), OriginalError> {
        if metadata.mode() & 0o022 != 0 {
            return Err(OriginalError::Writable { path: self.path.clone() });
        }
        let me = rustix::process::geteuid().as_raw();
        if metadata.uid() != me && metadata.uid() != 0 {
            return Err(OriginalError::Foreign { path: self.path.clone() });
        }
        Ok(())
    }
}

/// This user's home.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}

/// A path with `~` for this user's home.
pub(crate) fn from_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

/// Where the files of a client and of a server's administrator are looked for.
pub(crate) fn places() -> Vec<PathBuf> {
    home().map(|home| home.join(".local")).into_iter().chain([PathBuf::from("/etc")]).collect()
}

#[cfg(test)]
mod tests;
