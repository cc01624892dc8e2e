//! Requests that their clients named: done once, answered as before, told from others.

use std::time::Duration;
use strongroom_gate::{Denied, Secret};
use strongroom_model::{Caller, Repeat, RequestId};
use strongroom_secrets::{PutSecret, Written};
use strongroom_store::{Fault, Range};
use strongroom_testkit::{TestWorld, WorldError, name, path, value};

async fn named(world: &TestWorld, digest: u8) -> Caller {
    let mut caller = world.root_caller().await.expect("root");
    caller.repeat = Some(Repeat { digest: [digest; 32], named: true });
    caller
}

async fn world() -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.expect("a store");
    world
}

async fn put(world: &TestWorld, caller: &Caller) -> Result<u64, WorldError> {
    world.put_as(caller, "web", "a", &value("1"), None).await
}

fn repeated(outcome: Result<u64, WorldError>) -> Written {
    match outcome {
        Err(WorldError::Denied(Denied::Repeated(outcome))) => Written::decode(&outcome).expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

async fn outcomes(world: &TestWorld) -> usize {
    world.store().list(Range::prefix(vec![0x0c], 100)).await.expect("rows").len()
}

#[tokio::test]
async fn the_same_request_is_done_once_and_answered_as_before() {
    let world = world().await;
    let caller = named(&world, 1).await;
    assert_eq!(put(&world, &caller).await.unwrap(), 1);
    world.clock.advance(Duration::from_mins(5));
    let again = repeated(put(&world, &caller).await);
    assert_eq!((again.version, again.created), (1, strongroom_testkit::START));
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(repeated(put(&world, &caller).await).version, 1, "after a restart too");
    assert_eq!(world.put("web", "a", "2").await.unwrap(), 2);
}

#[tokio::test]
async fn another_body_action_or_user_under_the_same_id_is_refused() {
    let world = world().await;
    let caller = named(&world, 1).await;
    put(&world, &caller).await.unwrap();
    let mut other = caller.clone();
    other.repeat = Some(Repeat { digest: [2; 32], named: true });
    assert!(matches!(put(&world, &other).await, Err(WorldError::Denied(Denied::Reused))));
    let fault = world.remove_as(&caller, "web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Reused)), "{fault}");
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"));
    let mut fresh = caller.clone();
    fresh.request = RequestId([7; 16]);
    assert_eq!(put(&world, &fresh).await.unwrap(), 2, "another id is another request");
}

#[tokio::test]
async fn a_request_without_a_name_is_done_each_time() {
    let world = world().await;
    let mut caller = world.root_caller().await.unwrap();
    caller.repeat = Some(Repeat { digest: [1; 32], named: false });
    assert_eq!(put(&world, &caller).await.unwrap(), 1);
    assert_eq!(put(&world, &caller).await.unwrap(), 2);
    assert_eq!(outcomes(&world).await, 0);
}

#[tokio::test]
async fn a_failed_request_may_be_tried_again_under_its_id() {
    let world = world().await;
    let caller = named(&world, 1).await;
    world.arm(Fault::FailBefore, 1);
    put(&world, &caller).await.unwrap_err();
    assert_eq!(put(&world, &caller).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_an_unknown_outcome_the_repetition_tells_the_truth() {
    for (fault, applied) in [(Fault::UnknownApplied, true), (Fault::UnknownLost, false)] {
        let world = world().await;
        let caller = named(&world, 1).await;
        world.arm(fault, 1);
        let lost = put(&world, &caller).await.unwrap_err();
        let unknown = strongroom_gate::CommitError::Unknown;
        assert!(
            matches!(&lost, WorldError::Secrets(strongroom_secrets::SecretsError::Commit(fault)) if *fault == unknown),
            "{lost}"
        );
        assert!(
            matches!(put(&world, &caller).await, Err(WorldError::Denied(Denied::Busy))),
            "while it resolves"
        );
        world.settled().await;
        if applied {
            assert_eq!(repeated(put(&world, &caller).await).version, 1);
        } else {
            assert_eq!(put(&world, &caller).await.unwrap(), 1);
        }
        assert_eq!(world.metadata("web", "a").await.unwrap().unwrap().versions.len(), 1, "{fault:?}");
        assert_eq!(world.list("web").await.unwrap(), ["a"], "the index agrees");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sent_twice_at_once_it_is_done_once() {
    for _ in 0..20 {
        let world = std::sync::Arc::new(world().await);
        let caller = named(&world, 1).await;
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (world, caller) = (std::sync::Arc::clone(&world), caller.clone());
                tokio::spawn(async move { put(&world, &caller).await.is_ok() })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += usize::from(task.await.unwrap());
        }
        assert_eq!(done, 1);
        assert_eq!(world.metadata("web", "a").await.unwrap().unwrap().versions.len(), 1);
    }
}

#[tokio::test]
async fn outcomes_are_kept_a_day_and_then_removed() {
    let world = world().await;
    let caller = named(&world, 1).await;
    put(&world, &caller).await.unwrap();
    world.clock.advance(Duration::from_hours(24));
    world.operator.housekeeping().await.unwrap();
    assert_eq!(outcomes(&world).await, 1, "a day is not over");
    world.clock.advance(Duration::from_secs(1));
    world.operator.housekeeping().await.unwrap();
    assert_eq!(outcomes(&world).await, 0);
    let before = world.head();
    world.operator.housekeeping().await.unwrap();
    assert_eq!(world.head(), before, "nothing to do leaves nothing");
}

#[tokio::test]
async fn an_answer_that_bears_a_secret_is_never_kept() {
    let world = world().await;
    let root = named(&world, 1).await;
    let before = outcomes(&world).await;
    let permit =
        world.gate.admit::<strongroom_operator::RotateRoot>(&root, strongroom_gate::Server).await.unwrap();
    let keys: Vec<_> =
        world.keys.iter().map(|key| strongroom_secret::SecretBytes::new(key.clone().into_bytes())).collect();
    world.operator.rotate_root(permit, &keys, None, None).await.unwrap();
    world.authorize(None).await.unwrap();
    assert_eq!(outcomes(&world).await, before);
}

#[tokio::test]
async fn stores_made_and_removed_and_secrets_deleted_are_repeated_too() {
    let world = world().await;
    let create = named(&world, 1).await;
    let made = world.create_store_as(&create, "two").await.unwrap();
    let fault = world.create_store_as(&create, "two").await.unwrap_err();
    let WorldError::Denied(Denied::Repeated(outcome)) = fault else { panic!("{fault}") };
    assert_eq!(outcome, made.id.0);
    world.put("web", "a", "1").await.unwrap();
    let delete = named(&world, 2).await;
    world.remove_as(&delete, "web", "a").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    let fault = world.remove_as(&delete, "web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Repeated(_))), "{fault}");
    assert!(world.get("web", "a").await.unwrap().is_some(), "the one made since is left alone");
}

#[tokio::test]
async fn a_repetition_needs_leave_as_the_first_did() {
    let world = world().await;
    let caller = named(&world, 1).await;
    put(&world, &caller).await.unwrap();
    let stranger = Caller { principal: None, ..caller };
    let about = Secret { store: name("web"), path: path("a") };
    let refused = world.gate.admit::<PutSecret>(&stranger, about).await;
    assert!(matches!(refused, Err(Denied::Refused { .. })));
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    CreateStore,
    RemoveSecret,
}

async fn ask(world: &TestWorld, caller: &Caller, kind: Kind) -> Result<(), WorldError> {
    match kind {
        Kind::CreateStore => world.create_store_as(caller, "two").await.map(drop),
        Kind::RemoveSecret => world.remove_as(caller, "web", "a").await,
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_outcomes_of_other_writes_are_told_truly_too() {
    for kind in [Kind::CreateStore, Kind::RemoveSecret] {
        for (fault, applied) in [(Fault::UnknownApplied, true), (Fault::UnknownLost, false)] {
            let world = world().await;
            world.put("web", "a", "1").await.unwrap();
            let caller = named(&world, 1).await;
            world.arm(fault, 1);
            ask(&world, &caller, kind).await.unwrap_err();
            world.settled().await;
            let again = ask(&world, &caller, kind).await;
            if applied {
                assert!(matches!(again, Err(WorldError::Denied(Denied::Repeated(_)))), "{kind:?}: {again:?}");
            } else {
                again.unwrap();
            }
            let stores = world.stores().await.unwrap();
            let secrets = world.list("web").await.unwrap();
            match kind {
                Kind::CreateStore => assert_eq!((stores.len(), secrets.len()), (2, 1), "{fault:?}"),
                Kind::RemoveSecret => assert_eq!((stores.len(), secrets.len()), (1, 0), "{fault:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_unknown_outcome_is_never_handed_out_and_another_can_be_had() {
    for fault in [Fault::UnknownApplied, Fault::UnknownLost] {
        let world = world().await;
        world.arm(fault, 1);
        world.authorize(None).await.unwrap_err();
        world.settled().await;
        let token = world.authorize(None).await.unwrap();
        let mut caller = world.stranger();
        world.identity.authenticate(&mut caller, &token).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_was_unknown_is_forgotten_after_a_day_as_others_are() {
    let world = world().await;
    let caller = named(&world, 1).await;
    world.arm(Fault::UnknownApplied, 1);
    put(&world, &caller).await.unwrap_err();
    world.settled().await;
    assert_eq!(repeated(put(&world, &caller).await).version, 1);
    world.clock.advance(Duration::from_hours(25));
    world.operator.housekeeping().await.unwrap();
    let later = Caller { request: caller.request, ..named(&world, 1).await };
    assert_eq!(put(&world, &later).await.unwrap(), 2, "nothing is known of it any more");
}

#[tokio::test]
async fn a_rotation_of_everything_is_done_once_and_its_jobs_are_told_again() {
    let world = world().await;
    let secrets = |keys: &strongroom_operator::NewKeys| {
        let copy = |key: &strongroom_secret::SecretBytes| {
            key.expose(|bytes| strongroom_secret::SecretBytes::new(bytes.to_vec()))
        };
        keys.keys.iter().map(copy).collect::<Vec<_>>()
    };
    let new = secrets(&world.rotate_root(&world.keys, None, None).await.unwrap());
    let caller = named(&world, 1).await;
    let server = strongroom_gate::Server;
    let permit = world.gate.admit::<strongroom_operator::RotateAll>(&caller, server).await.unwrap();
    let by = caller.principal.as_ref().unwrap().user;
    let asked = strongroom_operator::Asked { by, request: caller.request };
    let jobs = world.operator.rotate_all(permit, &new, asked).await.unwrap();
    // the tokens have ended: whoever asks again has logged in again
    let again = Caller { request: caller.request, ..named(&world, 1).await };
    let denied = world.gate.admit::<strongroom_operator::RotateAll>(&again, server).await.unwrap_err();
    let Denied::Repeated(outcome) = denied else { panic!("{denied}") };
    assert!(jobs.len() > 1);
    assert_eq!(outcome, jobs.iter().flat_map(|job| job.0).collect::<Vec<u8>>());
}
