//! `strongroom query`.

use super::EnrollArgs;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A search. The words are the original's, and some more.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct QueryArgs {
    #[command(subcommand)]
    pub(crate) word: Option<QueryWord>,
    /// The configuration, YAML
    #[arg(value_name = "CONFIG", required = true)]
    pub(crate) config: Option<PathBuf>,
    /// What to look for, such as `src_ip=203.0.113.7 AND port=22 since 24h`
    #[arg(value_name = "QUERY", required_unless_present = "sync", requires = "out")]
    pub(crate) question: Option<String>,
    /// The file to write; `-` is standard output
    #[arg(value_name = "OUTPUT", id = "out")]
    pub(crate) out: Option<PathBuf>,
    /// Search, or count
    #[arg(short = 'q', long = "query-type", value_enum, default_value = "search", value_name = "TYPE")]
    pub(crate) kind: QueryKind,
    /// Records that happened later than this: seconds since 1970
    #[arg(short = 'f', long = "from", value_name = "EPOCH", allow_negative_numbers = true)]
    pub(crate) from: Option<i64>,
    /// Records that happened before this: seconds since 1970
    #[arg(short = 't', long = "to", value_name = "EPOCH", allow_negative_numbers = true)]
    pub(crate) to: Option<i64>,
    /// The time after `-f` includes its beginning
    #[arg(short = 'l', long = "left-inclusive", requires = "from")]
    pub(crate) left: bool,
    /// The time before `-t` includes its end
    #[arg(short = 'r', long = "right-inclusive", requires = "to")]
    pub(crate) right: bool,
    /// How records are written
    #[arg(long, value_enum, default_value = "ndjson", value_name = "FORMAT")]
    pub(crate) format: QueryFormat,
    /// Put each record's id and time of arrival before its fields
    #[arg(long)]
    pub(crate) ids: bool,
    /// Prove that the exchange withheld nothing, as far as collectors have signed for it
    #[arg(long, conflicts_with = "sync")]
    pub(crate) prove: bool,
    /// Bring a full copy in this folder up to date, prove that it is full, and search that
    #[arg(long, value_name = "DIR")]
    pub(crate) sync: Option<PathBuf>,
    /// The most records
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Records of a page
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) batch_size: u32,
    /// The folder of keys [default: what the configuration says, else `secrets` beside it]
    #[arg(long, value_name = "DIR")]
    pub(crate) secrets: Option<PathBuf>,
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub(crate) enum QueryWord {
    /// Make this member's keys and register them with its password
    Enroll(EnrollArgs),
}

/// Records, or how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryKind {
    /// The records
    Search,
    /// How many there are
    Count,
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryFormat {
    /// A JSON object a line
    Ndjson,
    /// For people
    Table,
    /// RFC 4180
    Csv,
    /// A STIX 2.1 bundle
    Stix,
}
