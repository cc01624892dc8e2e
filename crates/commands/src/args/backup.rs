//! Backups.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Take a backup of a running server: sealed, it opens with the unlock keys of today
    Create {
        /// The file, which appears when it is complete and verified; `-` is standard output
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Check a backup, without a server: every bit of it, with unlock keys also who made it
    Verify {
        /// The backup; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        keys: BackupKeyArgs,
    },
    /// Restore a backup to a new data directory, without a server: a new life, in which old tokens are void
    Restore {
        /// The backup; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The data directory: not there yet, or empty
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        #[command(flatten)]
        keys: BackupKeyArgs,
    },
}

/// Unlock keys of the time of a backup.
#[derive(Debug, Args)]
pub(crate) struct BackupKeyArgs {
    /// A file with unlock keys of the backup's time, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) unlock_key_file: Option<PathBuf>,
}
