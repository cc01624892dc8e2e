//! Rotating the KEK, rotating everything, and unlock keys one by one: interrupted at every commit.

use strongroom_gate::{Bounds, JobState};
use strongroom_operator::OperatorError;
use strongroom_store::{Fault, MemoryStore, Range};
use strongroom_testkit::{TestWorld, WorldError, WorldOptions, texts};

/// Every table of sealed records but the trail.
const SEALED: [u8; 10] = [0x04, 0x05, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0f, 0x15];

async fn filled(threshold: u8) -> TestWorld {
    let step = Bounds { records: 4, bytes: 1 << 20, rows: 16 };
    let options = WorldOptions { job_step: Some(step), ..WorldOptions::default() };
    let mut world = TestWorld::with(MemoryStore::new(strongroom_audit::link), options);
    world.initialise(3, threshold).await.expect("an empty store can be initialised");
    world.unlock().await.expect("its keys unlock");
    world.create_keyset("ring").await.expect("a keyset");
    world.create_store_on("web", "ring").await.expect("a store");
    world.create_store("other").await.expect("a store");
    for at in 0..4 {
        world.put("web", &format!("a/{at}"), &at.to_string()).await.expect("a secret");
        world.put("other", &format!("b/{at}"), &at.to_string()).await.expect("a secret");
    }
    world
}

async fn check(world: &TestWorld, when: &str) {
    for at in 0..4 {
        let found = world.get("web", &format!("a/{at}")).await.expect("a read");
        assert_eq!(found, Some(at.to_string()), "{when}");
        let found = world.get("other", &format!("b/{at}")).await.expect("a read");
        assert_eq!(found, Some(at.to_string()), "{when}");
    }
    assert_eq!(world.stores().await.expect("stores"), ["other", "web"], "{when}");
    assert_eq!(world.verify(None).await.expect("a report").bad, None, "{when}");
}

/// The generation of the KEK that wraps each keyset's row, as it lies in the store.
async fn kek_generations(world: &TestWorld) -> Vec<u64> {
    let rows = world.store().list(Range::prefix(vec![0x03], 100)).await.expect("rows");
    let generation = |value: &[u8]| u64::from_be_bytes(value[1..9].try_into().expect("eight bytes"));
    rows.iter().map(|row| generation(&row.value)).collect()
}

#[tokio::test]
async fn a_new_kek_wraps_every_keyset_and_nothing_else_changes() {
    let world = filled(2).await;
    let fault = world.rotate_kek(&world.keys[..1]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::TooFewKeys { have: 1, need: 2 })), "{fault}");
    assert_eq!(kek_generations(&world).await, [1; 4]);
    let before = world.terms_in(&SEALED).await;
    world.rotate_kek(&world.keys[1..]).await.unwrap();
    assert_eq!(kek_generations(&world).await, [2; 4]);
    check(&world, "at once").await;
    world.put("web", "new", "1").await.unwrap();
    world.remove("web", "new").await.unwrap();
    // every other change of keys finds the KEK of now
    world.create_keyset("late").await.unwrap();
    world.rotate_keyset("ring").await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    assert_eq!(kek_generations(&world).await, [2; 5]);
    let new = world.rotate_root(&world.keys[..2], None, None).await.unwrap();
    world.confirm_rotate_root(&texts(&new)[..2]).await.unwrap();
    world.rotate_kek(&texts(&new)[..2]).await.unwrap();
    assert_eq!(kek_generations(&world).await, [3; 5]);
    assert!(before.len() == 1 && before.contains_key(&1));
    let mut world = world;
    world.keep_keys(new);
    let world = world.reopen();
    world.unlock().await.unwrap();
    check(&world, "reopened").await;
}

#[tokio::test(start_paused = true)]
async fn a_kek_rotation_stopped_at_any_commit_has_happened_or_not() {
    for fault in Fault::ALL {
        let mut n = 0;
        loop {
            n += 1;
            let when = format!("{fault:?} at {n}");
            let world = filled(1).await;
            world.rotate_keyset("ring").await.expect("a job amid which it comes");
            world.arm(fault, n);
            let answer = world.rotate_kek(&world.keys[..1]).await;
            let struck = !world.fault().armed();
            world.settled().await;
            if world.fault().stopped() {
                let world = world.reopen();
                world.unlock().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
                check(&world, &when).await;
                continue;
            }
            world.fault().reset();
            check(&world, &when).await;
            let generations = kek_generations(&world).await;
            assert!(generations.iter().all(|of| *of == generations[0]), "{when}: {generations:?}");
            assert!(answer.is_err() || generations[0] == 2, "{when}");
            world.operator.finish_jobs().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
            world.create_keyset("late").await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
            world.put("web", "a/0", "0").await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
            let again = world.reopen_over(world.store());
            again.unlock().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
            check(&again, &when).await;
            if !struck {
                break;
            }
        }
        assert!(n > 1, "{fault:?}");
    }
}

#[tokio::test]
async fn everything_is_another_after_a_compromise() {
    let world = filled(1).await;
    let token = world.token().expect("root's token");
    let running = world.rotate_keyset("ring").await.unwrap();
    let fault = world.rotate_all(&world.keys[..1]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::NothingPending)), "{fault}");
    let new = world.rotate_root(&world.keys[..1], Some(2), Some(2)).await.unwrap();
    let fault = world.rotate_all(&world.keys[..1]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::ForeignKey { index: 1 })), "{fault}");
    let jobs = world.rotate_all(&texts(&new)).await.unwrap();
    assert_eq!(
        jobs.len(),
        3,
        "the stores' keysets and the partition's own; the trail has nothing to seal anew"
    );

    let mut caller = world.stranger();
    assert!(world.identity.authenticate(&mut caller, &token).await.is_err(), "every token has ended");
    check(&world, "at once").await;
    assert_eq!(world.job(running).await.unwrap(), JobState::Cancelled);
    world.operator.finish_jobs().await.unwrap();
    for job in world.jobs().await.unwrap().iter().filter(|job| jobs.contains(&job.id)) {
        assert_eq!(job.record.state, JobState::Done, "{job:?}");
    }
    let terms = world.terms_in(&SEALED).await;
    assert!(!terms.contains_key(&1), "{terms:?}: something is left of the first terms");
    assert_eq!(kek_generations(&world).await, [2; 4]);
    for keyset in world.keysets().await.unwrap() {
        assert_eq!(keyset.terms, 1, "{keyset:?}");
    }
    check(&world, "afterwards").await;

    let old = world.keys.clone();
    let mut world = world;
    world.keep_keys(new);
    let world = world.reopen();
    assert!(world.unlock_with(&old).await.is_err(), "the old unlock keys open nothing");
    world.unlock().await.unwrap();
    check(&world, "reopened").await;
    let lines = world.trail(1).await.unwrap();
    assert_eq!(
        lines.iter().filter(|line| line.resource == "web/a/0").count(),
        4,
        "old entries stay readable"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rotation_of_everything_stopped_at_any_commit_loses_nothing() {
    for fault in Fault::ALL {
        let mut struck = 0;
        loop {
            let n = struck + 1;
            let when = format!("{fault:?} at {n}");
            let world = filled(1).await;
            let new = world.rotate_root(&world.keys[..1], None, None).await.expect("new unlock keys");
            let new = texts(&new);
            world.arm(fault, n);
            let answer = world.rotate_all(&new[..1]).await;
            let finished = world.operator.finish_jobs().await;
            let hit = !world.fault().armed();
            assert!(!hit || answer.is_err() || finished.is_err(), "{when}: went unnoticed");
            world.settled().await;
            let world = world.reopen();
            let unlocked = match world.unlock_with(&new[..1]).await {
                Ok(()) => Ok(()),
                Err(_) => world.unlock().await,
            };
            unlocked.unwrap_or_else(|fault| panic!("{when}: {fault}"));
            check(&world, &when).await;
            world.operator.finish_jobs().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
            let keysets = world.keysets().await.expect("keysets");
            let first = keysets[0].write_term;
            assert!(keysets.iter().all(|keyset| (keyset.terms, keyset.write_term) == (1, first)), "{when}");
            check(&world, &when).await;
            world.put("web", "a/0", "0").await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
            if !hit {
                break;
            }
            struck += 1;
        }
        assert!(struck >= 10, "{fault:?}: only {struck} commits were struck");
    }
}

#[tokio::test]
async fn unlock_keys_are_listed_and_revoked_one_by_one() {
    let world = filled(1).await;
    let sets = world.unlock_keys().await.unwrap();
    assert_eq!(sets.len(), 1);
    assert_eq!((sets[0].set_id.as_str(), sets[0].threshold), (world.set_id.as_str(), 1));
    assert_eq!(sets[0].indices, [1, 2, 3]);
    let refused = |fault: WorldError| fault.to_string();
    let fault = world.revoke_unlock_key(2, &world.keys[1..2]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::RevokedKeyPresented)), "{}", refused(fault));
    let fault = world.revoke_unlock_key(2, &[]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::TooFewKeys { .. })), "{}", refused(fault));
    world.revoke_unlock_key(2, &world.keys[..1]).await.unwrap();
    assert!(world.revoke_unlock_key(2, &world.keys[..1]).await.is_err(), "it is gone already");
    world.revoke_unlock_key(1, &world.keys[2..]).await.unwrap();
    assert!(world.revoke_unlock_key(3, &world.keys[..1]).await.is_err(), "never the last");
    assert_eq!(world.unlock_keys().await.unwrap()[0].indices, [3]);
    let world = world.reopen();
    for key in &world.keys[..2] {
        assert!(world.unlock_with(std::slice::from_ref(key)).await.is_err(), "a revoked key opens nothing");
    }
    world.unlock_with(&world.keys[2..]).await.unwrap();
    check(&world, "with the key that stayed").await;
}

#[tokio::test]
async fn shares_are_not_revoked_one_by_one() {
    let world = filled(2).await;
    let fault = world.revoke_unlock_key(1, &world.keys[1..]).await.unwrap_err();
    assert!(fault.to_string().contains("rotate the root key"), "{fault}");
    let new = world.rotate_root(&world.keys[..2], Some(5), Some(3)).await.unwrap();
    let sets = world.unlock_keys().await.unwrap();
    assert_eq!(sets.iter().map(|set| set.current).collect::<Vec<_>>(), [true, false]);
    assert_eq!((sets[1].set_id.as_str(), sets[1].indices.len()), (new.set_id.as_str(), 5));
}
