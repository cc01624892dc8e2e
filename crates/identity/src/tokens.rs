//! Tokens as things: looked up, listed, renewed, ended.

use crate::Identity;
use crate::actions::{Deauth, ListOwnTokens, ListTokens, LookupToken, RenewToken, RevokeTokens};
use crate::error::{IdentityError, fail};
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{Action, Held, PeopleView, Permit, TokenRecord, TokenView, UserRecord, Verdict, Way};
use strongroom_model::{CredentialId, TokenId, UserId};

/// A token, looked up.
#[derive(Debug, Clone)]
pub struct TokenSummary {
    /// Names the token without being it.
    pub accessor: TokenId,
    /// Whose.
    pub user: String,
    /// The access key it was got with, or the password's id.
    pub key: CredentialId,
    /// How it was got.
    pub way: Way,
    /// Made when.
    pub created: UnixMillis,
    /// Until when.
    pub expires: UnixMillis,
}

fn summary(people: &PeopleView, token: &TokenRecord) -> TokenSummary {
    let user = people.person(token.user).map(|person| person.record.name.to_string());
    TokenSummary {
        accessor: token.accessor,
        user: user.unwrap_or_else(|| token.user.to_string()),
        key: token.key,
        way: token.way,
        created: token.created,
        expires: token.expires,
    }
}

impl Identity {
    /// Looks the caller's own token up.
    pub fn look_up(&self, permit: Permit<LookupToken>) -> Held<TokenSummary> {
        let (view, entry) = permit.open();
        let found = summary(view.people(), view.token());
        entry.hold(Verdict::Released, found)
    }

    /// Ends the caller's own token.
    pub async fn deauth(&self, permit: Permit<Deauth>, by: UserId) -> Result<(), IdentityError> {
        self.end(permit, by).await
    }

    /// Ends one token: one's own, or anybody's; a protected user's only a protected user.
    pub async fn end<A: Action<View = TokenView>>(
        &self,
        permit: Permit<A>,
        by: UserId,
    ) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.people();
        if people.is_protected(view.token().user) && !people.is_protected(by) {
            return fail(entry, IdentityError::OnlyProtected).await;
        }
        entry.note(format!("token {}", view.token().accessor));
        entry.remember(Vec::new());
        let digest = view.token().digest;
        let committed = entry.commit(view.remove()).await;
        // gone from here even when the outcome is unknown: it is looked up again
        self.cache.remove(&digest);
        committed?;
        Ok(())
    }

    /// Lets the caller's own token live on, never beyond the greatest lifetime since it was made.
    pub async fn renew(
        &self,
        permit: Permit<RenewToken>,
        ttl: Option<Duration>,
    ) -> Result<TokenSummary, IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.people();
        let steady = match people.steady().await {
            Ok(steady) => steady,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let Some(token) = people.token(view.token().accessor) else {
            drop(steady);
            return fail(entry, IdentityError::NotFound).await;
        };
        let last = token.created.plus(self.settings.load().lifetimes.max);
        let wanted = self.gate.now().plus(self.bounded(ttl)).min(last);
        let renewed = TokenRecord { expires: wanted.max(token.expires), ..(*token).clone() };
        entry.commit(people.renew_token(&steady, &renewed)).await?;
        self.cache.remove(&renewed.digest);
        Ok(summary(people, &renewed))
    }

    /// The caller's own tokens, the oldest first.
    pub fn own_tokens(&self, permit: Permit<ListOwnTokens>) -> Held<Vec<TokenSummary>> {
        let (view, entry) = permit.open();
        let tokens = view.tokens().iter().map(|token| summary(view.people(), token)).collect();
        entry.hold(Verdict::Released, tokens)
    }

    /// Tokens of the user that the permit names, or of everybody after an accessor; whether there are more.
    pub async fn list_tokens(
        &self,
        permit: Permit<ListTokens>,
        after: Option<TokenId>,
        limit: usize,
    ) -> Result<Held<Option<(Vec<TokenSummary>, bool)>>, IdentityError> {
        let (view, entry) = permit.open();
        let people = view.people();
        let tokens = match view.name() {
            None => people.tokens(after, limit.saturating_add(1)),
            Some(name) => match view.named(name.as_str()).await {
                Ok(Some(person)) => people.tokens_of(person.id),
                Ok(None) => return Ok(entry.hold(Verdict::NotFound, None)),
                Err(fault) => return fail(entry, fault.into()).await,
            },
        };
        let more = view.name().is_none() && tokens.len() > limit;
        let limit = if more { limit } else { tokens.len() };
        let tokens = tokens.iter().take(limit).map(|token| summary(people, token)).collect();
        Ok(entry.hold(Verdict::Released, Some((tokens, more))))
    }

    /// Ends all tokens of a user, however many there are: the record says since when none holds.
    pub async fn end_all(&self, permit: Permit<RevokeTokens>, by: UserId) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let changing = match view.people().changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let Some(person) = view.person() else { return fail(entry, IdentityError::NotFound).await };
        if person.is_protected() && !view.people().is_protected(by) {
            return fail(entry, IdentityError::OnlyProtected).await;
        }
        let record = UserRecord { tokens_ended: self.gate.now(), ..(*person.record).clone() };
        entry.note(format!("{} tokens", view.tokens().len()));
        entry.remember(Vec::new());
        entry.commit(view.people().finish(view.put(&changing, record, true))).await?;
        Ok(())
    }
}
