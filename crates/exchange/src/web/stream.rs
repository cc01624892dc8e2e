//! Records as lines: as fast as they are read, in bounded memory, and no longer than somebody reads.

use super::answer::Refused;
use super::look::turn;
use super::shares::{Kind, Share};
use super::{Exchange, Member};
use crate::find::{self, Ask, Found as Chunk};
use crate::storage::{HeadRow, RecordRow};
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use strongroom_sharing::exchange::Found;
use strongroom_sharing::{MemberId, NDJSON};
use tokio::sync::mpsc;

/// Records that are fetched at a time.
const CHUNK: usize = 64;
/// The same of a copy, where any may be as large as one may be.
const COPY_CHUNK: usize = 16;
/// Chunks that wait for a slow reader.
const AHEAD: usize = 2;

type Line = Result<Bytes, io::Error>;
type Lines = mpsc::Sender<Line>;

/// Lines as they come.
struct Coming(mpsc::Receiver<Line>);

impl Stream for Coming {
    type Item = Line;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Line>> {
        self.0.poll_recv(cx)
    }
}

fn answer(lines: mpsc::Receiver<Line>) -> Response {
    ([(CONTENT_TYPE, NDJSON)], Body::from_stream(Coming(lines))).into_response()
}

/// Sends lines; says no where nobody reads any longer.
async fn send(lines: &Lines, rows: &[RecordRow]) -> bool {
    let mut text = Vec::new();
    for row in rows {
        let found = Found { record: BASE64.encode(&row.bytes), hour: row.hour };
        // into memory: it cannot fail
        let _ = serde_json::to_writer(&mut text, &found);
        text.push(b'\n');
    }
    text.is_empty() || lines.send(Ok(Bytes::from(text))).await.is_ok()
}

/// A broken stream is cut off in the middle, so that nobody takes it for whole.
async fn break_off(lines: &Lines) {
    let _ = lines.send(Err(io::Error::other("the store failed"))).await;
}

/// All that is found, or `limit` of it.
pub(super) fn found(exchange: Exchange, mut ask: Ask, limit: Option<u32>, share: Share) -> Response {
    let (lines, coming) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let _share = share;
        let mut left = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        loop {
            ask.limit = left.min(CHUNK);
            let Some(chunk) = chunk(&exchange, &ask, &lines).await else { return };
            left = left.saturating_sub(chunk.records.len());
            if !send(&lines, &chunk.records).await {
                return;
            }
            match chunk.cursor {
                Some(cursor) if left > 0 => ask = ask.after(&cursor),
                _ => return,
            }
        }
    });
    answer(coming)
}

/// The next chunk; none where nobody reads any longer or the store failed.
async fn chunk(exchange: &Exchange, ask: &Ask, lines: &Lines) -> Option<Chunk> {
    let Ok(turn) = turn(exchange).await else {
        break_off(lines).await;
        return None;
    };
    let (storage, standing, ask) = (Arc::clone(&exchange.storage), exchange.keeper.standing(), ask.clone());
    let cancelled = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&cancelled);
    let page = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        find::page(&*storage, &standing, &ask, &asked)
    });
    let page = tokio::select! {
        page = page => page,
        () = lines.closed() => {
            cancelled.store(true, Ordering::Relaxed);
            return None;
        }
    };
    if let Ok(Ok(found)) = page {
        return Some(found);
    }
    tracing::error!("a stream breaks off: the store failed");
    break_off(lines).await;
    None
}

/// `GET /sync?collector=ID&from=SEQUENCE`: a collector's records by sequence; without a collector everybody's, one
/// collector after the other.
pub(super) async fn sync(
    State(exchange): State<Exchange>,
    Member(member): Member,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let (collector, from) = asked(query.as_deref().unwrap_or_default())?;
    let share = exchange.shares.take(member, Kind::Stream)?;
    let standing = exchange.keeper.standing();
    let wanted = standing.heads.iter().filter(|head| collector.is_none_or(|one| one == head.collector));
    let mut heads: Vec<HeadRow> = wanted.cloned().collect();
    heads.sort_by_key(|head| head.collector);
    let (lines, coming) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let _share = share;
        for head in &heads {
            if !of_one(&exchange, head, from, &lines).await {
                return;
            }
        }
    });
    Ok(answer(coming))
}

/// One collector's records up to where it stood when the question came; says no where the stream has ended.
async fn of_one(exchange: &Exchange, head: &HeadRow, from: u64, lines: &Lines) -> bool {
    let (mut from, last, number) = (from, head.sequence, head.number);
    while from <= last {
        let storage = Arc::clone(&exchange.storage);
        let rows = match turn(exchange).await {
            Ok(turn) => {
                let read = move || {
                    let _turn = turn;
                    storage.of_collector(number, from, COPY_CHUNK).ok()
                };
                tokio::task::spawn_blocking(read).await.ok().flatten()
            }
            Err(_) => None,
        };
        let Some(mut rows) = rows else {
            break_off(lines).await;
            return false;
        };
        rows.retain(|row| row.sequence <= last);
        let Some(end) = rows.last() else { break };
        from = end.sequence.saturating_add(1);
        if !send(lines, &rows).await {
            return false;
        }
    }
    true
}

fn asked(query: &str) -> Result<(Option<MemberId>, u64), Refused> {
    let (mut collector, mut from) = (None, 1);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("collector", id)) => {
                let id = id.parse().map_err(|_| Refused::invalid("collector: 32 hexadecimal digits"))?;
                collector = Some(id);
            }
            Some(("from", number)) => {
                from = number.parse().map_err(|_| Refused::invalid("from: a number"))?;
            }
            _ => return Err(Refused::invalid("only `collector` and `from` can be said")),
        }
    }
    Ok((collector, from))
}
