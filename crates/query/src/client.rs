//! Authority and exchange over the wire, as an enrolled member asks them.

use std::time::Duration;

use strongroom_member::{HttpError, Session};
use strongroom_secret::SecretBytes;
use strongroom_sharing::authority::{AskTokens, Tokens};
use strongroom_sharing::exchange::{
    AskBatches, AskProofs, Batches, Count, Found, HeadAt, Page, Proofs, Query,
};
use strongroom_sharing::{BatchId, MemberId, SignedText};

use crate::ports::{AskError, Authority, Exchange};

/// Records of a copy that are held at once,
const MAX_HELD: usize = 10_000;
/// and their bytes.
const MAX_HELD_BYTES: usize = 32 << 20;

/// A member who asks.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// Who it is.
    pub session: &'a Session,
    /// Told before each wait, if a server says that it is asked too often.
    pub waits: &'a (dyn Fn(Duration) + Sync),
}

impl Client<'_> {
    async fn asked<T>(
        &self,
        ask: impl AsyncFn(&SecretBytes) -> Result<T, HttpError>,
    ) -> Result<T, HttpError> {
        self.session.patiently(self.waits, ask).await
    }
}

fn told(what: &'static str) -> impl FnOnce(HttpError) -> AskError {
    move |error| AskError { what, source: Box::new(error) }
}

impl Authority for Client<'_> {
    async fn tokens(&self, ask: &AskTokens) -> Result<Tokens, AskError> {
        let authority = self.session.authority();
        let tokens = self.asked(async |token| authority.tokens(token, ask).await).await;
        tokens.map_err(told("tokens of the authority"))
    }

    async fn heads(&self) -> Result<Vec<SignedText>, AskError> {
        let authority = self.session.authority();
        let heads = self.asked(async |token| authority.heads(token).await).await;
        heads.map_err(told("heads of the authority"))
    }
}

impl Exchange for Client<'_> {
    async fn page(&self, query: &Query) -> Result<Page, AskError> {
        let exchange = self.session.exchange();
        let page = self.asked(async |token| exchange.search(token, query).await).await;
        page.map_err(told("records of the exchange"))
    }

    async fn count(&self, query: &Query) -> Result<Count, AskError> {
        let exchange = self.session.exchange();
        let count = self.asked(async |token| exchange.count(token, query).await).await;
        count.map_err(told("a count of the exchange"))
    }

    async fn batches(&self, batches: &[BatchId]) -> Result<Batches, AskError> {
        let exchange = self.session.exchange();
        let ask = AskBatches { batches: batches.to_vec() };
        let given = self.asked(async |token| exchange.batches(token, &ask).await).await;
        given.map_err(told("batches of the exchange"))
    }

    async fn proofs(&self, ask: &AskProofs) -> Result<Proofs, AskError> {
        let exchange = self.session.exchange();
        let proofs = self.asked(async |token| exchange.proofs(token, ask).await).await;
        proofs.map_err(told("proofs of the exchange"))
    }

    async fn heads(&self) -> Result<Vec<HeadAt>, AskError> {
        let exchange = self.session.exchange();
        let heads = self.asked(async |token| exchange.heads(token).await).await;
        heads.map_err(told("heads of the exchange"))
    }

    async fn records(&self, collector: MemberId, from: u64) -> Result<Vec<Found>, AskError> {
        let exchange = self.session.exchange();
        let lines = self.asked(async |token| exchange.sync(token, collector, from).await).await;
        let mut lines = lines.map_err(told("a copy of the exchange"))?;
        let (mut held, mut bytes) = (Vec::new(), 0);
        while held.len() < MAX_HELD && bytes < MAX_HELD_BYTES {
            let Some(line) = lines.next().await.map_err(told("a copy of the exchange"))? else { break };
            bytes += line.len();
            let strange = |error| AskError {
                what: "a line of a copy of the exchange",
                source: Box::<serde_json::Error>::new(error),
            };
            held.push(serde_json::from_slice(&line).map_err(strange)?);
        }
        Ok(held)
    }
}
