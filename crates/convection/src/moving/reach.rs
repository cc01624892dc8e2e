//! What each user could do and can do now: both decided, for every command, store and secret, and compared.

use super::acls::{PlannedAcl, compiled};
use super::meaning::{self, Meaning, Scope};
use super::plan::Plan;
use crate::storage::{OldAcl, People};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_authz::{Policy, PolicyBuilder, Question, Source, Target};
use strongroom_model::{
    AclId, Action, Caller, Command, Name, Origin, PartitionId, Principal, RequestId, UserId,
};

/// Most questions that are asked.
const MAX_QUESTIONS: usize = 2_000_000;
/// Most names that a difference shows.
const SHOWN: usize = 5;

/// Something that was possible and is not, or was not and is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Users, by their new names, who have the same ACLs.
    pub users: Vec<String>,
    /// What they ask for.
    pub command: &'static str,
    /// In which store, if it is about secrets.
    pub store: Option<String>,
    /// Whether it is possible now.
    pub now: bool,
    /// Upon how many stores or secrets; 0 if it is about neither.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// Some of them.
    pub examples: Vec<String>,
}

/// The comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// What is different.
    pub differences: Vec<Difference>,
    /// How many questions were asked of both.
    pub asked: usize,
    /// Whether there were too many questions, and the rest was not asked.
    pub cut: bool,
    /// Users with an ACL that cannot be searched here, so that what they could do is not known.
    pub unknown: Vec<String>,
}

/// The action that a command asks for first.
pub(super) fn action(command: Command) -> Option<Action> {
    match command {
        // its settings never could be changed
        Command::StoreConfig => Some(Action::ReadStore),
        _ => command.actions().first().copied(),
    }
}

/// What somebody has: the ACLs that were, and the user who has those that are.
struct Set<'a> {
    users: Vec<String>,
    then: Vec<&'a Meaning>,
    caller: Caller,
}

/// Compares.
pub(super) fn compare(people: &People, plan: &Plan) -> Reach {
    let mut reach = Reach::default();
    let meanings: BTreeMap<&str, Option<Meaning>> =
        people.acls.iter().rev().map(|acl: &OldAcl| (acl.name.as_str(), Meaning::of(acl).ok())).collect();
    let mut builder = PolicyBuilder::new(Vec::new(), Vec::new());
    let ids: BTreeMap<&str, AclId> =
        (1_u128..).zip(&plan.acls).filter_map(|(id, acl)| made(id, acl, &mut builder)).collect();
    let mut sets: BTreeMap<BTreeSet<&str>, Set<'_>> = BTreeMap::new();
    for (number, user) in (1_u128..).zip(&plan.users) {
        if user.is_protected() {
            continue;
        }
        let names = attached(people, &user.old);
        if names.iter().any(|name| matches!(meanings.get(name), Some(None))) {
            reach.unknown.push(user.name.clone());
            continue;
        }
        if let Some(set) = sets.get_mut(&names) {
            set.users.push(user.name.clone());
            continue;
        }
        let Ok(name) = Name::new(&user.name) else { continue };
        let id = UserId(number.to_be_bytes());
        let now = names.iter().filter_map(|name| Some((*ids.get(name)?, Source::Direct)));
        builder.user(id, name.clone(), now.collect::<Vec<_>>());
        let principal = Principal { partition: PartitionId::default(), user: id, name };
        let mut caller = Caller::anonymous(Origin::Internal, RequestId::default());
        caller.principal = Some(Arc::new(principal));
        let then = names.iter().filter_map(|name| meanings.get(name)?.as_ref()).collect();
        sets.insert(names, Set { users: vec![user.name.clone()], then, caller });
    }
    let Ok(policy) = builder.build() else { return reach };
    let mut sets: Vec<Set<'_>> = sets.into_values().collect();
    for set in &mut sets {
        // whoever has a key may prove it here: a token can do only what ACLs allow
        if !meaning::decide(set.then.iter().copied(), Command::Authorize, None, None) {
            reach.differences.push(Difference {
                users: set.users.clone(),
                command: Command::Authorize.name(),
                store: None,
                now: true,
                count: 0,
                of: 0,
                examples: Vec::new(),
            });
        }
        for command in Command::ALL.iter().copied().filter(|command| !meaning::is_everybodys(*command)) {
            set.caller.command = Some(command);
            of_command(&mut reach, &policy, set, command, plan);
        }
    }
    reach
}

fn made<'a>(id: u128, acl: &'a PlannedAcl, builder: &mut PolicyBuilder) -> Option<(&'a str, AclId)> {
    let id = AclId(id.to_be_bytes());
    builder.acl(id, compiled(Name::new(&acl.name).ok()?, &acl.rule).ok()?);
    Some((acl.old.as_str(), id))
}

/// The names of a user's ACLs: the user's own, and those of groups that name the user.
pub(super) fn attached<'a>(people: &'a People, user: &str) -> BTreeSet<&'a str> {
    let own = people.users.iter().filter(|known| known.name == user).flat_map(|user| &user.acls);
    let groups = people.groups.iter().filter(|group| group.users.iter().any(|member| member == user));
    own.chain(groups.flat_map(|group| &group.acls)).map(String::as_str).collect()
}

fn of_command(reach: &mut Reach, policy: &Policy, set: &Set<'_>, command: Command, plan: &Plan) {
    match meaning::scope(command) {
        Scope::Nothing => {
            let asked = [("", None, None, Target::Server)];
            told(reach, policy, set, command, None, asked);
        }
        Scope::Store => {
            let asked = plan.stores.iter().map(|store| {
                (store.name.as_str(), Some(store.old.as_str()), None, Target::Store(&store.name))
            });
            told(reach, policy, set, command, None, asked);
        }
        Scope::Secret => {
            for store in &plan.stores {
                let asked = store.secrets.iter().map(|secret| {
                    let target = Target::Secret { store: &store.name, path: &secret.path };
                    (secret.path.as_str(), Some(store.old.as_str()), Some(secret.old.as_str()), target)
                });
                told(reach, policy, set, command, Some(&store.name), asked);
            }
        }
    }
}

type Asked<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Target<'a>);

fn told<'a>(
    reach: &mut Reach,
    policy: &Policy,
    set: &Set<'_>,
    command: Command,
    store: Option<&str>,
    asked: impl IntoIterator<Item = Asked<'a>>,
) {
    let Some(action) = action(command) else { return };
    let mut counts: [(usize, Vec<String>); 2] = Default::default();
    let mut of = 0;
    for (name, old_store, old_secret, target) in asked {
        if reach.asked >= MAX_QUESTIONS {
            reach.cut = true;
            return;
        }
        reach.asked += 1;
        of += usize::from(!name.is_empty());
        let then = meaning::decide(set.then.iter().copied(), command, old_store, old_secret);
        let question = Question { caller: &set.caller, action, access: command.covers(action), target };
        let now = policy.decide(&question).allowed;
        let [lost, won] = &mut counts;
        let counted = if now { won } else { lost };
        if then != now {
            counted.0 += 1;
            if counted.1.len() < SHOWN && !name.is_empty() {
                counted.1.push(name.to_owned());
            }
        }
    }
    for (now, (count, examples)) in [false, true].into_iter().zip(counts) {
        if count > 0 {
            let count = if of == 0 { 0 } else { count };
            reach.differences.push(Difference {
                users: set.users.clone(),
                command: command.name(),
                store: store.map(str::to_owned),
                now,
                count,
                of,
                examples,
            });
        }
    }
}
