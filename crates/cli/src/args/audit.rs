//! The audit trail.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the last entries
    Tail {
        /// How many
        #[arg(short = 'n', long = "lines", default_value_t = 20, value_name = "N")]
        lines: u32,
        /// Go on with new entries as they come
        #[arg(long, short = 'f')]
        follow: bool,
    },
    /// Check the whole trail
    Verify {
        /// A checkpoint that was kept elsewhere
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Write the whole trail as JSON lines
    Export {
        /// Into a file, which appears when it is complete [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Sign a checkpoint of the trail: keep it elsewhere
    Checkpoint {
        /// Into a file [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}
