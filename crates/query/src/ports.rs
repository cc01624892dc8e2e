//! Whom a search asks: the authority, and something that has records. Real ones are clients of servers; a copy on the disk
//! and hostile ones in tests are others.

use std::error::Error;
use std::future::Future;
use strongroom_sharing::SignedText;
use strongroom_sharing::authority::{AskTokens, Tokens};
use strongroom_sharing::exchange::{AskProofs, Batches, Count, Found, HeadAt, Page, Proofs, Query};
use strongroom_sharing::{BatchId, MemberId};

/// Why something was not answered.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct AskError {
    /// What was asked.
    pub what: &'static str,
    /// Why there is no answer.
    pub source: Box<dyn Error + Send + Sync>,
}

impl AskError {
    /// From what a client says.
    pub fn of(what: &'static str) -> impl FnOnce(Box<dyn Error + Send + Sync>) -> Self {
        move |source| Self { what, source }
    }
}

/// An answer, some time.
pub trait Answer<T>: Future<Output = Result<T, AskError>> {}
impl<T, F: Future<Output = Result<T, AskError>>> Answer<T> for F {}

/// The attribute authority: whom everything else is checked by.
pub trait Authority {
    /// Tokens of values, for the collectors and epochs that the member may search.
    fn tokens(&self, ask: &AskTokens) -> impl Answer<Tokens>;
    /// The last head of each collector, as the collector signed it.
    fn heads(&self) -> impl Answer<Vec<SignedText>>;
}

/// The exchange: nothing that it says is believed.
pub trait Exchange {
    /// A page of records.
    fn page(&self, query: &Query) -> impl Answer<Page>;
    /// How many records.
    fn count(&self, query: &Query) -> impl Answer<Count>;
    /// Headers of batches, in the order of what was asked for.
    fn batches(&self, batches: &[BatchId]) -> impl Answer<Batches>;
    /// What a collector put into an epoch.
    fn proofs(&self, ask: &AskProofs) -> impl Answer<Proofs>;
    /// Where each collector ends.
    fn heads(&self) -> impl Answer<Vec<HeadAt>>;
    /// Records of a collector by sequence, from one on: as many as are held at once, none at the end.
    fn records(&self, collector: MemberId, from: u64) -> impl Answer<Vec<Found>>;
}
