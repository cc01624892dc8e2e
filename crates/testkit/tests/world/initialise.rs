//! Initialising: who may, how often, with what.

use strongroom_crypto::KeyError;
use strongroom_gate::{Denied, Server};
use strongroom_model::{Credential, Origin};
use strongroom_operator::{Initialise, OperatorError};
use strongroom_testkit::{TestWorld, WorldError};

#[tokio::test]
async fn it_is_repeated_until_confirmed_and_old_keys_open_nothing() {
    let mut world = TestWorld::initialised(3, 1).await;
    let old = world.keys.clone();
    world.initialise(5, 2).await.unwrap();
    assert_eq!(world.keys.len(), 5);
    let fault = world.present(Origin::Local { uid: 5 }, &old[0]).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::ForeignKey { index: 1 })), "{fault}");
    world.confirm_initialise(&world.set_id).await.unwrap();
    let fault = world.initialise(3, 1).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::AlreadyInitialised)), "{fault}");
    world.unlock().await.unwrap();
    assert!(world.gate.is_unlocked());
}

#[tokio::test]
async fn an_unlock_confirms_it() {
    let mut world = TestWorld::initialised(1, 1).await;
    assert!(!world.operator.status(Origin::Internal).await.unwrap().confirmed);
    world.unlock().await.unwrap();
    assert!(world.operator.status(Origin::Internal).await.unwrap().confirmed);
    let fault = world.initialise(1, 1).await.unwrap_err();
    assert!(
        matches!(fault, WorldError::Operator(OperatorError::AlreadyInitialised)),
        "while unlocked: {fault}"
    );
    let mut world = world.reopen();
    let fault = world.initialise(1, 1).await.unwrap_err();
    assert!(
        matches!(fault, WorldError::Operator(OperatorError::AlreadyInitialised)),
        "locked again: {fault}"
    );
}

#[tokio::test]
async fn every_key_opens_with_threshold_one_and_k_of_them_with_k() {
    let world = TestWorld::initialised(3, 1).await;
    for key in &world.keys {
        let again = world.reopen_over(world.store());
        again.unlock_with(std::slice::from_ref(key)).await.unwrap();
        assert!(again.gate.is_unlocked());
    }
    let world = TestWorld::initialised(4, 3).await;
    for left_out in 0..4 {
        let again = world.reopen_over(world.store());
        let mut keys = world.keys.clone();
        keys.remove(left_out);
        again.unlock_with(&keys[..2]).await.unwrap();
        assert!(!again.gate.is_unlocked(), "two are not three");
        again.unlock_with(&keys[2..]).await.unwrap();
        assert!(again.gate.is_unlocked(), "without key {left_out}");
    }
}

#[tokio::test]
async fn confirming_another_set_is_refused() {
    let mut world = TestWorld::initialised(1, 1).await;
    let old = world.set_id.clone();
    world.initialise(1, 1).await.unwrap();
    for wrong in [old.as_str(), "", "00", "not hexadecimal"] {
        let fault = world.confirm_initialise(wrong).await.unwrap_err();
        assert!(matches!(fault, WorldError::Operator(OperatorError::NothingPending)), "{wrong}: {fault}");
    }
    let empty = TestWorld::new();
    let fault = empty.confirm_initialise("00").await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::NotInitialised)), "{fault}");
    world.confirm_initialise(&world.set_id).await.unwrap();
    world.confirm_initialise(&world.set_id).await.unwrap();
}

#[tokio::test]
async fn only_an_installer_may() {
    let world = TestWorld::new();
    let mut bearer = world.stranger();
    bearer.credential = Credential::Installation;
    let callers = [
        (world.stranger(), false),
        (world.caller(Origin::Local { uid: 1001 }), false),
        (world.caller(Origin::Internal), false),
        (world.caller(Origin::Local { uid: 0 }), true),
        (world.installer(), true),
        (bearer, true),
    ];
    for (caller, may) in callers {
        let permit = world.gate.admit::<Initialise>(&caller, Server).await;
        match permit {
            Ok(_) => assert!(may, "{caller:?}"),
            Err(Denied::Refused { action, .. }) => {
                assert!(!may, "{caller:?}");
                assert_eq!(action, "operator.initialise");
            }
            Err(fault) => panic!("{caller:?}: {fault}"),
        }
    }
    assert!(world.gate.root_row().await.unwrap().is_none(), "and nothing came of it");
}

#[tokio::test]
async fn impossible_numbers_and_bad_public_keys_are_named() {
    let world = TestWorld::new();
    let attempt = async |num_keys, threshold, pem: &str| {
        let permit = world.gate.admit::<Initialise>(&world.installer(), Server).await.unwrap();
        world.operator.initialise(permit, num_keys, threshold, pem).await.unwrap_err()
    };
    let rsa_1024 = "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdlatRjRjogo3WojgGHFHYLugdUWAY9iR3fy4arWNA1KoS8kVw33cJibXr8bvwUAUparCwlvdbH6dvEOfou0/gCFQsHUfQrSDv+MuSUMAe8jzKE4qW+jK+xQU9a03GUnKHkkle+Q0pX/g6jXZ7r1/xAK5Do2kQ+X5xK9cipRgEKwIDAQAB\n-----END PUBLIC KEY-----\n";
    let fault = attempt(1, 1, rsa_1024).await;
    assert!(matches!(fault, OperatorError::PublicKey(KeyError::RsaSize { bits: 1024 })), "{fault}");
    let fault = attempt(1, 1, "garbage").await;
    assert!(matches!(fault, OperatorError::PublicKey(KeyError::NotPem { .. })), "{fault}");
    let good = strongroom_crypto::public_key_pem(
        &strongroom_crypto::PrivateKey::ed25519_from_seed(&[1; 32]).unwrap().public_key().unwrap(),
    );
    for (num_keys, threshold) in [(0, 0), (0, 1), (3, 0), (3, 4)] {
        let fault = attempt(num_keys, threshold, &good).await;
        assert!(matches!(fault, OperatorError::Set(_)), "{threshold} of {num_keys}: {fault}");
    }
    assert!(world.gate.root_row().await.unwrap().is_none(), "and nothing came of it");
}

#[tokio::test]
async fn a_repetition_that_raced_an_unlock_changes_nothing() {
    let world = TestWorld::initialised(1, 1).await;
    let permit = world.gate.admit::<Initialise>(&world.installer(), Server).await.unwrap();
    world.unlock().await.unwrap();
    world.create_store("web").await.unwrap();
    let good = strongroom_crypto::public_key_pem(
        &strongroom_crypto::PrivateKey::ed25519_from_seed(&[1; 32]).unwrap().public_key().unwrap(),
    );
    let fault = world.operator.initialise(permit, 1, 1, &good).await.unwrap_err();
    assert!(matches!(fault, OperatorError::AlreadyInitialised), "{fault}");
    assert_eq!(world.stores().await.unwrap(), ["web"]);
}
