//! Policies: immutable snapshots of who may do what.

use crate::acl::Acl;
use crate::rights::{Names, Rights};
use crate::rules::{Mode, Rule, RuleSet};
use crate::text::OpenText;
use crate::{Decision, Question, Target};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;
use strongroom_model::{AclId, Action, Caller, MAX_COMPONENT_BYTES, Name, UserId};

/// Most sources of one ACL that a reason names.
const SHOWN_SOURCES: usize = 3;

/// Where a user has an ACL from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Attached to the user.
    Direct,
    /// Attached to a group that the user is in.
    Group(Name),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Direct => f.write_str("directly"),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Self::Group(name) = self {
            name.end(strongroom_secret::wipe);
        }
    }
}

/// Why there is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A user has an ACL that is not there: a deny that is missing would open what it closes.
    #[error("ACL {acl} of user {user} is missing")]
    MissingAcl {
        /// The ACL.
        acl: AclId,
        /// The user.
        user: UserId,
    },
}

/// A user's ACLs, each with where it is from.
type Attached = Vec<(AclId, Source)>;

/// Gathers what a [`Policy`] is made of.
#[derive(Debug)]
pub struct PolicyBuilder {
    base: Vec<Rule>,
    full: Vec<(UserId, Name)>,
    acls: HashMap<AclId, Arc<Acl>>,
    users: Vec<(UserId, Name, Attached)>,
}

impl PolicyBuilder {
    /// Begins with the rules that hold whoever is known, and the users who may do anything. No ACL reaches
    /// them: an installation is not locked out of itself.
    pub fn new(base: Vec<Rule>, full: Vec<(UserId, Name)>) -> Self {
        Self { base, full, acls: HashMap::new(), users: Vec::new() }
    }

    /// Adds an ACL.
    pub fn acl(&mut self, id: AclId, acl: impl Into<Arc<Acl>>) {
        self.acls.insert(id, acl.into());
    }

    /// Adds a user with every ACL that is attached to them or to their groups.
    pub fn user(&mut self, user: UserId, name: Name, acls: impl IntoIterator<Item = (AclId, Source)>) {
        self.users.push((user, name, acls.into_iter().collect()));
    }

    /// Compiles.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let Self { mut base, full, acls, users } = self;
        base.extend(full.iter().map(|(user, name)| RuleSet::full(*user, name)));
        let full = full.into_iter().map(|(user, _)| user).collect();
        let mut sets: HashMap<Vec<AclId>, Arc<Rights>> = HashMap::new();
        let mut labels: HashMap<OpenText, Arc<str>> = HashMap::new();
        let mut entitled = HashMap::with_capacity(users.len());
        for (user, name, attached) in users {
            let mut sources: BTreeMap<AclId, Vec<Source>> = BTreeMap::new();
            for (acl, source) in attached {
                sources.entry(acl).or_default().push(source);
            }
            let mut own = Vec::with_capacity(sources.len());
            for (id, sources) in sources {
                let acl = acls.get(&id).ok_or(PolicyError::MissingAcl { acl: id, user })?;
                own.push((id, acl, label(acl, sources)));
            }
            // denies first, then by name: the order in which they are named as reasons
            own.sort_by(|(_, one, _), (_, other, _)| rank(one).cmp(&rank(other)));
            let key = own.iter().map(|(id, ..)| *id).collect();
            let compile = || Arc::new(Rights::new(own.iter().map(|(_, acl, _)| Arc::clone(acl)).collect()));
            let rights = Arc::clone(sets.entry(key).or_insert_with(compile));
            let reasons = own.into_iter().map(|(_, _, label)| {
                Arc::clone(labels.entry(label).or_insert_with_key(|label| Arc::from(&**label)))
            });
            entitled.insert(user, Entitled { name, rights, reasons: reasons.collect() });
        }
        Ok(Policy { base: RuleSet::new(base), full, users: entitled })
    }
}

fn rank(acl: &Acl) -> (bool, &str) {
    (acl.mode() == Mode::Allow, acl.name().as_str())
}

/// `acl web-read (group devs)`.
fn label(acl: &Acl, mut sources: Vec<Source>) -> OpenText {
    sources.sort();
    sources.dedup();
    // in one piece from the start: a text that grows leaves what it was behind
    let mut text = String::with_capacity((SHOWN_SOURCES + 2) * MAX_COMPONENT_BYTES);
    // a text takes whatever is written to it
    let _ = write_label(&mut text, acl, &sources);
    let label = OpenText::from(text.as_str());
    strongroom_secret::wipe(&mut text);
    label
}

fn write_label(text: &mut String, acl: &Acl, sources: &[Source]) -> std::fmt::Result {
    write!(text, "acl {} (", acl.name())?;
    for (at, source) in sources.iter().take(SHOWN_SOURCES).enumerate() {
        write!(text, "{}{source}", if at == 0 { "" } else { ", " })?;
    }
    match sources.len().saturating_sub(SHOWN_SOURCES) {
        0 => write!(text, ")"),
        more => write!(text, ", {more} more)"),
    }
}

/// What a user is entitled to.
pub(crate) struct Entitled {
    pub(crate) name: Name,
    pub(crate) rights: Arc<Rights>,
    /// For each of the rights' ACLs, what a reason says.
    pub(crate) reasons: Box<[Arc<str>]>,
}

/// Names are wiped with the policy, reasons with the last who has them: at a lock, but for requests that are still at work.
impl Drop for Entitled {
    fn drop(&mut self) {
        self.name.end(strongroom_secret::wipe);
        self.reasons.iter_mut().filter_map(Arc::get_mut).for_each(strongroom_secret::wipe);
    }
}

/// Who may do what: a snapshot that does not change.
pub struct Policy {
    pub(crate) base: RuleSet,
    pub(crate) full: Vec<UserId>,
    pub(crate) users: HashMap<UserId, Entitled>,
}

impl Policy {
    /// Decides. Deny wins, silence denies.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let base = self.base.judge(question);
        if let Some(Decision { allowed: false, .. }) = base {
            return base.unwrap_or_else(|| self.base.silence());
        }
        let Some(entitled) = self.entitled(question) else {
            return base.unwrap_or_else(|| self.base.silence());
        };
        let command = question.caller.command;
        let verdict = entitled.rights.verdict(question.action, command, question.access, &question.target);
        let reason = |place: u32| {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            entitled.reasons.get(place).map_or_else(|| Arc::from("an acl"), Arc::clone)
        };
        if let Some(place) = verdict.denied(question.access) {
            return Decision { allowed: false, rule: reason(place) };
        }
        if let Some(base) = base {
            return base;
        }
        match verdict.allowed(question.access) {
            Some(place) => Decision { allowed: true, rule: reason(place) },
            None => self.base.silence(),
        }
    }

    /// Which names of a store's secrets a listing shows to whoever asks: name by name what [`Self::decide`] says of the
    /// listing upon each secret.
    pub fn names(&self, caller: &Caller, action: Action, store: &str) -> NameFilter {
        let target = Target::Secret { store, path: "" };
        let question = Question { caller, action, access: action.access(), target };
        let names = match (self.base.judge(&question), self.entitled(&question)) {
            (Some(Decision { allowed: false, .. }), _) | (None, None) => Names::None,
            // a base rule knows no names: all of them, or none
            (Some(_), None) => Names::All,
            (_, Some(entitled)) => entitled.rights.names(action, caller.command, store),
        };
        NameFilter(names)
    }

    /// The ACLs that speak about whoever asks.
    pub(crate) fn entitled(&self, question: &Question<'_>) -> Option<&Entitled> {
        let user = question.caller.principal.as_ref().filter(|_| !question.caller.is_member())?.user;
        if self.full.contains(&user) { None } else { self.users.get(&user) }
    }

    /// Whether a user is known.
    pub fn knows(&self, user: UserId) -> bool {
        self.users.contains_key(&user) || self.full.contains(&user)
    }

    /// How many compiled sets of ACLs there are.
    pub fn sets(&self) -> usize {
        let sets = self.users.values().map(|entitled| Arc::as_ptr(&entitled.rights));
        sets.collect::<std::collections::HashSet<_>>().len()
    }
}

/// Which names of a store are shown to somebody.
pub struct NameFilter(Names);

impl NameFilter {
    /// Whether a secret's path is shown.
    pub fn shows(&self, path: &str) -> bool {
        self.0.shows(path)
    }
}

impl std::fmt::Debug for NameFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NameFilter")
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy({} users)", self.users.len())
    }
}
