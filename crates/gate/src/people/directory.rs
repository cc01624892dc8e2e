//! Who and what there is, in memory while unlocked: users with their credentials, groups with their members, ACLs. The rows
//! are the truth; each change is made here once it is durable, in the order of the commits.

use super::records::{AclRecord, GroupRecord, TokenRecord, UserRecord};
use super::tokens::Tokens;
use parking_lot::RwLock;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_authz::{Policy, PolicyBuilder, Source};
use strongroom_barrier::BarrierError;
use strongroom_model::{AclId, CredentialId, GroupId, Name, TokenId, UserId};

/// Most users.
pub const MAX_USERS: usize = 100_000;
/// Most groups.
pub const MAX_GROUPS: usize = 10_000;
/// Most ACLs.
pub const MAX_ACLS: usize = 10_000;
/// Most ACLs attached to one user or group.
pub const MAX_ATTACHED: usize = 1_000;
/// Most groups that one user is in.
pub const MAX_MEMBERSHIPS: usize = 1_000;
/// Names of users who are never removed, disabled or left without a credential, and who may do anything.
pub const PROTECTED: [&str; 2] = ["root", "recovery"];

/// A user as known.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user's id.
    pub id: UserId,
    /// The record.
    pub record: Arc<UserRecord>,
    /// Access keys.
    pub keys: Vec<CredentialId>,
    /// The password's id, if there is one.
    pub password: Option<CredentialId>,
}

impl Person {
    /// Whether it is one of the protected users.
    pub fn is_protected(&self) -> bool {
        PROTECTED.contains(&self.record.name.as_str())
    }

    /// Whether a token of this user's holds: the user is enabled, and so is what the token was got with.
    pub(crate) fn backs(&self, token: &TokenRecord) -> bool {
        let known = self.keys.contains(&token.key) || self.password == Some(token.key);
        self.record.enabled && known && token.created > self.record.tokens_ended
    }
}

/// A group as known.
#[derive(Debug, Clone)]
pub struct Team {
    /// The group's id.
    pub id: GroupId,
    /// The record.
    pub record: Arc<GroupRecord>,
    /// Its members.
    pub members: Arc<BTreeSet<UserId>>,
}

/// Everything in memory.
#[derive(Default)]
pub(crate) struct State {
    pub(super) users: HashMap<UserId, Person>,
    pub(super) groups: HashMap<GroupId, Team>,
    pub(super) acls: HashMap<AclId, Arc<AclRecord>>,
}

/// Names are wiped with the last record that has them: at a lock that is here, but for requests that are still at work.
impl Drop for State {
    fn drop(&mut self) {
        let users = self.users.values_mut().filter_map(|person| Arc::get_mut(&mut person.record));
        let groups = self.groups.values_mut().filter_map(|team| Arc::get_mut(&mut team.record));
        let names = users.map(|user| &mut user.name).chain(groups.map(|group| &mut group.name));
        names.for_each(|name| name.end(strongroom_secret::wipe));
    }
}

impl State {
    /// Puts a user in place of the one known, credentials as they are.
    pub(super) fn put_user(&mut self, id: UserId, record: UserRecord) {
        let before = self.users.get(&id).map(|person| person.record.groups.clone()).unwrap_or_default();
        let (now, record) = (record.groups.clone(), Arc::new(record));
        let person = self.users.entry(id).or_insert_with(|| Person {
            id,
            record: Arc::clone(&record),
            keys: Vec::new(),
            password: None,
        });
        person.record = record;
        for left in before.iter().filter(|group| !now.contains(group)) {
            self.members(*left, |members| members.remove(&id));
        }
        for joined in now.iter().filter(|group| !before.contains(group)) {
            self.members(*joined, |members| members.insert(id));
        }
    }

    pub(super) fn remove_user(&mut self, id: UserId) {
        let Some(person) = self.users.remove(&id) else { return };
        for group in &person.record.groups {
            self.members(*group, |members| members.remove(&id));
        }
    }

    fn members(&mut self, group: GroupId, change: impl FnOnce(&mut BTreeSet<UserId>) -> bool) {
        if let Some(team) = self.groups.get_mut(&group) {
            change(Arc::make_mut(&mut team.members));
        }
    }

    /// Puts a group in place of the one known. A new one has the members who say so.
    pub(super) fn put_group(&mut self, id: GroupId, record: GroupRecord) {
        let record = Arc::new(record);
        let team = self.groups.entry(id);
        let team = team.or_insert_with(|| Team { id, record: Arc::clone(&record), members: Arc::default() });
        team.record = record;
    }

    pub(super) fn remove_group(&mut self, id: GroupId) {
        self.groups.remove(&id);
    }

    /// Every ACL that a user has, with where it comes from.
    pub(super) fn acls_of(&self, person: &Person) -> Vec<(AclId, Source)> {
        let mut acls: Vec<_> = self.there(&person.record.acls).map(|id| (id, Source::Direct)).collect();
        for team in person.record.groups.iter().filter_map(|id| self.groups.get(id)) {
            let source = || Source::Group(team.record.name.clone());
            acls.extend(self.there(&team.record.acls).map(|id| (id, source())));
        }
        acls
    }

    /// Those ACLs that there still are.
    pub(super) fn there<'a>(&'a self, acls: &'a [AclId]) -> impl Iterator<Item = AclId> + 'a {
        acls.iter().copied().filter(|id| self.acls.contains_key(id))
    }

    pub(super) fn change_credentials(&mut self, id: UserId, change: impl FnOnce(&mut Person)) {
        if let Some(person) = self.users.get_mut(&id) {
            change(person);
        }
    }
}

/// The directory of one unlocking.
#[derive(Default)]
pub(crate) struct Directory {
    /// Held alone while a change is made, and together while tokens are made.
    pub(super) hold: tokio::sync::RwLock<()>,
    pub(super) state: RwLock<State>,
    pub(super) tokens: RwLock<Tokens>,
    /// The number of the last change.
    pub(super) number: AtomicU64,
}

impl Directory {
    pub(crate) fn user(&self, id: UserId) -> Option<Person> {
        self.state.read().users.get(&id).cloned()
    }

    pub(crate) fn group(&self, id: GroupId) -> Option<Team> {
        self.state.read().groups.get(&id).cloned()
    }

    pub(crate) fn acl(&self, id: AclId) -> Option<Arc<AclRecord>> {
        self.state.read().acls.get(&id).cloned()
    }

    /// The number of the last change that is known here.
    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// The policy that follows.
    pub(crate) fn policy(&self, mut builder: PolicyBuilder) -> Result<Policy, BarrierError> {
        let state = self.state.read();
        for (id, record) in &state.acls {
            builder.acl(*id, Arc::clone(&record.acl));
        }
        // nobody is whom a disabled user's credentials prove: whoever asks who may is not told of them
        for person in state.users.values().filter(|person| person.record.enabled) {
            builder.user(person.id, person.record.name.clone(), state.acls_of(person));
        }
        builder.build().map_err(|fault| BarrierError::corrupt(fault.to_string()))
    }

    pub(crate) fn token(&self, accessor: TokenId) -> Option<Arc<TokenRecord>> {
        self.tokens.read().get(accessor)
    }

    /// All tokens have ended.
    pub(crate) fn forget_tokens(&self) {
        *self.tokens.write() = Tokens::default();
    }

    /// Whether a user is one of the protected ones.
    pub(crate) fn is_protected(&self, id: UserId) -> bool {
        self.state.read().users.get(&id).is_some_and(Person::is_protected)
    }

    /// The protected users that there are.
    pub(crate) fn protected(&self) -> Vec<(UserId, Name)> {
        let state = self.state.read();
        let protected = state.users.values().filter(|person| person.is_protected());
        protected.map(|person| (person.id, person.record.name.clone())).collect()
    }

    /// Whether a token's user and credential back it.
    pub(crate) fn backs(&self, token: &TokenRecord) -> bool {
        self.state.read().users.get(&token.user).is_some_and(|person| person.backs(token))
    }
}
