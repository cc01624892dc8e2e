//! Unlocking and locking: every key judged at once, progress that is its caller's and expires.

use std::time::Duration;
use strongroom_gate::{Decision, Denied, Verdict};
use strongroom_model::{Action, Origin};
use strongroom_operator::{OperatorError, Unlocking};
use strongroom_testkit::{FakeAuto, TestWorld, WorldError, WorldOptions};

const HERE: Origin = Origin::Local { uid: 1 };
const THERE: Origin = Origin::Local { uid: 2 };

async fn have(world: &TestWorld, origin: Origin) -> u8 {
    world.operator.status(origin).await.expect("status answers").progress
}

#[tokio::test]
async fn wrong_repeated_foreign_and_malformed_keys_are_told_apart_and_reset_nothing() {
    let world = TestWorld::initialised(3, 2).await;
    let foreign = TestWorld::with(
        strongroom_store::MemoryStore::new(strongroom_audit::link),
        WorldOptions { seed: 77, ..WorldOptions::default() },
    );
    let mut foreign = foreign;
    foreign.initialise(3, 2).await.unwrap();
    assert_eq!(
        world.present(HERE, &world.keys[0]).await.unwrap(),
        Unlocking { done: false, have: 1, need: 2 }
    );
    let mut malformed = world.keys[1].clone();
    malformed.truncate(malformed.len() - 3);
    let mut mistyped = world.keys[1].clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == '0' { '1' } else { '0' });
    for (key, expected) in [
        (world.keys[0].as_str(), "unlock key 1 was already presented"),
        (foreign.keys[1].as_str(), "unlock key 1 belongs to another set"),
        (malformed.as_str(), "unlock key 1: "),
        (mistyped.as_str(), "unlock key 1: "),
        ("", "unlock key 1: "),
        ("\u{1f511}", "unlock key 1: "),
    ] {
        let fault = world.present(HERE, key).await.unwrap_err();
        assert!(fault.to_string().starts_with(expected), "{fault}");
        assert_eq!(have(&world, HERE).await, 1, "{expected}");
    }
    assert!(world.present(HERE, &world.keys[2]).await.unwrap().done);
}

#[tokio::test]
async fn progress_belongs_to_its_caller_and_expires() {
    let world = TestWorld::initialised(3, 2).await;
    world.present(HERE, &world.keys[0]).await.unwrap();
    assert_eq!((have(&world, HERE).await, have(&world, THERE).await), (1, 0));
    assert!(!world.present(THERE, &world.keys[1]).await.unwrap().done, "two callers do not add up");
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(have(&world, HERE).await, 0, "expired");
    assert!(!world.present(HERE, &world.keys[1]).await.unwrap().done);
    assert!(world.present(HERE, &world.keys[0]).await.unwrap().done);
}

#[tokio::test]
async fn a_crowd_with_wrong_keys_drives_nobodys_progress_out() {
    let world = TestWorld::initialised(2, 2).await;
    let mut foreign = TestWorld::initialised(2, 2).await;
    foreign.initialise(2, 2).await.unwrap();
    world.present(HERE, &world.keys[0]).await.unwrap();
    for uid in 100..2_000 {
        world.present(Origin::Local { uid }, &foreign.keys[0]).await.unwrap_err();
    }
    assert_eq!(have(&world, HERE).await, 1);
    assert!(world.present(HERE, &world.keys[1]).await.unwrap().done);
}

#[tokio::test]
async fn once_unlocked_what_others_presented_is_forgotten() {
    let world = TestWorld::initialised(3, 2).await;
    world.present(THERE, &world.keys[2]).await.unwrap();
    world.unlock().await.unwrap();
    assert_eq!(have(&world, THERE).await, 0);
    world.lock().await.unwrap();
    assert!(!world.present(THERE, &world.keys[0]).await.unwrap().done);
}

#[tokio::test]
async fn a_restart_forgets_progress_and_is_locked() {
    let world = TestWorld::initialised(2, 2).await;
    world.present(HERE, &world.keys[0]).await.unwrap();
    let world = world.reopen();
    assert_eq!(have(&world, HERE).await, 0);
    assert!(!world.gate.is_unlocked());
    world.unlock().await.unwrap();
    let world = world.reopen();
    assert!(!world.gate.is_unlocked());
}

#[tokio::test]
async fn a_flood_of_wrong_keys_leaves_few_entries_and_their_count() {
    let world = TestWorld::initialised(1, 1).await;
    let before = world.head();
    for _ in 0..500 {
        world.present(HERE, "no key").await.unwrap_err();
    }
    assert_eq!(world.head(), before + 1, "one entry an interval");
    world.clock.advance(Duration::from_secs(11));
    world.present(HERE, "no key").await.unwrap_err();
    world.unlock().await.unwrap();
    let trail = world.trail(before + 1).await.unwrap();
    assert_eq!((trail[0].action, trail[0].verdict), (Action::Unlock, Verdict::Refused));
    assert_eq!(trail[1].verdict, Verdict::Refused);
    // while locked an entry keeps no note, so the count is checked below, unlocked
    for _ in 0..30 {
        world.present(THERE, &world.keys[0]).await.unwrap_err();
    }
    world.clock.advance(Duration::from_secs(11));
    world.present(THERE, &world.keys[0]).await.unwrap_err();
    let trail = world.trail(before + 1).await.unwrap();
    let already: Vec<_> = trail.iter().filter(|line| line.origin == "local:2").collect();
    assert_eq!(already.len(), 2, "{already:?}");
    assert!(already[1].note.contains("(29 more like this from here were counted)"), "{:?}", already[1]);
}

#[tokio::test]
async fn while_locked_everything_else_is_refused_as_locked() {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    let caller = world.root_caller().await.unwrap();
    world.lock().await.unwrap();
    let before = world.head();
    let fault = world.create_store_as(&caller, "other").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Locked)), "{fault}");
    let fault = world.put_as(&caller, "web", "a", &strongroom_testkit::value("1"), None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Locked)), "{fault}");
    let fault = world.challenge("key").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Locked)), "{fault}");
    let fault = world.get("web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Locked)), "{fault}");
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn locking_ends_tokens_and_keeps_data() {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    let token = world.token().unwrap();
    world.lock().await.unwrap();
    world.unlock().await.unwrap();
    let mut caller = world.stranger();
    assert!(world.identity.authenticate(&mut caller, &token).await.is_err(), "the token is gone");
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"));
    let trail = world.trail(1).await.unwrap();
    let locked = trail.iter().find(|line| line.action == Action::Lock).unwrap();
    assert_eq!((locked.decision, locked.verdict), (Decision::Allowed, Verdict::Done));
    assert_eq!(locked.user.as_deref(), Some("root"));
}

async fn with_auto() -> (std::sync::Arc<FakeAuto>, TestWorld) {
    let auto = FakeAuto::new();
    let options =
        WorldOptions { auto: Some(std::sync::Arc::<FakeAuto>::clone(&auto)), ..WorldOptions::default() };
    let store = strongroom_store::MemoryStore::new(strongroom_audit::link);
    (auto, TestWorld::unlocked_with(store, options).await)
}

#[tokio::test]
async fn auto_unlock_unlocks_after_a_restart_and_an_operators_lock_holds_it() {
    let (_, world) = with_auto().await;
    assert!(!world.operator.auto_unlock().await.unwrap(), "not set up, and unlocked");
    world.add_auto_unlock(&world.keys).await.unwrap();
    world.create_store("web").await.unwrap();
    let world = world.reopen();
    assert!(world.operator.auto_unlock().await.unwrap());
    assert_eq!(world.stores().await.unwrap(), ["web"]);
    world.lock().await.unwrap();
    assert!(world.operator.status(HERE).await.unwrap().auto_unlock_held);
    assert!(!world.operator.auto_unlock().await.unwrap(), "held");
    let world = world.reopen();
    assert!(!world.operator.auto_unlock().await.unwrap(), "held over a restart");
    world.unlock().await.unwrap();
    assert!(!world.operator.status(HERE).await.unwrap().auto_unlock_held, "a person unlocked");
    let world = world.reopen();
    assert!(world.operator.auto_unlock().await.unwrap());
}

#[tokio::test]
async fn a_wrong_or_lost_auto_key_opens_nothing_and_leaves_an_entry() {
    let (auto, world) = with_auto().await;
    world.add_auto_unlock(&world.keys).await.unwrap();
    let world = world.reopen();
    auto.set(Some(5));
    let fault = world.operator.auto_unlock().await.unwrap_err();
    assert!(matches!(fault, OperatorError::AutoKey(_)), "{fault}");
    auto.set(None);
    let fault = world.operator.auto_unlock().await.unwrap_err();
    assert!(matches!(fault, OperatorError::Auto(_)), "{fault}");
    assert!(!world.gate.is_unlocked());
    world.unlock().await.unwrap();
    let trail = world.trail(1).await.unwrap();
    let failed = |line: &&strongroom_testkit::Line| {
        line.action == Action::AutoUnlock && line.verdict == Verdict::Failed
    };
    assert_eq!(trail.iter().filter(failed).count(), 2);
}

#[tokio::test]
async fn auto_unlock_takes_a_threshold_of_keys_and_is_removed() {
    let (_, world) = with_auto().await;
    let fault = world.add_auto_unlock(&[]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::TooFewKeys { have: 0, need: 1 })), "{fault}");
    let fault = world.remove_auto_unlock().await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::NoAutoUnlock)), "{fault}");
    world.add_auto_unlock(&world.keys).await.unwrap();
    world.remove_auto_unlock().await.unwrap();
    let world = world.reopen();
    assert!(!world.operator.auto_unlock().await.unwrap());
    let without = TestWorld::unlocked().await;
    let fault = without.add_auto_unlock(&without.keys).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::NoAutoUnlock)), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_unlock_at_once_leave_one_open_hierarchy() {
    for round in 0..50 {
        let world = std::sync::Arc::new(TestWorld::initialised(2, 1).await);
        let tasks: Vec<_> = (0..2_u32)
            .map(|at| {
                let world = std::sync::Arc::clone(&world);
                tokio::spawn(async move {
                    let key = world.keys[at as usize].clone();
                    world.present(Origin::Local { uid: at }, &key).await.map(|unlocking| unlocking.done)
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(unlocked) => done += u32::from(unlocked),
                Err(WorldError::Operator(OperatorError::AlreadyUnlocked)) => {}
                Err(fault) => panic!("round {round}: {fault}"),
            }
        }
        assert_eq!(done, 1, "round {round}");
        assert!(world.gate.is_unlocked(), "round {round}");
    }
}
