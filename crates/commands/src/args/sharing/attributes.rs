//! Administering the attribute authority.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The attribute authority: administrators, members, groups.
#[derive(Debug, Subcommand)]
pub(crate) enum AttributesCommand {
    /// Add an administrator of the sharing system, or log one in again: prints its name, a token, and `admin`
    AddAdmin(AddAdminArgs),
    /// Make a member: prints its name and a first token
    Create(CreateMemberArgs),
    /// Suspend a member: its tokens end, it gets no more keys, a new epoch begins
    Suspend(OneMemberArgs),
    /// Let a suspended member go on
    Resume(OneMemberArgs),
    /// Remove a member
    Delete(OneMemberArgs),
    /// Give a member these attributes in place of those it has
    Change(ChangeMemberArgs),
    /// Say which past epochs a member may read besides its own: 1-4,7
    Epochs(EpochsArgs),
    /// Begin a new epoch, so that what a member holds opens nothing that comes
    Rekey(OneMemberArgs),
    /// Register a right of the post-quantum suite: all of these attributes together
    Right(RightArgs),
    /// Groups of collectors: who may search which field
    #[command(subcommand)]
    Group(CollectorsCommand),
    /// Show the epoch, the members who sign, and which attributes there are
    Status(AuthorityArgs),
}

/// Groups of collectors.
#[derive(Debug, Subcommand)]
pub(crate) enum CollectorsCommand {
    /// Make a group from a file: JSON with `name`, `collectors` (ids; absent: all), `rules` ([{field, policy}])
    Create(GroupFileArgs),
    /// Put what a file says in the place of a group
    Change(GroupFileArgs),
    /// Remove a group
    Delete(OneGroupArgs),
    /// List groups as JSON
    List(AuthorityArgs),
}

/// Adding an administrator.
#[derive(Debug, Args)]
pub(crate) struct AddAdminArgs {
    /// Its name [default: ask]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// A file with its password; `-` is standard input [default: ask, without echo]
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// The secrets folder of `strongroom kms`, with the operator's key
    #[arg(long, value_name = "DIR", requires = "db")]
    pub(crate) secrets: Option<PathBuf>,
    /// The data folder of `strongroom kms`, with its local socket
    #[arg(long, value_name = "DIR", requires = "secrets")]
    pub(crate) db: Option<PathBuf>,
}

/// Where the authority is, and who asks.
#[derive(Debug, Args)]
pub(crate) struct AuthorityArgs {
    /// The attribute authority
    #[arg(long, env = "STRONGROOM_KMS", default_value = "http://127.0.0.1:5002", value_name = "URL")]
    pub(crate) kms: String,
    /// The authorities that its certificate may come from, PEM [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub(crate) kms_ca: Option<PathBuf>,
    /// A file with an administrator's token; `-` is standard input
    #[arg(long, env = "STRONGROOM_KMS_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CreateMemberArgs {
    /// The wanted name
    pub(crate) name: String,
    /// What it has; nothing, and `change` may give it something later
    #[arg(value_name = "ATTRIBUTE")]
    pub(crate) attributes: Vec<String>,
    /// A file with its password; `-` is standard input [default: ask, without echo]
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Past epochs that it may read: 1-4,7
    #[arg(long, value_name = "LIST")]
    pub(crate) past_epochs: Option<String>,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OneMemberArgs {
    /// The member
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeMemberArgs {
    /// The member
    pub(crate) name: String,
    /// All that it has from now on
    #[arg(value_name = "ATTRIBUTE")]
    pub(crate) attributes: Vec<String>,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EpochsArgs {
    /// The member
    pub(crate) name: String,
    /// The epochs: 1-4,7; an empty list takes them back
    pub(crate) epochs: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RightArgs {
    /// Its attributes
    #[arg(required = true, value_name = "ATTRIBUTE")]
    pub(crate) attributes: Vec<String>,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GroupFileArgs {
    /// The file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OneGroupArgs {
    /// The group
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
}
