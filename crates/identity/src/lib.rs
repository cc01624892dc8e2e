//! Engine: credentials and tokens; a credential becomes a `Caller`.
//!
//! **What it is for.** [`Identity::authenticate`] turns a token into a caller by one lookup of a prepared one;
//! [`Identity::challenge`] and [`Identity::authorize`] turn a proof of possession of an access key into a bounded
//! token.
//!
//! **What it promises.** Tokens are stored as digests. A challenge carries a MAC, lives a minute and is single-use;
//! an unknown access key looks like a known one. A lock ends every prepared caller; a token ends when its time does,
//! by a clock that does not run back.
//!
//! **What it does not know.** What callers may do.

mod actions;
mod cache;
mod challenge;
mod explain;
mod token;

pub use actions::{Authorize, Challenge, Deauth, Explain, ExplainSelf, LookupToken, WhoCan};
pub use challenge::{Proof, Transcript};
pub use explain::{Answered, explain, explain_self, who_can};
pub use token::TOKEN_PREFIX;

use crate::cache::{Cache, Prepared};
use crate::challenge::Challenges;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::PublicKey;
use strongroom_gate::{
    BarrierError, CommitError, Denied, Gate, Held, Permit, TokenRecord, TrailError, Verdict,
};
use strongroom_model::{Action, Caller, Credential, CredentialId, Principal, TokenId, UserId};
use strongroom_secret::SecretBytes;

/// Bounds of a token's life.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// If the request names none.
    pub default: Duration,
    /// However long the request asks for.
    pub max: Duration,
}

/// Why a credential was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No token, or none that is valid.
    #[error("no valid token")]
    Unauthenticated,
    /// The proof of possession does not hold: unknown key, wrong signature, spent or expired challenge.
    #[error("the proof of possession does not hold")]
    Proof,
    /// Not admitted.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Stored data.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
    /// The change was not, or perhaps not, made.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The trail cannot be written.
    #[error(transparent)]
    Trail(#[from] TrailError),
}

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

/// A token, looked up.
#[derive(Debug, Clone)]
pub struct TokenSummary {
    /// Names the token without being it.
    pub accessor: TokenId,
    /// Whose.
    pub user: String,
    /// The access key it was got with.
    pub key: CredentialId,
    /// Made when.
    pub created: UnixMillis,
    /// Until when.
    pub expires: UnixMillis,
}

/// The identity engine.
pub struct Identity {
    gate: Arc<Gate>,
    lifetimes: ArcSwap<Lifetimes>,
    cache: Cache,
    challenges: Challenges,
}

impl Identity {
    /// An engine over a gate.
    pub fn new(gate: Arc<Gate>, lifetimes: Lifetimes) -> Self {
        let challenges = Challenges::new(gate.ambient());
        Self { gate, lifetimes: ArcSwap::from_pointee(lifetimes), cache: Cache::default(), challenges }
    }

    /// Bounds tokens made from here on.
    pub fn set_lifetimes(&self, lifetimes: Lifetimes) {
        self.lifetimes.store(Arc::new(lifetimes));
    }

    /// Makes a caller of a token's bearer: fills in who, from one prepared look-up.
    pub async fn authenticate(&self, caller: &mut Caller, token: &str) -> Result<(), IdentityError> {
        let digest = token::digest(token).ok_or(IdentityError::Unauthenticated)?;
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

    async fn prepare(&self, digest: [u8; 32], epoch: u64) -> Result<Arc<Prepared>, IdentityError> {
        if !self.gate.is_unlocked() {
            return Err(IdentityError::Denied(Denied::Locked));
        }
        let ended = self.cache.ended();
        let found = self.gate.look_up_token(&digest).await?;
        let (token, user) = found.ok_or(IdentityError::Unauthenticated)?;
        let partition = self.gate.partition()?;
        let prepared = Arc::new(Prepared {
            principal: Arc::new(Principal { partition, user: token.user, name: user.name }),
            credential: Credential::Token { token: token.accessor, key: token.key },
            created: token.created,
            expires: token.expires,
        });
        self.cache.put(digest, epoch, ended, Arc::clone(&prepared));
        Ok(prepared)
    }

    /// A user's name, for answers that say who made something; the id of a user who is gone.
    pub async fn user_name(&self, id: UserId) -> Result<Arc<str>, IdentityError> {
        let epoch = self.gate.epoch();
        if let Some(name) = self.cache.name(id, epoch) {
            return Ok(name);
        }
        let found = self.gate.user_name(id).await?;
        let name: Arc<str> = found.map_or_else(|| id.to_string(), |name| name.to_string()).into();
        self.cache.put_name(id, epoch, &name);
        Ok(name)
    }

    /// Leaves word of a request whose token was no token.
    pub async fn turn_away(&self, caller: &Caller, action: Action) -> Result<(), IdentityError> {
        Ok(self.gate.turn_away(caller, action, "no valid token").await?)
    }

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
        let session = view.session().await?;
        let now = self.gate.now();
        let key = proof.key_text.parse::<CredentialId>().ok();
        let credential = match key {
            Some(key) => match view.credential(key).await {
                Ok(credential) => credential.map(|credential| (key, credential)),
                Err(fault) => {
                    entry.note(fault.to_string());
                    entry.finish(Verdict::Failed).await?;
                    return Err(fault.into());
                }
            },
            None => None,
        };
        let fresh = self.challenges.spend(proof, now);
        let signed = credential.filter(|(_, credential)| {
            PublicKey::from_spki(&credential.spki).is_ok_and(|public| proof.verify(&public))
        });
        let (true, Some((key, credential))) = (fresh, signed) else {
            entry.note(if fresh {
                "unknown key or wrong signature"
            } else {
                "spent, expired or forged challenge"
            });
            entry.refuse().await?;
            return Err(IdentityError::Proof);
        };
        let lifetimes = self.lifetimes.load();
        let ttl = ttl.unwrap_or(lifetimes.default).min(lifetimes.max).max(Duration::from_secs(1));
        let (token, digest) = token::generate(self.gate.ambient());
        let record = TokenRecord {
            digest,
            user: credential.user,
            key,
            accessor: TokenId(view.random_id()),
            created: now,
            expires: now.plus(ttl),
        };
        entry.note(format!("token {}", record.accessor));
        entry.commit(view.add_token(session, &record)).await?;
        Ok(Granted { token, accessor: record.accessor, expires: record.expires, ttl })
    }

    /// Looks the caller's own token up.
    pub fn look_up(
        &self,
        permit: Permit<LookupToken>,
        token: &str,
    ) -> Result<Held<TokenSummary>, IdentityError> {
        let (_, entry) = permit.open();
        let digest = token::digest(token).ok_or(IdentityError::Unauthenticated)?;
        let prepared = self.cache.get(&digest, self.gate.epoch()).ok_or(IdentityError::Unauthenticated)?;
        let (Credential::Token { token, key }, principal) = (prepared.credential, &prepared.principal) else {
            return Err(IdentityError::Unauthenticated);
        };
        let summary = TokenSummary {
            accessor: token,
            user: principal.name.to_string(),
            key,
            created: prepared.created,
            expires: prepared.expires,
        };
        Ok(entry.hold(Verdict::Released, summary))
    }

    /// Ends the caller's own token.
    pub async fn deauth(&self, permit: Permit<Deauth>, token: &str) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let digest = token::digest(token).ok_or(IdentityError::Unauthenticated)?;
        let committed = entry.commit(view.remove_token(&digest)).await;
        // gone from here even when the outcome is unknown: it is looked up again
        self.cache.remove(&digest);
        committed?;
        Ok(())
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}
