//! A full disk, a full queue, a trail that cannot be written: what goes on, what is refused, what is left.

use strongroom_gate::{CommitError, Decision, Denied, Secret, Space, Verdict};
use strongroom_model::{Action, Origin};
use strongroom_operator::OperatorError;
use strongroom_secrets::{self as secrets, SecretsError};
use strongroom_store::{Fault, MemoryStore, Store};
use strongroom_testkit::{TestWorld, WorldError, WorldOptions, name, path, value};

async fn world() -> (std::sync::Arc<MemoryStore>, TestWorld) {
    let store = MemoryStore::new(strongroom_audit::link);
    let below: strongroom_store::SharedStore = std::sync::Arc::<MemoryStore>::clone(&store);
    let world = TestWorld::unlocked_with(below, WorldOptions::default()).await;
    world.create_store("web").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    (store, world)
}

#[tokio::test]
async fn in_the_reserve_nothing_is_added_and_everything_else_goes_on() {
    let (store, world) = world().await;
    let from = world.head() + 1;
    store.set_space(Space::Reserved);
    let fault = world.put("web", "b", "1").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Full)), "{fault}");
    let fault = world.create_store("two").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Full)), "{fault}");
    let fault = world.rotate_root(&world.keys, None, None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Full)), "{fault}");
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"));
    assert_eq!(world.list("web").await.unwrap(), ["a"]);
    world.authorize(None).await.unwrap();
    world.remove("web", "a").await.unwrap();
    world.remove_store("web").await.unwrap();
    let trail = world.trail(from).await.unwrap();
    let told: Vec<_> = trail.iter().take(3).map(|line| (line.action, line.decision, line.verdict)).collect();
    assert_eq!(
        told,
        [
            (Action::PutSecret, Decision::Allowed, Verdict::Failed),
            (Action::CreateStore, Decision::Allowed, Verdict::Failed),
            (Action::RotateRoot, Decision::Allowed, Verdict::Failed),
        ]
    );
    world.lock().await.unwrap();
    world.unlock().await.unwrap();
    assert_eq!(world.stores().await.unwrap(), Vec::<String>::new());
    store.set_space(Space::Ample);
    world.create_store("web").await.unwrap();
    assert_eq!(world.verify(None).await.unwrap().bad, None);
}

#[tokio::test]
async fn without_a_reserve_only_locking_is_heard() {
    let (store, world) = world().await;
    let caller = world.root_caller().await.unwrap();
    let before = world.head();
    store.set_space(Space::Exhausted);
    let fault = world.get("web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Full)), "{fault}");
    let fault = world.remove_as(&caller, "web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Full)), "{fault}");
    let fault = world.lock().await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::Commit(CommitError::Full))), "{fault}");
    assert!(!world.gate.is_unlocked(), "locked all the same");
    assert_eq!(world.head(), before);
    store.set_space(Space::Ample);
    world.unlock().await.unwrap();
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_full_queue_is_busy_and_nothing_is_lost() {
    let (store, world) = world().await;
    let caller = world.root_caller().await.unwrap();
    let mut places = Vec::new();
    while let Ok(place) = store.reserve() {
        places.push(place);
    }
    let fault = world.get("web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Busy)), "{fault}");
    let fault = world.remove_as(&caller, "web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Busy)), "{fault}");
    drop(places);
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn an_unlock_whose_entry_cannot_be_written_leaves_it_locked() {
    for fault in [Fault::FailBefore, Fault::StopBefore] {
        for confirmed in [false, true] {
            let world = TestWorld::initialised(1, 1).await;
            if confirmed {
                world.confirm_initialise(&world.set_id).await.unwrap();
            }
            world.arm(fault, 1);
            world.present(Origin::Local { uid: 0 }, &world.keys[0]).await.unwrap_err();
            assert!(!world.gate.is_unlocked(), "{fault:?}");
            world.fault().reset();
            world.unlock().await.unwrap();
            assert!(world.gate.is_unlocked(), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_value_too_large_for_one_transaction_is_told_and_leaves_an_entry() {
    let (_, world) = world().await;
    let root = world.root_caller().await.unwrap();
    let from = world.head() + 1;
    let huge = strongroom_secret::SecretBytes::new(vec![1; strongroom_store::MAX_TXN_BYTES]);
    let huge = strongroom_secrets::Value::bytes(huge);
    let fault = world.put_as(&root, "web", "huge", &huge, None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Secrets(SecretsError::Commit(CommitError::TooLarge))), "{fault}");
    assert_eq!(world.list("web").await.unwrap(), ["a"]);
    let trail = world.trail(from).await.unwrap();
    assert_eq!((trail[0].action, trail[0].verdict), (Action::PutSecret, Verdict::Failed));
}

#[tokio::test]
async fn a_write_that_slept_through_a_lock_and_an_unlock_is_not_made_behind_the_new_index() {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    let caller = world.root_caller().await.unwrap();
    let admit = async |at: &str| {
        let about = Secret { store: name("web"), path: path(at) };
        world.gate.admit::<secrets::PutSecret>(&caller, about).await.unwrap()
    };
    let (early, late) = (admit("early").await, admit("late").await);
    let by = caller.principal.as_ref().unwrap().user;
    world.lock().await.unwrap();
    secrets::put(early, by, world.gate.now(), &value("1"), None)
        .await
        .expect("a lock lets it come to its end");
    world.unlock().await.unwrap();
    assert_eq!(world.get("web", "early").await.unwrap().as_deref(), Some("1"));
    let fault = secrets::put(late, by, world.gate.now(), &value("1"), None).await.unwrap_err();
    assert!(matches!(fault, SecretsError::Commit(CommitError::Busy)), "{fault}");
    assert_eq!(world.get("web", "late").await.unwrap(), None);
    world.put("web", "late", "2").await.unwrap();
    assert_eq!(world.get("web", "late").await.unwrap().as_deref(), Some("2"));
    assert_eq!(world.list("web").await.unwrap(), ["early", "late"]);
}
