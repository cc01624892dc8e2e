//! Logging in.

use super::Swallowed;
use super::kinds;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The access key [default: the context's]
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Its private key, PEM [default: the context's]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Log in with this user's password instead [asked for without echo]
    #[arg(long, value_name = "USER", value_parser = kinds::name, conflicts_with_all = ["access_key_id", "key"])]
    pub(crate) user: Option<String>,
    /// A file with the password; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// How long the token lives, such as 8h, 30m, 7d
    #[arg(long, default_value = "8h", value_name = "TIME", value_parser = kinds::seconds)]
    pub(crate) ttl: u32,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}
