//! From a proof to a token: access keys by challenge and signature, passwords.

use crate::Identity;
use crate::actions::{Authorize, Challenge, Login};
use crate::challenge::Proof;
use crate::error::{IdentityError, fail};
use crate::token_text;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{PasswordHash, PublicKey, sha256};
use strongroom_gate::{
    BarrierError, Entry, Held, MAX_TOKENS, PasswordRecord, PeopleView, Permit, Person, TokenRecord, Verdict,
    Verified, Way,
};
use strongroom_model::{CredentialId, Name, Origin, TokenId, UserId};
use strongroom_secret::SecretBytes;

/// A token, just made: shown once.
#[derive(Debug)]
pub struct Granted {
    /// The token's text.
    pub token: SecretBytes,
    /// Names the token without being it.
    pub accessor: TokenId,
    /// Until when.
    pub expires: UnixMillis,
    /// Lifetime.
    pub ttl: Duration,
}

/// What was proved, and for how long it is to hold.
pub(crate) struct Proved {
    pub(crate) user: UserId,
    pub(crate) key: CredentialId,
    pub(crate) way: Way,
    pub(crate) ttl: Option<Duration>,
    /// The password's hash under the present cost, if that has changed.
    pub(crate) fresh: Option<PasswordRecord>,
    /// The token's text, if the proof was about it.
    pub(crate) token: Option<SecretBytes>,
}

impl Identity {
    /// Gives a challenge for an access key; whether the key exists is not told.
    pub fn challenge(&self, permit: Permit<Challenge>, key_text: &str) -> Held<(String, UnixMillis)> {
        let (_, entry) = permit.open();
        let challenge = self.challenges.make(self.gate.ambient(), key_text, self.gate.now());
        entry.hold(Verdict::Released, challenge)
    }

    /// Checks a proof of possession and makes a token.
    pub async fn authorize(
        &self,
        permit: Permit<Authorize>,
        proof: &Proof<'_>,
        ttl: Option<Duration>,
    ) -> Result<Granted, IdentityError> {
        let (view, mut entry) = permit.open();
        let now = self.gate.now();
        if !self.challenges.is_fresh(proof, now) {
            entry.note("expired, forged or foreign challenge");
            return refused(entry, IdentityError::Proof).await;
        }
        let key = proof.key_text.parse::<CredentialId>().unwrap_or_default();
        let credential = match view.credential(key).await {
            Ok(credential) => credential,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let public = credential.as_ref().and_then(|known| PublicKey::from_spki(&known.spki).ok());
        let signed = proof.verify(public.as_ref());
        let Some(credential) = credential.filter(|_| signed) else {
            entry.note("unknown key or wrong signature");
            return refused(entry, IdentityError::Proof).await;
        };
        // only a good proof spends its challenge: others cannot fill what is remembered
        if !self.challenges.spend(proof, now) {
            entry.note("spent challenge");
            return refused(entry, IdentityError::Proof).await;
        }
        let proved =
            Proved { user: credential.user, key, way: Way::AccessKey, ttl, fresh: None, token: None };
        self.grant(&view, entry, proved, || IdentityError::Proof).await
    }

    /// Checks a password and makes a token. An unknown user takes as long as a known one.
    pub async fn login(
        &self,
        permit: Permit<Login>,
        origin: Origin,
        user: &str,
        password: SecretBytes,
        ttl: Option<Duration>,
    ) -> Result<Granted, IdentityError> {
        let (view, mut entry) = permit.open();
        let monotonic = self.gate.ambient().clock.monotonic();
        let attempt = match self.backoff.begin(user, origin, monotonic) {
            Ok(attempt) => attempt,
            Err(wait) => {
                entry.note("too many failed attempts");
                return refused(entry, IdentityError::Throttled { wait }).await;
            }
        };
        let found = match self.password_of(&view, user).await {
            Ok(found) => found,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let hash = found.as_ref().and_then(|(_, record)| PasswordHash::from_phc(&record.hash));
        let cost = self.settings.load().password_cost;
        let verified = match self.gate.hasher().verify(hash, password, cost).await {
            Ok(verified) => verified,
            Err(fault) => {
                let fault = IdentityError::from(fault);
                // nothing was tried; and nobody may fill the trail with it
                self.backoff.forget(&attempt);
                entry.note(fault.to_string());
                return refused(entry, fault).await;
            }
        };
        let (Some((person, record)), Verified::Right { fresh }) = (found, verified) else {
            entry.note("unknown user or wrong password");
            return refused(entry, IdentityError::Password).await;
        };
        let fresh = fresh.map(|hash| PasswordRecord { hash: hash.to_phc(), ..record.clone() });
        let proved = Proved { user: person.id, key: record.id, way: Way::Password, ttl, fresh, token: None };
        let granted = self.grant(&view, entry, proved, || IdentityError::Password).await?;
        self.backoff.succeeded(&attempt);
        Ok(granted)
    }

    async fn password_of(
        &self,
        view: &PeopleView,
        user: &str,
    ) -> Result<Option<(Person, PasswordRecord)>, BarrierError> {
        // what is no name is nobody's
        let Ok(name) = Name::new(user) else { return Ok(None) };
        let Some(person) = view.named(name.as_str()).await? else { return Ok(None) };
        Ok(view.password(person.id).await?.map(|record| (person, record)))
    }

    /// Makes a token for who proved themselves, if they still are who they were.
    pub(crate) async fn grant(
        &self,
        view: &PeopleView,
        mut entry: Entry,
        proved: Proved,
        refusal: impl FnOnce() -> IdentityError,
    ) -> Result<Granted, IdentityError> {
        let steady = match view.steady().await {
            Ok(steady) => steady,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let holds = |person: &Person| {
            person.record.enabled
                && (person.keys.contains(&proved.key) || person.password == Some(proved.key))
        };
        let Some(person) = view.person(proved.user).filter(holds) else {
            drop(steady);
            entry.note("the user is disabled, or the credential is gone");
            return refused(entry, refusal()).await;
        };
        if view.token_count() >= MAX_TOKENS {
            drop(steady);
            return fail(entry, IdentityError::Limit { what: "tokens", limit: MAX_TOKENS }).await;
        }
        let settings = self.settings.load();
        let ttl = self.bounded(proved.ttl);
        let (token, digest) = match proved.token {
            Some(token) => {
                let digest = token.expose(sha256);
                (token, digest)
            }
            None => token_text::generate(self.gate.ambient()),
        };
        // a token of the moment in which all were ended is not one of them
        let now = self.gate.now();
        let created = now.max(person.record.tokens_ended.plus(Duration::from_millis(1)));
        let record = TokenRecord {
            digest,
            user: proved.user,
            key: proved.key,
            accessor: TokenId(view.random_id()),
            created,
            // by a clock that was wrong, all may have ended far ahead
            expires: now.plus(ttl),
            way: proved.way,
        };
        let (mut batch, ended) = view.add_token(&steady, &record, settings.max_tokens);
        if let Some(fresh) = &proved.fresh {
            batch.absorb(view.rehashed(&steady, proved.user, fresh));
        }
        entry.note(match ended {
            0 => format!("token {}", record.accessor),
            ended => format!("token {}; {ended} older ended for it", record.accessor),
        });
        entry.commit(batch).await?;
        Ok(Granted { token, accessor: record.accessor, expires: record.expires, ttl })
    }

    /// A lifetime as asked for, within bounds.
    pub(crate) fn bounded(&self, ttl: Option<Duration>) -> Duration {
        let lifetimes = self.settings.load().lifetimes;
        ttl.unwrap_or(lifetimes.default).min(lifetimes.max).max(Duration::from_secs(1))
    }
}

pub(crate) async fn refused<T>(entry: Entry, fault: IdentityError) -> Result<T, IdentityError> {
    entry.refuse().await?;
    Err(fault)
}
