//! Tokens and their rows: found by digest, added, renewed, removed, and the expired ones cleared away.

use super::records::{CredentialRecord, PasswordRecord, TokenRecord};
use super::{PeopleView, Person, Steady, known, read};
use crate::admit::Gate;
use std::sync::Arc;
use strongroom_barrier::{BarrierError, Batch, Opened, keys};
use strongroom_keyring::Kind;
use strongroom_model::{TokenId, UserId};
use strongroom_store::Precondition;

impl PeopleView {
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

/// What backs a token may be damaged, and then that is what is told.
async fn not_damaged(opened: &Opened, token: &TokenRecord) -> Result<(), BarrierError> {
    let key = keys::credential(opened.partition(), token.key);
    read(opened, Kind::Credential, token.key.0, key, CredentialRecord::decode).await?;
    let key = keys::password(opened.partition(), token.user);
    read(opened, Kind::Password, token.user.0, key, PasswordRecord::decode).await.map(drop)
}

fn half(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(digest) {
        *to = *from;
    }
    half
}
