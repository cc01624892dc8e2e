//! The tokens there are, by accessor and by user: what is listed, counted and ended by name. Digests only.

use super::records::TokenRecord;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_model::{TokenId, UserId};

/// Tokens of one user that hold together; a further one ends the oldest.
pub const MAX_TOKENS_PER_USER: usize = 1_000;
/// Tokens of everybody.
pub const MAX_TOKENS: usize = 1_000_000;

#[derive(Default)]
pub(crate) struct Tokens {
    all: HashMap<TokenId, Arc<TokenRecord>>,
    of: HashMap<UserId, BTreeSet<(UnixMillis, TokenId)>>,
}

impl Tokens {
    pub(super) fn insert(&mut self, token: TokenRecord) {
        self.of.entry(token.user).or_default().insert((token.created, token.accessor));
        self.all.insert(token.accessor, Arc::new(token));
    }

    pub(super) fn remove(&mut self, accessor: TokenId) {
        let Some(token) = self.all.remove(&accessor) else { return };
        if let Some(of) = self.of.get_mut(&token.user) {
            of.remove(&(token.created, accessor));
            if of.is_empty() {
                self.of.remove(&token.user);
            }
        }
    }

    /// Forgets all of a user's that `ended` picks.
    pub(super) fn remove_of(&mut self, user: UserId, ended: impl Fn(&TokenRecord) -> bool) {
        for token in self.of(user).into_iter().filter(|token| ended(token)) {
            self.remove(token.accessor);
        }
    }

    pub(super) fn get(&self, accessor: TokenId) -> Option<Arc<TokenRecord>> {
        self.all.get(&accessor).cloned()
    }

    /// A user's, the oldest first.
    pub(super) fn of(&self, user: UserId) -> Vec<Arc<TokenRecord>> {
        let ids = self.of.get(&user).into_iter().flatten();
        ids.filter_map(|(_, accessor)| self.all.get(accessor).cloned()).collect()
    }

    /// Everybody's that hold after an accessor, in order of accessors.
    pub(super) fn page(
        &self,
        after: Option<TokenId>,
        limit: usize,
        now: UnixMillis,
    ) -> Vec<Arc<TokenRecord>> {
        let holds = |token: &&Arc<TokenRecord>| Some(token.accessor) > after && token.expires > now;
        let mut page: Vec<_> = self.all.values().filter(holds).cloned().collect();
        page.sort_unstable_by_key(|token| token.accessor);
        page.truncate(limit);
        page
    }

    /// Those of a user that a further token would end: all but the newest that may stay beside it. What has expired goes
    /// first.
    pub(super) fn beyond(&self, user: UserId, limit: usize, now: UnixMillis) -> Vec<Arc<TokenRecord>> {
        let mut tokens = self.of(user);
        tokens.sort_by_key(|token| token.expires > now);
        tokens.truncate((tokens.len() + 1).saturating_sub(limit));
        tokens
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::Way;
    use super::*;
    use strongroom_model::CredentialId;

    const NOW: UnixMillis = UnixMillis(500);

    fn token(user: u8, number: u8) -> TokenRecord {
        TokenRecord {
            digest: [number; 32],
            user: UserId([user; 16]),
            key: CredentialId::default(),
            accessor: TokenId([number; 16]),
            created: UnixMillis(i64::from(number)),
            expires: UnixMillis(1_000),
            way: Way::AccessKey,
        }
    }

    fn numbers(tokens: &[Arc<TokenRecord>]) -> Vec<u8> {
        tokens.iter().map(|token| token.digest[0]).collect()
    }

    #[test]
    fn the_oldest_give_way() {
        let mut tokens = Tokens::default();
        for number in [3, 1, 2] {
            tokens.insert(token(7, number));
        }
        tokens.insert(token(8, 9));
        let user = UserId([7; 16]);
        assert_eq!(numbers(&tokens.beyond(user, 4, NOW)), Vec::<u8>::new());
        assert_eq!(numbers(&tokens.beyond(user, 3, NOW)), [1]);
        assert_eq!(numbers(&tokens.beyond(user, 1, NOW)), [1, 2, 3]);
    }

    #[test]
    fn what_has_expired_goes_first_and_hides_nothing_behind_it() {
        let mut tokens = Tokens::default();
        for number in 1..=5 {
            let expires = if matches!(number, 2 | 4) { NOW } else { UnixMillis(1_000) };
            tokens.insert(TokenRecord { expires, ..token(7, number) });
        }
        let user = UserId([7; 16]);
        assert_eq!(numbers(&tokens.beyond(user, 4, NOW)), [2, 4]);
        assert_eq!(numbers(&tokens.beyond(user, 3, NOW)), [2, 4, 1]);
        assert_eq!(numbers(&tokens.page(None, 2, NOW)), [1, 3]);
        assert_eq!(numbers(&tokens.page(Some(TokenId([3; 16])), 2, NOW)), [5]);
    }

    #[test]
    fn what_is_removed_is_gone_from_both_sides() {
        let mut tokens = Tokens::default();
        for number in 1..=4 {
            tokens.insert(token(number % 2, number));
        }
        tokens.remove(TokenId([1; 16]));
        tokens.remove(TokenId([77; 16]));
        assert_eq!(numbers(&tokens.of(UserId([1; 16]))), [3]);
        assert_eq!(numbers(&tokens.page(Some(TokenId([2; 16])), 9, NOW)), [3, 4]);
        assert_eq!(numbers(&tokens.page(None, 2, NOW)), [2, 3]);
        tokens.remove_of(UserId([0; 16]), |token| token.digest[0] == 2);
        assert_eq!(numbers(&tokens.of(UserId([0; 16]))), [4]);
        assert_eq!((tokens.len(), tokens.of.len()), (2, 2));
    }
}
