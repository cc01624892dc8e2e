//! Why: which rule decided, which others speak about the question, and which nearly do.

use crate::acl::{Acl, Covers};
use crate::actions::{Area, area};
use crate::pattern::Pattern;
use crate::policy::{Entitled, Policy};
use crate::rules::Mode;
use crate::{Decision, Question, Target};
use std::sync::Arc;
use strongroom_model::{Access, Action, Caller, Name, Origin, PartitionId, Principal, RequestId, UserId};

/// Most rules that an explanation names beside the one that decided.
const MAX_CANDIDATES: usize = 100;

/// How a rule bears on a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// It decided.
    Decides,
    /// It says something, and another rule goes before it.
    Matches,
    /// Its access lacks what is asked for.
    Access,
    /// None of its patterns matches the store.
    Stores,
    /// It matches the store, and none of its patterns matches the secret.
    Secrets,
    /// It speaks about the action; an ACL of commands opens no secret.
    Commands,
    /// It matches the store; an ACL of stores makes, changes and removes none.
    Administration,
}

impl Bearing {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::Matches => "matches; another rule goes first",
            Self::Access => "no match: its access lacks this",
            Self::Stores => "no match: the store is another",
            Self::Secrets => "no match: the secret is another",
            Self::Commands => "no match: an ACL of commands opens no secret",
            Self::Administration => "no match: an ACL of stores makes, changes and removes no store",
        }
    }
}

/// A rule that bears on a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The rule.
    pub rule: Arc<str>,
    /// Whether it allows or denies.
    pub mode: Mode,
    /// How it bears on the question.
    pub bearing: Bearing,
}

/// A decision with everything that bears on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// What bears on it: the rule that decided first, then what matches, then what nearly does.
    pub candidates: Vec<Candidate>,
}

/// Who may do something, by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Able {
    /// The user.
    pub user: UserId,
    /// The user's name.
    pub name: Name,
    /// The rule that allows it.
    pub rule: Arc<str>,
}

impl Policy {
    /// Decides, and says why.
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let decision = self.decide(question);
        let base =
            self.base.speaking(question).map(|rule| (Arc::clone(&rule.name), rule.mode, Bearing::Matches));
        let own = self.entitled(question).into_iter().flat_map(|entitled| bearings(entitled, question));
        let mut candidates: Vec<_> = base
            .chain(own)
            .map(|(rule, mode, bearing)| {
                let decides = bearing == Bearing::Matches
                    && rule == decision.rule
                    && (mode == Mode::Allow) == decision.allowed;
                Candidate { rule, mode, bearing: if decides { Bearing::Decides } else { bearing } }
            })
            .collect();
        candidates.sort_by_key(|candidate| match candidate.bearing {
            Bearing::Decides => 0,
            Bearing::Matches => 1,
            _ => 2,
        });
        candidates.truncate(MAX_CANDIDATES);
        Explanation { decision, candidates }
    }

    /// The same about a user who is not asking.
    pub fn explain_user(
        &self,
        user: UserId,
        name: Name,
        action: Action,
        access: Access,
        target: Target<'_>,
    ) -> Explanation {
        self.explain(&Question { caller: &stand_in(user, name), action, access, target })
    }

    /// Everyone who may do something, with the rule that allows it, by name.
    pub fn who_can(&self, action: Action, access: Access, target: Target<'_>) -> Vec<Able> {
        let judge = |(user, name): (UserId, &Name)| {
            let caller = stand_in(user, name.clone());
            let decision = self.decide(&Question { caller: &caller, action, access, target });
            decision.allowed.then(|| Able { user, name: name.clone(), rule: decision.rule })
        };
        let mut able: Vec<Able> =
            self.users.iter().filter_map(|(user, entitled)| judge((*user, &entitled.name))).collect();
        able.sort_by(|one, other| one.name.cmp(&other.name));
        able
    }
}

/// Somebody as the rules would see them, on a network.
fn stand_in(user: UserId, name: Name) -> Caller {
    let principal = Arc::new(Principal { partition: PartitionId::default(), user, name });
    let origin = Origin::Local { uid: u32::MAX };
    Caller { principal: Some(principal), ..Caller::anonymous(origin, RequestId::default()) }
}

fn bearings<'p>(
    entitled: &'p Entitled,
    question: &'p Question<'_>,
) -> impl Iterator<Item = (Arc<str>, Mode, Bearing)> + 'p {
    let acls = entitled.rights.acls().iter().zip(&entitled.reasons);
    acls.filter_map(|(acl, reason)| Some((Arc::clone(reason), acl.mode(), bearing(acl, question)?)))
}

/// How an ACL bears on a question: the table of `rights.rs`, for one ACL. `None`: it is about something else.
pub(crate) fn bearing(acl: &Acl, question: &Question<'_>) -> Option<Bearing> {
    let (action, target) = (question.action, &question.target);
    let area = area(action);
    let allows = acl.mode() == Mode::Allow;
    let no_match = match acl.covers() {
        _ if area == Area::Installing => return None,
        Covers::Everything => None,
        Covers::Commands(_) => {
            if !acl.covered(action, question.caller.command).has(question.access) {
                return None;
            }
            (allows && area == Area::Secrets).then_some(Bearing::Commands)
        }
        Covers::Stores { stores, secrets } => {
            let any = |patterns: &[Pattern]| patterns.iter().any(Pattern::is_any);
            let has = |patterns: &[Pattern], name: &str| patterns.iter().any(|pattern| pattern.matches(name));
            match (area, target) {
                (Area::Secrets, Target::Secret { store, path }) => {
                    match (has(stores, store), has(secrets, path)) {
                        (true, true) => None,
                        (true, false) => Some(Bearing::Secrets),
                        (false, true) => Some(Bearing::Stores),
                        (false, false) => return None,
                    }
                }
                (Area::Secrets | Area::StoresRead, Target::Store(store)) => {
                    if !has(stores, store) {
                        return None;
                    }
                    (!allows && !any(secrets)).then_some(Bearing::Secrets)
                }
                (Area::Secrets | Area::StoresRead, Target::Server) => {
                    (!(allows || any(stores) && any(secrets))).then_some(Bearing::Secrets)
                }
                (Area::StoresAdmin, Target::Store(store)) if has(stores, store) => {
                    allows.then_some(Bearing::Administration)
                }
                _ => return None,
            }
        }
    };
    let access = acl.access().has(question.access);
    match (no_match, access) {
        (None, true) => Some(Bearing::Matches),
        (None, false) => Some(Bearing::Access),
        (Some(reason), true) => Some(reason),
        (Some(_), false) => None,
    }
}
