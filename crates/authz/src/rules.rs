//! Base rules: what holds whoever is known, and root's.

use crate::actions::ActionSet;
use crate::{Decision, Question};
use std::sync::Arc;
use strongroom_model::{Action, Caller, Credential, Name, Origin, Principal, UserId};

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
    /// A member of the sharing system; one who administers it, or one who does not.
    Member {
        /// Which of both.
        admin: bool,
    },
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
            Self::AnyUser => caller.principal.is_some() && !caller.is_member(),
            Self::User(user) => {
                let is_user = |principal: &Arc<Principal>| principal.user == *user;
                !caller.is_member() && caller.principal.as_ref().is_some_and(is_user)
            }
            Self::Member { admin: wanted } => {
                matches!(caller.credential, Credential::Member { admin, .. } if admin == *wanted)
            }
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
    fn set(&self) -> ActionSet {
        let mut set = ActionSet::default();
        match self {
            Self::All => set.add(Action::ALL.iter().copied()),
            Self::Only(actions) => set.add(actions.iter().copied()),
        }
        set
    }
}

/// Whether a rule allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    rules: Vec<(ActionSet, Rule)>,
    silence: Arc<str>,
}

impl RuleSet {
    /// From rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        let compile = |rule: Rule| (rule.actions.set(), rule);
        Self { rules: rules.into_iter().map(compile).collect(), silence: "no rule allows it".into() }
    }

    /// The rules every server has: who may install, what needs no credential, what every user may do.
    pub fn built_in(server_uid: u32) -> Vec<Rule> {
        use Action as A;
        let mut rules = vec![
            Rule::allow(
                "an installer may initialise",
                Subject::Installer { server_uid },
                Actions::Only(vec![A::Initialise, A::ConfirmInitialise]),
            ),
            Rule::allow("anyone may present an unlock key", Subject::Anyone, Actions::Only(vec![A::Unlock])),
            Rule::allow(
                "anyone may prove an access key or a password",
                Subject::Anyone,
                Actions::Only(vec![A::Challenge, A::Authorize, A::Login]),
            ),
            Rule::allow(
                "a user may look after their own tokens, keys and password",
                Subject::AnyUser,
                Actions::Only(vec![
                    A::LookupToken,
                    A::RenewToken,
                    A::Deauth,
                    A::ListOwnTokens,
                    A::RevokeOwnToken,
                    A::ReadSelf,
                    A::AddOwnAccessKey,
                    A::RemoveOwnAccessKey,
                    A::SetOwnPassword,
                    A::ExplainSelf,
                ]),
            ),
            Rule::allow(
                "the server does its own chores",
                Subject::Server,
                Actions::Only(vec![
                    A::Start,
                    A::Stop,
                    A::AutoUnlock,
                    A::ConfirmRotateRoot,
                    A::Checkpoint,
                    A::Housekeeping,
                    // its second entry: how it ended
                    A::CreateBackup,
                    A::ArchiveTrail,
                    A::FollowTrail,
                    A::JobStep,
                    A::SharingUpkeep,
                ]),
            ),
        ];
        rules.extend(sharing::rules());
        rules
    }

    /// The rules of a user who may do anything.
    pub fn full(user: UserId, name: &Name) -> Rule {
        // installing is bound to a place, not to a user
        let all = Action::ALL.iter().copied();
        let actions = all.filter(|action| !matches!(action, Action::Initialise | Action::ConfirmInitialise));
        Rule::allow(&format!("{name} may do anything"), Subject::User(user), Actions::Only(actions.collect()))
    }

    /// Decides. Deny wins, silence denies.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        self.judge(question).unwrap_or_else(|| self.silence())
    }

    /// The rules that say something.
    pub(crate) fn speaking<'q>(&'q self, question: &'q Question<'_>) -> impl Iterator<Item = &'q Rule> {
        let about = |(actions, rule): &&(ActionSet, Rule)| {
            actions.has(question.action) && rule.subject.is(question.caller)
        };
        self.rules.iter().filter(about).map(|(_, rule)| rule)
    }

    /// What a rule says; `None`: none does.
    pub(crate) fn judge(&self, question: &Question<'_>) -> Option<Decision> {
        let mut allowed = None;
        for rule in self.speaking(question) {
            match rule.mode {
                Mode::Deny => return Some(Decision { allowed: false, rule: Arc::clone(&rule.name) }),
                Mode::Allow => allowed = allowed.or(Some(&rule.name)),
            }
        }
        allowed.map(|rule| Decision { allowed: true, rule: Arc::clone(rule) })
    }

    /// That no rule says anything.
    pub(crate) fn silence(&self) -> Decision {
        Decision { allowed: false, rule: Arc::clone(&self.silence) }
    }
}

mod sharing;

#[cfg(test)]
mod tests;
