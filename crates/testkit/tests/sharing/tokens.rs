//! Bearer tokens and proofs by signing key.

use crate::house::{House, Own, PASSWORD, text};
use data_encoding::BASE64;
use std::collections::BTreeSet;
use std::time::Duration;
use strongroom_attributes::{AuthorityError, Sharing};
use strongroom_model::{Caller, Credential};
use strongroom_sharing::MemberId;
use strongroom_sharing::authority::Proof;

fn id(caller: &Caller) -> MemberId {
    MemberId(caller.principal.as_ref().unwrap().user.0)
}

fn proof(house: &House, member: MemberId, seed: u8, nonce: u8, off: i64) -> Proof {
    let at = u64::try_from(house.world.gate.now().0 / 1_000 + off).unwrap();
    let message =
        [b"strongroom sharing token v1\0".as_slice(), &member.0, &at.to_be_bytes(), &[nonce; 16]].concat();
    let signature = BASE64.encode(&Own::of(seed).sign.sign(&message).unwrap());
    Proof { member, at, nonce: BASE64.encode(&[nonce; 16]), signature }
}

async fn renew(house: &House, proof: &Proof) -> Result<String, AuthorityError> {
    let permit = house.permit(&house.world.stranger(), Sharing::whole()).await?;
    Ok(text(&house.attributes.renew(permit, proof).await?.token))
}

#[tokio::test]
async fn a_signing_key_gets_a_short_token_once_for_each_proof() {
    let house = House::new().await;
    let ann = id(&house.member("ann", &["A"], 1).await);
    let good = proof(&house, ann, 1, 7, 0);
    let token = renew(&house, &good).await.unwrap();
    assert_eq!(id(&house.bearer(&token).await.unwrap()), ann);
    assert!(matches!(renew(&house, &good).await, Err(AuthorityError::Proof)), "again");
    // a restart forgets nothing
    let house = house.restarted().await;
    assert!(matches!(renew(&house, &good).await, Err(AuthorityError::Proof)), "again, later");
    house.bearer(&token).await.unwrap();
    for (what, bad) in [
        ("another key", proof(&house, ann, 2, 8, 0)),
        ("nobody", proof(&house, MemberId([9; 16]), 1, 8, 0)),
        ("too early", proof(&house, ann, 1, 8, 121)),
        ("too late", proof(&house, ann, 1, 8, -121)),
        ("another nonce", Proof { nonce: BASE64.encode(&[8; 16]), ..proof(&house, ann, 1, 9, 0) }),
    ] {
        assert!(matches!(renew(&house, &bad).await, Err(AuthorityError::Proof)), "{what}");
    }
    let short = Proof { nonce: BASE64.encode(&[8; 15]), ..proof(&house, ann, 1, 9, 0) };
    assert!(matches!(renew(&house, &short).await, Err(AuthorityError::Malformed { .. })));
    renew(&house, &proof(&house, ann, 1, 10, -119)).await.unwrap();
}

#[tokio::test]
async fn a_suspended_members_proof_and_token_are_worth_nothing() {
    let house = House::new().await;
    let ann = id(&house.member("ann", &["A"], 1).await);
    let token = renew(&house, &proof(&house, ann, 1, 1, 0)).await.unwrap();
    house.suspend("ann").await;
    assert!(matches!(renew(&house, &proof(&house, ann, 1, 2, 0)).await, Err(AuthorityError::Proof)));
    assert!(matches!(house.bearer(&token).await, Err(AuthorityError::Unauthenticated)));
    house.resume("ann").await;
    assert!(house.bearer(&token).await.is_err(), "what has ended does not come back");
    let token = renew(&house, &proof(&house, ann, 1, 3, 0)).await.unwrap();
    house.bearer(&token).await.unwrap();
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_with_a_logout() {
    let house = House::new().await;
    let ann = id(&house.member("ann", &["A"], 1).await);
    let (one, two) = (
        renew(&house, &proof(&house, ann, 1, 1, 0)).await.unwrap(),
        renew(&house, &proof(&house, ann, 1, 2, 0)).await.unwrap(),
    );
    let caller = house.bearer(&one).await.unwrap();
    let permit = house.permit(&caller, Sharing::own(&caller)).await.unwrap();
    assert!(house.manifest().await.ended.is_empty(), "a used proof is no ended token");
    house.attributes.logout(permit).await.unwrap();
    let house = house.restarted().await;
    let Credential::Member { token, .. } = caller.credential else { panic!("a member's") };
    assert_eq!(house.manifest().await.ended, BTreeSet::from([MemberId(token.0)]), "others hear of it");
    assert!(house.bearer(&one).await.is_err());
    house.bearer(&two).await.unwrap();
    for _ in 0..4 {
        house.world.clock.advance(Duration::from_secs(225));
        house.world.gate.now();
    }
    assert!(house.bearer(&two).await.is_err(), "900 s later");
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let house = House::new().await;
    assert!(house.bearer("a.b.c").await.is_err(), "before there is an authority");
    house.admin().await;
    let token = house.login("boss", PASSWORD).await.unwrap();
    let (head, _) = token.rsplit_once('.').unwrap();
    let long = format!("{token}{}", "A".repeat(5_000));
    for bad in ["", ".", "..", "a.b.c", head, &format!("{head}."), &format!("{token}."), &long] {
        assert!(matches!(house.bearer(bad).await, Err(AuthorityError::Unauthenticated)), "{bad}");
    }
    house.bearer(&token).await.unwrap();
}
