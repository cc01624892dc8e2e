//! `strongroom collector`.

use super::EnrollArgs;
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use strongroom_collector::settings::{BindError, bind_address};

/// A collector. The words are the original's, and some more.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct CollectorArgs {
    #[command(subcommand)]
    pub(crate) word: Option<CollectorWord>,
    #[command(flatten)]
    pub(crate) place: CollectorPlace,
    /// Where records are sent to as lines over TCP [default: what the configuration says, else 127.0.0.1:6000]
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = bound)]
    pub(crate) bind: Option<SocketAddr>,
    /// Show what would be encrypted for whom, and what could be searched, of records on standard input; send nothing
    #[arg(long, conflicts_with_all = ["check", "get_attrib"])]
    pub(crate) dry_run: bool,
    /// Take the records of the dry run from this file
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub(crate) sample: Option<PathBuf>,
    /// Check the configuration, and its policies with the authority; run nothing
    #[arg(long, conflicts_with = "get_attrib")]
    pub(crate) check: bool,
    /// List the attributes that members have
    #[arg(short = 'a', long = "get-attrib")]
    pub(crate) get_attrib: bool,
    /// What to log [default: info]
    #[arg(long, value_name = "FILTER", default_value = "info", hide_default_value = true)]
    pub(crate) log: String,
}

/// Which collector.
#[derive(Debug, Args)]
pub(crate) struct CollectorPlace {
    /// The configuration, YAML
    #[arg(value_name = "CONFIG", required = true)]
    pub(crate) config: Option<PathBuf>,
    /// The folder of keys [default: what the configuration says, else `secrets` beside it]
    #[arg(long, value_name = "DIR")]
    pub(crate) secrets: Option<PathBuf>,
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub(crate) enum CollectorWord {
    /// Make this member's keys and register them with its password
    Enroll(EnrollArgs),
    /// Show who may read what, what can be searched, and what each choice shows to whom
    Explain(CollectorPlace),
    /// Show the records that were not taken and whose senders could not be told
    Rejected(CollectorPlace),
    /// Send the lines of a file to a collector
    Send(SendArgs),
}

/// The client.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Lines of JSON objects
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The collector's host
    #[arg(short = 'H', long, value_name = "HOST", default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// The collector's port
    #[arg(short = 'p', long, value_name = "PORT", default_value = "6000")]
    pub(crate) port: u16,
    /// Connections
    #[arg(short = 'w', long, value_name = "COUNT", default_value = "3", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) workers: u8,
    /// Send only the first record
    #[arg(short = 'o', long)]
    pub(crate) only_one: bool,
    /// Each line's record is what it has under this key
    #[arg(short = 'j', long = "json-key", value_name = "KEY")]
    pub(crate) key: Option<String>,
}

fn bound(text: &str) -> Result<SocketAddr, BindError> {
    bind_address(text)
}
