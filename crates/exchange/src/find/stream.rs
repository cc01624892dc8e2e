//! Sorted streams of records, newest first: a token's, or the union or intersection of others.

use crate::storage::{Arrival, Storage, StorageError, TokenBytes};
use std::collections::VecDeque;
use strongroom_sharing::exchange::Where;

/// Postings that the first look at a token takes, and the most that a later one takes.
const FIRST_LOOK: usize = 32;
const LONGEST_LOOK: usize = 2_048;

/// What a search has left.
pub(super) struct Walk<'a> {
    pub(super) storage: &'a dyn Storage,
    /// Looks at the store.
    pub(super) looks_left: u64,
    /// Steps from one stream to another.
    pub(super) steps_left: u64,
    /// Where an intersection gave up for want of steps: of what is older nothing is known.
    pub(super) tired_at: Option<Arrival>,
}

/// The records of one span that meet a condition.
pub(super) enum Stream {
    Leaf(Leaf),
    Any(Vec<Stream>),
    All(Vec<Stream>),
}

pub(super) struct Leaf {
    span: u32,
    token: TokenBytes,
    /// Postings that were fetched and not passed, newest first.
    ahead: VecDeque<Arrival>,
    look: usize,
    /// No more than what is ahead is in the store.
    ended: bool,
}

impl Stream {
    pub(super) fn of(condition: &Where, span: u32) -> Self {
        let each = |all: &[Where]| all.iter().map(|one| Self::of(one, span)).collect();
        match condition {
            Where::Any(tokens) => {
                Self::Any(tokens.iter().map(|token| Self::Leaf(Leaf::of(span, token.0))).collect())
            }
            Where::Or(any) => Self::Any(each(any)),
            Where::And(all) => Self::All(each(all)),
        }
    }

    /// The newest record at `most` or before. `most` never grows from call to call.
    pub(super) fn at_most(
        &mut self,
        most: Arrival,
        walk: &mut Walk<'_>,
    ) -> Result<Option<Arrival>, StorageError> {
        match self {
            Self::Leaf(leaf) => leaf.at_most(most, walk),
            Self::Any(any) => {
                let (mut newest, mut at) = (None, 0);
                while let Some(one) = any.get_mut(at) {
                    match one.at_most(most, walk)? {
                        Some(found) => {
                            newest = newest.max(Some(found));
                            at += 1;
                        }
                        // those that have nothing any more are asked no more
                        None => drop(any.swap_remove(at)),
                    }
                }
                Ok(newest)
            }
            Self::All(all) => {
                let mut candidate = most;
                let mut agreed = 0;
                while agreed < all.len() {
                    // those that were not asked yet first, then again whoever said nothing of the latest candidate
                    let Some(one) = all.get_mut(agreed) else { break };
                    walk.steps_left = walk.steps_left.saturating_sub(1);
                    if walk.steps_left == 0 {
                        walk.tired_at = walk.tired_at.max(Some(candidate));
                        return Ok(None);
                    }
                    match one.at_most(candidate, walk)? {
                        None => return Ok(None),
                        Some(found) if found == candidate => agreed += 1,
                        Some(found) => {
                            candidate = found;
                            // whoever is the rarest leads from now on
                            all.swap(0, agreed);
                            agreed = 1;
                        }
                    }
                }
                Ok(Some(candidate))
            }
        }
    }
}

impl Leaf {
    fn of(span: u32, token: TokenBytes) -> Self {
        Self { span, token, ahead: VecDeque::new(), look: FIRST_LOOK, ended: false }
    }

    fn at_most(&mut self, most: Arrival, walk: &mut Walk<'_>) -> Result<Option<Arrival>, StorageError> {
        let passed = self.ahead.partition_point(|arrival| *arrival > most);
        self.ahead.drain(..passed);
        if self.ahead.is_empty() && !self.ended {
            walk.looks_left = walk.looks_left.saturating_sub(1);
            let found = walk.storage.postings(self.span, &self.token, most, self.look)?;
            self.ended = found.len() < self.look;
            self.look = LONGEST_LOOK.min(self.look * 4);
            self.ahead = found.into();
        }
        Ok(self.ahead.front().copied())
    }
}
