//! Records, batches and heads out.

use super::answer::{Asked, Refused, json, wants_lines};
use super::shares::Kind;
use super::{Exchange, Member, stream};
use crate::find::{self, Ask};
use axum::extract::State;
use axum::response::Response;
use data_encoding::{BASE64, HEXLOWER};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_sharing::exchange::{AskBatches, Batches, Count, Found, HeadAt, Page, Query};
use tokio::sync::OwnedSemaphorePermit;

/// The most batches at once.
const MAX_BATCHES: usize = 1_000;
/// How long a question waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// Headers of one answer.
const MAX_HEADERS_BYTES: usize = 32 << 20;

/// Says that whoever asked has gone, when it goes.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits for one's turn.
pub(super) async fn turn(exchange: &Exchange) -> Result<OwnedSemaphorePermit, Refused> {
    let turn = tokio::time::timeout(TURN, Arc::clone(&exchange.questions).acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or(Refused::BUSY)
}

/// `POST /query`.
pub(super) async fn query(
    State(exchange): State<Exchange>,
    Member(member): Member,
    headers: HeaderMap,
    Asked(query): Asked<Query>,
) -> Result<Response, Refused> {
    let ask = Ask::of(&query)?;
    if wants_lines(&headers) && !query.count {
        let share = exchange.shares.take(member, Kind::Stream)?;
        return Ok(stream::found(exchange, ask, query.limit, share));
    }
    let turn = turn(&exchange).await?;
    let (storage, standing) = (Arc::clone(&exchange.storage), exchange.keeper.standing());
    let cancelled = Arc::new(AtomicBool::new(false));
    // dropped with this future, when the connection goes
    let _gone = Gone(Arc::clone(&cancelled));
    let found = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        if query.count {
            let count = find::count(&*storage, &standing, &ask, &cancelled)?;
            return Ok::<_, Refused>(json(StatusCode::OK, &Count { count }));
        }
        let page = find::page(&*storage, &standing, &ask, &cancelled)?;
        let found = page.records.iter();
        let records = found.map(|row| Found { record: BASE64.encode(&row.bytes), hour: row.hour }).collect();
        Ok(json(StatusCode::OK, &Page { records, cursor: page.cursor }))
    });
    found.await.map_err(|_| Refused::BUSY)?
}

/// `POST /get/batches`.
pub(super) async fn batches(
    State(exchange): State<Exchange>,
    Member(_): Member,
    Asked(asked): Asked<AskBatches>,
) -> Result<Response, Refused> {
    if asked.batches.len() > MAX_BATCHES {
        return Err(Refused::invalid("at most 1,000 batches"));
    }
    let turn = turn(&exchange).await?;
    let storage = Arc::clone(&exchange.storage);
    let found = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let (mut headers, mut bytes) = (Vec::with_capacity(asked.batches.len()), 0);
        for id in &asked.batches {
            let header = storage.batch(id)?.map(|batch| BASE64.encode(&batch.header));
            bytes += header.as_ref().map_or(0, String::len);
            if bytes > MAX_HEADERS_BYTES {
                return Err(Refused::invalid("their headers are too large for one answer: ask for fewer"));
            }
            headers.push(header);
        }
        Ok::<_, Refused>(json(StatusCode::OK, &Batches { headers }))
    });
    found.await.map_err(|_| Refused::BUSY)?
}

/// `GET /sync/heads`.
pub(super) async fn heads(State(exchange): State<Exchange>, Member(_): Member) -> Response {
    let standing = exchange.keeper.standing();
    let heads = standing.heads.iter().filter(|head| head.sequence > 0).map(|head| HeadAt {
        collector: head.collector,
        first: head.first,
        sequence: head.sequence,
        digest: HEXLOWER.encode(&head.digest),
    });
    let mut heads: Vec<HeadAt> = heads.collect();
    heads.sort_by_key(|head| head.collector);
    json(StatusCode::OK, &heads)
}
