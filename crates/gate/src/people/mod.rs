//! Users, groups, credentials and tokens: records, what is known of them in memory, and the views of them.

mod acl_view;
mod directory;
mod group_view;
mod load;
mod records;
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
pub use tokens::{MAX_TOKENS, MAX_TOKENS_PER_USER};
pub use user_view::{TokenView, UserView, UsersView};

use crate::admit::Gate;
use crate::policy::authz_change;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom_barrier::{BarrierError, Batch, Opened, keys};
use strongroom_keyring::Kind;
use strongroom_model::{CredentialId, GroupId, Name, ObjectId, TokenId, UserId};
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

    /// Tokens of a user, the oldest first.
    pub fn tokens_of(&self, user: UserId) -> Vec<Arc<TokenRecord>> {
        let now = self.gate.now();
        let tokens = self.directory.tokens.read().of(user);
        tokens.into_iter().filter(|token| token.expires > now).collect()
    }

    /// Everybody's tokens after an accessor, in order of accessors.
    pub fn tokens(&self, after: Option<TokenId>, limit: usize) -> Vec<Arc<TokenRecord>> {
        self.directory.tokens.read().page(after, limit, self.gate.now())
    }

    /// A token.
    pub fn token(&self, accessor: TokenId) -> Option<Arc<TokenRecord>> {
        self.directory.token(accessor)
    }

    /// Tokens that there are.
    pub fn token_count(&self) -> usize {
        self.directory.tokens.read().len()
    }

    /// Adds a token. Beyond `limit` of its user the oldest end: how many did is the second answer.
    pub fn add_token(&self, steady: &Steady<'_>, token: &TokenRecord, limit: usize) -> (Batch, usize) {
        let mut batch = self.batch(steady.session);
        let object = half(&token.digest);
        let sealed = self.opened.seal(Kind::Token, object, &token.encode());
        batch.put(keys::token(self.opened.partition(), &object), sealed);
        let beyond = self.directory.tokens.read().beyond(token.user, limit, self.gate.now());
        for old in &beyond {
            batch.delete(keys::token(self.opened.partition(), &half(&old.digest)));
        }
        let (count, token) = (beyond.len(), token.clone());
        self.then(&mut batch, count > 0, move |directory| {
            let mut tokens = directory.tokens.write();
            for old in &beyond {
                tokens.remove(old.accessor);
            }
            tokens.insert(token);
        });
        (batch, count)
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

    /// Gives a token another end.
    pub fn renew_token(&self, steady: &Steady<'_>, token: &TokenRecord) -> Batch {
        let mut batch = self.batch(steady.session);
        let object = half(&token.digest);
        let key = keys::token(self.opened.partition(), &object);
        batch.require(Precondition::Present(key.clone()));
        batch.put(key, self.opened.seal(Kind::Token, object, &token.encode()));
        let token = token.clone();
        self.then(&mut batch, true, move |directory| directory.tokens.write().insert(token));
        batch
    }

    /// Removes a token.
    pub fn remove_token(&self, token: &TokenRecord) -> Batch {
        let mut batch = self.opened.batch();
        batch.delete(keys::token(self.opened.partition(), &half(&token.digest)));
        let accessor = token.accessor;
        self.then(&mut batch, true, move |directory| directory.tokens.write().remove(accessor));
        batch
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

fn half(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(digest) {
        *to = *from;
    }
    half
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

/// What backs a token may be damaged, and then that is what is told.
async fn not_damaged(opened: &Opened, token: &TokenRecord) -> Result<(), BarrierError> {
    let key = keys::credential(opened.partition(), token.key);
    read(opened, Kind::Credential, token.key.0, key, CredentialRecord::decode).await?;
    let key = keys::password(opened.partition(), token.user);
    read(opened, Kind::Password, token.user.0, key, PasswordRecord::decode).await.map(drop)
}

impl Gate {
    /// The token of a digest and its user, if both still hold: for identity, which turns credentials into callers before
    /// any permit.
    pub async fn look_up_token(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<(TokenRecord, Person)>, BarrierError> {
        let opened = self.opened()?;
        let directory = known(self.people.load_full())?;
        let object = half(digest);
        let key = keys::token(opened.partition(), &object);
        let found = read(&opened, Kind::Token, object, key, TokenRecord::decode).await?;
        let Some(token) = found.filter(|token| strongroom_secret::bytes_eq(&token.digest, digest)) else {
            return Ok(None);
        };
        match directory.user(token.user).filter(|person| person.backs(&token)) {
            Some(person) => Ok(Some((token, person))),
            None => not_damaged(&opened, &token).await.map(|()| None),
        }
    }

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

/// The first tokens that have expired, or that nobody backs any more, at most `limit`.
pub(crate) async fn expired_tokens(
    gate: &Gate,
    opened: &Opened,
    now: i64,
    limit: usize,
) -> Result<Batch, BarrierError> {
    let directory = known(gate.people.load_full())?;
    let mut batch = opened.batch();
    let mut after = None;
    let mut gone = Vec::new();
    loop {
        let prefix = keys::tokens(opened.partition());
        let range = strongroom_store::Range { after, ..strongroom_store::Range::prefix(prefix, 1_000) };
        let rows = opened.store().list(range).await?;
        let last = rows.last().map(|row| row.key.clone()).filter(|_| batch.len() < limit);
        let Some(last) = last else { break };
        for row in rows {
            if batch.len() >= limit {
                break;
            }
            match opened.open_single(Kind::Token, keys::id_of(&row.key).unwrap_or_default(), &row.value) {
                Ok(plain) => {
                    let token = plain.expose(TokenRecord::decode);
                    let over = |token: &TokenRecord| token.expires.0 < now || !directory.backs(token);
                    if token.as_ref().is_none_or(over) {
                        gone.extend(token.map(|token| token.accessor));
                        batch.delete(row.key);
                    }
                }
                // one damaged row must not keep all others from expiring
                Err(fault) => tracing::error!(%fault, "a token cannot be read"),
            }
        }
        after = Some(last);
    }
    batch.then(move || {
        let mut tokens = directory.tokens.write();
        for accessor in gone {
            tokens.remove(accessor);
        }
    });
    Ok(batch)
}
