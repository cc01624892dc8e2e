//! Questions about who may do what.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// About another user instead of oneself
    #[arg(long, value_name = "USER", conflicts_with = "who_can")]
    pub(crate) user: Option<String>,
    /// List everyone who may, instead
    #[arg(long)]
    pub(crate) who_can: bool,
    /// read, write, modify, delete, or an action's name such as store.create
    pub(crate) action: String,
    /// Upon what: a store, or a secret in it
    #[arg(value_name = "STORE[/NAME]")]
    pub(crate) place: Option<String>,
}
