//! Keysets and background jobs.

use super::kinds;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysetCommand {
    /// List keysets
    List,
    /// Make a keyset
    Create {
        /// Its name
        #[arg(value_parser = kinds::name)]
        keyset: String,
    },
    /// Give a keyset a new term, which seals from now on; what is stored is sealed anew in the background
    Rotate {
        /// Its name
        #[arg(value_parser = kinds::name)]
        keyset: String,
        /// Wait until everything has been sealed anew
        #[arg(long)]
        wait: bool,
    },
    /// Remove a keyset that no store uses
    Remove {
        /// Its name
        #[arg(value_parser = kinds::name)]
        keyset: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List background jobs
    List,
    /// Show a job
    Show {
        /// Its id
        job: String,
    },
    /// Wait until a job has ended
    Wait {
        /// Its id
        job: String,
    },
    /// Give a job up: what it has done stays done, and old keys stay until the next rotation
    Cancel {
        /// Its id
        job: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}
