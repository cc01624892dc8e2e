//! ACLs: who may do what.

use super::kinds;
use clap::{ArgGroup, Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum AclCommand {
    /// Create an ACL
    Create {
        /// Its name
        #[arg(value_parser = kinds::name)]
        acl: String,
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// List ACLs
    List,
    /// Show an ACL with whom it is attached to
    Show {
        /// Its name
        #[arg(value_parser = kinds::name)]
        acl: String,
    },
    /// Put another rule in an ACL's place
    Update {
        /// Its name
        #[arg(value_parser = kinds::name)]
        acl: String,
        #[command(flatten)]
        rule: RuleArgs,
        /// Only if this is its revision: nobody changed it since
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Remove an ACL
    Remove {
        /// Its name
        #[arg(value_parser = kinds::name)]
        acl: String,
        /// Also if it is attached: detach it everywhere
        #[arg(long)]
        force: bool,
    },
    /// Attach an ACL to a user or a group
    Attach(AttachArgs),
    /// Detach an ACL from a user or a group
    Detach(AttachArgs),
}

/// The rule. A pattern matches a whole name: a regular expression without back-references and look-around, or a glob
/// after `glob:`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("mode").required(true).args(["allow", "deny"]))]
#[command(group = ArgGroup::new("covers").required(true).args(["everything", "command", "store"]))]
pub(crate) struct RuleArgs {
    /// It allows
    #[arg(long)]
    pub(crate) allow: bool,
    /// It denies, whatever else allows
    #[arg(long)]
    pub(crate) deny: bool,
    /// Which access: r reads, w writes what was not there, m modifies what is, d deletes
    #[arg(long, value_name = "rwmd", default_value = "rwmd")]
    pub(crate) access: String,
    /// It covers everything
    #[arg(long)]
    pub(crate) everything: bool,
    /// It covers commands whose names match, such as audit[.].*; may be given again
    #[arg(long, value_name = "PATTERN")]
    pub(crate) command: Vec<String>,
    /// It covers stores whose names match; may be given again
    #[arg(long, value_name = "PATTERN")]
    pub(crate) store: Vec<String>,
    /// Of those stores, secrets whose paths match; may be given again [default: all]
    #[arg(long, value_name = "PATTERN", requires = "store")]
    pub(crate) secret: Vec<String>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whom").required(true).args(["user", "group"]))]
pub(crate) struct AttachArgs {
    /// The ACL
    #[arg(value_parser = kinds::name)]
    pub(crate) acl: String,
    /// A user
    #[arg(long, value_name = "USER", value_parser = kinds::name)]
    pub(crate) user: Option<String>,
    /// A group
    #[arg(long, value_name = "GROUP", value_parser = kinds::name)]
    pub(crate) group: Option<String>,
}
