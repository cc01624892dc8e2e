//! Keys: of the epochs that a member may read, for nobody else, and no more once it is suspended.

use crate::house::{House, Own, PASSWORD, attributes_of, base64, secret};
use strongroom_abe::AttributeSet;
use strongroom_attributes::{self as authority, AuthorityError, Replace, Sharing};
use strongroom_envelope::{IndexBundle, Purpose, unwrap};
use strongroom_sharing::authority::Replaced;

fn set(names: &[&str]) -> AttributeSet {
    AttributeSet::parse(names.iter().copied()).unwrap()
}

#[tokio::test]
async fn a_member_opens_what_its_attributes_satisfy_and_nothing_else() {
    let house = House::new().await;
    let ann = house.member("ann", &["analyst", "cert"], 1).await;
    let bundle = house.keys(&ann, None, 1).await.unwrap();
    assert_eq!(attributes_of(&bundle, 1), set(&["ANALYST@1", "CERT@1"]));
    assert!(house.opens(&bundle, "ANALYST and CERT", 1).await);
    assert!(!house.opens(&bundle, "ANALYST and UNR", 1).await);
    assert!(!house.opens(&bundle, "ANALYST", 2).await, "another epoch");
}

#[tokio::test]
async fn a_late_joiner_reads_from_its_epoch_on_and_of_the_past_what_is_listed() {
    let house = House::new().await;
    let admin = house.admin().await;
    house.week();
    house.attributes.upkeep().await.unwrap();
    house.week();
    assert_eq!(house.manifest().await.epoch, 3);
    let late = house.member("late", &["A"], 2).await;
    let bundle = house.keys(&late, Some("1-3"), 2).await.unwrap();
    assert_eq!(bundle.epochs.keys().copied().collect::<Vec<_>>(), [3]);
    assert!(!house.opens(&bundle, "A", 2).await);
    house.set_epochs("late", "1").await.unwrap();
    let bundle = house.keys(&late, Some("1-3"), 2).await.unwrap();
    assert_eq!(bundle.epochs.keys().copied().collect::<Vec<_>>(), [1, 3]);
    assert!(house.opens(&bundle, "A", 1).await && !house.opens(&bundle, "A", 2).await);
    let yet_to_come = house.set_epochs("late", "2-4").await;
    assert!(matches!(yet_to_come, Err(AuthorityError::Malformed { what: "past_epochs", .. })));
    drop(admin);
}

#[tokio::test]
async fn a_suspended_member_gets_nothing_and_everybody_has_a_new_epoch() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let bob = house.member("bob", &["A"], 2).await;
    let before = house.keys(&ann, None, 1).await.unwrap();
    // admitted before, spent after: it does not win
    let permit = house.permit::<authority::MemberKeys>(&ann, Sharing::own(&ann)).await.unwrap();
    house.suspend("ann").await;
    let under_way = house.attributes.member_keys(permit, None).await;
    assert!(matches!(under_way, Err(AuthorityError::Unauthenticated)), "{under_way:?}");
    assert!(matches!(house.login("ann", PASSWORD).await, Err(AuthorityError::Proof)));
    let manifest = house.manifest().await;
    let id = strongroom_sharing::MemberId(ann.principal.as_ref().unwrap().user.0);
    assert_eq!((manifest.epoch, manifest.revoked.as_slice()), (2, [id].as_slice()));
    assert!(manifest.members.iter().any(|member| member.id == id && !member.active));
    assert!(!house.opens(&before, "A", 2).await);
    assert!(house.opens(&house.keys(&bob, None, 2).await.unwrap(), "A", 2).await);
    // resumed, it reads what it read before and what comes, and not what came meanwhile
    house.set_attributes("bob", &[]).await;
    house.resume("ann").await;
    let token = house.login("ann", PASSWORD).await.unwrap();
    let ann = house.bearer(&token).await.unwrap();
    let bundle = house.keys(&ann, Some("1-9"), 1).await.unwrap();
    assert_eq!(bundle.epochs.keys().copied().collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test]
async fn an_attribute_that_is_lost_ends_with_its_epoch_and_one_that_is_gained_begins_with_it() {
    let house = House::new().await;
    let ann = house.member("ann", &["A", "B"], 1).await;
    house.set_attributes("ann", &["A"]).await;
    house.set_attributes("ann", &["A", "C"]).await;
    let manifest = house.manifest().await;
    assert_eq!(manifest.epoch, 2, "a gain needs no epoch");
    let bundle = house.keys(&ann, Some("1-2"), 1).await.unwrap();
    assert_eq!(attributes_of(&bundle, 1), set(&["A@1", "B@1"]));
    assert_eq!(attributes_of(&bundle, 2), set(&["A@2", "C@2"]));
    // with the past given, it is read with the attributes of now as well
    house.set_epochs("ann", "1").await.unwrap();
    let bundle = house.keys(&ann, Some("1"), 1).await.unwrap();
    assert_eq!(attributes_of(&bundle, 1), set(&["A@1", "B@1", "C@1"]));
}

#[tokio::test]
async fn rekeying_begins_an_epoch() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let before = house.keys(&ann, None, 1).await.unwrap();
    let permit = house.permit(&house.admin().await, authority::named("ann").unwrap()).await.unwrap();
    house.attributes.rekey(permit).await.unwrap();
    assert!(!house.opens(&before, "A", house.manifest().await.epoch).await);
    assert!(house.opens(&house.keys(&ann, None, 1).await.unwrap(), "A", 2).await);
}

#[tokio::test]
async fn a_stolen_bearer_gets_keys_that_it_cannot_open_and_registers_none() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let thief = Own::of(9);
    let stolen = house.wrapped(&ann, None).await.unwrap();
    let recipient = house.recipient(&ann, Purpose::MemberKeys).await;
    assert!(unwrap(&thief.wrap, &recipient, &base64(&stolen.sealed)).is_err());
    let register = async |password: &str, replace| {
        let permit = house.permit(&ann, Sharing::own(&ann)).await?;
        let keys = thief.enrolment();
        let replace = if replace { Replace::Yes(None) } else { Replace::No };
        house.attributes.register_keys(permit, house.origin(), secret(password), keys, replace).await
    };
    assert!(matches!(register("wrong horse battery", true).await, Err(AuthorityError::Proof)));
    assert!(matches!(register(PASSWORD, false).await, Err(AuthorityError::Enrolled)));
    register(PASSWORD, true).await.unwrap();
    assert!(house.wrapped(&ann, None).await.is_err(), "tokens of before end with the keys");
    let ann = house.bearer(&house.login("ann", PASSWORD).await.unwrap()).await.unwrap();
    assert!(house.keys(&ann, None, 9).await.is_ok(), "who knows the password replaces them");
    let manifest = house.manifest().await;
    assert_eq!(manifest.members[0].signing_keys.len(), 2, "the old one still checks what it signed");
    let told = Replaced { key: manifest.members[0].signing_keys[1].clone(), last: 0 };
    assert_eq!(manifest.members[0].replaced, [told], "and that was nothing, for no head was posted");
    let id = manifest.members[0].id;
    assert!(manifest.ended_before.contains_key(&id), "the exchange hears that tokens have ended");
    let house = house.restarted().await;
    let again = house.manifest().await;
    assert_eq!((&again.members, &again.ended_before), (&manifest.members, &manifest.ended_before));
}

#[tokio::test]
async fn who_is_not_enrolled_gets_no_keys_and_keys_that_are_none_are_refused() {
    let house = House::new().await;
    let admin = house.admin().await;
    let ann = house.create(&admin, "ann", &["A"], None).await.unwrap();
    assert!(matches!(house.wrapped(&ann, None).await, Err(AuthorityError::NotEnrolled)));
    let mut short = Own::of(1).enrolment();
    short.wrap_key.pop();
    let made = house.create(&admin, "bob", &["A"], Some(short)).await;
    assert!(matches!(made, Err(AuthorityError::Malformed { what: "wrap_key", .. })));
    let mut other = Own::of(1).enrolment();
    other.signing_key = b"no key".to_vec();
    let made = house.create(&admin, "bob", &["A"], Some(other)).await;
    assert!(matches!(made, Err(AuthorityError::Malformed { what: "signing_key", .. })));
}

#[tokio::test]
async fn index_keys_are_the_collectors_own_of_this_epoch_and_the_next() {
    let house = House::new().await;
    let (ann, bob) = (house.member("ann", &["A"], 1).await, house.member("bob", &["A"], 2).await);
    let mut labels = Vec::new();
    for (caller, seed) in [(&ann, 1), (&bob, 2)] {
        let permit = house.permit(caller, Sharing::own(caller)).await.unwrap();
        let wrapped = house.attributes.index_keys(permit).await.unwrap();
        let recipient = house.recipient(caller, Purpose::IndexKeys).await;
        let bytes = unwrap(&Own::of(seed).wrap, &recipient, &base64(&wrapped.sealed)).unwrap();
        let bundle = IndexBundle::from_bytes(&bytes).unwrap();
        assert_eq!(bundle.epochs.keys().copied().collect::<Vec<_>>(), [1, 2]);
        labels.extend(bundle.epochs.values().map(|key| key.field_label("src_ip")));
    }
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), 4, "each collector and epoch has its own");
}

#[tokio::test]
async fn every_key_that_is_handed_out_is_in_the_trail_with_who_and_which_epochs() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let from = house.world.head() + 1;
    house.keys(&ann, None, 1).await.unwrap();
    let lines = house.world.trail(from).await.unwrap();
    let line = lines.iter().find(|line| line.action.name() == "sharing.member_keys").unwrap();
    assert_eq!(line.user.as_deref(), Some("sharing/ann"));
    assert_eq!((line.resource.as_str(), line.note.as_str()), ("ann", "key of epochs 1"));
}
