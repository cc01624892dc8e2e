//! All of it together.

use super::acls::{AclReport, PlannedAcl, translated};
use super::names::{Kind, Naming, Refused, Renames};
use super::people::{PlannedGroup, PlannedUser};
use super::reach::{self, Reach};
use super::stores::{PlannedStore, SecretFault};
use crate::storage::{OldAcl, Opened, People};
use std::collections::{BTreeMap, BTreeSet};

/// What is wished beside what the files say.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Names that are given anew.
    pub renames: Renames,
    /// What stays where it is.
    pub leave_out: BTreeSet<(Kind, String)>,
    /// Stores of passwords that become stores of values, by their old names.
    pub as_generic: BTreeSet<String>,
    /// Whether root's access keys are brought over.
    pub with_root: bool,
}

impl Wishes {
    pub(super) fn leaves_out(&self, kind: Kind, name: &str) -> bool {
        self.leave_out.contains(&(kind, name.to_owned()))
    }
}

/// Something that is not brought over, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What is brought over.
#[derive(Debug, Default)]
pub struct Plan {
    /// Keysets, by their new names.
    pub keysets: Vec<String>,
    /// Stores.
    pub stores: Vec<PlannedStore>,
    /// Users.
    pub users: Vec<PlannedUser>,
    /// Groups.
    pub groups: Vec<PlannedGroup>,
    /// ACLs.
    pub acls: Vec<PlannedAcl>,
    /// What is not as it was, by ACL.
    pub acl_report: Vec<(String, Vec<AclReport>)>,
    /// Names that have to be given anew first.
    pub refused: Vec<Refused>,
    /// Denies that would be lost, and with them what they close.
    pub lost_denies: Vec<String>,
    /// What is not brought over.
    pub left_out: Vec<LeftOut>,
    /// What users could do and can do.
    pub reach: Reach,
}

impl Plan {
    /// Makes the plan of what was opened.
    pub fn of(opened: Opened, wishes: &Wishes) -> Self {
        let mut plan = Self::default();
        plan.take_stores(opened.keysets, opened.stores, wishes);
        if let Some(people) = opened.people {
            plan.take_people(people, wishes);
        }
        plan.take_left_out();
        plan
    }

    /// Secrets whose values cannot be kept: store, name, why.
    pub fn secret_faults(&self) -> impl Iterator<Item = (&str, &str, SecretFault)> {
        self.stores.iter().flat_map(|store| {
            store.faults.iter().map(|(name, fault)| (store.old.as_str(), name.as_str(), *fault))
        })
    }

    /// How many secrets there are.
    pub fn secrets(&self) -> usize {
        self.stores.iter().map(|store| store.secrets.len()).sum()
    }

    fn take_stores(
        &mut self,
        mut keysets: Vec<String>,
        mut stores: Vec<crate::storage::OpenedStore>,
        wishes: &Wishes,
    ) {
        keysets.retain(|name| {
            !wishes.leaves_out(Kind::Keyset, name) || stores.iter().any(|store| store.keyset() == name)
        });
        stores.retain(|store| !wishes.leaves_out(Kind::Store, &store.name));
        let given = names(Kind::Keyset, &keysets, |name| name.as_str(), &wishes.renames, &mut self.refused);
        self.keysets = keysets.iter().map(|name| given.get(name).unwrap_or(name).clone()).collect();
        let of_stores =
            names(Kind::Store, &stores, |store| store.name.as_str(), &wishes.renames, &mut self.refused);
        for store in stores {
            let name = of_stores.get(&store.name).unwrap_or(&store.name).clone();
            let keyset = given.get(store.keyset()).map_or(store.keyset(), String::as_str).to_owned();
            self.stores.push(PlannedStore::of(store, name, keyset, wishes, &mut self.refused));
        }
    }

    fn take_people(&mut self, mut people: People, wishes: &Wishes) {
        people.users.retain(|user| !wishes.leaves_out(Kind::User, &user.name));
        people.groups.retain(|group| !wishes.leaves_out(Kind::Group, &group.name));
        let mut seen = BTreeSet::new();
        // the first of a name was the one that held
        people.acls.retain(|acl| seen.insert(acl.name.clone()) && !wishes.leaves_out(Kind::Acl, &acl.name));
        let renames = &wishes.renames;
        let users = names(Kind::User, &people.users, |user| &user.name, renames, &mut self.refused);
        let groups = names(Kind::Group, &people.groups, |group| &group.name, renames, &mut self.refused);
        let acls = names(Kind::Acl, &people.acls, |acl| &acl.name, renames, &mut self.refused);
        people
            .acls
            .iter()
            .for_each(|acl| self.take_acl(acl, acls.get(&acl.name).cloned().unwrap_or_default()));
        let made: BTreeSet<&str> = self.acls.iter().map(|acl| acl.old.as_str()).collect();
        let attached = |of: &str, names: &[String], left_out: &mut Vec<LeftOut>| {
            let new = names.iter().filter_map(|name| {
                let new = acls.get(name).filter(|_| made.contains(name.as_str())).cloned();
                if new.is_none() {
                    let what = format!("ACL {name} of {of}");
                    left_out
                        .push(LeftOut { what, why: "there is no such ACL, or it is not made".to_owned() });
                }
                new
            });
            new.collect::<BTreeSet<_>>().into_iter().collect::<Vec<String>>()
        };
        let mut left_out = Vec::new();
        for user in &people.users {
            let name = users.get(&user.name).cloned().unwrap_or_default();
            let acls = attached(&format!("user {}", user.name), &user.acls, &mut left_out);
            self.users.push(PlannedUser::of(user, name, acls, wishes.with_root));
        }
        for group in &people.groups {
            let name = groups.get(&group.name).cloned().unwrap_or_default();
            let acls = attached(&format!("group {}", group.name), &group.acls, &mut left_out);
            let members: BTreeSet<String> =
                group.users.iter().filter_map(|user| users.get(user).cloned()).collect();
            self.groups.push(PlannedGroup {
                old: group.name.clone(),
                name,
                members: members.into_iter().collect(),
                acls,
            });
        }
        self.left_out.append(&mut left_out);
        self.reach = reach::compare(&people, self);
    }

    fn take_acl(&mut self, acl: &OldAcl, name: String) {
        let stores: Vec<(&str, &str)> = self
            .stores
            .iter()
            .map(|store| (store.old.as_str(), store.name.as_str()))
            .filter(|(old, new)| old != new)
            .collect();
        let secrets: Vec<(&str, &str)> = self
            .stores
            .iter()
            .flat_map(|store| &store.secrets)
            .map(|secret| (secret.old.as_str(), secret.path.as_str()))
            .filter(|(old, new)| old != new)
            .collect();
        let outcome = translated(acl, &stores, &secrets);
        if outcome.lost_deny {
            self.lost_denies.push(acl.name.clone());
        }
        if !outcome.report.is_empty() {
            self.acl_report.push((acl.name.clone(), outcome.report));
        }
        if let Some(rule) = outcome.rule {
            self.acls.push(PlannedAcl { old: acl.name.clone(), name, rule });
        }
    }

    fn take_left_out(&mut self) {
        for user in &mut self.users {
            for (id, fault) in &user.key_faults {
                let what = format!("access key {id} of user {}", user.old);
                self.left_out.push(LeftOut { what, why: fault.to_string() });
            }
            if user.tokens > 0 {
                let what = format!("{} tokens of user {}", user.tokens, user.old);
                self.left_out.push(LeftOut { what, why: "tokens are not brought over".to_owned() });
            }
            if user.is_protected() && !user.acls.is_empty() {
                let what = format!("ACLs of user {}", user.old);
                let why = format!("no ACL reaches {}: {}", user.name, user.acls.join(", "));
                self.left_out.push(LeftOut { what, why });
                user.acls.clear();
            }
        }
        let keyless = |user: &PlannedUser| user.name == "recovery" && user.keys.is_empty();
        for user in self.users.iter().filter(|user| keyless(user)) {
            let what = format!("user {}", user.old);
            self.left_out
                .push(LeftOut { what, why: "recovery needs an access key, and none is left".to_owned() });
        }
        self.users.retain(|user| !keyless(user));
        let users: BTreeSet<&String> = self.users.iter().map(|user| &user.name).collect();
        self.groups.iter_mut().for_each(|group| group.members.retain(|member| users.contains(member)));
    }
}

/// New names by old ones.
fn names<T>(
    kind: Kind,
    of: &[T],
    name: impl for<'a> Fn(&'a T) -> &'a str,
    renames: &Renames,
    refused: &mut Vec<Refused>,
) -> BTreeMap<String, String> {
    let given = Naming::new(kind, renames, refused).names(of.iter().map(&name), "");
    of.iter().map(|one| name(one).to_owned()).zip(given).collect()
}
