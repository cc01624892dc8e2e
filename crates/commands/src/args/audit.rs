//! The audit trail.

use super::When;
use clap::{Args, Subcommand};
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
        #[command(flatten)]
        filter: TrailFilter,
    },
    /// List entries, oldest first
    List {
        /// How many at most [default: all]
        #[arg(short = 'n', long = "lines", value_name = "N")]
        lines: Option<u64>,
        /// From this entry on
        #[arg(long, value_name = "SEQ")]
        from: Option<u64>,
        #[command(flatten)]
        filter: TrailFilter,
    },
    /// List the segments that old entries moved out to
    Segments,
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

/// Which entries are wanted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which entries")]
pub(crate) struct TrailFilter {
    /// Only by this user
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Only of this action, such as secret.get, or of this area, such as secret
    #[arg(long, value_name = "ACTION")]
    pub(crate) action: Option<String>,
    /// Only about this, or what lies in it: a store, a folder of one, a secret
    #[arg(long, visible_alias = "store", value_name = "PATH")]
    pub(crate) resource: Option<String>,
    /// Only so decided
    #[arg(long, value_parser = ["allowed", "refused"])]
    pub(crate) decision: Option<String>,
    /// Only with this outcome
    #[arg(long, value_parser = ["done", "released", "not_found", "refused", "failed", "abandoned"])]
    pub(crate) outcome: Option<String>,
    /// Not before: a moment (RFC 3339), or so long ago, such as 2h, 30m, 7d
    #[arg(long, value_name = "WHEN", value_parser = super::kinds::when)]
    pub(crate) since: Option<When>,
    /// Before: a moment (RFC 3339), or so long ago
    #[arg(long, value_name = "WHEN", value_parser = super::kinds::when)]
    pub(crate) until: Option<When>,
}
