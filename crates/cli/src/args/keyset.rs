//! Keysets.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysetCommand {
    /// List keysets
    List,
}
