//! A member's keys.

use clap::Args;
use std::path::PathBuf;

/// Making a member's keys and registering them.
#[derive(Debug, Args)]
pub(crate) struct EnrollArgs {
    /// The configuration, YAML
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// The folder of keys [default: what the configuration says, else `secrets` beside it]
    #[arg(long, value_name = "DIR")]
    pub(crate) secrets: Option<PathBuf>,
    /// The member's name at the authority [default: whose `kms_access_key` the configuration has, else ask]
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// A file with the member's password; `-` is standard input [default: ask, without echo]
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Register new keys in place of the present ones
    #[arg(long)]
    pub(crate) replace: bool,
}
