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
        #[arg(long)]
        raw: bool,
        /// Only this field of a JSON object: `password` of a user secret
        #[arg(long, value_name = "NAME", conflicts_with = "raw")]
        field: Option<String>,
    },
    /// Generate a new version, as the store's type does
    Generate {
        #[command(flatten)]
        place: Place,
        /// What is wanted, as `store types` lists it, `username` or `common_name` first of all; may be repeated
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = kinds::setting)]
        wanted: Vec<(String, serde_json::Value)>,
        /// Write only if this is the current version; 0: only if there is none
        #[arg(long, value_name = "N")]
        cas: Option<u64>,
    },
    /// Print the public half of a secret: a public key, a certificate with its chain, a request
    Public {
        #[command(flatten)]
        place: Place,
        /// An earlier version
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        /// Only this field of it
        #[arg(long, value_name = "NAME")]
        field: Option<String>,
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
        /// Those too whose newest version is deleted or destroyed
        #[arg(long)]
        deleted: bool,
    },
    /// List secrets whose path contains a text
    Search {
        /// The store
        #[arg(value_parser = kinds::name)]
        store: String,
        /// What the path contains
        text: String,
    },
    /// Delete versions, the newest if none is named: `undelete` brings them back
    Delete {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        versions: Versions,
    },
    /// Bring deleted versions back, the newest if none is named
    Undelete {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        versions: Versions,
    },
    /// Destroy versions for good
    Destroy {
        #[command(flatten)]
        place: Place,
        /// Which, such as 1,2,7
        #[arg(long, value_name = "N,...", value_delimiter = ',', required = true)]
        versions: Vec<u64>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Remove a secret with all its versions, for good
    Remove {
        #[command(flatten)]
        place: Place,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show a secret's metadata and versions, without its value
    #[command(alias = "versions")]
    Metadata {
        #[command(flatten)]
        place: Place,
    },
    /// Compare two versions of a secret, field by field
    Diff {
        #[command(flatten)]
        place: Place,
        /// The older one
        from: u64,
        /// The newer one [default: the current one]
        to: Option<u64>,
        /// Show values, and not only which fields differ
        #[arg(long)]
        show: bool,
    },
    /// List what expires, in all stores
    Expiring {
        /// Within this time, such as 30d, 12h
        #[arg(long, default_value = "30d", value_name = "TIME", value_parser = kinds::seconds)]
        within: u32,
    },
    /// Write the secrets of .env, JSON and YAML files, and of folders of PEM files
    Import(ImportArgs),
    /// Print or keep the secrets of a store
    Export(ExportArgs),
}

/// Which versions.
#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// Which, such as 1,2,7 [default: the newest]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    pub(crate) versions: Vec<u64>,
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
    /// The value is bytes: of stores of keys and certificates a PEM or DER file
    #[arg(long)]
    pub(crate) bytes: bool,
    /// The value is the password of this user, for a store of type user
    #[arg(long, value_name = "NAME", conflicts_with_all = ["json", "bytes"])]
    pub(crate) username: Option<String>,
    /// Write only if this is the current version; 0: only if there is none
    #[arg(long, value_name = "N")]
    pub(crate) cas: Option<u64>,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}
