//! Access keys and passwords: given, listed, taken away.

use crate::Identity;
use crate::actions::{AddAccessKey, AddOwnAccessKey, RemovePassword, SetOwnPassword, SetPassword};
use crate::error::{IdentityError, fail};
use crate::users::{changeable, protected};
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{PasswordHash, PublicKey};
use strongroom_gate::{
    Action, CredentialRecord, Entry, Held, KeyHolder, PasswordRecord, PeopleView, Permit, Person, UserView,
    Verdict, Verified, Way,
};
use strongroom_model::{Caller, Credential, CredentialId, UserId};
use strongroom_secret::SecretBytes;

/// Access keys that administrators may give one user.
const MAX_GIVEN_KEYS: usize = 100;

/// An access key as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id.
    pub id: CredentialId,
    /// Its kind.
    pub kind: &'static str,
    /// SHA-256 of its public half.
    pub fingerprint: [u8; 32],
    /// Made when.
    pub created: UnixMillis,
}

/// An access key, described: by its id, its public half, or both.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyLike<'a> {
    /// Its id.
    pub id: Option<CredentialId>,
    /// Its public half: PEM or a line of OpenSSH.
    pub public_key: Option<&'a str>,
}

/// The user who has a public key, as a resource.
pub fn holder_of(public_key: &str) -> Result<KeyHolder, IdentityError> {
    Ok(KeyHolder::Public(PublicKey::from_text(public_key.as_bytes())?.spki().to_vec()))
}

/// The user and the key, if it is theirs and may go.
async fn removable(
    view: &UserView,
    by: UserId,
    like: &KeyLike<'_>,
) -> Result<(Person, CredentialId), IdentityError> {
    let person = changeable(view, by)?;
    let key = match (like.id, like.public_key) {
        (Some(id), None) => person.keys.contains(&id).then_some(id),
        (_, Some(text)) => {
            let public = PublicKey::from_text(text.as_bytes())?;
            let mut keys = view.keys().await?.into_iter();
            let is = |id: CredentialId| like.id.is_none_or(|wanted| wanted == id);
            keys.find(|(id, record)| is(*id) && record.spki == public.spki()).map(|(id, _)| id)
        }
        (None, None) => None,
    };
    let key = key.ok_or(IdentityError::NotFound)?;
    if person.is_protected() && person.keys.len() == 1 {
        return Err(protected(&person, "keeps its last access key"));
    }
    Ok((person, key))
}

impl Identity {
    /// Adds an access key to a user.
    pub async fn add_key(
        &self,
        permit: Permit<AddAccessKey>,
        by: UserId,
        text: &str,
    ) -> Result<AccessKey, IdentityError> {
        let (view, entry) = permit.open();
        self.put_key(&view, entry, by, None, text).await
    }

    /// Adds an access key to a user under the id that it has from elsewhere, so that whoever holds it goes on as before.
    pub async fn add_known_key(
        &self,
        permit: Permit<AddAccessKey>,
        by: UserId,
        id: CredentialId,
        text: &str,
    ) -> Result<AccessKey, IdentityError> {
        let (view, entry) = permit.open();
        self.put_key(&view, entry, by, Some(id), text).await
    }

    /// Refuses an id that a key here has. The nil id is nobody's: it stands where no id was understood.
    pub(crate) async fn is_free(
        &self,
        people: &PeopleView,
        id: Option<CredentialId>,
    ) -> Result<(), IdentityError> {
        let Some(id) = id else { return Ok(()) };
        if id == CredentialId::default() || people.credential(id).await?.is_some() {
            return Err(IdentityError::AlreadyExists);
        }
        Ok(())
    }

    /// Adds an access key to the caller's own, of which there are fewer. It takes the password, or a token that an access
    /// key got: a session that was found open does not outlive itself.
    pub async fn add_own_key(
        &self,
        permit: Permit<AddOwnAccessKey>,
        caller: &Caller,
        present: Option<SecretBytes>,
        text: &str,
    ) -> Result<AccessKey, IdentityError> {
        let (view, entry) = permit.open();
        match self.may_replace(&view, caller, present).await {
            Ok(()) => self.put_key(&view, entry, view.id(), None, text).await,
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn put_key(
        &self,
        view: &UserView,
        mut entry: Entry,
        by: UserId,
        given: Option<CredentialId>,
        text: &str,
    ) -> Result<AccessKey, IdentityError> {
        let public = match PublicKey::from_text(text.as_bytes()) {
            Ok(public) => public,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let changing = match view.people().changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        if let Err(fault) = self.has_room(view, by, &public).await {
            return fail(entry, fault).await;
        }
        if let Err(fault) = self.is_free(view.people(), given).await {
            return fail(entry, fault).await;
        }
        let created = self.gate.now();
        let record = CredentialRecord { user: view.id(), spki: public.spki().to_vec(), created };
        let (id, change) = view.add_key(&changing, given, &record);
        entry.note(format!("access key {id}"));
        entry.remember(id.0.to_vec());
        entry.commit(view.people().finish(change)).await?;
        Ok(AccessKey { id, kind: public.kind().name(), fingerprint: public.fingerprint(), created })
    }

    async fn has_room(&self, view: &UserView, by: UserId, public: &PublicKey) -> Result<(), IdentityError> {
        let person = changeable(view, by)?;
        let own = by == person.id;
        let limit = if own { self.settings.load().max_access_keys } else { MAX_GIVEN_KEYS };
        if person.keys.len() >= limit {
            return Err(IdentityError::Limit { what: "access keys", limit });
        }
        let known = view.keys().await?.iter().any(|(_, known)| known.spki == public.spki());
        if known { Err(IdentityError::AlreadyExists) } else { Ok(()) }
    }

    /// A user's access keys, the oldest first.
    pub async fn list_keys<A: Action<View = UserView>>(
        &self,
        permit: Permit<A>,
    ) -> Result<Held<Vec<AccessKey>>, IdentityError> {
        let (view, entry) = permit.open();
        let keys = match view.keys().await {
            Ok(keys) => keys,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let told = keys.into_iter().filter_map(|(id, record)| {
            let public = PublicKey::from_spki(&record.spki).ok()?;
            let (kind, fingerprint) = (public.kind().name(), public.fingerprint());
            Some(AccessKey { id, kind, fingerprint, created: record.created })
        });
        let told = told.collect();
        Ok(entry.hold(Verdict::Released, told))
    }

    /// Takes an access key away from a user; tokens got with it end.
    pub async fn remove_key<A: Action<View = UserView>>(
        &self,
        permit: Permit<A>,
        by: UserId,
        key: CredentialId,
    ) -> Result<(), IdentityError> {
        self.remove_key_like(permit, by, &KeyLike { id: Some(key), public_key: None }).await
    }

    /// The same for the key that is described.
    pub async fn remove_key_like<A: Action<View = UserView>>(
        &self,
        permit: Permit<A>,
        by: UserId,
        like: &KeyLike<'_>,
    ) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let changing = match view.people().changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let (person, key) = match removable(&view, by, like).await {
            Ok(found) => found,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(format!("access key {key}, {} left", person.keys.len() - 1));
        entry.remember(Vec::new());
        entry.commit(view.people().finish(view.remove_key(&changing, key))).await?;
        Ok(())
    }

    /// Hashes a new password.
    pub(crate) async fn hashed(
        &self,
        people: &PeopleView,
        password: SecretBytes,
    ) -> Result<PasswordRecord, IdentityError> {
        let hash = self.gate.hasher().make(password, self.settings.load().password_cost).await?;
        let id = CredentialId(people.random_id());
        Ok(PasswordRecord { id, created: self.gate.now(), hash: hash.to_phc() })
    }

    /// Sets a user's password; tokens got with the one before end.
    pub async fn set_password(
        &self,
        permit: Permit<SetPassword>,
        by: UserId,
        password: SecretBytes,
    ) -> Result<(), IdentityError> {
        let (view, entry) = permit.open();
        self.put_password(&view, entry, by, password).await
    }

    /// Sets the caller's own password. It takes the present one, or a token that an access key got.
    pub async fn set_own_password(
        &self,
        permit: Permit<SetOwnPassword>,
        caller: &Caller,
        present: Option<SecretBytes>,
        password: SecretBytes,
    ) -> Result<(), IdentityError> {
        let (view, entry) = permit.open();
        match self.may_replace(&view, caller, present).await {
            Ok(()) => self.put_password(&view, entry, view.id(), password).await,
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn may_replace(
        &self,
        view: &UserView,
        caller: &Caller,
        present: Option<SecretBytes>,
    ) -> Result<(), IdentityError> {
        let Some(present) = present else {
            let Credential::Token { token, .. } = caller.credential else {
                return Err(IdentityError::NeedsProof);
            };
            let by_key = view.people().token(token).is_some_and(|token| token.way == Way::AccessKey);
            return if by_key { Ok(()) } else { Err(IdentityError::NeedsProof) };
        };
        let user = view.person().map(|person| person.record.name.to_string()).unwrap_or_default();
        let monotonic = self.gate.ambient().clock.monotonic();
        let attempt = self.backoff.begin(&user, caller.origin, monotonic);
        let attempt = attempt.map_err(|wait| IdentityError::Throttled { wait })?;
        let hash = view.password().await?.and_then(|record| PasswordHash::from_phc(&record.hash));
        let cost = self.settings.load().password_cost;
        match self.gate.hasher().verify(hash, present, cost).await {
            Ok(Verified::Right { .. }) => {
                self.backoff.succeeded(&attempt);
                Ok(())
            }
            Ok(Verified::Wrong) => Err(IdentityError::Password),
            Err(fault) => {
                self.backoff.forget(&attempt);
                Err(fault.into())
            }
        }
    }

    async fn put_password(
        &self,
        view: &UserView,
        mut entry: Entry,
        by: UserId,
        password: SecretBytes,
    ) -> Result<(), IdentityError> {
        let record = match self.hashed(view.people(), password).await {
            Ok(record) => record,
            Err(fault) => return fail(entry, fault).await,
        };
        let changing = match view.people().changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        if let Err(fault) = changeable(view, by) {
            return fail(entry, fault).await;
        }
        entry.remember(Vec::new());
        entry.commit(view.people().finish(view.set_password(&changing, &record))).await?;
        Ok(())
    }

    /// Takes a user's password away; tokens got with it end.
    pub async fn remove_password(
        &self,
        permit: Permit<RemovePassword>,
        by: UserId,
    ) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let changing = match view.people().changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        match changeable(&view, by) {
            Ok(person) if person.password.is_none() => return fail(entry, IdentityError::NotFound).await,
            Ok(_) => {}
            Err(fault) => return fail(entry, fault).await,
        }
        entry.remember(Vec::new());
        entry.commit(view.people().finish(view.remove_password(&changing))).await?;
        Ok(())
    }
}
