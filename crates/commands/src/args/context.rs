//! Contexts of the configuration file.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// List contexts; the current one has a star
    List,
    /// Make a context the current one
    Use {
        /// Its name
        name: String,
    },
    /// Add a context or change one, and make it the current one
    Set(SetContextArgs),
    /// Remove a context, and the token that is kept for it
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SetContextArgs {
    /// Its name
    pub(crate) name: String,
    /// Where its server is: `https://HOST:PORT` or `unix:/PATH`
    #[arg(long = "server", value_name = "ADDRESS")]
    pub(crate) server: Option<crate::context::Address>,
    /// The authority that the server's certificate must come from, PEM
    #[arg(long = "authority", value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,
    /// The local socket of the same server
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// The access key to log in with
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}
