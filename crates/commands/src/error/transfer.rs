//! What can go wrong with many secrets at once.

use crate::client::ClientError;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Why secrets were not imported, exported or given to a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    /// A file to import that is not as it should be.
    #[error("{place}:{error}", place = place.display())]
    Import {
        /// The file.
        place: PathBuf,
        /// What is wrong with it, in which line.
        error: strongroom_import::ImportError,
    },
    /// Two files with one secret.
    #[error("{second}: {path} stands here again; it is in {first} already")]
    ImportedTwice {
        /// The secret.
        path: String,
        /// One file and line.
        first: String,
        /// The other.
        second: String,
    },
    /// A file whose name no secret can have.
    #[error("{file}: its name cannot be a secret's path: {source}", file = file.display())]
    FileName {
        /// The file.
        file: PathBuf,
        /// Why.
        source: strongroom_model::NameError,
    },
    /// Something that is no file.
    #[error("{file}: neither a file nor a folder", file = .0.display())]
    NoFile(PathBuf),
    /// Folders in folders without end.
    #[error("{file}: folders are nested too deep", file = .0.display())]
    FoldersTooDeep(PathBuf),
    /// Nothing is written, because not all of it can be.
    #[error("{count} of {total} secrets cannot be imported; nothing was written")]
    ImportRefused {
        /// How many.
        count: usize,
        /// Of how many.
        total: usize,
    },
    /// Some were written.
    #[error(
        "{count} of {total} secrets were not written; the same command again writes only what is missing"
    )]
    ImportIncomplete {
        /// How many are missing.
        count: usize,
        /// Of how many.
        total: usize,
    },
    /// What cannot be exported, or given to a command.
    #[error(transparent)]
    Env(#[from] strongroom_import::EnvError),
    /// What cannot be exported so.
    #[error(transparent)]
    Export(#[from] strongroom_import::ExportError),
    /// A secret and a folder of one name.
    #[error("{path} is a secret and a folder, which files cannot be; export it as JSON or YAML")]
    FileAndFolder {
        /// The secret.
        path: String,
    },
    /// One secret of many could not be read.
    #[error("{path}: {source}")]
    OfSecret {
        /// The secret.
        path: String,
        /// Why.
        source: Box<ClientError>,
    },
    /// A secret that was named and is not there.
    #[error("there is no {path} in {store}, or you may not see it")]
    NoSecret {
        /// The store.
        store: String,
        /// The secret.
        path: String,
    },
    /// A command that does not start.
    #[error("{command}: {source}")]
    Command {
        /// The command.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// Signals that cannot be waited for.
    #[error("signals cannot be passed on: {0}")]
    Signals(#[source] io::Error),
    /// A command that ended, and how: its own exit code.
    #[error("the command ended with {0}")]
    Ended(u8),
}

/// A command line that cannot be done as it stands.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferUsageError {
    /// A file whose name does not say what is in it.
    #[error("{file}: its name does not say what it is written in; give --format", file = .0.display())]
    NoFormat(PathBuf),
    /// A folder of something else.
    #[error("{file} is a folder, and folders are imported as pem", file = .0.display())]
    FolderFormat(PathBuf),
    /// A pair where a file is expected.
    #[error(
        "a NAME=VALUE pair on the command line can be read by other processes; write it to a file, or to `-`"
    )]
    PairInArgv,
    /// No command.
    #[error("no command is given")]
    NoCommand,
    /// A name that only the caller may give.
    #[error("{path} would be {name}, which decides how programs run; name it by --map NAME={path}")]
    DecisiveName {
        /// The secret.
        path: String,
        /// The variable.
        name: String,
    },
    /// Secrets onto a screen.
    #[error("standard output is a terminal; give --out FILE, or --force to show the values")]
    OntoTerminal,
    /// Something that would be lost.
    #[error("{file} exists; --force replaces it", file = .0.display())]
    Exists(PathBuf),
}

impl TransferError {
    /// The command's own, 126 and 127 as shells say that it does not start, or 1.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Ended(code) => ExitCode::from(*code),
            Self::Command { source, .. } if source.kind() == io::ErrorKind::NotFound => ExitCode::from(127),
            Self::Command { .. } => ExitCode::from(126),
            _ => ExitCode::FAILURE,
        }
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OfSecret { source, .. } => source.hint(),
            Self::ImportRefused { .. } => {
                Some("--on-conflict update writes new versions, --on-conflict skip leaves what is there")
            }
            _ => None,
        }
    }
}

impl From<TransferUsageError> for super::CliError {
    fn from(error: TransferUsageError) -> Self {
        super::UsageError::from(error).into()
    }
}
