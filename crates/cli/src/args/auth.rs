//! Logging in, and tokens.

use super::kinds;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The access key [default: the context's]
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Its private key, PEM [default: the context's]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// How long the token lives, such as 8h, 30m, 7d
    #[arg(long, default_value = "8h", value_name = "TIME", value_parser = kinds::seconds)]
    pub(crate) ttl: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Show whose token this is and how long it lives
    Lookup,
}
