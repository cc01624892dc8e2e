//! Rotating the root key so that it locks: the old keys unlock until a new one has, and nothing is lost in between.

use std::sync::Arc;
use strongroom_model::Origin;
use strongroom_operator::OperatorError;
use strongroom_store::{Fault, MemoryStore};
use strongroom_testkit::{FakeAuto, TestWorld, WorldError, WorldOptions, texts};

/// Unlocks another server over the same store, and finds everything there.
async fn opens(world: &TestWorld, keys: &[String]) -> bool {
    let again = world.reopen_over(world.store());
    // what does not open is an error, or too little
    let _ = again.unlock_with(keys).await;
    if again.gate.is_unlocked() {
        assert_eq!(again.get("web", "a").await.expect("a read").as_deref(), Some("1"));
        assert_eq!(again.verify(None).await.expect("a report").bad, None);
        again.put("web", "b", "2").await.expect("a write");
        return true;
    }
    false
}

#[tokio::test]
async fn it_locks_and_the_first_new_key_ends_the_old_ones() {
    let world = TestWorld::with_a_secret().await;
    let new = texts(&world.rotate_root_and_lock(&[], Some(3)).await.unwrap());
    assert_eq!(new.len(), 3);
    assert!(!world.gate.is_unlocked());
    assert!(opens(&world, &world.keys[..1]).await, "the answer may have been lost");
    assert!(opens(&world, &world.keys[..1]).await, "and an old key is no end of it");
    assert!(world.operator.status(Origin::Internal).await.unwrap().rotation_pending);
    assert!(opens(&world, &new[1..2]).await);
    assert!(!opens(&world, &world.keys[..1]).await);
    assert!(opens(&world, &new[2..]).await);
    let status = world.operator.status(Origin::Internal).await.unwrap();
    assert_eq!((status.num_keys, status.rotation_pending), (3, false));
}

#[tokio::test]
async fn with_a_threshold_it_takes_one_of_the_present_keys_and_one_of_the_new() {
    let world = TestWorld::initialised(3, 2).await;
    world.unlock().await.unwrap();
    world.create_store("web").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    let fault = world.rotate_root_and_lock(&[], None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::TooFewKeys { have: 0, need: 2 })), "{fault}");
    assert!(world.gate.is_unlocked(), "what is refused locks nothing");
    let new = texts(&world.rotate_root_and_lock(&world.keys[..2], None).await.unwrap());
    assert!(!opens(&world, &new[..1]).await);
    let mixed = [world.keys[0].clone(), new[0].clone()];
    assert!(!opens(&world, &mixed).await, "keys of two sets are none");
    assert!(opens(&world, &new[1..]).await);
    assert!(!opens(&world, &world.keys).await);
}

#[tokio::test]
async fn another_change_of_keys_voids_what_was_laid_beside() {
    // natively: given up, begun anew, confirmed; and a new KEK
    for way in 0..4 {
        let world = TestWorld::with_a_secret().await;
        let new = texts(&world.rotate_root_and_lock(&[], None).await.unwrap());
        world.unlock_with(&world.keys[..1]).await.unwrap();
        let keys = world.keys.clone();
        let holds = match way {
            0 => {
                world.cancel_rotate_root().await.unwrap();
                keys
            }
            1 => {
                world.rotate_root(&world.keys[..1], None, None).await.unwrap();
                keys
            }
            2 => {
                world.rotate_kek(&world.keys[..1]).await.unwrap();
                keys
            }
            _ => {
                world.confirm_rotate_root(&new[..1]).await.unwrap();
                new.clone()
            }
        };
        assert!(opens(&world, &holds[..1]).await, "{way}");
        assert_eq!(opens(&world, &new[..1]).await, way == 3, "{way}");
        assert!(opens(&world, &holds[..1]).await, "{way}: and a key that opens nothing changes nothing");
    }
}

#[tokio::test]
async fn auto_unlock_waits_for_a_person_and_goes_on_with_the_new_root_key() {
    for at_hand in [true, false] {
        let auto = FakeAuto::new();
        let options = WorldOptions { auto: Some(Arc::<FakeAuto>::clone(&auto)), ..WorldOptions::default() };
        let world = TestWorld::unlocked_with(MemoryStore::new(strongroom_audit::link), options).await;
        world.add_auto_unlock(&world.keys).await.unwrap();
        let new = texts(&world.rotate_root_and_lock(&[], None).await.unwrap());
        let world = world.reopen();
        assert!(!world.operator.auto_unlock().await.unwrap(), "who locks wants it locked");
        if !at_hand {
            auto.set(None);
        }
        world.unlock_with(&new[..1]).await.unwrap();
        auto.set(Some(99));
        let world = world.reopen();
        assert_eq!(world.operator.auto_unlock().await.unwrap(), at_hand);
    }
}

#[tokio::test]
async fn every_token_ends_with_it() {
    let world = TestWorld::with_a_secret().await;
    world.rotate_root_and_lock(&[], None).await.unwrap();
    world.unlock_with(&world.keys[..1]).await.unwrap();
    assert_eq!(world.gate.token_count().await.unwrap(), Some(0));
}

#[tokio::test(start_paused = true)]
async fn stopped_at_any_commit_some_key_that_was_shown_opens_and_nothing_is_lost() {
    for fault in Fault::ALL {
        for n in 1..=8 {
            let when = format!("{fault:?} at {n}");
            let world = TestWorld::with_a_secret().await;
            world.root_caller().await.unwrap();
            world.arm(fault, n);
            let answer = world.rotate_root_and_lock(&[], None).await;
            world.settled().await;
            let new = answer.as_ref().map(texts).unwrap_or_default();
            let unlocked = match new.first() {
                Some(key) => world.unlock_with(std::slice::from_ref(key)).await.is_ok(),
                None => false,
            };
            world.settled().await;
            world.fault().reset();
            if unlocked {
                assert!(!opens(&world, &world.keys[..1]).await, "{when}: a new key has unlocked");
            }
            let keys = [new.as_slice(), &world.keys].concat();
            check(&world.reopen(), &keys, &when).await;
        }
    }
}

/// Some key opens it, and everything is there.
async fn check(world: &TestWorld, keys: &[String], when: &str) {
    for key in keys {
        if world.unlock_with(std::slice::from_ref(key)).await.is_ok() {
            break;
        }
    }
    assert!(world.gate.is_unlocked(), "{when}: no key opens it");
    assert_eq!(world.get("web", "a").await.expect(when).as_deref(), Some("1"), "{when}");
}
