//! The lock, unlock keys, rotation of the root key, the clock.

use super::Swallowed;
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Unlock keys to make
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "confirm")]
    pub(crate) num_keys: u8,
    /// How many of them unlock together
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "confirm")]
    pub(crate) threshold: u8,
    /// Root's public key, PEM: Ed25519 or RSA [default: a new pair, kept in the state folder]
    #[arg(long, value_name = "FILE", conflicts_with = "confirm")]
    pub(crate) public_key: Option<PathBuf>,
    /// The file with the one-time token that the server wrote; not needed on the local socket
    #[arg(long, value_name = "FILE")]
    pub(crate) init_token_file: Option<PathBuf>,
    /// Confirm without asking: the keys in the output are kept
    #[arg(long, conflicts_with = "confirm")]
    pub(crate) yes: bool,
    /// Confirm an earlier initialisation: its unlock keys are kept
    #[arg(long, value_name = "SET")]
    pub(crate) confirm: Option<String>,
}

/// Where unlock keys come from: a prompt, or a file.
#[derive(Debug, Args)]
pub(crate) struct KeyFileArgs {
    /// A file with unlock keys, one a line; `-` is standard input [default: ask, without echo]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RotateCommand {
    /// New root key and new unlock keys; the old ones hold until the new are confirmed
    #[command(group = ArgGroup::new("step").args(["confirm", "cancel"]))]
    Root(RotateRootArgs),
    /// New key-encryption key: wraps every keyset anew; takes a threshold of unlock keys
    Kek(KeyFileArgs),
    /// Every key there is, after a compromise: new root key and unlock keys, new keys below it, everything sealed anew
    #[command(group = ArgGroup::new("step").args(["confirm", "cancel"]))]
    All(RotateAllArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RotateAllArgs {
    /// Say that keys may be in wrong hands: every token ends
    #[arg(long, required = true)]
    pub(crate) compromised: bool,
    #[command(flatten)]
    pub(crate) root: RotateRootArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnlockKeyCommand {
    /// List unlock keys by number, without any secret
    List,
    /// Revoke one unlock key; takes another one, which stays
    Revoke {
        /// The key's number
        number: u8,
        #[command(flatten)]
        keys: KeyFileArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RotateRootArgs {
    /// New unlock keys to make [default: as many as before]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "step")]
    pub(crate) num_keys: Option<u8>,
    /// How many of them unlock together [default: as before]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "step")]
    pub(crate) threshold: Option<u8>,
    /// Finish a rotation: present a threshold of the new unlock keys
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Give a rotation up: the old unlock keys stay
    #[arg(long)]
    pub(crate) cancel: bool,
    #[command(flatten)]
    pub(crate) keys: KeyFileArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AutoUnlockCommand {
    /// Add it; takes a threshold of unlock keys
    Add(KeyFileArgs),
    /// Remove it
    Remove,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// Accept the server's wall clock after a jump
    Accept,
}
