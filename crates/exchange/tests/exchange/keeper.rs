//! What is taken, what is not, and what of it is durable.

use super::world::{Collector, World, errors};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use strongroom_envelope::MemberKeys;
use strongroom_exchange::keeper::{KeepError, Keeper};
use strongroom_exchange::sqlite::SqliteStorage;
use strongroom_exchange::storage::{
    Arrival, BatchRow, DigestBytes, Group, ProofRow, RecordRow, Removal, Sizes, Standing, Storage,
    StorageError, TokenBytes,
};
use strongroom_exchange::submission::Submission;
use strongroom_sharing::BatchId;

#[tokio::test]
async fn the_same_record_is_taken_once() {
    let (world, mut one) = (World::new(), Collector::new(1));
    let records = one.records(3);
    let first = world.insert(&one, records.clone()).await;
    assert_eq!((first.accepted, first.repeated, first.next), (3, 0, 4));
    let more = [records, one.records(1)].concat();
    let again = world.insert(&one, more).await;
    assert_eq!((again.accepted, again.repeated, again.next), (1, 3, 5));
    let twice = one.record(&[7]);
    let within = world.insert(&one, vec![twice.clone(), twice]).await;
    assert_eq!((within.accepted, within.repeated), (1, 1));
    assert_eq!(world.keeper.standing().last, 5);
}

#[tokio::test]
async fn another_record_of_the_same_number_is_a_conflict_that_is_kept_and_counted() {
    let (world, mut one) = (World::new(), Collector::new(1));
    let start = one.chain();
    world.send(&mut one, 2).await;
    one.go_back(&start);
    let other = world.send_with(&mut one, &[9]).await;
    assert_eq!((errors(&other), other.accepted, other.next), (vec!["conflict"], 0, 3));
    assert_eq!(world.storage.sizes().unwrap().conflicts, 1);
    assert_eq!(world.keeper.standing().heads[0].conflicts, 1);
    // one that goes on from the contradiction follows nothing that is kept
    let forked = vec![one.record(&[9]), one.record(&[9])];
    assert_eq!(errors(&world.insert(&one, forked).await), ["conflict", "conflict"]);
    let page = world.storage.of_collector(1, 1, 10).unwrap();
    assert_eq!(page.len(), 2, "what was kept is kept");
}

#[tokio::test]
async fn a_gap_is_refused_with_what_is_expected() {
    let (world, mut one) = (World::new(), Collector::new(1));
    let records = one.records(4);
    let gap = world.insert(&one, vec![records[0].clone(), records[2].clone(), records[3].clone()]).await;
    assert_eq!((errors(&gap), gap.accepted, gap.next), (vec!["gap", "gap"], 1, 2));
    assert!(gap.refused[0].message.contains("expected 2"), "{:?}", gap.refused);
    let rest = world.insert(&one, records).await;
    assert_eq!((rest.accepted, rest.repeated), (3, 1));
}

#[tokio::test]
async fn records_of_others_unsigned_or_malformed_ones_change_nothing() {
    let (world, mut one, mut two) = (World::new(), Collector::new(1), Collector::new(2));
    let mut changed = data_encoding::BASE64.decode(one.record(&[1]).as_bytes()).unwrap();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let records = vec![
        two.record(&[1]),
        data_encoding::BASE64.encode(&changed),
        "no base64".to_owned(),
        String::new(),
        data_encoding::BASE64.encode(&changed[..last]),
    ];
    let refused = world.insert(&one, records).await;
    assert_eq!(errors(&refused), ["stranger", "signature", "malformed", "malformed", "malformed"]);
    assert_eq!(refused.refused[0].id.unwrap().collector, two.id);
    assert_eq!(world.keeper.standing().last, 0);
    assert!(world.keeper.standing().heads.is_empty(), "not even a head");
}

#[tokio::test]
async fn a_batch_needs_its_header_once_and_only_its_own() {
    let (world, mut one) = (World::new(), Collector::new(1));
    let first = one.record(&[1]);
    let mut bare = one.insert(vec![first.clone()]);
    bare.headers.clear();
    let without = Submission::read(&bare, one.id, &MemberKeys::present(one.public())).unwrap();
    assert_eq!(errors(&world.keeper.insert(without).await.unwrap()), ["header"]);
    // another's header is refused whole, whatever it says
    let foreign =
        Submission::read(&bare_with(&Collector::new(2), &first), one.id, &MemberKeys::present(one.public()));
    assert!(foreign.is_err());
    assert_eq!(world.insert(&one, vec![first]).await.accepted, 1);
    let later = strongroom_sharing::exchange::Insert { headers: Vec::new(), records: one.records(1) };
    let later = Submission::read(&later, one.id, &MemberKeys::present(one.public())).unwrap();
    assert_eq!(world.keeper.insert(later).await.unwrap().accepted, 1);
}

fn bare_with(other: &Collector, record: &str) -> strongroom_sharing::exchange::Insert {
    other.insert(vec![record.to_owned()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn insertions_of_many_at_once_share_commits_and_lose_nothing() {
    let world = World::new();
    let tasks: Vec<_> = (1..=24_u8)
        .map(|id| {
            let keeper = world.keeper.clone();
            tokio::spawn(async move {
                let mut collector = Collector::new(id);
                for _ in 0..4 {
                    let records = collector.records(3);
                    let submission = collector.submission(records);
                    assert_eq!(keeper.insert(submission).await.unwrap().accepted, 3);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let standing = world.keeper.standing();
    assert_eq!((standing.last, standing.heads.len()), (24 * 12, 24));
    assert!(standing.heads.iter().all(|head| head.sequence == 12));
    assert_eq!(world.storage.load().unwrap().last, 24 * 12, "what stands in memory stands on disk");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_new_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = Collector::new(1);
    let records = one.records(5);
    {
        let world = World::on(Arc::new(SqliteStorage::open(dir.path()).unwrap()));
        world.insert(&one, records[..3].to_vec()).await;
        assert!(matches!(SqliteStorage::open(dir.path()), Err(StorageError::InUse)));
    }
    let storage = loop {
        // the writer's thread lets go of the directory a moment after its keeper has gone
        match SqliteStorage::open(dir.path()) {
            Ok(storage) => break storage,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let world = World::on(Arc::new(storage));
    let rest = world.insert(&one, records).await;
    assert_eq!((rest.accepted, rest.repeated, rest.next), (2, 3, 6));
}

#[tokio::test]
async fn old_hours_go_whole_with_their_tokens_and_heads_say_what_is_kept() {
    let (world, mut one, mut two) = (World::new(), Collector::new(1), Collector::new(2));
    world.send(&mut one, 3).await;
    let early = two.record(&[5]);
    world.insert(&two, vec![early.clone()]).await;
    world.clock.advance(Duration::from_hours(2));
    world.send(&mut one, 2).await;
    let hour = u32::try_from(super::world::HOUR).unwrap();
    assert_eq!(world.keeper.expire(hour).await.unwrap(), 0);
    assert_eq!(world.keeper.expire(hour + 1).await.unwrap(), 4);
    assert_eq!(world.keeper.expire(hour + 1).await.unwrap(), 0);
    let standing = world.keeper.standing();
    assert_eq!(standing.hours.len(), 1);
    let firsts: Vec<_> = standing.heads.iter().map(|head| (head.first, head.sequence)).collect();
    assert_eq!(firsts, [(4, 5), (2, 1)]);
    assert_eq!(world.storage.postings(1, &[7; 16], 100, 10).unwrap(), [6, 5]);
    assert!(world.storage.postings(1, &[5; 16], 100, 10).unwrap().is_empty());
    assert!(world.storage.batch(&batch_of(&two)).unwrap().is_none(), "a batch goes with its last record");
    assert_eq!(*world.keeper.standing(), world.storage.load().unwrap());
    // sent again it was taken once; the next one follows as ever
    assert_eq!(world.insert(&two, vec![early]).await.repeated, 1);
    assert_eq!(world.send_with(&mut two, &[5]).await.accepted, 1);
}

fn batch_of(collector: &Collector) -> BatchId {
    let bytes = data_encoding::BASE64.decode(collector.header.as_bytes()).unwrap();
    strongroom_envelope::BatchHeader::parse(&bytes).unwrap().batch()
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_make_the_past_longer() {
    let (world, mut one) = (World::new(), Collector::new(1));
    world.clock.advance(Duration::from_hours(5));
    world.send(&mut one, 1).await;
    world.clock.set_wall(strongroom_ambient::UnixMillis(super::world::HOUR * 3_600_000));
    world.send(&mut one, 1).await;
    let hours: Vec<u32> = world.storage.records_from(1, 9).unwrap().iter().map(|row| row.hour).collect();
    assert_eq!(hours[0], hours[1]);
}

/// A store that fails as it is told.
struct Failing {
    inner: SqliteStorage,
    /// 0: not; 1: the disk is full; 2: committed, and then lost; 3: lost before the commit.
    how: AtomicU8,
}

macro_rules! as_inner {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {$(
        fn $name(&self, $($arg: $kind),*) -> Result<$out, StorageError> { self.inner.$name($($arg),*) }
    )*};
}

impl Storage for Failing {
    as_inner! {
        load() -> Standing;
        remove(removal: &Removal) -> ();
        digest_of(collector: u32, sequence: u64) -> Option<DigestBytes>;
        batch(id: &BatchId) -> Option<BatchRow>;
        replace_header(id: &BatchId, digest: &DigestBytes, header: &[u8]) -> bool;
        postings(span: u32, token: &TokenBytes, at_most: Arrival, limit: usize) -> Vec<Arrival>;
        record(arrival: Arrival) -> Option<RecordRow>;
        records_from(from: Arrival, limit: usize) -> Vec<RecordRow>;
        of_collector(collector: u32, from: u64, limit: usize) -> Vec<RecordRow>;
        put_proof(proof: &ProofRow) -> bool;
        proof(collector: u32, epoch: u64) -> Option<ProofRow>;
        sizes() -> Sizes;
        note(name: &str) -> Option<Vec<u8>>;
        put_note(name: &str, value: &[u8]) -> ();
    }

    fn commit(&self, group: &Group) -> Result<(), StorageError> {
        let unknown = || StorageError::Unknown { context: "test".to_owned() };
        match self.how.swap(0, Ordering::Relaxed) {
            0 => self.inner.commit(group),
            1 => Err(StorageError::Full),
            2 => self.inner.commit(group).and(Err(unknown())),
            _ => Err(unknown()),
        }
    }
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing_behind_and_an_unknown_one_is_resolved() {
    for (how, said, there) in
        [(1, KeepError::Full, 0), (2, KeepError::Unknown, 2), (3, KeepError::Unknown, 0)]
    {
        let dir = tempfile::tempdir().unwrap();
        let inner = SqliteStorage::open(dir.path()).unwrap();
        let storage = Arc::new(Failing { inner, how: AtomicU8::new(how) });
        let ambient = strongroom_ambient::Ambient::system();
        let (keeper, _ending) = Keeper::start(storage, ambient).unwrap();
        let mut one = Collector::new(1);
        let records = one.records(2);
        assert_eq!(keeper.insert(one.submission(records.clone())).await, Err(said));
        let again = keeper.insert(one.submission(records)).await.unwrap();
        assert_eq!((again.accepted, again.repeated, again.refused.len()), (2 - there, there, 0), "{how}");
    }
}
