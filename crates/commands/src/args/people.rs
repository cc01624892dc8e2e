//! Users, groups and what they have: access keys, passwords, tokens.

use super::Swallowed;
use super::kinds;
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create a user
    Create(CreateUserArgs),
    /// List users
    List,
    /// Show a user
    Show {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
    },
    /// Let a user in again
    Enable {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
    },
    /// Shut a user out: credentials do not hold, and every token ends at once
    Disable {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
    },
    /// Remove a user with every credential and token
    Remove {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Access keys of a user
    #[command(subcommand)]
    Key(UserKeyCommand),
}

#[derive(Debug, Args)]
pub(crate) struct CreateUserArgs {
    /// The user's name
    #[arg(value_parser = kinds::name)]
    pub(crate) user: String,
    /// A first access key's public half: PEM, or a line as ssh-keygen writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
    /// Ask for a password, without echo
    #[arg(long, conflicts_with = "password_file")]
    pub(crate) password: bool,
    /// A file with a password; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserKeyCommand {
    /// Give a user an access key
    Add {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
        /// The public half: PEM, or a line as ssh-keygen writes it
        #[arg(value_name = "FILE")]
        public_key: PathBuf,
    },
    /// List a user's access keys
    List {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
    },
    /// Take an access key away; tokens got with it end
    Remove {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
        /// The access key's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccessKeyCommand {
    /// Add one
    Add {
        /// The public half: PEM, or a line as ssh-keygen writes it
        #[arg(value_name = "FILE")]
        public_key: PathBuf,
        /// A file with one's present password; not needed with a token that an access key got
        #[arg(long, value_name = "FILE")]
        present_file: Option<PathBuf>,
    },
    /// List them
    List,
    /// Remove one; tokens got with it end
    Remove {
        /// The access key's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PasswordCommand {
    /// Set one's own password, or a user's
    Set(SetPasswordArgs),
    /// Remove a user's password
    Remove {
        /// The user's name
        #[arg(value_parser = kinds::name)]
        user: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SetPasswordArgs {
    /// Another user instead of oneself
    #[arg(long, value_name = "USER", value_parser = kinds::name, conflicts_with = "present_file")]
    pub(crate) user: Option<String>,
    /// A file with the new password; `-` is standard input [default: ask, without echo]
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// A file with one's present password; not needed with a token that an access key got
    #[arg(long, value_name = "FILE")]
    pub(crate) present_file: Option<PathBuf>,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Show whose token this is and how long it lives
    #[command(visible_alias = "show")]
    Lookup,
    /// List one's own tokens, or others'
    List {
        /// Of this user
        #[arg(long, value_name = "USER", value_parser = kinds::name, conflicts_with = "all")]
        user: Option<String>,
        /// Of everybody
        #[arg(long)]
        all: bool,
    },
    /// Let the token live on, never beyond the server's longest lifetime
    Renew {
        /// How long from now, such as 8h, 30m, 7d [default: the server's]
        #[arg(long, value_name = "TIME", value_parser = kinds::seconds)]
        ttl: Option<u32>,
    },
    /// End tokens
    #[command(group = ArgGroup::new("which").required(true).args(["accessor", "user"]))]
    Revoke {
        /// The token's accessor
        accessor: Option<String>,
        /// All tokens of this user
        #[arg(long, value_name = "USER", value_parser = kinds::name)]
        user: Option<String>,
        /// Somebody else's token, not one of one's own
        #[arg(long, conflicts_with = "user")]
        any: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Create a group
    Create {
        /// Its name
        #[arg(value_parser = kinds::name)]
        group: String,
    },
    /// List groups
    List,
    /// Show a group with its members
    Show {
        /// Its name
        #[arg(value_parser = kinds::name)]
        group: String,
    },
    /// Remove a group; its members lose what they had through it
    Remove {
        /// Its name
        #[arg(value_parser = kinds::name)]
        group: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Put a user into a group
    Add {
        /// The group
        #[arg(value_parser = kinds::name)]
        group: String,
        /// The user
        #[arg(value_parser = kinds::name)]
        user: String,
    },
    /// Take a user out of a group
    Drop {
        /// The group
        #[arg(value_parser = kinds::name)]
        group: String,
        /// The user
        #[arg(value_parser = kinds::name)]
        user: String,
    },
}
