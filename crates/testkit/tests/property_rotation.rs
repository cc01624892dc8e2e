//! Random rounds of requests, rotations and steps of jobs, all of a round at once, interleaved by the store's delays and
//! their own; beside a model that is a map. A failure prints the rounds, which play the same again.
#![cfg(test)]

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_gate::{BarrierError, Bounds, CommitError, JobState, StoreError};
use strongroom_operator::OperatorError;
use strongroom_secrets::SecretsError;
use strongroom_store::{MemoryStore, Range};
use strongroom_testkit::{Odd, TestWorld, WorldError, WorldOptions};

#[derive(Debug, Clone)]
enum Op {
    Put(u8, u16),
    Get(u8),
    Delete(u8),
    Rotate,
    Step,
    Finish,
    Cancel,
    Kek,
}

/// What happens at once: each begins after so many turns of the scheduler.
type Round = Vec<(Op, u8)>;

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..3_u8, any::<u16>()).prop_map(|(name, value)| Op::Put(name, value)),
        4 => (0..3_u8).prop_map(Op::Get),
        2 => (0..3_u8).prop_map(Op::Delete),
        2 => Just(Op::Rotate),
        5 => Just(Op::Step),
        1 => Just(Op::Finish),
        1 => Just(Op::Cancel),
        1 => Just(Op::Kek),
    ]
}

fn rounds() -> impl Strategy<Value = Vec<(Round, bool)>> {
    let round = prop::collection::vec((op(), 0..30_u8), 1..5);
    prop::collection::vec((round, prop::bool::weighted(0.1)), 1..14)
}

/// The slots of a round have names of their own: what each finds does not hang on which came first.
fn name(slot: usize, name: u8) -> String {
    format!("{slot}/{name}")
}

/// Whether somebody else's change of keys came first: then it is asked again, or another time.
fn overtaken(fault: &OperatorError) -> bool {
    matches!(
        fault,
        OperatorError::Commit(CommitError::Changed | CommitError::Busy)
            | OperatorError::Barrier(BarrierError::Store(StoreError::Busy))
            | OperatorError::JobAtWork { .. }
            | OperatorError::JobEnded
    )
}

fn or_overtaken<T>(outcome: Result<T, WorldError>) {
    match outcome {
        Ok(_) => {}
        Err(WorldError::Operator(fault)) if overtaken(&fault) => {}
        Err(fault) => panic!("{fault}"),
    }
}

async fn one(world: &TestWorld, slot: usize, op: &Op, expected: Option<String>) {
    match op {
        Op::Put(at, value) => {
            world.put("web", &name(slot, *at), &value.to_string()).await.expect("a write");
        }
        Op::Get(at) => {
            assert_eq!(world.get("web", &name(slot, *at)).await.expect("a read"), expected);
        }
        Op::Delete(at) => match world.remove("web", &name(slot, *at)).await {
            Ok(()) => assert!(expected.is_some()),
            Err(WorldError::Secrets(SecretsError::NotFound)) => assert!(expected.is_none()),
            Err(fault) => panic!("{fault}"),
        },
        Op::Rotate => or_overtaken(world.rotate_keyset("ring").await),
        Op::Step => {
            if let Some(id) = world.gate.agenda().await.expect("jobs").next {
                or_overtaken(world.operator.job_step(id).await.map_err(WorldError::from));
            }
        }
        Op::Finish => or_overtaken(world.operator.finish_jobs().await.map_err(WorldError::from)),
        Op::Cancel => {
            let jobs = world.jobs().await.expect("jobs");
            if let Some(job) = jobs.iter().find(|job| job.record.state == JobState::Running) {
                or_overtaken(world.cancel_job(job.id).await);
            }
        }
        Op::Kek => or_overtaken(world.rotate_kek(&world.keys).await),
    }
}

type Model = BTreeMap<String, String>;

async fn play_round(world: &Arc<TestWorld>, model: &mut Model, round: &Round) {
    let mut hands = Vec::new();
    for (slot, (op, delay)) in round.iter().cloned().enumerate() {
        let key = match &op {
            Op::Put(at, _) | Op::Get(at) | Op::Delete(at) => name(slot, *at),
            _ => String::new(),
        };
        let expected = model.get(&key).cloned();
        match &op {
            Op::Put(_, value) => drop(model.insert(key, value.to_string())),
            Op::Delete(_) => drop(model.remove(&key)),
            _ => {}
        }
        let world = Arc::clone(world);
        hands.push(tokio::spawn(async move {
            for _ in 0..delay {
                tokio::task::yield_now().await;
            }
            one(&world, slot, &op, expected).await;
        }));
    }
    for hand in hands {
        hand.await.expect("no hand was hurt");
    }
}

async fn check(world: &TestWorld, model: &Model) {
    assert_eq!(world.list("web").await.expect("names"), model.keys().cloned().collect::<Vec<_>>());
    for (name, value) in model {
        assert_eq!(world.get("web", name).await.expect("a read").as_ref(), Some(value), "{name}");
    }
}

/// Terms under which something in the store's folder is sealed.
async fn sealed(world: &TestWorld) -> BTreeSet<u32> {
    let id = world.read_store("web").await.expect("a store").id;
    let rows = world.store().list(Range::prefix(Vec::new(), usize::MAX)).await.expect("rows");
    let of_store = rows.iter().filter(|row| {
        let key = row.key.as_bytes();
        [0x04, 0x05, 0x08].contains(&key[0]) && key[1..17] == id.0
    });
    let term = |row: &strongroom_store::Row| {
        let record = if row.key.as_bytes()[0] == 0x04 { &row.value[16..] } else { &row.value[..] };
        u32::from_be_bytes(record[1..5].try_into().expect("four bytes"))
    };
    of_store.map(term).collect()
}

async fn play(rounds: &[(Round, bool)]) {
    let slow = Odd::slow(MemoryStore::new(strongroom_audit::link));
    let step = Bounds { records: 2, bytes: 1 << 20, rows: 4 };
    let options = WorldOptions { job_step: Some(step), ..WorldOptions::default() };
    let world = TestWorld::unlocked_with(slow, options).await;
    world.create_keyset("ring").await.expect("a keyset");
    world.create_store_on("web", "ring").await.expect("a store");
    let mut model = Model::new();
    for at in 0..4 {
        world.put("web", &format!("kept/{at}"), &at.to_string()).await.expect("a secret");
        model.insert(format!("kept/{at}"), at.to_string());
    }
    let mut world = Arc::new(world);
    for (round, restart) in rounds {
        play_round(&world, &mut model, round).await;
        if *restart {
            world = Arc::new(world.reopen_over(world.store()));
            world.unlock().await.expect("it unlocks");
        }
        let keysets = world.keysets().await.expect("keysets");
        let ring = keysets.iter().find(|keyset| keyset.name == "ring").expect("the keyset");
        let oldest = ring.write_term + 1 - u32::try_from(ring.terms).expect("a small number");
        assert!(sealed(&world).await.iter().all(|term| (oldest..=ring.write_term).contains(term)));
    }
    check(&world, &model).await;
    world.operator.finish_jobs().await.expect("jobs come to their end");
    world.rotate_keyset("ring").await.expect("a last rotation");
    world.operator.finish_jobs().await.expect("and its job");
    assert_eq!(sealed(&world).await.len(), 1, "everything is sealed under one term");
    check(&world, &model).await;
    let again = world.reopen_over(world.store());
    again.unlock().await.expect("it unlocks");
    check(&again, &model).await;
    assert_eq!(again.verify(None).await.expect("a report").bad, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_at_once_every_value_is_what_was_written(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(play(&rounds));
    }
}
