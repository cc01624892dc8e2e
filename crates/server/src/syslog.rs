//! Export of the trail to syslog: an anchor outside, and the operator's other eyes.
//!
//! It follows the trail from a position that it keeps in a file, and says an entry again rather than never: what a
//! connection took shortly before it broke is sent anew. It holds one batch in memory, waits longer and longer for a
//! receiver that does not answer, and nobody waits for it.

mod link;
mod message;
mod position;
#[cfg(test)]
mod tests;

pub use link::SyslogError;

use crate::config::Syslog;
use crate::gauges;
use link::{Link, Target};
use message::Form;
use metrics::{Counter, Gauge, counter, gauge};
use position::{Position, PositionFile};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_gate::{ActionCode, EntryError, Record, TrailEntry, TrailFeed, TrailHead};
use strongroom_operator::Operator;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const BATCH: usize = 200;
const IDLE: Duration = Duration::from_millis(500);
/// A connection that still stands so long after it took something has delivered it.
const SETTLED: Duration = Duration::from_secs(2);
/// So long entries that are sealed wait for an unlock; then they go out with what they show.
const SEALED_PATIENCE: Duration = Duration::from_mins(1);
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);
/// How long the last entries have when the server stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// A running export.
pub(crate) struct Exporter {
    state: Arc<State>,
    task: JoinHandle<()>,
}

/// What the export and those beside it share.
#[derive(Default)]
struct State {
    delivered: AtomicU64,
    stopping: AtomicBool,
    wake: Notify,
}

impl Exporter {
    /// Begins, or says what is wrong with the configuration.
    pub(crate) fn start(
        operator: Arc<Operator>,
        ambient: Ambient,
        config: &Syslog,
        data_dir: &Path,
    ) -> Result<Self, SyslogError> {
        let target = Target::new(config)?;
        let file = PositionFile::in_dir(data_dir);
        let position = file.read()?;
        let state = Arc::new(State::default());
        state.delivered.store(position.at.seq, Ordering::Release);
        let export = Export {
            target,
            form: Form::new(config),
            file,
            delivered: position,
            ambient,
            state: Arc::clone(&state),
            sealed_since: None,
            meters: Meters::new(),
        };
        let to = config.address.to_string();
        let task = tokio::spawn(async move { export.run(&operator, &to).await });
        Ok(Self { state, task })
    }

    /// The last entry that was delivered: those after it must not move out yet.
    pub(crate) fn delivered(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let state = Arc::clone(&self.state);
        move || state.delivered.load(Ordering::Acquire)
    }

    /// Sends what is left, for a while, and ends.
    pub(crate) async fn finish(mut self) {
        self.state.stopping.store(true, Ordering::Release);
        self.state.wake.notify_one();
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            tracing::warn!("the last entries of the trail go to syslog after the next start");
            self.task.abort();
        }
    }
}

struct Meters {
    sent: Counter,
    failures: Counter,
    lag: Gauge,
    connected: Gauge,
}

impl Meters {
    fn new() -> Self {
        Self {
            sent: counter!("strongroom_audit_syslog_sent_total"),
            failures: counter!("strongroom_audit_syslog_failures_total"),
            lag: gauge!("strongroom_audit_syslog_lag_entries"),
            connected: gauge!("strongroom_audit_syslog_connected"),
        }
    }
}

struct Export {
    target: Target,
    form: Form,
    file: PositionFile,
    delivered: Position,
    ambient: Ambient,
    state: Arc<State>,
    sealed_since: Option<Duration>,
    meters: Meters,
}

/// Where a connection stands: what it took, and what it took a while ago.
struct Session {
    link: Link,
    written: Position,
    settling: Option<(Position, Duration)>,
}

type Opened = (TrailEntry, Result<Record, EntryError>);

impl Export {
    async fn run(mut self, operator: &Operator, to: &str) {
        let mut backoff = FIRST_BACKOFF;
        let feed = loop {
            match operator.follow_trail(to).await {
                Ok(feed) => break feed,
                Err(fault) => tracing::warn!(%fault, "the trail cannot be followed yet"),
            }
            self.pause(IDLE).await;
        };
        while !self.is_stopping() {
            let began = self.delivered;
            match self.session(&feed).await {
                Ok(()) => return,
                Err(fault) => {
                    tracing::warn!(%fault, to, "the trail is not exported; trying again");
                    self.meters.failures.increment(1);
                    self.meters.connected.set(0.0);
                }
            }
            backoff = if self.delivered == began { LONGEST_BACKOFF.min(backoff * 2) } else { FIRST_BACKOFF };
            self.pause(backoff).await;
        }
    }

    fn is_stopping(&self) -> bool {
        self.state.stopping.load(Ordering::Acquire)
    }

    async fn pause(&self, moment: Duration) {
        if !self.is_stopping() {
            // whoever stops the server wakes it
            let _ = tokio::time::timeout(moment, self.state.wake.notified()).await;
        }
    }

    /// One connection. Ends well only when the server stops and everything was sent.
    async fn session(&mut self, feed: &TrailFeed) -> Result<(), SyslogError> {
        let link = self.target.connect().await?;
        let mut session = Session { link, written: self.delivered, settling: None };
        self.meters.connected.set(1.0);
        self.notice_break(feed, &mut session).await?;
        loop {
            let sent = self.send_next(feed, &mut session).await?;
            let lag = feed.head().seq.saturating_sub(session.written.at.seq);
            self.meters.lag.set(gauges::count(lag));
            session.link.check().await?;
            self.settle(&mut session)?;
            if sent {
                continue;
            }
            if self.is_stopping() {
                session.link.close().await?;
                return self.keep(session.written);
            }
            self.pause(IDLE).await;
        }
    }

    /// Whether the trail still goes on where the last delivered entry was: else it was put back, or restored.
    async fn notice_break(&self, feed: &TrailFeed, session: &mut Session) -> Result<(), SyslogError> {
        let at = session.written.at;
        if at.seq == 0 {
            return Ok(());
        }
        let found = feed.entries(at.seq, 1).await?;
        let found = found.first().map(|(entry, _)| TrailHead { seq: entry.seq, hash: entry.hash });
        let head = feed.head();
        if found == Some(at) || (head.seq > at.seq && found.is_some_and(|found| found.seq > at.seq)) {
            return Ok(());
        }
        tracing::error!(entry = at.seq, "the trail does not go on from what was exported: it was put back");
        let now = self.ambient.now();
        session.link.send(&[self.form.put_back(now, at, head)]).await?;
        session.written = Position { at: if head.seq < at.seq { head } else { at }, ..session.written };
        Ok(())
    }

    /// Sends a batch, if there is one.
    async fn send_next(&mut self, feed: &TrailFeed, session: &mut Session) -> Result<bool, SyslogError> {
        let entries = feed.entries(session.written.at.seq.saturating_add(1), BATCH).await?;
        let ready = self.ready(&entries, feed.is_unlocked());
        let ready = entries.get(..ready).unwrap_or_default();
        let Some((last, _)) = ready.last() else { return Ok(false) };
        let message = |(entry, record): &Opened| match record {
            Ok(record) => self.form.entry(entry, record, |text| feed.pseudonym(text)),
            Err(_) => self.form.sealed(entry),
        };
        let mut messages: Vec<String> = ready.iter().map(message).collect();
        let signed = |record: &Record| record.action == ActionCode::Checkpoint;
        let mut checkpoint = session.written.checkpoint;
        if ready.iter().any(|(_, record)| record.as_ref().is_ok_and(signed)) {
            for signed in feed.checkpoints(checkpoint).await? {
                checkpoint = signed.head.seq;
                messages.push(self.form.checkpoint(&signed));
            }
        }
        session.link.send(&messages).await?;
        self.meters.sent.increment(u64::try_from(messages.len()).unwrap_or(u64::MAX));
        session.written = Position { at: TrailHead { seq: last.seq, hash: last.hash }, checkpoint };
        Ok(true)
    }

    /// How many of these can go out: sealed ones wait a while for an unlock.
    fn ready(&mut self, entries: &[Opened], unlocked: bool) -> usize {
        let is_sealed = |(_, record): &Opened| matches!(record, Err(EntryError::Sealed));
        let open = entries.iter().take_while(|entry| !is_sealed(entry)).count();
        if open == entries.len() || unlocked || self.is_stopping() {
            self.sealed_since = None;
            return open;
        }
        let now = self.ambient.clock.monotonic();
        let since = *self.sealed_since.get_or_insert(now);
        let waited = now.saturating_sub(since) >= SEALED_PATIENCE;
        if waited { entries.len() } else { open }
    }

    /// What was sent long enough ago on a connection that still stands is delivered.
    fn settle(&mut self, session: &mut Session) -> Result<(), SyslogError> {
        let now = self.ambient.clock.monotonic();
        let patience = if session.link.acknowledges() { SETTLED } else { Duration::ZERO };
        match session.settling {
            Some((position, since)) if now.saturating_sub(since) >= patience => {
                session.settling = None;
                self.keep(position)
            }
            Some(_) => Ok(()),
            None => {
                session.settling = (session.written != self.delivered).then_some((session.written, now));
                Ok(())
            }
        }
    }

    fn keep(&mut self, position: Position) -> Result<(), SyslogError> {
        self.file.write(&position)?;
        self.delivered = position;
        self.state.delivered.store(position.at.seq, Ordering::Release);
        Ok(())
    }
}
