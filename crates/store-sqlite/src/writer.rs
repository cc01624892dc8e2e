//! The one thread that writes: takes a group, commits it with one flush, answers it.

mod draft;
mod meters;
mod space;
mod trim;

use crate::error::{is_full, read_error};
use crate::queue::{Job, Outcome, Taken};
use crate::schema::{self, Head};
use crate::shared::Shared;
pub(crate) use draft::Done;
use draft::{Draft, Fences};
use meters::Meters;
use rusqlite::Connection;
use space::Gauge;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use strongroom_store::{Changed, CommitError, Space, StoreError};

/// At most so many transactions share a flush.
pub(crate) const MAX_GROUP: usize = 256;

/// How often an otherwise idle writer looks at the disk, when it has a reason to.
const IDLE_LOOK: Duration = Duration::from_secs(1);

/// Pages returned to the disk at a time.
const VACUUM_PAGES: u32 = 32;

/// Between attempts to reopen after a failed sync.
const RECOVERY_PAUSE: Duration = Duration::from_millis(250);

/// The log is cut, if need be by waiting for its readers, when it has so many times what it is folded at.
const LOG_BOUND: u32 = 8;

/// So long the writer waits for those who read from the log at that moment; whoever comes after reads from the main file.
const READERS_PATIENCE: Duration = Duration::from_millis(50);

/// Why a group stopped.
pub(crate) enum Stop {
    /// Out of disk, before the commit was complete: nothing happened.
    Full,
    /// Anything else before the commit: nothing happened.
    Before(String),
    /// From the commit or after it: nobody knows.
    Commit(String),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Before(error.to_string()) }
    }
}

/// What the writer's thread owns.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// `None` only while recovering.
    conn: Option<Connection>,
    head: Head,
    fences: Fences,
    gauge: Gauge,
    /// What the group changed whose outcome is unknown.
    in_doubt: Vec<Changed>,
    /// Frames in the log, told by SQLite after each commit.
    frames: Arc<AtomicU32>,
    /// Fold the log once it has so many.
    fold_at: u32,
    meters: Meters,
}

impl Writer {
    /// Opens the writing connection and looks at the disk.
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let gauge = Gauge::open(&shared.dir, shared.options.reserve_bytes)?;
        let (frames, fold_at) = (Arc::default(), shared.options.wal_pages);
        let (head, fences, meters) = (Head::default(), Fences::default(), Meters::new());
        let mut writer =
            Self { shared, conn: None, head, fences, gauge, in_doubt: Vec::new(), frames, fold_at, meters };
        writer.connect()?;
        writer.shared.set_space(writer.gauge.space());
        Ok(writer)
    }

    /// Where rows and trail stand.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Works until the queue is closed and empty, then folds the log and closes everything.
    pub(crate) fn run(mut self) {
        let _last = LastWords(Arc::clone(&self.shared));
        let mut expected = 1;
        loop {
            match self.shared.queue.take(expected, self.patience()) {
                Taken::Group(jobs) => {
                    expected = jobs.len();
                    self.meters.taken(self.shared.waiting());
                    self.look();
                    self.group(jobs);
                    self.fold_when_due();
                }
                Taken::Idle => {
                    self.look();
                    self.give_back_pages();
                    self.checkpoint("TRUNCATE");
                }
                Taken::Closed => break,
            }
        }
        self.shut();
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        let mut conn = schema::open_writer(&self.shared.dir.db(), self.shared.options.writer_cache())?;
        self.head = schema::read_head(&conn)?;
        let frames = Arc::clone(&self.frames);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages| {
            frames.store(u32::try_from(pages).unwrap_or(u32::MAX), Ordering::Relaxed);
            Ok(())
        };
        conn.wal_hook(Some(hook)).map_err(|error| read_error("watching the log", &error))?;
        self.conn = Some(conn);
        Ok(())
    }

    /// Wakes by itself only while there is a log to fold or room to wait for.
    fn patience(&self) -> Option<Duration> {
        let settled = self.frames.load(Ordering::Relaxed) == 0 && self.gauge.space() == Space::Ample;
        if settled { None } else { Some(IDLE_LOOK) }
    }

    fn look(&mut self) {
        let now = self.shared.clock.monotonic();
        if self.gauge.look(now) && self.gauge.space() != Space::Ample {
            // the log holds room that can be given back
            self.checkpoint("TRUNCATE");
        }
        self.shared.set_space(self.gauge.space());
    }

    fn group(&mut self, mut jobs: Vec<Job>) {
        loop {
            if self.gauge.space() == Space::Exhausted {
                return answer_all(jobs, || CommitError::Full);
            }
            match self.attempt(&mut jobs) {
                Ok(outcomes) => {
                    for (job, outcome) in jobs.into_iter().zip(outcomes) {
                        job.answer(outcome);
                    }
                    return;
                }
                Err(Stop::Full) => self.make_room(),
                Err(Stop::Before(context)) => return self.apart(jobs, &context),
                Err(Stop::Commit(context)) => {
                    tracing::error!(%context, jobs = jobs.len(), "commit failed, its outcome is unknown");
                    self.meters.in_doubt();
                    self.shared.readers.bar();
                    answer_all(jobs, || CommitError::Unknown);
                    return self.recover();
                }
            }
        }
    }

    /// Commits a group, or leaves nothing of it.
    fn attempt(&mut self, jobs: &mut [Job]) -> Result<Vec<Outcome>, Stop> {
        let Some(conn) = &self.conn else { return Err(Stop::Before("the store is recovering".to_owned())) };
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut draft = Draft::new(conn, &mut self.fences, self.shared.link, self.gauge.space(), self.head);
        let outcomes = draft.run(jobs);
        // from here to the end of the commit, memory does not answer for these rows
        let changed = draft.changed().to_vec();
        self.shared.cache.begin(&changed);
        let began = self.shared.clock.monotonic();
        let outcomes = outcomes.and_then(|outcomes| draft.finish().map(|done| (outcomes, done)));
        self.shared.cache.end(&changed);
        match outcomes {
            Ok((outcomes, done)) => {
                self.head = done.head;
                self.shared.publish(done);
                self.meters.committed(jobs.len(), self.shared.clock.monotonic().saturating_sub(began));
                Ok(outcomes)
            }
            Err(stop) => {
                self.fences.clear();
                self.in_doubt = changed;
                self.roll_back(stop)
            }
        }
    }

    fn roll_back(&self, stop: Stop) -> Result<Vec<Outcome>, Stop> {
        let conn = self.conn.as_ref().filter(|conn| !conn.is_autocommit());
        match conn.map(|conn| conn.execute_batch("ROLLBACK")) {
            None | Some(Ok(())) => Err(stop),
            Some(Err(error)) => Err(Stop::Commit(format!("rolling back: {error}"))),
        }
    }

    /// The engine refused a group: each alone, so that only the one that it refuses suffers.
    fn apart(&mut self, jobs: Vec<Job>, context: &str) {
        if jobs.len() == 1 || self.conn.is_none() {
            tracing::error!(%context, "transaction failed before its commit");
            return answer_all(jobs, || CommitError::Failed { context: context.to_owned() });
        }
        for job in jobs {
            self.group(vec![job]);
        }
    }

    fn make_room(&mut self) {
        self.gauge.give_up_step();
        tracing::warn!(space = ?self.gauge.space(), "disk is full");
        self.shared.set_space(self.gauge.space());
        self.checkpoint("TRUNCATE");
    }

    /// Returns pages that deletions left behind to the disk: a few at a time while there is nothing else to do.
    fn give_back_pages(&mut self) {
        let given = self.conn.as_ref().map(|conn| {
            let number = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
            let (free, all) = (number("PRAGMA freelist_count")?, number("PRAGMA page_count")?);
            let worth_it = if self.gauge.space() == Space::Ample { free > all / 4 } else { free > 0 };
            if worth_it {
                let mut vacuum = conn.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
                let mut rows = vacuum.query([])?;
                while rows.next()?.is_some() {}
            }
            Ok::<(), rusqlite::Error>(())
        });
        if let Some(Err(error)) = given {
            tracing::warn!(%error, "returning free pages to the disk failed");
        }
    }

    /// A fold that waits for nobody, and the log begins anew with the next commit that finds no reader in it. Where there
    /// is always one, the log would grow for as long as the load lasts: past its bound the writer waits for readers, a moment.
    fn fold_when_due(&mut self) {
        let frames = self.frames.load(Ordering::Relaxed);
        if frames < self.fold_at {
            return;
        }
        if frames < self.shared.options.wal_pages.saturating_mul(LOG_BOUND) {
            return self.checkpoint("PASSIVE");
        }
        self.wait_for_readers(READERS_PATIENCE);
        self.checkpoint("TRUNCATE");
        self.wait_for_readers(Duration::ZERO);
    }

    fn wait_for_readers(&self, patience: Duration) {
        let told = self.conn.as_ref().map(|conn| conn.busy_timeout(patience));
        if let Some(Err(error)) = told {
            tracing::warn!(%error, "the writer's patience cannot be set");
        }
    }

    /// Folds the log into the main file. What fails here is tried again later; the log still holds everything.
    fn checkpoint(&mut self, mode: &str) {
        let frames = self.frames.load(Ordering::Relaxed);
        let Some(conn) = self.conn.as_ref().filter(|_| frames > 0) else { return };
        let folded = conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            Ok(row.get::<_, i64>(0)? == 0 && row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
        });
        let whole = folded.unwrap_or_else(|error| {
            tracing::warn!(%error, "folding the log failed");
            false
        });
        let step = self.shared.options.wal_pages;
        if whole {
            self.frames.store(0, Ordering::Relaxed);
        }
        self.fold_at = if whole { step } else { frames.saturating_add(step / 4) };
    }

    /// After a failed sync nothing in memory is to be trusted: everything is opened and read afresh, and what the
    /// log holds is made durable in the main file, before anything else is admitted.
    fn recover(&mut self) {
        let before = self.head;
        self.conn = None;
        self.fences.clear();
        self.shared.readers.suspend();
        while let Err(error) = self.reopen() {
            tracing::error!(%error, "reopening the store failed");
            self.conn = None;
            match self.shared.queue.take(1, Some(RECOVERY_PAUSE)) {
                Taken::Group(jobs) => {
                    answer_all(jobs, || CommitError::Failed {
                        context: "the store is recovering".to_owned(),
                    });
                    self.shared.queue.pause(RECOVERY_PAUSE);
                }
                Taken::Idle => {}
                Taken::Closed => return,
            }
        }
        let committed = self.head != before;
        tracing::error!(
            committed,
            revision = self.head.revision.0,
            "store reopened; the group's outcome is known"
        );
        let changed = std::mem::take(&mut self.in_doubt);
        self.shared.restart(Done { head: self.head, changed: if committed { changed } else { Vec::new() } });
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.connect()?;
        let conn = self.conn.as_ref().ok_or(StoreError::Closed)?;
        let busy: i64 = conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|error| read_error("folding the log", &error))?;
        self.frames.store(0, Ordering::Relaxed);
        if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
    }

    fn shut(mut self) {
        self.shared.readers.close();
        // whatever the log had when it was opened counts as well
        self.frames.fetch_max(1, Ordering::Relaxed);
        self.checkpoint("TRUNCATE");
        if let Some(Err((_, error))) = self.conn.take().map(Connection::close) {
            tracing::warn!(%error, "closing the store");
        }
    }
}

/// However the writer's thread ends, nobody waits for it any longer.
struct LastWords(Arc<Shared>);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.closed();
    }
}

fn answer_all(jobs: Vec<Job>, error: impl Fn() -> CommitError) {
    for job in jobs {
        job.answer(Err(error()));
    }
}
