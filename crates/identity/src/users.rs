//! Users: made, read, listed, enabled and disabled, removed.

use crate::Identity;
use crate::actions::{CreateUser, ListUsers, RemoveUser, UpdateUser};
use crate::error::{IdentityError, fail};
use strongroom_ambient::UnixMillis;
use strongroom_crypto::PublicKey;
use strongroom_gate::{
    Action, Entry, Held, MAX_USERS, PROTECTED, PasswordRecord, PeopleView, Permit, Person, UserRecord,
    UserView, UsersView, Verdict,
};
use strongroom_model::{CredentialId, UserId};
use strongroom_secret::SecretBytes;

/// A user as told.
#[derive(Debug, Clone)]
pub struct UserSummary {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// Whether credentials and tokens hold.
    pub enabled: bool,
    /// Whether it is one of the users who are never lost.
    pub protected: bool,
    /// Made when.
    pub created: UnixMillis,
    /// Names of groups.
    pub groups: Vec<String>,
    /// Names of ACLs attached to the user.
    pub acls: Vec<String>,
    /// Access keys.
    pub access_keys: Vec<CredentialId>,
    /// Whether there is a password.
    pub password: bool,
    /// Tokens that hold.
    pub tokens: usize,
}

impl UserSummary {
    fn of(people: &PeopleView, person: &Person) -> Self {
        Self {
            id: person.id,
            name: person.record.name.to_string(),
            enabled: person.record.enabled,
            protected: person.is_protected(),
            created: person.record.created,
            groups: people.group_names(&person.record.groups),
            acls: people.acl_names(&person.record.acls),
            access_keys: person.keys.clone(),
            password: person.password.is_some(),
            tokens: people.tokens_of(person.id).len(),
        }
    }
}

/// What a user begins with.
#[derive(Debug, Default)]
pub struct NewUser {
    /// A first access key: PEM or a line of OpenSSH.
    pub public_key: Option<String>,
    /// The id that the access key has from elsewhere; a new one if `None`.
    pub access_key_id: Option<CredentialId>,
    /// A password.
    pub password: Option<SecretBytes>,
}

/// An access key to be: the id that it has from elsewhere, its public half.
type NewKey = (Option<CredentialId>, Vec<u8>);

/// A user, just made.
#[derive(Debug)]
pub struct CreatedUser {
    /// The user.
    pub user: UserSummary,
    /// The first access key's id, if there was one.
    pub access_key: Option<CredentialId>,
}

impl Identity {
    /// Makes a user.
    pub async fn create_user(
        &self,
        permit: Permit<CreateUser>,
        by: UserId,
        new: NewUser,
    ) -> Result<CreatedUser, IdentityError> {
        let (view, entry) = permit.open();
        match self.first_credentials(&view, by, new).await {
            Ok((key, password)) => self.make_user(&view, entry, key, password).await,
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn first_credentials(
        &self,
        view: &UsersView,
        by: UserId,
        new: NewUser,
    ) -> Result<(Option<NewKey>, Option<PasswordRecord>), IdentityError> {
        let name = view.name().ok_or(IdentityError::NotFound)?;
        if PROTECTED.contains(&name.as_str()) {
            // whoever could make one could do anything
            if !view.people().is_protected(by) {
                return Err(IdentityError::OnlyProtected);
            }
            if new.public_key.is_none() {
                let user = name.to_string();
                return Err(IdentityError::Protected { user, what: "needs an access key" });
            }
        }
        let key = match new.public_key {
            Some(text) => {
                let spki = PublicKey::from_text(text.as_bytes())?.spki().to_vec();
                self.is_free(view.people(), new.access_key_id).await?;
                Some((new.access_key_id, spki))
            }
            None => None,
        };
        let password = match new.password {
            Some(password) => Some(self.hashed(view.people(), password).await?),
            None => None,
        };
        Ok((key, password))
    }

    async fn make_user(
        &self,
        view: &UsersView,
        mut entry: Entry,
        key: Option<NewKey>,
        password: Option<PasswordRecord>,
    ) -> Result<CreatedUser, IdentityError> {
        let people = view.people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let Some(name) = view.name() else { return fail(entry, IdentityError::NotFound).await };
        match view.named(name.as_str()).await {
            Ok(Some(_)) => return fail(entry, IdentityError::AlreadyExists).await,
            Ok(None) if view.count() >= MAX_USERS => {
                return fail(entry, IdentityError::Limit { what: "users", limit: MAX_USERS }).await;
            }
            Ok(None) => {}
            Err(fault) => return fail(entry, fault.into()).await,
        }
        let record = UserRecord::new(name.clone(), self.gate.now());
        let (id, access_key, change) = view.create(&changing, record, key, password);
        entry.remember(access_key.map(|key| key.0.to_vec()).unwrap_or_default());
        entry.commit(people.finish(change)).await?;
        let user = people.person(id).map(|person| UserSummary::of(people, &person));
        Ok(CreatedUser { user: user.ok_or(IdentityError::NotFound)?, access_key })
    }

    /// Reads a user: anybody, or oneself.
    pub async fn read_user<A: Action<View = UserView>>(
        &self,
        permit: Permit<A>,
    ) -> Result<Held<UserSummary>, IdentityError> {
        let (view, entry) = permit.open();
        match view.person() {
            Some(person) => Ok(entry.hold(Verdict::Released, UserSummary::of(view.people(), &person))),
            None => fail(entry, IdentityError::NotFound).await,
        }
    }

    /// Users in the order of their names, after one; whether there are more.
    pub async fn list_users(
        &self,
        permit: Permit<ListUsers>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Held<(Vec<UserSummary>, bool)>, IdentityError> {
        let (view, entry) = permit.open();
        match users_of(&view, after, limit).await {
            Ok(found) => Ok(entry.hold(Verdict::Released, found)),
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Enables or disables a user. Disabling ends every token at once.
    pub async fn enable_user(
        &self,
        permit: Permit<UpdateUser>,
        by: UserId,
        enabled: bool,
    ) -> Result<UserSummary, IdentityError> {
        let (view, mut entry) = permit.open();
        if enabled && let Err(fault) = self.may_give() {
            return fail(entry, fault).await;
        }
        let people = view.people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let person = match changeable(&view, by) {
            Ok(person) if person.is_protected() && !enabled => {
                return fail(entry, protected(&person, "is never disabled")).await;
            }
            Ok(person) => person,
            Err(fault) => return fail(entry, fault).await,
        };
        let mut record = UserRecord { enabled, ..(*person.record).clone() };
        if !enabled {
            record.tokens_ended = self.gate.now();
        }
        entry.note(if enabled { "enabled" } else { "disabled" });
        entry.remember(Vec::new());
        entry.commit(people.finish(view.put(&changing, record, !enabled))).await?;
        let person = view.person().ok_or(IdentityError::NotFound)?;
        Ok(UserSummary::of(people, &person))
    }

    /// Removes a user with every credential and token.
    pub async fn remove_user(&self, permit: Permit<RemoveUser>, by: UserId) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let changing = match view.people().changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let person = match changeable(&view, by) {
            Ok(person) if person.is_protected() => {
                return fail(entry, protected(&person, "is never removed")).await;
            }
            Ok(person) => person,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.remember(Vec::new());
        entry.commit(view.people().finish(view.remove(&changing, &person))).await?;
        Ok(())
    }
}

async fn users_of(
    view: &UsersView,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<UserSummary>, bool), IdentityError> {
    let page = view.page(after, limit).await?;
    let mut users = Vec::with_capacity(page.names.len());
    for name in page.names.iter() {
        // one who is removed meanwhile is not told of
        if let Some(person) = view.named(name).await? {
            users.push(UserSummary::of(view.people(), &person));
        }
    }
    Ok((users, page.more))
}

/// The user, if `by` may change them: protected users are changed by protected users only.
pub(crate) fn changeable(view: &UserView, by: UserId) -> Result<Person, IdentityError> {
    let person = view.person().ok_or(IdentityError::NotFound)?;
    if person.is_protected() && !view.people().is_protected(by) {
        return Err(IdentityError::OnlyProtected);
    }
    Ok(person)
}

pub(crate) fn protected(person: &Person, what: &'static str) -> IdentityError {
    IdentityError::Protected { user: person.record.name.to_string(), what }
}
