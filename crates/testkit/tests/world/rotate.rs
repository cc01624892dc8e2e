//! Rotating the root key: two commits, an answer lost at every point.

use std::sync::Arc;
use strongroom_model::Origin;
use strongroom_operator::OperatorError;
use strongroom_store::{Fault, MemoryStore};
use strongroom_testkit::{FakeAuto, TestWorld, WorldError, WorldOptions, texts};

/// Whether a restarted server opens with these keys, and still has what was written.
async fn opens(world: &TestWorld, keys: &[String]) -> bool {
    let again = world.reopen_over(world.store());
    let opened = again.unlock_with(keys).await;
    if again.gate.is_unlocked() {
        assert_eq!(again.get("web", "a").await.expect("a read").as_deref(), Some("1"));
        let report = again.verify(None).await.expect("a report");
        assert_eq!(report.bad, None);
        return true;
    }
    assert!(opened.is_err(), "keys that do not open are told so");
    false
}

#[tokio::test]
async fn old_keys_open_until_it_is_confirmed_and_new_ones_from_then_on() {
    let world = TestWorld::with_a_secret().await;
    let new = world.rotate_root(&world.keys, Some(3), Some(2)).await.unwrap();
    let new = texts(&new);
    assert!(opens(&world, &world.keys).await);
    assert!(!opens(&world, &new).await);
    assert!(world.operator.status(Origin::Internal).await.unwrap().rotation_pending);
    world.confirm_rotate_root(&new[1..]).await.unwrap();
    assert!(!opens(&world, &world.keys).await);
    assert!(opens(&world, &new[..2]).await);
    let status = world.operator.status(Origin::Internal).await.unwrap();
    assert_eq!((status.threshold, status.num_keys, status.rotation_pending), (2, 3, false));
    world.confirm_rotate_root(&new[..2]).await.unwrap();
    let fault = world.confirm_rotate_root(&world.keys).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::NothingPending)), "{fault}");
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"), "and nothing was interrupted");
}

#[tokio::test]
async fn it_takes_a_threshold_of_the_present_keys() {
    let mut world = TestWorld::initialised(3, 2).await;
    world.unlock().await.unwrap();
    let fault = world.rotate_root(&world.keys[..1], None, None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::TooFewKeys { have: 1, need: 2 })), "{fault}");
    let twice = [world.keys[0].clone(), world.keys[0].clone()];
    let fault = world.rotate_root(&twice, None, None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::RepeatedKey { index: 2 })), "{fault}");
    let fault = world.rotate_root(&["nonsense".to_owned()], None, None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::KeyText { index: 1, .. })), "{fault}");
    let new = world.rotate_root(&world.keys[1..], None, None).await.unwrap();
    assert_eq!((new.threshold, new.keys.len()), (2, 3), "as it was, if nothing is said");
    let new_keys = texts(&new);
    let fault = world.confirm_rotate_root(&new_keys[..1]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::TooFewKeys { have: 1, need: 2 })), "{fault}");
    let fault = world.confirm_rotate_root(&world.keys).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::ForeignKey { index: 1 })), "{fault}");
    world.confirm_rotate_root(&new_keys[..2]).await.unwrap();
    world.keep_keys(new);
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert!(world.gate.is_unlocked());
}

#[tokio::test]
async fn given_up_it_leaves_the_old_keys_and_begun_again_it_shows_others() {
    let world = TestWorld::with_a_secret().await;
    let first = texts(&world.rotate_root(&world.keys, None, None).await.unwrap());
    let second = texts(&world.rotate_root(&world.keys, None, None).await.unwrap());
    let fault = world.confirm_rotate_root(&first).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::ForeignKey { .. })), "{fault}");
    world.cancel_rotate_root().await.unwrap();
    let fault = world.confirm_rotate_root(&second).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::NothingPending)), "{fault}");
    let fault = world.cancel_rotate_root().await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::NothingPending)), "{fault}");
    assert!(opens(&world, &world.keys).await);
    assert!(!opens(&world, &first).await && !opens(&world, &second).await);
}

#[tokio::test]
async fn auto_unlock_goes_on_with_the_new_root_key() {
    let auto = FakeAuto::new();
    let options = WorldOptions { auto: Some(Arc::<FakeAuto>::clone(&auto)), ..WorldOptions::default() };
    let world = TestWorld::unlocked_with(MemoryStore::new(strongroom_audit::link), options).await;
    world.add_auto_unlock(&world.keys).await.unwrap();
    let new = texts(&world.rotate_root(&world.keys, None, None).await.unwrap());
    let pending = world.reopen_over(world.store());
    assert!(pending.operator.auto_unlock().await.unwrap(), "while it waits, the old root key is in use");
    auto.set(None);
    let fault = world.confirm_rotate_root(&new).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::Auto(_))), "{fault}");
    auto.set(Some(99));
    world.confirm_rotate_root(&new).await.unwrap();
    let world = world.reopen();
    assert!(world.operator.auto_unlock().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_answer_lost_at_any_commit_loses_nothing() {
    for fault in Fault::ALL {
        for n in 1..=6 {
            let world = TestWorld::with_a_secret().await;
            world.root_caller().await.unwrap();
            world.arm(fault, n);
            let shown = world.rotate_root(&world.keys, Some(2), Some(2)).await;
            world.settled().await;
            let new = shown.as_ref().map(texts).unwrap_or_default();
            let confirmed = match &shown {
                Ok(_) => world.confirm_rotate_root(&new).await,
                Err(_) => Ok(()),
            };
            world.settled().await;
            let old_opens = opens(&world, &world.keys).await;
            let new_opens = !new.is_empty() && opens(&world, &new).await;
            assert!(old_opens != new_opens, "{fault:?} at {n}: old {old_opens}, new {new_opens}");
            if shown.is_ok() && confirmed.is_ok() {
                assert!(new_opens, "{fault:?} at {n}: what was acknowledged holds");
            }
            complete_after(world, &new, old_opens, fault, n).await;
        }
    }
}

/// Whoever tries again after the restart gets there.
async fn complete_after(world: TestWorld, new: &[String], old_opens: bool, fault: Fault, n: u64) {
    let world = world.reopen();
    let now = if old_opens { world.keys.clone() } else { new.to_vec() };
    world.unlock_with(&now).await.unwrap();
    let pending = world.operator.status(Origin::Internal).await.unwrap().rotation_pending;
    if !new.is_empty() && (pending || !old_opens) {
        world.confirm_rotate_root(new).await.unwrap();
        assert!(opens(&world, new).await, "{fault:?} at {n}: repeated");
        return;
    }
    let again = texts(&world.rotate_root(&now, None, None).await.unwrap());
    world.confirm_rotate_root(&again).await.unwrap();
    assert!(opens(&world, &again).await, "{fault:?} at {n}: begun again");
}
