//! The way in: inputs offer records, workers hand groups of them to the sink, and whoever offered them waits until they are
//! durable. What is under way is bounded in bytes; beyond that, inputs read no further.

use crate::record::{Incoming, RecordError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

/// Most bytes of records that are under way, of all inputs together.
pub const MAX_BYTES_UNDER_WAY: usize = 32 << 20;
/// Most records that go to the sink at once, and so share one flush.
pub const MAX_GROUP: usize = 512;
/// Offers that wait for a worker.
const QUEUE: usize = 256;
/// Between two tries where the sink takes nothing.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 500 });

/// Where records go.
pub trait Sink: Send + Sync + 'static {
    /// Takes records: one answer each, when they are durable.
    fn accept(&self, records: &[Incoming]) -> Result<Vec<Result<(), RecordError>>, SinkError>;
    /// How far a source was read, as its last durable record says.
    fn mark(&self, source: &str) -> Option<Vec<u8>>;
    /// Keeps a record that was not taken, and why: for inputs that cannot tell their sender.
    fn reject(&self, source: &str, record: &[u8], error: &RecordError);
}

/// Nothing can be taken now. Nothing of what was offered was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// No room.
    #[error("the spool is full")]
    Full,
    /// Something else.
    #[error("{0}")]
    Failed(String),
    /// The collector ends.
    #[error("the collector is stopping")]
    Stopping,
}

/// One answer a record.
pub type Outcomes = Vec<Result<(), RecordError>>;

/// The records come back to whoever offered them, with what became of each or why nothing did.
type Answer = Result<(Outcomes, Vec<Incoming>), (SinkError, Vec<Incoming>)>;

struct Offer {
    records: Vec<Incoming>,
    answer: oneshot::Sender<Answer>,
    room: OwnedSemaphorePermit,
}

/// Whether the collector is ending.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Ends the collector.
pub struct Stopper(watch::Sender<bool>);

/// The way in, for inputs.
#[derive(Clone)]
pub struct Intake {
    offers: mpsc::Sender<Offer>,
    room: Arc<Semaphore>,
    sink: Arc<dyn Sink>,
    stop: Stop,
    counts: Arc<Counts>,
}

/// What came in so far.
#[derive(Debug, Default)]
pub struct Counts {
    taken: AtomicU64,
    refused: AtomicU64,
}

/// The threads that hand records to the sink.
pub struct Workers(Vec<std::thread::JoinHandle<()>>);

impl Stop {
    /// With what ends it.
    pub fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// Whether it has come.
    pub fn is_now(&self) -> bool {
        *self.0.borrow()
    }

    /// The same, for what waits by itself.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    /// Waits for it.
    pub async fn wait(&mut self) {
        // whoever could end it is gone: that is an end too
        let _ = self.0.wait_for(|is_now| *is_now).await;
    }
}

impl Stopper {
    /// Ends it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Counts {
    /// Records that are durable.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Records that were refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Intake {
    /// Starts the workers. They end when every clone of the intake is gone.
    pub fn start(sink: Arc<dyn Sink>, workers: usize, stop: Stop) -> std::io::Result<(Self, Workers)> {
        let (offers, queue) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let threads = (0..workers.max(1)).map(|number| {
            let (queue, sink) = (queue.clone(), sink.clone());
            let name = format!("encrypt-{number}");
            std::thread::Builder::new().name(name).spawn(move || work(&queue, sink.as_ref()))
        });
        let threads = threads.collect::<std::io::Result<_>>()?;
        let room = Arc::new(Semaphore::new(MAX_BYTES_UNDER_WAY));
        Ok((Self { offers, room, sink, stop, counts: Arc::default() }, Workers(threads)))
    }

    /// What came in so far.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// How far a source was read.
    pub fn mark(&self, source: &str) -> Option<Vec<u8>> {
        self.sink.mark(source)
    }

    /// Offers records once, for who can be told that there is no room.
    pub async fn offer(&self, records: Vec<Incoming>) -> Result<Outcomes, SinkError> {
        self.once(records).await.map(|(outcomes, _)| outcomes).map_err(|(error, _)| error)
    }

    async fn once(&self, records: Vec<Incoming>) -> Answer {
        let bytes =
            records.iter().map(|record| record.json.len() + 64).sum::<usize>().min(MAX_BYTES_UNDER_WAY);
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Ok(room) = self.room.clone().acquire_many_owned(permits).await else {
            return Err((SinkError::Stopping, records));
        };
        let (answer, answered) = oneshot::channel();
        let offer = Offer { records, answer, room };
        if let Err(back) = self.offers.send(offer).await {
            return Err((SinkError::Stopping, back.0.records));
        }
        let (outcomes, records) = answered.await.unwrap_or(Err((SinkError::Stopping, Vec::new())))?;
        let taken = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        self.counts.taken.fetch_add(taken as u64, Ordering::Relaxed);
        self.counts.refused.fetch_add((outcomes.len() - taken) as u64, Ordering::Relaxed);
        Ok((outcomes, records))
    }

    /// Delivers records for a source that cannot be told: waits while there is no room, and keeps what is refused.
    pub async fn deliver(&self, source: &str, mut records: Vec<Incoming>) -> Result<usize, SinkError> {
        let mut stop = self.stop.clone();
        loop {
            let count = records.len();
            match self.once(records).await {
                Ok((outcomes, records)) => return Ok(self.reject_refused(source, &records, &outcomes)),
                Err((error, back)) => {
                    // one last try was made after the end began
                    if error == SinkError::Stopping || stop.is_now() {
                        tracing::error!(source, records = count, %error, "records were not taken before the end");
                        return Err(error);
                    }
                    tracing::warn!(source, %error, "nothing can be taken: senders wait");
                    records = back;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.wait() => {}
            }
        }
    }

    fn reject_refused(&self, source: &str, records: &[Incoming], outcomes: &Outcomes) -> usize {
        let refused = records
            .iter()
            .zip(outcomes)
            .filter_map(|(record, outcome)| Some((record, outcome.as_ref().err()?)));
        for (record, error) in refused {
            self.refuse(source, &record.json, error, false);
        }
        outcomes.iter().filter(|outcome| outcome.is_ok()).count()
    }

    /// Keeps what is no record at all.
    pub fn reject(&self, source: &str, record: &[u8], error: &RecordError) {
        self.refuse(source, record, error, true);
    }

    fn refuse(&self, source: &str, record: &[u8], error: &RecordError, is_counted: bool) {
        if is_counted {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
        }
        tracing::warn!(source, bytes = record.len(), %error, "a record is not taken");
        self.sink.reject(source, record, error);
    }
}

impl Workers {
    /// Waits until all that was offered is done.
    pub fn join(self) {
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("a thread that encrypts has failed");
            }
        }
    }
}

/// Takes what waits, as one group, until no input is left.
fn work(queue: &Mutex<mpsc::Receiver<Offer>>, sink: &dyn Sink) {
    loop {
        let mut group = Vec::new();
        {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(first) = queue.blocking_recv() else { return };
            let mut count = first.records.len();
            group.push(first);
            while count < MAX_GROUP
                && let Ok(next) = queue.try_recv()
            {
                count += next.records.len();
                group.push(next);
            }
        }
        settle(group, sink);
    }
}

/// One call of the sink for a group; each offer gets its part of the answer.
fn settle(group: Vec<Offer>, sink: &dyn Sink) {
    let mut all = Vec::new();
    let mut waiting = Vec::new();
    for Offer { mut records, answer, room } in group {
        waiting.push((records.len(), answer, room));
        all.append(&mut records);
    }
    let result = sink.accept(&all);
    let mut records = all.into_iter();
    let (mut outcomes, error) = match result {
        Ok(outcomes) => (outcomes.into_iter(), None),
        Err(error) => (Vec::new().into_iter(), Some(error)),
    };
    for (count, answer, room) in waiting {
        let back: Vec<Incoming> = records.by_ref().take(count).collect();
        let part = match &error {
            None => Ok((outcomes.by_ref().take(count).collect(), back)),
            Some(error) => Err((error.clone(), back)),
        };
        drop(room);
        // who offered may be gone; what it offered is durable all the same
        let _ = answer.send(part);
    }
}

#[cfg(test)]
pub(crate) mod tests;
