//! Views of users: of all, of one, of one token.

use super::records::{CredentialRecord, PasswordRecord, TokenRecord, UserRecord};
use super::{Change, Changing, PeopleView, Person};
use std::sync::Arc;
use strongroom_barrier::{BarrierError, Batch, Page, keys};
use strongroom_keyring::Kind;
use strongroom_model::{CredentialId, Name, ObjectId, UserId};
use strongroom_store::Precondition;

/// A view of the partition's users.
#[derive(Debug)]
pub struct UsersView {
    people: PeopleView,
    name: Option<Name>,
}

impl UsersView {
    pub(crate) fn new(people: PeopleView, name: Option<Name>) -> Self {
        Self { people, name }
    }

    /// Everybody, as far as it needs no name.
    pub fn people(&self) -> &PeopleView {
        &self.people
    }

    /// The name of the user to be made.
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Names in order after `after`.
    pub async fn page(&self, after: Option<&str>, limit: usize) -> Result<Page, BarrierError> {
        self.people.opened.users.page("", after, limit, |_| true).await
    }

    /// A user of the page.
    pub async fn named(&self, name: &str) -> Result<Option<Person>, BarrierError> {
        self.people.named(name).await
    }

    /// How many users there are.
    pub fn count(&self) -> usize {
        self.people.directory.state.read().users.len()
    }

    /// Makes the user that the permit is about.
    pub fn create(
        &self,
        changing: &Changing<'_>,
        record: UserRecord,
        key: Option<(Option<CredentialId>, Vec<u8>)>,
        password: Option<PasswordRecord>,
    ) -> (UserId, Option<CredentialId>, Change) {
        let id = UserId(self.people.opened.random_id());
        let user = UserView { people: self.people.clone(), id };
        let mut batch = self.people.change(changing);
        let opened = &self.people.opened;
        opened.users.create_entry(&mut batch, record.name.as_str(), ObjectId(id.0), &[]);
        let created = record.created;
        batch.absorb(user.put(changing, record, false).0);
        let key = key.map(|(given, spki)| {
            let credential = CredentialRecord { user: id, spki, created };
            let (key, added) = user.add_key(changing, given, &credential);
            batch.absorb(added.0);
            key
        });
        if let Some(password) = password {
            batch.absorb(user.set_password(changing, &password).0);
        }
        (id, key, Change(batch))
    }
}

/// A view of one user.
#[derive(Debug)]
pub struct UserView {
    pub(super) people: PeopleView,
    id: UserId,
}

impl UserView {
    /// The view of a user who is there.
    pub(crate) fn new(people: PeopleView, id: UserId) -> Option<Self> {
        people.directory.user(id).map(|person| Self { people, id: person.id })
    }

    /// The user's id.
    pub fn id(&self) -> UserId {
        self.id
    }

    /// The user, unless removed meanwhile.
    pub fn person(&self) -> Option<Person> {
        self.people.directory.user(self.id)
    }

    /// Everybody, as far as it needs no name.
    pub fn people(&self) -> &PeopleView {
        &self.people
    }

    /// Puts a record in place of the user's. `ends` says that it ends tokens.
    pub fn put(&self, changing: &Changing<'_>, record: UserRecord, ends: bool) -> Change {
        self.people.put_user(changing, self.id, record, ends)
    }

    /// Removes the user with every credential. Tokens have nobody left: they end with this, and their rows go with the
    /// next housekeeping.
    pub fn remove(&self, changing: &Changing<'_>, person: &Person) -> Change {
        let opened = &self.people.opened;
        let partition = opened.partition();
        let mut batch = self.people.change(changing);
        opened.users.remove_entry(&mut batch, person.record.name.as_str(), ObjectId(self.id.0));
        batch.delete(keys::user(partition, self.id));
        batch.delete(keys::password(partition, self.id));
        for key in &person.keys {
            batch.delete(keys::credential(partition, *key));
        }
        let id = self.id;
        self.people.then(&mut batch, true, move |directory| {
            directory.state.write().remove_user(id);
            directory.tokens.write().remove_of(id, |_| true);
        });
        Change(batch)
    }

    /// The user's access keys.
    pub async fn keys(&self) -> Result<Vec<(CredentialId, CredentialRecord)>, BarrierError> {
        let mut keys = Vec::new();
        for id in self.person().map(|person| person.keys).unwrap_or_default() {
            if let Some(record) = self.people.credential(id).await? {
                keys.push((id, record));
            }
        }
        keys.sort_by_key(|(id, record)| (record.created, *id));
        Ok(keys)
    }

    /// Adds an access key: under an id that it has from elsewhere and that no key here has, or under a new one.
    pub fn add_key(
        &self,
        changing: &Changing<'_>,
        given: Option<CredentialId>,
        record: &CredentialRecord,
    ) -> (CredentialId, Change) {
        let opened = &self.people.opened;
        let key = given.unwrap_or_else(|| CredentialId(opened.random_id()));
        let mut batch = self.people.change(changing);
        let row = keys::credential(opened.partition(), key);
        batch.require(Precondition::Absent(row.clone()));
        let sealed = opened.seal(Kind::Credential, key.0, &record.encode());
        batch.put(row, sealed);
        let id = self.id;
        self.people.then(&mut batch, false, move |directory| {
            directory.state.write().change_credentials(id, |person| person.keys.push(key));
        });
        (key, Change(batch))
    }

    /// Removes an access key; tokens got with it end.
    pub fn remove_key(&self, changing: &Changing<'_>, key: CredentialId) -> Change {
        let row = keys::credential(self.people.opened.partition(), key);
        let mut batch = self.people.change(changing);
        batch.require(Precondition::Present(row.clone()));
        batch.delete(row);
        let id = self.id;
        self.people.then(&mut batch, true, move |directory| {
            let mut state = directory.state.write();
            state.change_credentials(id, |person| person.keys.retain(|known| *known != key));
            directory.tokens.write().remove_of(id, |token| token.key == key);
        });
        Change(batch)
    }

    /// The user's password.
    pub async fn password(&self) -> Result<Option<PasswordRecord>, BarrierError> {
        self.people.password(self.id).await
    }

    /// Sets the password; tokens got with the one before end.
    pub fn set_password(&self, changing: &Changing<'_>, record: &PasswordRecord) -> Change {
        let opened = &self.people.opened;
        let mut batch = self.people.change(changing);
        let sealed = opened.seal(Kind::Password, self.id.0, &record.encode());
        batch.put(keys::password(opened.partition(), self.id), sealed);
        self.password_is(&mut batch, Some(record.id));
        Change(batch)
    }

    /// Removes the password; tokens got with it end.
    pub fn remove_password(&self, changing: &Changing<'_>) -> Change {
        let row = keys::password(self.people.opened.partition(), self.id);
        let mut batch = self.people.change(changing);
        batch.require(Precondition::Present(row.clone()));
        batch.delete(row);
        self.password_is(&mut batch, None);
        Change(batch)
    }

    fn password_is(&self, batch: &mut Batch, now: Option<CredentialId>) {
        let id = self.id;
        self.people.then(batch, true, move |directory| {
            let mut before = None;
            let mut state = directory.state.write();
            state.change_credentials(id, |person| before = std::mem::replace(&mut person.password, now));
            if before != now {
                directory.tokens.write().remove_of(id, |token| Some(token.key) == before);
            }
        });
    }

    /// The user's tokens, the oldest first.
    pub fn tokens(&self) -> Vec<Arc<TokenRecord>> {
        self.people.tokens_of(self.id)
    }
}

impl PeopleView {
    pub(super) fn put_user(
        &self,
        changing: &Changing<'_>,
        id: UserId,
        record: UserRecord,
        ends: bool,
    ) -> Change {
        let mut batch = self.change(changing);
        let sealed = self.opened.seal(Kind::User, id.0, &record.encode());
        batch.put(keys::user(self.opened.partition(), id), sealed);
        let ended = record.tokens_ended;
        self.then(&mut batch, ends, move |directory| {
            directory.state.write().put_user(id, record);
            if ends {
                directory.tokens.write().remove_of(id, |token| token.created <= ended);
            }
        });
        Change(batch)
    }
}

/// A view of one token.
#[derive(Debug)]
pub struct TokenView {
    people: PeopleView,
    token: Arc<TokenRecord>,
}

impl TokenView {
    pub(crate) fn new(people: PeopleView, token: Arc<TokenRecord>) -> Self {
        Self { people, token }
    }

    /// The token.
    pub fn token(&self) -> &TokenRecord {
        &self.token
    }

    /// Everybody, as far as it needs no name.
    pub fn people(&self) -> &PeopleView {
        &self.people
    }

    /// Ends it.
    pub fn remove(&self) -> Batch {
        self.people.remove_token(&self.token)
    }
}
