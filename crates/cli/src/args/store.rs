//! Stores.

use super::kinds;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Create a store
    Create {
        /// Its name
        #[arg(value_parser = kinds::name)]
        store: String,
        /// Its type
        #[arg(long = "type", default_value = "generic", value_name = "TYPE")]
        store_type: String,
        /// The keyset that seals it [default: default]
        #[arg(long, value_name = "NAME")]
        keyset: Option<String>,
    },
    /// List stores
    List,
    /// Show a store's metadata
    Show {
        /// Its name
        #[arg(value_parser = kinds::name)]
        store: String,
    },
    /// Remove a store and everything in it
    Remove {
        /// Its name
        #[arg(value_parser = kinds::name)]
        store: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}
