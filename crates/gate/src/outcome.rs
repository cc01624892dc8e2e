//! Outcomes of requests that their clients named: the same id and digest is answered, not done again.

use crate::entry::TrailError;
use strongroom_audit::Record;
use strongroom_barrier::{BarrierError, Batch, Opened, Reader, Writer, keys};
use strongroom_crypto::{Digest, sha256_parts};
use strongroom_keyring::Kind;
use strongroom_model::{Action, Caller, Repeat, RequestId, UserId};
use strongroom_store::Precondition;

/// How long an outcome is kept, in milliseconds.
pub(crate) const KEPT_MS: i64 = 24 * 3_600_000;

/// What is known of a request id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing.
    New,
    /// It was done: answer this.
    Done(Vec<u8>),
    /// It was used for something else.
    Other,
}

/// The digest that a repetition must have: user, action, and what the door digested.
pub(crate) fn bound_digest(user: UserId, action: Action, repeat: &Repeat) -> Digest {
    sha256_parts(&[b"strongroom outcome v1\0", &user.0, &action.code().to_be_bytes(), &repeat.digest])
}

/// Adds the outcome to a change, if the client named the request.
pub(crate) fn keep(opened: &Opened, batch: &mut Batch, record: &Record, repeat: &Repeat, outcome: &[u8]) {
    if !repeat.named {
        return;
    }
    let user = record.who.as_ref().map(|who| who.user).unwrap_or_default();
    let plain = Writer::new()
        .raw(&bound_digest(user, record.action, repeat))
        .i64(record.time.0)
        .bytes(outcome)
        .finish();
    let key = keys::outcome(record.request);
    batch.absorb(opened.batch());
    batch.require(Precondition::Absent(key.clone()));
    batch.put(key, opened.seal(Kind::Outcome, record.request.0, &plain));
}

/// Looks a named request up.
pub(crate) async fn look_up(opened: &Opened, caller: &Caller, action: Action) -> Result<Known, BarrierError> {
    let Some(repeat) = caller.repeat.as_ref().filter(|repeat| repeat.named) else { return Ok(Known::New) };
    let key = keys::outcome(caller.request);
    let Some(plain) = opened.read_single(Kind::Outcome, caller.request.0, &key).await? else {
        return Ok(Known::New);
    };
    let user = caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default();
    plain.expose(|bytes| parse(bytes, caller.request)).map(|(digest, _, outcome)| {
        if digest == bound_digest(user, action, repeat) { Known::Done(outcome) } else { Known::Other }
    })
}

fn parse(bytes: &[u8], request: RequestId) -> Result<(Digest, i64, Vec<u8>), BarrierError> {
    let mut reader = Reader::new(bytes);
    let mut fields = || Some((reader.array()?, reader.i64()?, reader.bytes()?.to_vec()));
    fields().ok_or_else(|| BarrierError::corrupt(format!("outcome of request {request}")))
}

/// The first outcomes that are no longer kept, at most `limit`.
pub(crate) async fn expired(opened: &Opened, now: i64, limit: usize) -> Result<Batch, BarrierError> {
    let mut batch = opened.batch();
    let mut after = None;
    loop {
        let range =
            strongroom_store::Range { after, ..strongroom_store::Range::prefix(keys::outcomes(), 1_000) };
        let rows = opened.store().list(range).await?;
        let Some(last) = rows.last().map(|row| row.key.clone()) else { return Ok(batch) };
        for row in rows {
            let request = row.key.as_bytes().get(1..).and_then(RequestId::from_slice).unwrap_or_default();
            let made = opened
                .open_single(Kind::Outcome, request.0, &row.value)
                .and_then(|plain| plain.expose(|bytes| parse(bytes, request)));
            match made {
                Ok((_, made, _)) if made.saturating_add(KEPT_MS) < now => batch.delete(row.key),
                Ok(_) => {}
                // one damaged row must not keep all others from expiring
                Err(fault) => tracing::error!(%fault, "an outcome cannot be read"),
            }
            if batch.len() >= limit {
                return Ok(batch);
            }
        }
        after = Some(last);
    }
}

impl From<TrailError> for crate::denied::Denied {
    fn from(_: TrailError) -> Self {
        Self::Trail
    }
}
