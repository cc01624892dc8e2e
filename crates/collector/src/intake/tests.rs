use super::*;
use std::collections::VecDeque;

/// A sink in memory: takes what are objects, answers from a list of failures first.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) taken: Mutex<Vec<Incoming>>,
    pub(crate) rejected: Mutex<Vec<(String, Vec<u8>, RecordError)>>,
    pub(crate) failures: Mutex<VecDeque<SinkError>>,
    pub(crate) calls: AtomicU64,
}

impl Sink for Memory {
    fn accept(&self, records: &[Incoming]) -> Result<Vec<Result<(), RecordError>>, SinkError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(error) = self.failures.lock().unwrap().pop_front() {
            return Err(error);
        }
        let one = |record: &Incoming| {
            strongroom_model::scan_json(&record.json, crate::record::LIMITS)?;
            if record.json.first() != Some(&b'{') {
                return Err(RecordError::NoObject);
            }
            self.taken.lock().unwrap().push(record.clone());
            Ok(())
        };
        Ok(records.iter().map(one).collect())
    }

    fn mark(&self, source: &str) -> Option<Vec<u8>> {
        let taken = self.taken.lock().unwrap();
        let mut marks = taken.iter().filter_map(|record| record.mark.as_ref());
        marks.rfind(|mark| mark.source == source).map(|mark| mark.position.clone())
    }

    fn reject(&self, source: &str, record: &[u8], error: &RecordError) {
        self.rejected.lock().unwrap().push((source.to_owned(), record.to_vec(), error.clone()));
    }
}

impl Memory {
    pub(crate) fn texts(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|record| String::from_utf8(record.json.clone()).unwrap()).collect()
    }

    pub(crate) fn reasons(&self) -> Vec<RecordError> {
        self.rejected.lock().unwrap().iter().map(|rejected| rejected.2.clone()).collect()
    }
}

/// An intake before a sink in memory, and what ends it.
pub(crate) fn world() -> (Arc<Memory>, Intake, Stopper, Stop) {
    let sink = Arc::new(Memory::default());
    let (stopper, stop) = Stop::new();
    let (intake, _workers) = Intake::start(sink.clone(), 2, stop.clone()).unwrap();
    (sink, intake, stopper, stop)
}

fn records(texts: &[&str]) -> Vec<Incoming> {
    texts.iter().map(|text| Incoming { json: text.as_bytes().to_vec(), mark: None }).collect()
}

#[tokio::test]
async fn each_record_of_an_offer_gets_its_own_answer() {
    let (sink, intake, _stopper, _stop) = world();
    let outcomes = intake.offer(records(&["{}", "7", "{\"a\":1}"])).await.unwrap();
    assert_eq!(outcomes, [Ok(()), Err(RecordError::NoObject), Ok(())]);
    assert_eq!(sink.texts(), ["{}", "{\"a\":1}"]);
    assert_eq!((intake.counts().taken(), intake.counts().refused()), (2, 1));
    // who can be told is told: nothing is kept
    assert!(sink.reasons().is_empty());
}

#[tokio::test]
async fn a_full_sink_is_told_at_once_or_waited_for() {
    let (sink, intake, _stopper, _stop) = world();
    sink.failures.lock().unwrap().push_back(SinkError::Full);
    assert_eq!(intake.offer(records(&["{}"])).await, Err(SinkError::Full));
    sink.failures.lock().unwrap().extend([SinkError::Full, SinkError::Failed("disk".to_owned())]);
    assert_eq!(intake.deliver("s", records(&["{}", "x"])).await, Ok(1));
    assert_eq!(sink.texts(), ["{}"]);
    assert!(matches!(sink.reasons().as_slice(), [RecordError::Json(_)]));
}

#[tokio::test]
async fn the_end_gives_one_last_try() {
    let (sink, intake, stopper, _stop) = world();
    sink.failures.lock().unwrap().push_back(SinkError::Full);
    let waiting = tokio::spawn({
        let intake = intake.clone();
        async move { intake.deliver("s", records(&["{}"])).await }
    });
    while sink.calls.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    stopper.stop();
    // either the end came before the failure was seen, or the last try succeeded: never both
    let ended = waiting.await.unwrap();
    assert_eq!(ended.is_ok(), sink.texts().len() == 1);
    sink.failures.lock().unwrap().push_back(SinkError::Full);
    assert_eq!(intake.deliver("s", records(&["{}"])).await, Err(SinkError::Full));
}

#[tokio::test]
async fn what_is_under_way_is_bounded_and_all_of_it_arrives() {
    let (sink, intake, _stopper, _stop) = world();
    let big = format!("{{\"a\":\"{}\"}}", "x".repeat(crate::record::MAX_RECORD_BYTES - 20));
    let offers = (0..80).map(|_| {
        let (intake, big) = (intake.clone(), big.clone());
        tokio::spawn(async move { intake.offer(records(&[&big])).await })
    });
    for offer in offers.collect::<Vec<_>>() {
        assert_eq!(offer.await.unwrap(), Ok(vec![Ok(())]));
    }
    assert_eq!(sink.taken.lock().unwrap().len(), 80);
    assert_eq!(intake.room.available_permits(), MAX_BYTES_UNDER_WAY);
}

#[tokio::test]
async fn workers_end_when_the_last_input_does() {
    let sink = Arc::new(Memory::default());
    let (_stopper, stop) = Stop::new();
    let (intake, workers) = Intake::start(sink.clone(), 3, stop).unwrap();
    intake.offer(records(&["{}"])).await.unwrap();
    drop(intake);
    tokio::task::spawn_blocking(|| workers.join()).await.unwrap();
    assert_eq!(sink.texts().len(), 1);
}
