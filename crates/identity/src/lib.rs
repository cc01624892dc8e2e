//! Engine: users, groups, ACLs, credentials and tokens; a credential becomes a `Caller`.
//!
//! **What it is for.** [`Identity::authenticate`] turns a token into a caller by one lookup of a prepared one;
//! [`Identity::challenge`] and [`Identity::authorize`] turn a proof of possession of an access key into a bounded
//! token, [`Identity::login`] a password. The rest keeps users, groups and ACLs, and attaches them to each other.
//!
//! **What it promises.** Tokens are stored as digests, passwords as argon2id hashes. A challenge carries a MAC, lives a
//! minute and is single-use; an unknown access key, an unknown user and a disabled one look like known ones, in time too.
//! A lock ends every prepared caller; a token ends when its time does, by a clock that does not run back, and with its
//! user and its credential. `root` and `recovery` are never removed, disabled or left without an access key.
//!
//! **What it does not know.** What callers may do.

mod acls;
mod actions;
mod cache;
mod challenge;
mod credentials;
mod error;
mod explain;
mod groups;
mod offers;
mod proofs;
mod token_text;
mod tokens;
mod users;

pub use acls::{AclSummary, CoversKind, RuleText};
pub use actions::*;
pub use challenge::Proof;
pub use credentials::{AccessKey, KeyLike, holder_of};
pub use error::IdentityError;
pub use explain::{Answered, explain, explain_self, who_can};
pub use groups::GroupSummary;
pub use offers::Offer;
pub use proofs::Granted;
pub use token_text::TOKEN_PREFIX;
pub use tokens::TokenSummary;
pub use users::{CreatedUser, NewUser, UserSummary};

pub use strongroom_crypto::PasswordCost;
pub use strongroom_gate::{MAX_PASSWORD_BYTES, MIN_PASSWORD_BYTES};

use crate::cache::{Cache, Prepared};
use crate::challenge::Challenges;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use strongroom_gate::{Backoff, Denied, Gate, MAX_TOKENS_PER_USER, Space};
use strongroom_model::{Action, Caller, Credential, CredentialId, Principal, UserId};

/// Bounds of a token's life.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// If the request names none.
    pub default: Duration,
    /// However long the request asks for, and however often it is renewed.
    pub max: Duration,
}

/// What people may have, and what it costs.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bounds of a token's life.
    pub lifetimes: Lifetimes,
    /// Access keys that a user adds to their own.
    pub max_access_keys: usize,
    /// Tokens of one user at a time; a further one ends the oldest.
    pub max_tokens: usize,
    /// What hashing a password costs.
    pub password_cost: PasswordCost,
}

impl Settings {
    /// The usual, with these lifetimes.
    pub fn with(lifetimes: Lifetimes) -> Self {
        Self {
            lifetimes,
            max_access_keys: 5,
            max_tokens: MAX_TOKENS_PER_USER,
            password_cost: PasswordCost::RECOMMENDED,
        }
    }
}

/// The identity engine.
pub struct Identity {
    gate: Arc<Gate>,
    settings: ArcSwap<Settings>,
    cache: Cache,
    challenges: Challenges,
    backoff: Backoff,
}

impl Identity {
    /// An engine over a gate.
    pub fn new(gate: Arc<Gate>, settings: Settings) -> Self {
        let challenges = Challenges::new(gate.ambient());
        Self {
            gate,
            settings: ArcSwap::from_pointee(settings),
            cache: Cache::default(),
            challenges,
            backoff: Backoff::default(),
        }
    }

    /// Whoever gives a right waits while only a full disk's reserve is left; whoever takes one away does not.
    pub(crate) fn may_give(&self) -> Result<(), IdentityError> {
        match self.gate.space() {
            Space::Ample => Ok(()),
            Space::Reserved | Space::Exhausted => Err(Denied::Full.into()),
        }
    }

    /// What people may have from here on.
    pub fn set(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Makes a caller of a token's bearer: fills in who, from one prepared look-up.
    pub async fn authenticate(&self, caller: &mut Caller, token: &str) -> Result<(), IdentityError> {
        let digest = token_text::digest(token).ok_or(IdentityError::Unauthenticated)?;
        let epoch = self.gate.epoch();
        let prepared = match self.cache.get(&digest, epoch) {
            Some(prepared) => prepared,
            None => self.prepare(digest, epoch).await?,
        };
        if prepared.expires <= self.gate.now() {
            self.cache.remove(&digest);
            return Err(IdentityError::Unauthenticated);
        }
        caller.principal = Some(Arc::clone(&prepared.principal));
        caller.credential = prepared.credential;
        Ok(())
    }

    /// The same of a client that also names an access key: it must be one of the bearer's own, whichever.
    pub async fn authenticate_with_key(
        &self,
        caller: &mut Caller,
        token: &str,
        key_text: &str,
    ) -> Result<(), IdentityError> {
        self.authenticate(caller, token).await?;
        let user = caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default();
        let key = key_text.parse::<CredentialId>().unwrap_or_default();
        if !self.gate.is_key_of(key, user)? {
            caller.principal = None;
            caller.credential = Credential::None;
            return Err(IdentityError::Unauthenticated);
        }
        Ok(())
    }

    async fn prepare(&self, digest: [u8; 32], epoch: u64) -> Result<Arc<Prepared>, IdentityError> {
        if !self.gate.is_unlocked() {
            return Err(IdentityError::Denied(Denied::Locked));
        }
        let ended = self.cache.ended();
        let found = self.gate.look_up_token(&digest).await?;
        let (token, user) = found.ok_or(IdentityError::Unauthenticated)?;
        let partition = self.gate.partition()?;
        let name = user.record.name.clone();
        let prepared = Arc::new(Prepared {
            principal: Arc::new(Principal { partition, user: token.user, name }),
            credential: Credential::Token { token: token.accessor, key: token.key },
            expires: token.expires,
        });
        self.cache.put(digest, epoch, ended, Arc::clone(&prepared));
        Ok(prepared)
    }

    /// A user's name, for answers that say who made something; the id of a user who is gone.
    #[expect(clippy::unused_async, reason = "callers need not know that names are kept in memory")]
    pub async fn user_name(&self, id: UserId) -> Result<Arc<str>, IdentityError> {
        let epoch = self.gate.epoch();
        if let Some(name) = self.cache.name(id, epoch) {
            return Ok(name);
        }
        let found = self.gate.user_name(id)?;
        let name: Arc<str> = found.map_or_else(|| id.to_string(), |name| name.to_string()).into();
        self.cache.put_name(id, epoch, &name);
        Ok(name)
    }

    /// Leaves word of a request whose token was no token.
    pub async fn turn_away(&self, caller: &Caller, action: Action) -> Result<(), IdentityError> {
        Ok(self.gate.turn_away(caller, action, "no valid token").await?)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}
