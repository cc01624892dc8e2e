//! Users, groups, credentials and tokens: records, what is known of them in memory, and the views of them.

mod acl_view;
mod directory;
mod group_view;
mod load;
mod records;
mod token_rows;
mod tokens;
mod user_view;

pub use acl_view::{AclView, AclsView, AttachmentView, Holder};
pub(crate) use directory::Directory;
pub use directory::{
    MAX_ACLS, MAX_ATTACHED, MAX_GROUPS, MAX_MEMBERSHIPS, MAX_USERS, PROTECTED, Person, Team,
};
pub use group_view::{GroupView, GroupsView, MemberView};
pub(crate) use load::{each, known};
pub use records::{AclRecord, CredentialRecord, GroupRecord, PasswordRecord, TokenRecord, UserRecord, Way};
pub(crate) use token_rows::expired_tokens;
pub use tokens::{MAX_TOKENS, MAX_TOKENS_PER_USER};
pub use user_view::{TokenView, UserView, UsersView};

use crate::admit::Gate;
use crate::policy::authz_change;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom_barrier::{BarrierError, Batch, Opened, keys};
use strongroom_keyring::Kind;
use strongroom_model::{CredentialId, GroupId, Name, ObjectId, UserId};
use strongroom_store::{Precondition, Revision, RowKey};

/// The time between two locks: each lock writes the root record anew.
#[derive(Debug, Clone, Copy)]
struct Session(Revision);

/// Held while a token is made: nobody is changed meanwhile. A lock that comes in between ends it before it begins.
#[derive(Debug)]
pub struct Steady<'a> {
    _shared: tokio::sync::RwLockReadGuard<'a, ()>,
    session: Session,
}

/// Held while people are changed: changes follow each other, in memory as in the store.
#[derive(Debug)]
pub struct Changing<'a> {
    _alone: tokio::sync::RwLockWriteGuard<'a, ()>,
    session: Session,
}

/// A change of people in the making. [`PeopleView::finish`] makes a batch of it, which tells everybody.
#[derive(Debug)]
#[must_use = "a change is nothing until it is finished and committed"]
pub struct Change(Batch);

/// A view of users, credentials and tokens.
#[derive(Clone)]
pub struct PeopleView {
    gate: Arc<Gate>,
    opened: Arc<Opened>,
    directory: Arc<Directory>,
}

impl PeopleView {
    pub(crate) fn new(gate: &Arc<Gate>, opened: Arc<Opened>) -> Result<Self, BarrierError> {
        let directory = known(gate.people.load_full())?;
        Ok(Self { gate: Arc::clone(gate), opened, directory })
    }

    /// A credential.
    pub async fn credential(&self, id: CredentialId) -> Result<Option<CredentialRecord>, BarrierError> {
        let key = keys::credential(self.opened.partition(), id);
        read(&self.opened, Kind::Credential, id.0, key, CredentialRecord::decode).await
    }

    /// Whoever has an access key with this public half.
    pub(crate) async fn holder_of(&self, spki: &[u8]) -> Result<Option<UserId>, BarrierError> {
        let keys: Vec<CredentialId> = {
            let state = self.directory.state.read();
            state.users.values().flat_map(|person| person.keys.iter().copied()).collect()
        };
        for id in keys {
            // one that is removed meanwhile is nobody's
            if let Some(record) = self.credential(id).await?.filter(|record| record.spki == spki) {
                return Ok(Some(record.user));
            }
        }
        Ok(None)
    }

    /// A user's password.
    pub async fn password(&self, user: UserId) -> Result<Option<PasswordRecord>, BarrierError> {
        let key = keys::password(self.opened.partition(), user);
        read(&self.opened, Kind::Password, user.0, key, PasswordRecord::decode).await
    }

    /// A user.
    pub fn person(&self, id: UserId) -> Option<Person> {
        self.directory.user(id)
    }

    /// A user by name.
    pub async fn named(&self, name: &str) -> Result<Option<Person>, BarrierError> {
        let found = self.opened.users.find(name).await?;
        Ok(found.and_then(|head| self.directory.user(UserId(head.object.0))))
    }

    /// Whether a user is one of the protected ones.
    pub fn is_protected(&self, id: UserId) -> bool {
        self.directory.is_protected(id)
    }

    /// Holds everybody as they are while a token is made.
    pub async fn steady(&self) -> Result<Steady<'_>, BarrierError> {
        let shared = self.directory.hold.read().await;
        Ok(Steady { _shared: shared, session: self.session().await? })
    }

    /// Holds everybody for a change.
    pub async fn changing(&self) -> Result<Changing<'_>, BarrierError> {
        let alone = self.directory.hold.write().await;
        Ok(Changing { _alone: alone, session: self.session().await? })
    }

    async fn session(&self) -> Result<Session, BarrierError> {
        let row = self.opened.store().get(&keys::root()).await?;
        let row = row.ok_or_else(|| BarrierError::corrupt("the root record is gone"))?;
        // a lock may have come before, and this directory be the one before it
        let current = self.gate.people.load();
        if !current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &self.directory)) {
            return Err(BarrierError::Locked);
        }
        Ok(Session(row.revision))
    }

    fn batch(&self, session: Session) -> Batch {
        let mut batch = self.opened.batch();
        batch.require(Precondition::Revision(keys::root(), session.0));
        batch
    }

    /// A part of a change.
    fn change(&self, changing: &Changing<'_>) -> Batch {
        self.batch(changing.session)
    }

    /// What a change of people commits.
    pub fn finish(&self, change: Change) -> Batch {
        let Change(mut batch) = change;
        let number = self.directory.number() + 1;
        authz_change(&self.opened, &mut batch, number);
        // last: who sees the number sees the change
        self.then(&mut batch, false, move |directory| directory.number.store(number, Ordering::Release));
        batch
    }

    /// What to do in memory once a change is durable. `ends` says whether it may have ended tokens.
    fn then(&self, batch: &mut Batch, ends: bool, apply: impl FnOnce(&Directory) + Send + 'static) {
        let (gate, directory) = (Arc::clone(&self.gate), Arc::clone(&self.directory));
        batch.then(move || {
            apply(&directory);
            if ends {
                gate.next_epoch();
            }
        });
    }

    /// Puts another hash of the same password in its place.
    pub fn rehashed(&self, steady: &Steady<'_>, user: UserId, record: &PasswordRecord) -> Batch {
        let mut batch = self.batch(steady.session);
        let sealed = self.opened.seal(Kind::Password, user.0, &record.encode());
        batch.put(keys::password(self.opened.partition(), user), sealed);
        batch
    }

    /// Names of those groups that there still are, in order.
    pub fn group_names(&self, groups: &[GroupId]) -> Vec<String> {
        let state = self.directory.state.read();
        let there = groups.iter().filter_map(|id| state.groups.get(id));
        let mut names: Vec<_> = there.map(|team| team.record.name.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// Random to everybody else, and the same for the same text as long as the store lives: what is shown of somebody
    /// who is not there comes of it.
    pub fn stand_in(&self, text: &str) -> [u8; 16] {
        // no user has such a name
        self.opened.users.hash(&format!("\u{0}stand-in\u{0}{text}"))
    }

    /// A fresh random id.
    pub fn random_id(&self) -> [u8; 16] {
        self.opened.random_id()
    }
}

impl std::fmt::Debug for PeopleView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeopleView")
    }
}

/// Adds a user with one credential to a hierarchy that is being made.
pub(crate) fn add_user(
    opened: &Opened,
    batch: &mut Batch,
    user: &UserRecord,
    spki: &[u8],
) -> (UserId, CredentialId) {
    let (id, key) = (UserId(opened.random_id()), CredentialId(opened.random_id()));
    let credential = CredentialRecord { user: id, spki: spki.to_vec(), created: user.created };
    opened.users.create_entry(batch, user.name.as_str(), ObjectId(id.0), &[]);
    batch.put(keys::user(opened.partition(), id), opened.seal(Kind::User, id.0, &user.encode()));
    batch.put(
        keys::credential(opened.partition(), key),
        opened.seal(Kind::Credential, key.0, &credential.encode()),
    );
    (id, key)
}

async fn read<T>(
    opened: &Opened,
    kind: Kind,
    object: [u8; 16],
    key: RowKey,
    decode: impl FnOnce(&[u8]) -> Option<T> + Send,
) -> Result<Option<T>, BarrierError> {
    let Some(plain) = opened.read_single(kind, object, &key).await? else { return Ok(None) };
    let decoded = plain.expose(decode);
    decoded.map(Some).ok_or_else(|| BarrierError::corrupt(format!("{kind:?} {}", ObjectId(object))))
}

impl Gate {
    /// A user's name, for listings of who made what.
    pub fn user_name(&self, id: UserId) -> Result<Option<Name>, BarrierError> {
        let directory = known(self.people.load_full())?;
        Ok(directory.user(id).map(|person| person.record.name.clone()))
    }

    /// Whether an access key is one of a user's.
    pub fn is_key_of(&self, key: CredentialId, user: UserId) -> Result<bool, BarrierError> {
        let directory = known(self.people.load_full())?;
        Ok(directory.user(user).is_some_and(|person| person.keys.contains(&key)))
    }

    /// Puts a directory in force, or none.
    pub(crate) fn set_people(&self, directory: Option<Arc<Directory>>) {
        self.people.store(directory);
    }

    /// Reads people anew: after a commit of unknown outcome.
    pub(crate) async fn reload_people(&self, opened: &Opened) -> Result<(), BarrierError> {
        if let Some(directory) = self.people.load_full() {
            directory.read(opened).await?;
            self.forget_sharing();
            self.next_epoch();
            self.refresh_policy(opened).await?;
        }
        Ok(())
    }
}
