//! Moving in from elsewhere.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum MovingCommand {
    /// Bring everything of a Convection Secrets Manager over: users, groups, ACLs, keysets, stores, secrets
    Convection(ConvectionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConvectionArgs {
    /// Its storage directory, which is only read
    #[arg(value_name = "DIR", required_unless_present = "config")]
    pub(crate) dir: Option<PathBuf>,
    /// The file with one of its unlock keys, or `-` for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    pub(crate) unlock_key_file: Option<PathBuf>,
    /// Open everything, compare it with the server, say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A store's keyset, where keymap.db does not say it
    #[arg(long, value_name = "STORE=KEYSET", value_parser = pair)]
    pub(crate) map: Vec<(String, String)>,
    /// Another name for something, as in store:team/app=team-app
    #[arg(long, value_name = "[KIND:]OLD=NEW", value_parser = renaming)]
    pub(crate) rename: Vec<String>,
    /// Take the proposed name wherever the present one is refused
    #[arg(long)]
    pub(crate) rename_as_proposed: bool,
    /// Leave something where it is, as in store:old or secret:web/db
    #[arg(long, value_name = "KIND:NAME", value_parser = left_out)]
    pub(crate) leave_out: Vec<String>,
    /// Keep a passdb store's values as they are, in a generic store
    #[arg(long, value_name = "STORE")]
    pub(crate) as_generic: Vec<String>,
    /// Give root's access keys to this server's root too
    #[arg(long)]
    pub(crate) with_root: bool,
    /// Write the report into a file, as JSON if its name ends in .json
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Requests at once
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) parallel: u8,
    /// Print its server's configuration as strongroom.toml instead: a file, a folder, or the usual places
    #[arg(
        long,
        value_name = "PATH",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = ["dir", "unlock_key_file", "dry_run", "report"]
    )]
    pub(crate) config: Option<PathBuf>,
}

/// What was typed is not of the form that is needed.
#[derive(Debug, thiserror::Error)]
#[error("expected {0}")]
struct FormError(&'static str);

fn pair(text: &str) -> Result<(String, String), FormError> {
    let pair = text.rsplit_once('=').filter(|(store, keyset)| !store.is_empty() && !keyset.is_empty());
    pair.map(|(store, keyset)| (store.to_owned(), keyset.to_owned())).ok_or(FormError("STORE=KEYSET"))
}

fn renaming(text: &str) -> Result<String, FormError> {
    text.contains('=').then(|| text.to_owned()).ok_or(FormError("OLD=NEW"))
}

fn left_out(text: &str) -> Result<String, FormError> {
    let kind = strongroom_convection::moving::Kind::split(text).0;
    kind.map(|_| text.to_owned())
        .ok_or(FormError("KIND:NAME; kinds are user, group, acl, keyset, store, secret"))
}
