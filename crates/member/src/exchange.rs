//! What is asked of the exchange.

use crate::config::Config;
use crate::http::{Ask, HttpError, Lines, Patience, Server};
use strongroom_secret::SecretBytes;
use strongroom_sharing::exchange::{
    AskBatches, AskProofs, Batches, Count, HeadAt, Insert, Inserted, Page, PostProof, Proofs, Query, Rewrap,
};
use strongroom_sharing::{MemberId, NDJSON};

/// The largest answer to an insertion: a line for each refused record.
const MAX_INSERTED_BYTES: usize = 4 << 20;

/// The exchange: one method a question.
pub struct Exchange(Server);

impl Exchange {
    /// The exchange that a configuration names.
    pub fn of(config: &Config) -> Result<Self, HttpError> {
        Self::patient(config, Patience::default())
    }

    /// The same with another patience.
    pub fn patient(config: &Config, patience: Patience) -> Result<Self, HttpError> {
        Server::new(&config.exchange, &config.tls, config.basic_auth.as_ref(), patience).map(Self)
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.0
    }

    /// `POST /add/enc-data`: what became of it, also where records were refused (409). It may be asked twice, for what is
    /// there already is not taken again.
    pub async fn insert(&self, token: &SecretBytes, insert: &Insert) -> Result<Inserted, HttpError> {
        let ask = Ask::post("/add/enc-data", insert).with(token).repeatable();
        let (status, retry_after, body) = self.0.whole(ask, MAX_INSERTED_BYTES).await?;
        match status {
            200..300 => self.0.read("/add/enc-data", &body),
            409 => {
                self.0.read("/add/enc-data", &body).map_err(|_| self.0.refusal(status, retry_after, &body))
            }
            _ => Err(self.0.refusal(status, retry_after, &body)),
        }
    }

    /// `POST /query`: a page of records.
    pub async fn search(&self, token: &SecretBytes, query: &Query) -> Result<Page, HttpError> {
        self.0.ask(Ask::post("/query", query).with(token).repeatable()).await
    }

    /// `POST /query`: how many records there are.
    pub async fn count(&self, token: &SecretBytes, query: &Query) -> Result<Count, HttpError> {
        self.0.ask(Ask::post("/query", query).with(token).repeatable()).await
    }

    /// `POST /query`: records as lines of `Found`.
    pub async fn stream(&self, token: &SecretBytes, query: &Query) -> Result<Lines, HttpError> {
        self.0.lines(Ask::post("/query", query).with(token).accept(NDJSON).repeatable()).await
    }

    /// `POST /get/batches`.
    pub async fn batches(&self, token: &SecretBytes, batches: &AskBatches) -> Result<Batches, HttpError> {
        self.0.ask(Ask::post("/get/batches", batches).with(token).repeatable()).await
    }

    /// `GET /sync`: a collector's records by sequence, as lines of `Found`.
    pub async fn sync(
        &self,
        token: &SecretBytes,
        collector: MemberId,
        from: u64,
    ) -> Result<Lines, HttpError> {
        let query = format!("?collector={collector}&from={from}");
        self.0.lines(Ask::get("/sync").query(query).with(token).accept(NDJSON)).await
    }

    /// `GET /sync/heads`.
    pub async fn heads(&self, token: &SecretBytes) -> Result<Vec<HeadAt>, HttpError> {
        self.0.ask(Ask::get("/sync/heads").with(token)).await
    }

    /// `POST /proofs`.
    pub async fn post_proof(&self, token: &SecretBytes, proof: &PostProof) -> Result<(), HttpError> {
        self.0.bytes(Ask::post("/proofs", proof).with(token).repeatable(), 1 << 16).await.map(drop)
    }

    /// `POST /get/proofs`.
    pub async fn proofs(&self, token: &SecretBytes, proofs: &AskProofs) -> Result<Proofs, HttpError> {
        self.0.ask(Ask::post("/get/proofs", proofs).with(token).repeatable()).await
    }

    /// `POST /rewrap`.
    pub async fn rewrap(&self, token: &SecretBytes, rewrap: &Rewrap) -> Result<(), HttpError> {
        self.0.bytes(Ask::post("/rewrap", rewrap).with(token).repeatable(), 1 << 16).await.map(drop)
    }
}
