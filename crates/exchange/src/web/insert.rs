//! Records in; headers under a later epoch.

use super::answer::{self, Asked, Refused, json};
use super::shares::Kind;
use super::{Exchange, Member};
use crate::submission::Submission;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use strongroom_envelope::{BatchHeader, MemberKeys, rewrap_message};
use strongroom_sharing::MemberId;
use strongroom_sharing::exchange::{Insert, Rewrap};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long an insertion waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// How long its body may take: a place is not held for a slow line, which gets through with smaller parts.
const ARRIVAL: Duration = Duration::from_secs(30);
const NO_SENDER: Refused =
    Refused::forbidden("this member sends no records: it has no signing key, or is suspended");

async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refused> {
    let turn = tokio::time::timeout(TURN, Arc::clone(of).acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or(Refused::BUSY)
}

/// `POST /add/enc-data`.
pub(super) async fn insert(
    State(exchange): State<Exchange>,
    Member(member): Member,
    request: Request,
) -> Result<Response, Refused> {
    let keys = exchange.members.signing_keys(member).await?.ok_or(NO_SENDER)?;
    // before its body is read: what waits takes no memory, and nobody keeps others waiting alone
    let _share = exchange.shares.take(member, Kind::Body)?;
    let _body = turn(&exchange.bodies).await?;
    let body = tokio::time::timeout(ARRIVAL, answer::body(request, &exchange)).await;
    let body = body.map_err(|_| Refused::TOO_SLOW)??;
    let turn = turn(&exchange.insertions).await?;
    let mut submission = checked(body.clone(), member, keys.clone()).await?;
    if submission.is_unsigned() {
        // its key may be newer than what is known of it
        exchange.members.refresh_soon().await;
        let newer = exchange.members.keys_now(member)?.ok_or(NO_SENDER)?;
        if newer != keys {
            submission = checked(body, member, newer).await?;
        }
    }
    let inserted = exchange.keeper.insert(submission).await?;
    drop(turn);
    if let Some(first) = inserted.refused.first() {
        let (refused, error) = (inserted.refused.len(), &first.error);
        tracing::warn!(%member, refused, id = ?first.id, %error, "records were refused; the first of them");
    }
    let status = if inserted.refused.is_empty() { StatusCode::CREATED } else { StatusCode::CONFLICT };
    Ok(json(status, &inserted))
}

/// What is sent, read and checked on a thread that may take its time.
async fn checked(body: Bytes, member: MemberId, keys: MemberKeys) -> Result<Submission, Refused> {
    let checked = tokio::task::spawn_blocking(move || {
        let insert: Insert = answer::read(&body)?;
        Ok(Submission::read(&insert, member, &keys)?)
    });
    checked.await.map_err(|_| Refused::BUSY)?
}

/// `POST /rewrap`: by the batch's collector. Whoever else can open a batch could make such a header too, but also one that
/// opens nothing, and nobody here could tell.
pub(super) async fn rewrap(
    State(exchange): State<Exchange>,
    Member(member): Member,
    Asked(rewrap): Asked<Rewrap>,
) -> Result<Response, Refused> {
    let bytes = BASE64.decode(rewrap.header.as_bytes());
    let bytes = bytes.map_err(|_| Refused::invalid("the header is no base64"))?;
    let header = BatchHeader::parse(&bytes);
    let header = header.map_err(|error| Refused::invalid(format!("the header: {error}")))?;
    if header.collector() != member {
        return Err(Refused::forbidden("a batch is wrapped anew by its own collector"));
    }
    // its wraps cannot be tried here: whoever stole a token would make a batch that nobody opens any more
    let keys = exchange.members.signing_keys(member).await?.unwrap_or_default();
    let signature = BASE64.decode(rewrap.signature.as_bytes()).unwrap_or_default();
    let is_signed = keys.now().is_some_and(|key| key.verify(&rewrap_message(&bytes), &signature).is_ok());
    if !is_signed {
        return Err(Refused::forbidden("the header is not signed by the batch's collector"));
    }
    let absent = Refused::missing("there is no such batch");
    let (storage, id) = (Arc::clone(&exchange.storage), header.batch());
    let found =
        tokio::task::spawn_blocking(move || storage.batch(&id)).await.map_err(|_| Refused::BUSY)??;
    let found = found.filter(|found| found.digest == *header.digest()).ok_or_else(|| absent.clone())?;
    let present = BatchHeader::parse(&found.header).map_err(|_| absent.clone())?;
    if header.epoch() < present.epoch() {
        return Err(Refused::conflict("it is wrapped for a later epoch already"));
    }
    if !exchange.keeper.rewrap(id, *header.digest(), bytes).await? {
        return Err(absent);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
