//! Why a server did not start, or did not go on.

use crate::config::ConfigError;
use crate::listen::ListenError;
use crate::logging::LoggingError;
use crate::metrics::MetricsError;
use crate::tls::TlsError;
use std::path::{Path, PathBuf};
use strongroom_gate::BarrierError;
use strongroom_operator::OperatorError;
use strongroom_secrets::SecretsError;
use strongroom_store::StoreError;

/// Why a server did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A configuration in another program's words.
    #[error("{path}: {source}", path = path.display())]
    Foreign {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file with the number of the process.
    #[error(transparent)]
    PidFile(#[from] crate::pid_file::PidFileError),
    /// Logging.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// Metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The data directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored data.
    #[error(transparent)]
    Barrier(BarrierError),
    /// A listener.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The export of the trail.
    #[error(transparent)]
    Syslog(#[from] crate::syslog::SyslogError),
    /// An operator's step.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// A first secret.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// A step of a newcomer's first start.
    #[error("first start: {0}")]
    First(String),
    /// A secret for tokens that could be guessed.
    #[error("{place}: {source}")]
    WeakJwtSecret {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        source: strongroom_attributes::WeakSecretError,
    },
    /// The key management server.
    #[error(transparent)]
    Kms(#[from] crate::kms::KmsError),
    /// A first start that ended before its unlock keys were shown: nobody can open what it made.
    #[error(
        "the first start was interrupted before its unlock keys were shown, so that nothing of yours is in it; \
         remove {data} and start again"
    )]
    Interrupted {
        /// The data directory.
        data: PathBuf,
    },
    /// A file.
    #[error("cannot {action} {path}")]
    File {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The runtime.
    #[error("the runtime did not start")]
    Runtime {
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

impl ServerError {
    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }

    pub(crate) fn barrier(fault: BarrierError) -> Self {
        match fault {
            BarrierError::Store(fault) => Self::Store(fault),
            fault => Self::Barrier(fault),
        }
    }

    /// A step of a first start that should have succeeded.
    #[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
    pub fn first<E: ToString>(fault: E) -> Self {
        Self::First(fault.to_string())
    }
}
