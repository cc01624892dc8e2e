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
        /// Keep so many versions of a secret; 0: all
        #[arg(long, value_name = "N", default_value_t = 0)]
        keep: u32,
        /// Every write has to name the version it expects
        #[arg(long)]
        cas_required: bool,
        /// A setting of the type, which `store types` lists; may be repeated
        #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = kinds::setting)]
        settings: Vec<(String, serde_json::Value)>,
    },
    /// Change a store's settings; what is not named stays
    Configure {
        /// Its name
        #[arg(value_parser = kinds::name)]
        store: String,
        /// Keep so many versions of a secret, from its next write on; 0: all
        #[arg(long, value_name = "N")]
        keep: Option<u32>,
        /// Whether every write has to name the version it expects
        #[arg(long, value_name = "true|false")]
        cas_required: Option<bool>,
        /// A setting of the type; may be repeated
        #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = kinds::setting)]
        settings: Vec<(String, serde_json::Value)>,
        /// Takes a setting away; may be repeated
        #[arg(long, value_name = "NAME")]
        unset: Vec<String>,
    },
    /// List the types of store and their settings
    Types,
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
