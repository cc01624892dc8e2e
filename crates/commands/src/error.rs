//! What can go wrong, and how a person hears of it.

mod moving;
mod transfer;

pub(crate) use moving::MovingError;
pub(crate) use transfer::{TransferError, TransferUsageError};

use crate::client::ClientError;
use crate::context::ContextError;
use crate::prompt::PromptError;
use crate::state::StateError;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use strongroom_model::JsonError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The server refused, or could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The configuration file.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A file of the original's.
    #[error(transparent)]
    Original(#[from] crate::original::OriginalError),
    /// A server that keeps no file with its process number.
    #[error("the configuration names no file with the number of the server's process, or no server holds it")]
    NoPidFile,
    /// A server that does not stop.
    #[error("process {pid} has not stopped yet")]
    StillRunning {
        /// Its number.
        pid: i32,
    },
    /// The configuration of a key management server.
    #[error(transparent)]
    KmsConfig(#[from] crate::commands::serve::KmsConfigError),
    /// A member's configuration.
    #[error(transparent)]
    MemberConfig(#[from] strongroom_member::ConfigError),
    /// A member of the sharing system cannot go on.
    #[error(transparent)]
    Member(#[from] strongroom_member::MemberError),
    /// A search.
    #[error(transparent)]
    Query(#[from] crate::commands::sharing::QueryError),
    /// Setting a server up.
    #[error(transparent)]
    Setup(#[from] crate::commands::setup::SetupError),
    /// The state folder, or another file that holds something secret.
    #[error(transparent)]
    State(#[from] StateError),
    /// A question that could not be asked.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The command line was understood but cannot be done so.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The server did not start, or did not go on.
    #[error("{}", with_causes(.0))]
    Server(#[from] strongroom_server::ServerError),
    /// The collector.
    #[error(transparent)]
    Collector(#[from] strongroom_collector::program::CollectorError),
    /// What is sent to a collector.
    #[error(transparent)]
    CollectorClient(#[from] strongroom_collector::send::SendError),
    /// The exchange's options.
    #[error(transparent)]
    ExchangeOptions(#[from] strongroom_exchange::OptionsError),
    /// The exchange did not start.
    #[error(transparent)]
    Exchange(#[from] strongroom_exchange::ExchangeError),
    /// A backup that cannot be used, or a directory that it cannot be restored to.
    #[error(transparent)]
    Backup(#[from] strongroom_server::backup::BackupError),
    /// A file that cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard input.
    #[error("standard input: {0}")]
    Input(#[source] io::Error),
    /// Standard output.
    #[error("standard output: {0}")]
    Output(#[source] io::Error),
    /// A key file.
    #[error("{path}: {source}", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: strongroom_crypto::KeyError,
    },
    /// A key that does not sign.
    #[error("the key does not sign")]
    Signing,
    /// A job that was waited for did not come to its end.
    #[error("the job has not done everything: it is {status}")]
    JobNotDone {
        /// What has become of it.
        status: String,
    },
    /// No runtime.
    #[error("the asynchronous runtime does not start: {0}")]
    Runtime(#[source] io::Error),
    /// A key could not be made.
    #[error("no key pair could be made")]
    KeyMaking,
    /// A file that holds no checkpoint.
    #[error("{path} is not a checkpoint: {source}", path = path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The value is not the JSON it is said to be.
    #[error("the value is not acceptable JSON: {0}")]
    Json(#[source] JsonError),
    /// The value is larger than any server keeps.
    #[error("the value is larger than {max} bytes")]
    ValueTooLarge {
        /// The limit.
        max: usize,
    },
    /// The trail does not hold.
    #[error("the trail does not hold")]
    TrailBroken,
    /// `doctor` found something wrong.
    #[error("{0} of the findings must be put right")]
    Unwell(usize),
    /// Too many unlock keys in a row were refused.
    #[error("given up after {0} refused unlock keys")]
    GivenUp(u8),
    /// The keys ran out before the server had enough.
    #[error("{have} of {need} unlock keys accepted; more are needed")]
    TooFewKeys {
        /// Accepted.
        have: u8,
        /// Needed.
        need: u8,
    },
    /// Many secrets at once.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// Moving in from elsewhere.
    #[error(transparent)]
    Moving(#[from] MovingError),
    /// A person said no.
    #[error("not confirmed; nothing was done")]
    Declined,
}

/// A command line that cannot be done as it stands.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    /// A secret where everyone can read it.
    #[error(
        "a secret value on the command line can be read by other processes and stays in the shell's history; \
         use --value @FILE, --value - for standard input, or leave it out to be asked"
    )]
    ValueInArgv,
    /// An unlock key where everyone can read it.
    #[error(
        "an unlock key on the command line can be read by other processes and stays in the shell's history; \
         use --key-file FILE, --key-file - for standard input, or leave it out to be asked"
    )]
    KeyInArgv,
    /// A password where everyone can read it.
    #[error(
        "a password on the command line can be read by other processes and stays in the shell's history; \
         use --password-file FILE, --password-file - for standard input, or leave it out to be asked"
    )]
    PasswordInArgv,
    /// Two passwords that should be one.
    #[error("the two passwords are not the same")]
    PasswordsDiffer,
    /// The attribute authority's address is none.
    #[error("--kms: {source}")]
    AuthorityUrl {
        /// Why.
        source: strongroom_member::http::UrlError,
    },
    /// A file that describes no group.
    #[error("{path}: {source}", path = path.display())]
    GroupFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A password that is no text.
    #[error("the password is not UTF-8 text")]
    PasswordNotText,
    /// One standard input for two things.
    #[error("the backup and the unlock keys cannot both come from standard input")]
    StdinTwice,
    /// Nobody to ask.
    #[error("standard input is not a terminal, so nobody can be asked for {what}; give {instead}")]
    NobodyToAsk {
        /// What is missing.
        what: &'static str,
        /// What to give.
        instead: &'static str,
    },
    /// A text value that is no text.
    #[error("the value is not UTF-8 text; use --bytes")]
    NotText,
    /// No access key known.
    #[error("no access key: give --access-key-id and --key, or a context that has them")]
    NoAccessKey,
    /// Many secrets at once.
    #[error(transparent)]
    Transfer(#[from] TransferUsageError),
    /// More needed than made.
    #[error("--threshold {threshold} is more than --num-keys {num_keys}")]
    ThresholdTooHigh {
        /// Asked for.
        threshold: u8,
        /// Made.
        num_keys: u8,
    },
}

impl CliError {
    /// 0: the reader of the output went away; 1: refused or failed; 2: usage.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Output(error) | Self::Client(ClientError::Sink(error))
                if error.kind() == io::ErrorKind::BrokenPipe =>
            {
                ExitCode::SUCCESS
            }
            Self::Query(error) if error.is_unread() => ExitCode::SUCCESS,
            Self::Query(error) if error.is_usage() => ExitCode::from(2),
            Self::Usage(_) => ExitCode::from(2),
            Self::Transfer(error) => error.exit_code(),
            Self::Client(error) if error.is_usage() => ExitCode::from(2),
            Self::Context(error) if error.is_usage() => ExitCode::from(2),
            Self::Setup(error) if error.is_usage() => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Client(error) => error.hint(),
            Self::Transfer(error) => error.hint(),
            Self::Moving(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether there is nothing to say: the command that was run said it.
    pub(crate) fn is_told(&self) -> bool {
        matches!(self, Self::Transfer(TransferError::Ended(_)))
    }

    /// A failure with a file.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// An error and what caused it, where it does not say so itself.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
