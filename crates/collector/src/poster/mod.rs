//! Posts what is durable to the exchange, for ever: what is down comes back, and nothing is given up.
//!
//! A record is gone from here only when the exchange said that it is durable there. Repeating does no harm: the exchange knows
//! a record by its number and digest.

mod chunk;
mod proofs;

use crate::pipeline::Pipeline;
use crate::spool::SpoolError;
use chunk::{Chunk, Scan};
use data_encoding::HEXLOWER;
use std::sync::Arc;
use std::time::Duration;
use strongroom_envelope::{Signed, SignedError};
use strongroom_member::HttpError;
use strongroom_sharing::authority::Head;
use strongroom_sharing::exchange::{Inserted, MAX_INSERT_BYTES};
use tokio::sync::watch;

/// The first pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long nothing is looked at when nothing comes.
const IDLE: Duration = Duration::from_secs(1);
/// How often a head is posted to the authority, and ended epochs are looked for.
const HEADS_EVERY: Duration = Duration::from_secs(30);
/// Bodies that do not get through become no smaller than this.
const LEAST_BYTES: usize = 64 << 10;
/// What a collector signs its head as.
const HEAD_CONTEXT: &str = "strongroom sharing head v1";

/// Why a post did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The exchange, or what is before it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// It did not take a record.
    #[error("the exchange refuses record {record}: {error}: {message}")]
    Refused {
        /// The record's number.
        record: u64,
        /// Its word for it.
        error: String,
        /// What it says.
        message: String,
    },
    /// It has fewer records than it acknowledged.
    #[error(
        "the exchange lacks records from {expected} on, which it had acknowledged and which are no longer here: it was \
         set back"
    )]
    SetBack {
        /// The next one that it expects.
        expected: u64,
    },
    /// It says more or less than there was to say.
    #[error("the exchange answered for {found} records, {sent} were sent")]
    Miscounted {
        /// How many it spoke of.
        found: u64,
        /// How many there were.
        sent: u64,
    },
    /// The member's key does not sign.
    #[error(transparent)]
    Signing(#[from] SignedError),
    /// Work in the background ended.
    #[error("interrupted")]
    Interrupted,
}

/// Posts until it is told to stop; then what is being posted is finished. Failures beyond `warn_after` in a row are told.
pub async fn post(pipeline: Arc<Pipeline>, warn_after: u32, mut stop: watch::Receiver<bool>) {
    let mut poster = Poster::new(pipeline);
    let mut failures = 0_u32;
    while !*stop.borrow() {
        let pause = match poster.step().await {
            Ok(true) => {
                if failures > warn_after {
                    tracing::info!("the exchange takes records again");
                }
                failures = 0;
                continue;
            }
            Ok(false) => IDLE,
            Err(error) => {
                failures = failures.saturating_add(1);
                poster.tell(failures, warn_after, &error);
                pause_after(failures, &error)
            }
        };
        let news = poster.pipeline.news.notified();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = news, if failures == 0 => {}
            () = stopped(&mut stop) => break,
        }
    }
    // the last word of this run
    if let Err(error) = poster.post_head(true).await {
        tracing::warn!("the head was not posted: {error}");
    }
}

/// Returns when it is time to stop; also when nobody is left who could say so.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_now| *is_now).await;
}

/// Posts until nothing durable is left; the first failure ends it. For input that has an end.
pub async fn post_all(pipeline: Arc<Pipeline>) -> Result<(), PostError> {
    let mut poster = Poster::new(pipeline);
    while poster.step().await? {}
    poster.post_head(true).await
}

fn pause_after(failures: u32, error: &PostError) -> Duration {
    let doubled =
        FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let asked = match error {
        PostError::Http(HttpError::Refused { retry_after: Some(seconds), .. }) => {
            Duration::from_secs(*seconds)
        }
        _ => Duration::ZERO,
    };
    doubled.max(asked).min(LONGEST_PAUSE)
}

struct Poster {
    pipeline: Arc<Pipeline>,
    scan: Option<Scan>,
    /// What is posted again if it fails.
    pending: Option<Arc<Chunk>>,
    /// The largest body that is tried: less than what an exchange takes where the line is slow, or a proxy takes less.
    most_bytes: usize,
    /// Whether it was told that a proxy takes less.
    is_limit_told: bool,
    /// The last record that the exchange has, with its digest.
    head: Option<(u64, [u8; 32])>,
    /// What the authority was told, and when.
    told: (u64, Option<Duration>),
}

impl Poster {
    fn new(pipeline: Arc<Pipeline>) -> Self {
        let (scan, most_bytes) = (Some(Scan::default()), MAX_INSERT_BYTES);
        Self { pipeline, scan, pending: None, most_bytes, is_limit_told: false, head: None, told: (0, None) }
    }

    /// Posts some records; says whether there were any.
    async fn step(&mut self) -> Result<bool, PostError> {
        let Some(chunk) = self.next().await? else {
            self.chores().await?;
            return Ok(false);
        };
        let insert = &chunk.insert();
        let session = self.pipeline.session();
        let posted =
            session.with_token(|token| async move { session.exchange().insert(&token, insert).await }).await;
        let posted = posted.inspect_err(|error| self.shrink(&chunk, error))?;
        // slowly, since finding out takes a failure
        self.most_bytes = self.most_bytes.saturating_add(self.most_bytes / 16).min(MAX_INSERT_BYTES);
        self.settle(&chunk, &posted).await?;
        self.chores().await?;
        Ok(true)
    }

    /// What was too much for the line or a proxy is tried again in smaller parts.
    fn shrink(&mut self, chunk: &Chunk, error: &HttpError) {
        let is_size = matches!(error, HttpError::NoAnswer { .. } | HttpError::Lost { .. })
            || matches!(error.status(), Some(408 | 413));
        if error.status() == Some(413) && !self.is_limit_told {
            tracing::warn!("{error}; until then smaller parts are sent");
            self.is_limit_told = true;
        }
        if is_size && chunk.records.len() > 1 {
            self.most_bytes = (self.most_bytes / 2).max(LEAST_BYTES);
            (self.pending, self.scan) = (None, Some(Scan::default()));
        }
    }

    async fn next(&mut self) -> Result<Option<Arc<Chunk>>, PostError> {
        if let Some(pending) = &self.pending {
            return Ok(Some(pending.clone()));
        }
        let mut scan = self.scan.take().unwrap_or_default();
        let pipeline = self.pipeline.clone();
        let most = self.most_bytes;
        let read = move || {
            let chunk = scan.next(&pipeline.spool, most);
            (scan, chunk)
        };
        let (scan, chunk) = tokio::task::spawn_blocking(read).await.map_err(|_| PostError::Interrupted)?;
        // after an error what was read is read again
        self.scan = Some(if chunk.is_ok() { scan } else { Scan::default() });
        self.pending = chunk?.map(Arc::new);
        Ok(self.pending.clone())
    }

    /// What the exchange's answer means for the spool.
    async fn settle(&mut self, chunk: &Arc<Chunk>, posted: &Inserted) -> Result<(), PostError> {
        let sent = u64::try_from(chunk.records.len()).unwrap_or(u64::MAX);
        let found =
            posted.accepted + posted.repeated + u64::try_from(posted.refused.len()).unwrap_or(u64::MAX);
        if found != sent {
            return Err(PostError::Miscounted { found, sent });
        }
        let Some(stuck) = posted.refused.first() else {
            self.pending = None;
            return self.is_there(chunk.last(), chunk.digest_of_last()).await;
        };
        let record = chunk.number(stuck.at);
        // what came before it is there
        let there = record.saturating_sub(1).min(posted.next.saturating_sub(1));
        self.pipeline.spool.set_posted(there);
        (self.pending, self.scan) = (None, Some(Scan::default()));
        if stuck.error == "gap" {
            return self.go_back(posted.next);
        }
        Err(PostError::Refused { record, error: stuck.error.clone(), message: stuck.message.clone() })
    }

    /// The exchange expects an earlier record: from there on, if it is still here.
    fn go_back(&mut self, expected: u64) -> Result<(), PostError> {
        let first = self.pipeline.spool.first_record();
        if first.is_none_or(|first| expected < first) {
            return Err(PostError::SetBack { expected });
        }
        tracing::warn!("the exchange asks for records from {expected} on again");
        self.scan = Some(Scan::behind(expected.saturating_sub(1)));
        Ok(())
    }

    async fn is_there(&mut self, last: u64, digest: Option<[u8; 32]>) -> Result<(), PostError> {
        let pipeline = self.pipeline.clone();
        let work = move || {
            pipeline.spool.set_posted(last);
            if let Err(error) = proofs::retire(&pipeline.spool) {
                // what is posted is posted; it is tried again behind the next
                tracing::warn!("what the exchange has cannot be removed here yet: {error}");
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PostError::Interrupted)?;
        self.head = digest.map(|digest| (last, digest)).or(self.head);
        Ok(())
    }

    /// Now and then: the head, and the proofs of epochs that have ended.
    async fn chores(&mut self) -> Result<(), PostError> {
        let now = self.pipeline.session().ambient().clock.monotonic();
        if self.told.1.is_some_and(|then| now < then + HEADS_EVERY) {
            return Ok(());
        }
        self.told.1 = Some(now);
        // a segment may have ended after its last record was posted
        let pipeline = self.pipeline.clone();
        let retired = tokio::task::spawn_blocking(move || proofs::retire(&pipeline.spool)).await;
        retired.map_err(|_| PostError::Interrupted)??;
        if let Err(error) = self.post_head(false).await {
            tracing::warn!("the head was not posted: {error}");
        }
        if let Err(error) = proofs::post_ended(&self.pipeline).await {
            tracing::warn!("the proof of an epoch was not posted: {error}");
        }
        Ok(())
    }

    /// Tells the authority how far the exchange has this collector's records.
    async fn post_head(&mut self, is_last: bool) -> Result<(), PostError> {
        let Some((sequence, digest)) = self.head.filter(|(sequence, _)| *sequence > self.told.0) else {
            if is_last {
                proofs::post_ended(&self.pipeline).await?;
            }
            return Ok(());
        };
        let session = self.pipeline.session();
        let at = u64::try_from(session.ambient().now().0 / 1000).unwrap_or(0);
        let head = Head { collector: session.member(), sequence, digest: HEXLOWER.encode(&digest), at };
        let signed = &Signed::sign(&head, session.identity().signer(), HEAD_CONTEXT)?;
        session
            .with_token(|token| async move { session.authority().post_head(&token, signed.text()).await })
            .await?;
        self.told.0 = sequence;
        Ok(())
    }

    fn tell(&self, failures: u32, warn_after: u32, error: &PostError) {
        let waiting = self.pipeline.level().waiting;
        // at each doubling, so that a long night does not fill the log
        if failures > warn_after && (failures - warn_after).is_power_of_two() {
            tracing::error!("{waiting} records wait, {failures} posts failed: {error}");
        } else {
            tracing::debug!("a post failed: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
