//! The PDP: decides, with the rule that decided.
//!
//! **What it is for.** A [`Question`] is who asks for which action on which resource; [`RuleSet::decide`] answers
//! with a [`Decision`] that names its rule. Deny wins, silence denies.
//!
//! **What it does not know.** How a caller was proved, what a resource holds. It enforces nothing: the gate does.

mod nacl;

pub use nacl::{ActionSet, Nacl, NaclRule, Nacls};

use std::sync::Arc;
use strongroom_model::{Action, Caller, Credential, Origin, UserId};

/// What is decided.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// For what.
    pub action: Action,
    /// On what: the resource's path as resolved, `STORE/PATH` for a secret.
    pub resource: &'a str,
}

/// An answer and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rule that decided.
    pub rule: Arc<str>,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Anyone who reaches a listener.
    Anyone,
    /// Whoever may install: root or the server's own user on the local socket, or the installation token's bearer.
    Installer {
        /// The server's own uid.
        server_uid: u32,
    },
    /// Any user with a valid credential.
    AnyUser,
    /// One user.
    User(UserId),
    /// The server itself.
    Server,
}

impl Subject {
    fn is(&self, caller: &Caller) -> bool {
        match self {
            Self::Anyone => caller.origin != Origin::Internal,
            Self::Installer { server_uid } => match caller.origin {
                Origin::Local { uid } if uid == 0 || uid == *server_uid => true,
                Origin::Local { .. } | Origin::Network(_) => caller.credential == Credential::Installation,
                Origin::Internal => false,
            },
            Self::AnyUser => caller.principal.is_some(),
            Self::User(user) => caller.principal.as_ref().is_some_and(|principal| principal.user == *user),
            Self::Server => caller.origin == Origin::Internal,
        }
    }
}

/// Which actions a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// All of them.
    All,
    /// These.
    Only(Vec<Action>),
}

impl Actions {
    fn has(&self, action: Action) -> bool {
        match self {
            Self::All => true,
            Self::Only(actions) => actions.contains(&action),
        }
    }
}

/// Whether a rule allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name: what the trail and a refusal say.
    pub name: Arc<str>,
    /// Whom it is about.
    pub subject: Subject,
    /// What it is about.
    pub actions: Actions,
    /// Whether it allows or denies.
    pub mode: Mode,
}

impl Rule {
    /// A rule that allows.
    pub fn allow(name: &str, subject: Subject, actions: Actions) -> Self {
        Self { name: name.into(), subject, actions, mode: Mode::Allow }
    }

    /// A rule that denies.
    pub fn deny(name: &str, subject: Subject, actions: Actions) -> Self {
        Self { name: name.into(), subject, actions, mode: Mode::Deny }
    }
}

/// Rules, compiled.
#[derive(Debug, Clone)]
pub struct RuleSet {
    rules: Vec<Rule>,
    silence: Arc<str>,
}

impl RuleSet {
    /// From rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules, silence: "no rule allows it".into() }
    }

    /// The rules every server has: who may install, what needs no credential, what every user may do.
    pub fn built_in(server_uid: u32) -> Vec<Rule> {
        use Action as A;
        vec![
            Rule::allow(
                "an installer may initialise",
                Subject::Installer { server_uid },
                Actions::Only(vec![A::Initialise, A::ConfirmInitialise]),
            ),
            Rule::allow("anyone may present an unlock key", Subject::Anyone, Actions::Only(vec![A::Unlock])),
            Rule::allow(
                "anyone may prove an access key",
                Subject::Anyone,
                Actions::Only(vec![A::Challenge, A::Authorize]),
            ),
            Rule::allow(
                "a user may look up and end their own token",
                Subject::AnyUser,
                Actions::Only(vec![A::LookupToken, A::Deauth]),
            ),
            Rule::allow(
                "the server does its own chores",
                Subject::Server,
                Actions::Only(vec![A::Start, A::Stop, A::AutoUnlock, A::Checkpoint, A::Housekeeping]),
            ),
        ]
    }

    /// The rules of a user who may do anything.
    pub fn root(user: UserId) -> Rule {
        // installing is bound to a place, not to a user
        let all = Action::ALL.iter().copied();
        let actions = all.filter(|action| !matches!(action, Action::Initialise | Action::ConfirmInitialise));
        Rule::allow("root may do anything", Subject::User(user), Actions::Only(actions.collect()))
    }

    /// Decides. Deny wins, silence denies.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let mut allowed = None;
        for rule in self.rules.iter().filter(|rule| rule.actions.has(question.action)) {
            if rule.subject.is(question.caller) {
                match rule.mode {
                    Mode::Deny => return Decision { allowed: false, rule: Arc::clone(&rule.name) },
                    Mode::Allow => allowed = allowed.or(Some(&rule.name)),
                }
            }
        }
        Decision { allowed: allowed.is_some(), rule: Arc::clone(allowed.unwrap_or(&self.silence)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::{Name, PartitionId, Principal, RequestId};

    const ROOT: UserId = UserId([1; 16]);

    fn caller(origin: Origin, user: Option<UserId>) -> Caller {
        let principal = user.map(|user| {
            Arc::new(Principal {
                partition: PartitionId::default(),
                user,
                name: Name::new("someone").unwrap(),
            })
        });
        Caller { principal, ..Caller::anonymous(origin, RequestId::default()) }
    }

    fn rules() -> RuleSet {
        let mut rules = RuleSet::built_in(1000);
        rules.push(RuleSet::root(ROOT));
        RuleSet::new(rules)
    }

    fn allowed(caller: &Caller, action: Action) -> bool {
        rules().decide(&Question { caller, action, resource: "" }).allowed
    }

    /// Every action against every kind of caller: who may do what, as one reviewed table.
    #[test]
    fn the_whole_table_is_as_reviewed() {
        let network = Origin::network("127.0.0.1".parse().unwrap());
        let nobody = caller(network, None);
        let root = caller(network, Some(ROOT));
        let other = caller(network, Some(UserId([2; 16])));
        let server = caller(Origin::Internal, None);
        let installer = caller(Origin::Local { uid: 1000 }, None);
        for action in Action::ALL.iter().copied() {
            use Action as A;
            let install = matches!(action, A::Initialise | A::ConfirmInitialise);
            let open = matches!(action, A::Unlock | A::Challenge | A::Authorize);
            let own = matches!(action, A::LookupToken | A::Deauth);
            let chore =
                matches!(action, A::Start | A::Stop | A::AutoUnlock | A::Checkpoint | A::Housekeeping);
            assert_eq!(allowed(&nobody, action), open, "nobody {action:?}");
            assert_eq!(allowed(&root, action), !install, "root {action:?}");
            assert_eq!(allowed(&other, action), open || own, "other {action:?}");
            assert_eq!(allowed(&server, action), chore, "server {action:?}");
            assert_eq!(allowed(&installer, action), open || install, "installer {action:?}");
        }
    }

    #[test]
    fn only_root_the_server_uid_and_the_token_bearer_install() {
        for (uid, expected) in [(0, true), (1000, true), (1001, false)] {
            assert_eq!(allowed(&caller(Origin::Local { uid }, None), Action::Initialise), expected, "{uid}");
        }
        let mut remote = caller(Origin::network("127.0.0.1".parse().unwrap()), None);
        assert!(!allowed(&remote, Action::Initialise));
        remote.credential = Credential::Installation;
        assert!(allowed(&remote, Action::Initialise));
        assert!(!allowed(&remote, Action::Lock), "and nothing else");
    }

    #[test]
    fn deny_wins_and_silence_denies() {
        let deny = Rule::deny("not today", Subject::User(ROOT), Actions::Only(vec![Action::Lock]));
        let rules = RuleSet::new(vec![RuleSet::root(ROOT), deny]);
        let caller = caller(Origin::Local { uid: 7 }, Some(ROOT));
        let decide = |action| rules.decide(&Question { caller: &caller, action, resource: "" });
        assert_eq!(decide(Action::Lock), Decision { allowed: false, rule: "not today".into() });
        assert!(decide(Action::GetSecret).allowed);
        let silent = RuleSet::new(Vec::new());
        let decision = silent.decide(&Question { caller: &caller, action: Action::Lock, resource: "" });
        assert_eq!(decision, Decision { allowed: false, rule: "no rule allows it".into() });
    }
}
