//! The PDP: decides, with the rule that decided.
//!
//! **What it is for.** A [`Question`] is who asks for which action with which access upon which target;
//! [`Policy::decide`] answers with a [`Decision`] that names its rule. A policy is base [`Rule`]s (what holds whoever is
//! known, and root's) and for each user the [`Acl`]s attached to them or to their groups.
//!
//! **What it promises.** Deny wins, silence denies, and an allow that is too narrow is no match. An ACL of commands never
//! opens a secret; an ACL of stores never grants a command. Patterns match a name whole, in linear time. Users
//! with the same ACLs share one compiled set of them.
//!
//! **What it does not know.** How a caller was proved, what a resource holds, where ACLs are kept. It enforces nothing:
//! the gate does.
//!
//! Start at [`PolicyBuilder`]; the semantics are in `docs/adr/0012-acls.md` and, as code, in `rights.rs`.

mod acl;
mod actions;
mod ask;
mod coverage;
mod explain;
mod nacl;
mod paths;
mod pattern;
mod policy;
mod rights;
mod rules;
mod target;
mod text;
mod verdict;

pub use acl::{Acl, AclError, Covers, List, MAX_PATTERNS};
pub use ask::{Ask, AskError};
pub use explain::{Able, Bearing, Candidate, Explanation};
pub use nacl::{ActionSet, Nacl, NaclRule, Nacls, NetworkAsk};
pub use pattern::{GLOB_PREFIX, MAX_PATTERN_BYTES, Pattern, PatternError, PatternFault};
pub use policy::{NameFilter, Policy, PolicyBuilder, PolicyError, Source};
pub use rules::{Actions, Mode, Rule, RuleSet, Subject};
pub use target::{OwnedTarget, Target};

use std::sync::Arc;
use strongroom_model::{Access, Action, Caller};

/// What is decided.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// For what.
    pub action: Action,
    /// With which access: every bit of it is needed. Of [`Access::PUT`] the gate asks for one bit at a time.
    pub access: Access,
    /// Upon what.
    pub target: Target<'a>,
}

/// An answer and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rule that decided.
    pub rule: Arc<str>,
}
