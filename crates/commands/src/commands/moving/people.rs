//! Rules of ACLs, as they go over the wire.

use strongroom_api::{AclCovers, AclMode, AclRule};
use strongroom_convection::moving::{Rule, RuleCovers};
use strongroom_convection::storage::AccessMode;
use strongroom_model::Access;

/// A rule as it is asked for.
pub(super) fn rule(rule: &Rule) -> AclRule {
    let mode = match rule.mode {
        AccessMode::Allow => AclMode::Allow,
        AccessMode::Deny => AclMode::Deny,
    };
    let (covers, commands, stores, secrets) = match &rule.covers {
        RuleCovers::Everything => (AclCovers::Everything, Vec::new(), Vec::new(), Vec::new()),
        RuleCovers::Commands(commands) => (AclCovers::Commands, commands.clone(), Vec::new(), Vec::new()),
        RuleCovers::Stores { stores, secrets } => {
            (AclCovers::Stores, Vec::new(), stores.clone(), secrets.clone())
        }
    };
    AclRule { mode, access: rule.access.to_string(), covers, commands, stores, secrets }
}

/// Whether both are the same rule: the order of letters says nothing.
pub(super) fn same_rule(known: &AclRule, wanted: &AclRule) -> bool {
    let access = |rule: &AclRule| Access::from_letters(&rule.access);
    access(known) == access(wanted) && AclRule { access: wanted.access.clone(), ..known.clone() } == *wanted
}
