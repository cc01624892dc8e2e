//! After a commit of unknown outcome: nothing is admitted until the store answers again and the indexes agree with it.

use crate::admit::Gate;
use crate::outcome::{KEPT_MS, bound_digest};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_audit::{Record, Verdict};
use strongroom_barrier::{BarrierError, Opened};
use strongroom_crypto::Digest;
use strongroom_model::{Action, Caller, Repeat, RequestId};

const MAX_KEPT: usize = 10_000;
const RETRY: Duration = Duration::from_millis(20);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// A write of which nobody knows yet whether it happened.
struct Unknown {
    digest: Digest,
    outcome: Vec<u8>,
    after_seq: u64,
    noted: UnixMillis,
}

#[derive(Default)]
pub(crate) struct Recovery {
    running: AtomicBool,
    unknown: parking_lot::Mutex<HashMap<RequestId, Unknown>>,
}

impl Recovery {
    /// Whether the store is being resolved.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Forgets what no repetition is answered from any more.
    pub(crate) fn forget(&self, now: UnixMillis) {
        self.unknown.lock().retain(|_, unknown| unknown.noted.0.saturating_add(KEPT_MS) >= now.0);
    }
}

impl Gate {
    /// Takes note of an unknown outcome and begins to resolve.
    pub(crate) fn unknown_outcome(
        self: &Arc<Self>,
        record: &Record,
        repeat: Option<Repeat>,
        outcome: Option<Vec<u8>>,
        after_seq: u64,
    ) {
        tracing::error!(request = %record.request, action = record.action.name(), "outcome unknown; resolving");
        if let (Some(repeat), Some(outcome)) = (repeat, outcome) {
            let user = record.who.as_ref().map(|who| who.user).unwrap_or_default();
            let digest = bound_digest(user, record.action, &repeat);
            let noted = self.now();
            self.recovery.forget(noted);
            let mut unknown = self.recovery.unknown.lock();
            if unknown.len() < MAX_KEPT {
                unknown.insert(record.request, Unknown { digest, outcome, after_seq, noted });
            }
        }
        if !self.recovery.running.swap(true, Ordering::AcqRel) {
            let gate = Arc::clone(self);
            tokio::spawn(async move { gate.resolve().await });
        }
    }

    async fn resolve(self: Arc<Self>) {
        let mut pause = RETRY;
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_RETRY);
            if self.store().get(&strongroom_barrier::keys::root()).await.is_err() {
                continue;
            }
            match self.opened() {
                Ok(opened) => match self.read_anew(&opened).await {
                    Ok(()) => break,
                    Err(fault) => tracing::error!(%fault, "cannot read the indexes anew"),
                },
                Err(_) => break,
            }
        }
        self.recovery.running.store(false, Ordering::Release);
        tracing::warn!("the store answers again; admitting");
    }

    async fn read_anew(&self, opened: &Opened) -> Result<(), BarrierError> {
        opened.reindex().await?;
        self.reload_people(opened).await
    }

    /// Whether a repeated request, whose first outcome was unknown, was done after all.
    pub(crate) async fn resolved_outcome(&self, caller: &Caller, action: Action) -> Option<Vec<u8>> {
        let repeat = caller.repeat.as_ref().filter(|repeat| repeat.named)?;
        let user = caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default();
        let (outcome, mut at) = {
            let unknown = self.recovery.unknown.lock();
            let found = unknown.get(&caller.request)?;
            (found.digest == bound_digest(user, action, repeat)).then_some(())?;
            (found.outcome.clone(), found.after_seq)
        };
        loop {
            let page = self.store().entries(at + 1, 1_000).await.ok()?;
            let last = page.last()?.seq;
            let done = page.iter().any(|entry| {
                entry.verdict == Verdict::Done.code()
                    && Record::request_of(&entry.body) == Some(caller.request)
            });
            if done {
                return Some(outcome);
            }
            at = last;
        }
    }
}
