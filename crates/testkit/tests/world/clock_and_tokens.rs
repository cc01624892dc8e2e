//! Tokens end when their time does, by a clock that neither runs back nor jumps.

use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{ClockState, Denied};
use strongroom_identity::IdentityError;
use strongroom_testkit::{START, TestWorld, WorldError, transcript};

const HOUR: Duration = Duration::from_hours(1);

async fn holds(world: &TestWorld, token: &str) -> bool {
    let mut caller = world.stranger();
    match world.identity.authenticate(&mut caller, token).await {
        Ok(()) => caller.principal.is_some(),
        Err(IdentityError::Unauthenticated) => false,
        Err(fault) => panic!("{fault}"),
    }
}

#[tokio::test]
async fn a_token_lives_as_long_as_was_said_and_no_longer_than_allowed() {
    let world = TestWorld::unlocked().await;
    let short = world.authorize(Some(Duration::from_secs(10))).await.unwrap();
    let plain = world.authorize(None).await.unwrap();
    let long = world.authorize(Some(Duration::from_hours(1_000))).await.unwrap();
    assert!(holds(&world, &short).await && holds(&world, &plain).await && holds(&world, &long).await);
    world.clock.advance(Duration::from_secs(10));
    assert!(!holds(&world, &short).await && holds(&world, &plain).await);
    world.clock.advance(HOUR);
    assert!(!holds(&world, &plain).await && holds(&world, &long).await);
    world.clock.advance(Duration::from_hours(23));
    assert!(!holds(&world, &long).await);
}

#[tokio::test]
async fn set_back_the_clock_does_not_lengthen_a_token() {
    let world = TestWorld::unlocked().await;
    let token = world.authorize(Some(HOUR)).await.unwrap();
    world.clock.advance(Duration::from_mins(30));
    let before = world.gate.now();
    world.clock.set_wall(START);
    assert_eq!(world.gate.now(), before, "time does not run back");
    assert_eq!(world.gate.clock_state(), ClockState::Behind);
    world.clock.advance(Duration::from_mins(29));
    assert!(holds(&world, &token).await);
    world.clock.advance(Duration::from_mins(1));
    assert!(!holds(&world, &token).await);
}

#[tokio::test]
async fn set_back_over_a_restart_it_does_not_either() {
    let world = TestWorld::unlocked().await;
    let token = world.authorize(Some(HOUR)).await.unwrap();
    world.clock.advance(HOUR);
    assert!(!holds(&world, &token).await);
    world.create_store("web").await.unwrap();
    world.clock.set_wall(START);
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert!(!holds(&world, &token).await, "the trail remembers what time it was");
    assert_eq!(world.gate.clock_state(), ClockState::Behind);
}

#[tokio::test]
async fn far_ahead_the_clock_is_not_believed_until_accepted() {
    let world = TestWorld::unlocked().await;
    let token = world.authorize(Some(HOUR)).await.unwrap();
    world.clock.set_wall(START.plus(Duration::from_hours(24 * 365)));
    assert!(holds(&world, &token).await, "nothing expires at once");
    assert_eq!(world.gate.clock_state(), ClockState::Ahead);
    assert_eq!(world.gate.now(), START);
    world.clock.advance(Duration::from_mins(59));
    assert!(holds(&world, &token).await);
    world.accept_clock().await.unwrap();
    assert_eq!(world.gate.clock_state(), ClockState::Believed);
    assert!(!holds(&world, &token).await);
}

#[tokio::test]
async fn a_little_ahead_it_is_believed() {
    let world = TestWorld::unlocked().await;
    world.clock.set_wall(START.plus(Duration::from_mins(4)));
    assert_eq!(
        (world.gate.now(), world.gate.clock_state()),
        (UnixMillis(START.0 + 240_000), ClockState::Believed)
    );
}

#[tokio::test]
async fn a_restart_ends_no_token_and_locking_ends_all() {
    let world = TestWorld::unlocked().await;
    let token = world.authorize(None).await.unwrap();
    let world = world.reopen();
    let mut caller = world.stranger();
    let fault = world.identity.authenticate(&mut caller, &token).await.unwrap_err();
    assert!(matches!(fault, IdentityError::Denied(Denied::Locked)), "{fault}");
    world.unlock().await.unwrap();
    assert!(holds(&world, &token).await);
    world.lock().await.unwrap();
    world.unlock().await.unwrap();
    assert!(!holds(&world, &token).await);
}

#[tokio::test]
async fn deauth_ends_one_token_at_once_and_no_other() {
    let world = TestWorld::unlocked().await;
    let (one, two) = (world.authorize(None).await.unwrap(), world.authorize(None).await.unwrap());
    assert!(holds(&world, &one).await && holds(&world, &two).await);
    world.deauth(&one).await.unwrap();
    assert!(!holds(&world, &one).await && holds(&world, &two).await);
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert!(!holds(&world, &one).await && holds(&world, &two).await);
}

#[tokio::test]
async fn forged_and_malformed_tokens_are_no_tokens() {
    let world = TestWorld::unlocked().await;
    let good = world.authorize(None).await.unwrap();
    let mut forged = good.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == '0' { '1' } else { '0' });
    let longer = format!("{good}0");
    for bad in [forged.as_str(), longer.as_str(), "", "sr.t1.", &good.to_uppercase(), &good[1..]] {
        assert!(!holds(&world, bad).await, "{bad:?}");
    }
    assert!(holds(&world, &good).await);
}

#[tokio::test]
async fn expired_tokens_are_removed_by_housekeeping() {
    let world = TestWorld::unlocked().await;
    world.authorize(Some(Duration::from_secs(5))).await.unwrap();
    let kept = world.authorize(Some(HOUR)).await.unwrap();
    world.clock.advance(Duration::from_mins(1));
    world.operator.housekeeping().await.unwrap();
    let rows = world.store().list(strongroom_store::Range::prefix(vec![0x0b], 10)).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(holds(&world, &kept).await);
}

#[tokio::test]
async fn a_proof_holds_once_for_its_key_and_for_a_minute() {
    let world = TestWorld::unlocked().await;
    let key = strongroom_crypto::PrivateKey::ed25519_from_seed(&[7; 32]).unwrap();
    let stranger = strongroom_crypto::PrivateKey::ed25519_from_seed(&[8; 32]).unwrap();
    let text = world.access_key.unwrap().to_string();
    let refused = |outcome: Result<String, WorldError>| {
        matches!(outcome, Err(WorldError::Identity(IdentityError::Proof)))
    };
    let challenge = world.challenge(&text).await.unwrap();
    let signature = key.sign(&transcript(&text, &challenge)).unwrap();
    world.prove(&text, &challenge, &signature, None).await.unwrap();
    assert!(refused(world.prove(&text, &challenge, &signature, None).await), "replayed");

    let challenge = world.challenge(&text).await.unwrap();
    let wrong = stranger.sign(&transcript(&text, &challenge)).unwrap();
    assert!(refused(world.prove(&text, &challenge, &wrong, None).await), "another's signature");

    let challenge = world.challenge(&text).await.unwrap();
    let signature = key.sign(&transcript(&text, &challenge)).unwrap();
    world.clock.advance(Duration::from_mins(1));
    assert!(refused(world.prove(&text, &challenge, &signature, None).await), "late");

    let unknown = strongroom_model::CredentialId([1; 16]).to_string();
    let challenge = world.challenge(&unknown).await.unwrap();
    let signature = key.sign(&transcript(&unknown, &challenge)).unwrap();
    assert!(refused(world.prove(&unknown, &challenge, &signature, None).await), "an unknown key");

    let challenge = world.challenge(&unknown).await.unwrap();
    let signature = key.sign(&transcript(&text, &challenge)).unwrap();
    assert!(refused(world.prove(&text, &challenge, &signature, None).await), "another key's challenge");
    assert!(refused(world.prove("not an id", "no challenge", b"", None).await), "nonsense");
}

#[tokio::test]
async fn a_damaged_token_keeps_no_other_from_expiring() {
    let world = TestWorld::unlocked().await;
    for _ in 0..6 {
        world.authorize(Some(Duration::from_secs(5))).await.unwrap();
    }
    let rows = async |world: &TestWorld| {
        world.store().list(strongroom_store::Range::prefix(vec![0x0b], 10)).await.unwrap().len()
    };
    let (before, mut seen) = (world.store(), 0);
    let damaged = strongroom_testkit::copy_of(&before, u64::MAX, |mut row| {
        if row.key.as_bytes()[0] == 0x0b {
            // the first and one amid the others
            if [0, 3].contains(&seen) {
                *row.value.last_mut().unwrap() ^= 1;
            }
            seen += 1;
        }
        Some(row)
    });
    let world = world.reopen_over(damaged.await);
    world.unlock().await.unwrap();
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(rows(&world).await, 6);
    world.operator.housekeeping().await.unwrap();
    assert_eq!(rows(&world).await, 2, "those that do not open");
    let head = world.head();
    world.operator.housekeeping().await.unwrap();
    assert_eq!(world.head(), head, "and they are no work that is begun again and again");
}
