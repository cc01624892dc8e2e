//! Secrets.

use super::{ExportArgs, ImportArgs, Swallowed, ValueSource, kinds};
use clap::{Args, Subcommand};

/// Which secret.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The store
    #[arg(value_parser = kinds::name)]
    pub(crate) store: String,
    /// The secret's path in it
    #[arg(value_parser = kinds::path)]
    pub(crate) path: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Write a new version of a secret
    Put(PutArgs),
    /// Print a secret's value
    Get {
        #[command(flatten)]
        place: Place,
        /// An earlier version
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        /// The value's bytes as the server keeps them: a JSON text stays JSON
        #[arg(long, conflicts_with = "output")]
        raw: bool,
    },
    /// List secrets; with --output json one JSON object a line
    List {
        /// The store
        #[arg(value_parser = kinds::name)]
        store: String,
        /// Only paths that begin so
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
        /// Only paths that contain this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// List secrets whose path contains a text
    Search {
        /// The store
        #[arg(value_parser = kinds::name)]
        store: String,
        /// What the path contains
        text: String,
    },
    /// Delete a secret with all its versions
    Delete {
        #[command(flatten)]
        place: Place,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show a secret's metadata and versions, without its value
    Metadata {
        #[command(flatten)]
        place: Place,
    },
    /// Write the secrets of .env, JSON and YAML files, and of folders of PEM files
    Import(ImportArgs),
    /// Print or keep the secrets of a store
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where the value comes from: `@FILE`, or `-` for standard input, kept to the byte [default: ask, without
    /// echo]
    #[arg(long, value_name = "@FILE|-", allow_hyphen_values = true)]
    pub(crate) value: Option<ValueSource>,
    /// The value is JSON text [default: a text, which becomes a JSON string]
    #[arg(long, conflicts_with = "bytes")]
    pub(crate) json: bool,
    /// The value is bytes
    #[arg(long)]
    pub(crate) bytes: bool,
    /// Write only if this is the current version; 0: only if there is none
    #[arg(long, value_name = "N")]
    pub(crate) cas: Option<u64>,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}
