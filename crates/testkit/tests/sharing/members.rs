//! Members: names, passwords, tokens' ends.

use crate::house::{House, PASSWORD, secret, text};
use strongroom_attributes::{self as authority, AuthorityError, Settings, Sharing};
use strongroom_gate::Denied;

#[tokio::test]
async fn two_spellings_of_one_name_are_one_member() {
    let house = House::new().await;
    let admin = house.admin().await;
    house.create(&admin, "a/b", &["A"], None).await.unwrap();
    for same in ["a__b", "a/b"] {
        let again = house.create(&admin, same, &["A"], None).await;
        assert!(matches!(again, Err(AuthorityError::AlreadyExists)), "{same}");
    }
    house.login("a__b", PASSWORD).await.unwrap();
    house.login("a/b", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn of_members_made_at_once_under_one_name_there_is_one() {
    let house = House::new().await;
    let admin = house.admin().await;
    let make = || house.create(&admin, "ann", &["A"], None);
    let (one, two, three, four) = tokio::join!(make(), make(), make(), make());
    let count = [&one, &two, &three, &four].iter().filter(|one| one.is_ok()).count();
    assert_eq!(count, 1);
    for refused in [one, two, three, four].into_iter().filter_map(Result::err) {
        assert!(matches!(refused, AuthorityError::AlreadyExists), "{refused:?}");
    }
}

#[tokio::test]
async fn the_name_of_a_removed_member_is_free_and_its_id_is_revoked_for_good() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let admin = house.admin().await;
    let permit = house.permit(&admin, authority::named("ann").unwrap()).await.unwrap();
    house.attributes.delete(permit).await.unwrap();
    assert!(matches!(house.login("ann", PASSWORD).await, Err(AuthorityError::Proof)));
    let again = house.create(&admin, "ann", &["A"], None).await.unwrap();
    let id = |caller: &strongroom_model::Caller| caller.principal.as_ref().unwrap().user;
    assert_ne!(id(&ann), id(&again));
    let house = house.restarted().await;
    let manifest = house.manifest().await;
    assert_eq!(manifest.revoked, [strongroom_sharing::MemberId(id(&ann).0)]);
    assert_eq!(manifest.members.len(), 1, "its records are still checked");
    assert_eq!(manifest.epoch, 2);
}

#[tokio::test]
async fn a_change_of_password_ends_tokens_and_needs_the_present_one() {
    let house = House::new().await;
    let admin = house.admin().await;
    house.create(&admin, "ann", &["A"], None).await.unwrap();
    let token = house.login("ann", PASSWORD).await.unwrap();
    let ann = house.bearer(&token).await.unwrap();
    let change = async |present: &str| {
        let permit = house.permit(&ann, Sharing::own(&ann)).await?;
        let new = "another horse battery";
        house
            .attributes
            .own_password(permit, house.origin(), secret(present), secret(new), &secret(new))
            .await
    };
    assert!(matches!(change("wrong horse battery").await, Err(AuthorityError::Proof)));
    let granted = change(PASSWORD).await.unwrap();
    assert!(matches!(house.bearer(&token).await, Err(AuthorityError::Unauthenticated)));
    house.bearer(&text(&granted.token)).await.unwrap();
    assert!(house.login("ann", PASSWORD).await.is_err());
    let permit = house.permit(&admin, authority::named("ann").unwrap()).await.unwrap();
    house.attributes.set_password(permit, secret(PASSWORD), &secret(PASSWORD)).await.unwrap();
    assert!(house.bearer(&text(&granted.token)).await.is_err());
    house.login("ann", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn unknown_and_wrong_are_one_answer_and_guessing_has_to_wait() {
    let house = House::new().await;
    let admin = house.admin().await;
    house.create(&admin, "ann", &["A"], None).await.unwrap();
    for (name, password) in [("ann", "wrong horse battery"), ("nobody", PASSWORD), ("..", PASSWORD)] {
        let refused = house.login(name, password).await.unwrap_err();
        assert_eq!(refused.to_string(), "the name or the proof is not right");
    }
    let mut waits = 0;
    for _ in 0..10 {
        waits += usize::from(matches!(house.login("ann", "x").await, Err(AuthorityError::Throttled { .. })));
    }
    assert!(waits >= 4, "{waits}");
}

#[tokio::test]
async fn attributes_are_in_capitals_and_never_name_an_epoch() {
    let house = House::new().await;
    let admin = house.admin().await;
    for bad in ["a@1", "and", "", "a b"] {
        let made = house.create(&admin, "ann", &[bad], None).await;
        assert!(
            matches!(made, Err(AuthorityError::Attribute(_) | AuthorityError::Epoch(_))),
            "{bad}: {:?}",
            made.err()
        );
    }
    house.create(&admin, "ann", &["unr", "Cert", "UNR"], None).await.unwrap();
    let permit = house.permit(&admin, Sharing::whole()).await.unwrap();
    assert_eq!(house.attributes.attributes(permit).await.unwrap().attributes, ["CERT", "UNR"]);
}

#[tokio::test]
async fn adding_an_administrator_again_with_its_password_logs_it_in() {
    let house = House::new().await;
    let first = house.admin().await;
    let again = house.admin().await;
    let id = |caller: &strongroom_model::Caller| caller.principal.as_ref().unwrap().user;
    assert_eq!(id(&first), id(&again));
    let root = house.world.root_caller().await.unwrap();
    let permit = house.permit(&root, authority::named("boss").unwrap()).await.unwrap();
    let wrong = house.attributes.add_admin(permit, house.origin(), secret("wrong horse battery")).await;
    assert!(matches!(wrong, Err(AuthorityError::Proof)));
    house.create(&first, "ann", &["A"], None).await.unwrap();
    let permit = house.permit(&root, authority::named("ann").unwrap()).await.unwrap();
    let taken = house.attributes.add_admin(permit, house.origin(), secret(PASSWORD)).await;
    assert!(matches!(taken, Err(AuthorityError::AlreadyExists)));
}

#[tokio::test]
async fn another_value_of_the_configured_secret_ends_every_token() {
    let house = House::new().await;
    house.admin().await;
    let token = house.login("boss", PASSWORD).await.unwrap();
    let with =
        |secret_text: &str| Settings { token_secret: Some(secret(secret_text)), ..crate::house::settings() };
    house.attributes.set(with("c7fdd06a3ef475b03987e305570d192c"));
    assert!(matches!(house.bearer(&token).await, Err(AuthorityError::Unauthenticated)));
    let second = house.login("boss", PASSWORD).await.unwrap();
    house.bearer(&second).await.unwrap();
    let keys = house.manifest().await.token_keys;
    house.attributes.set(with("d7fdd06a3ef475b03987e305570d192c"));
    assert!(house.bearer(&second).await.is_err());
    assert_ne!(house.manifest().await.token_keys, keys);
}

#[tokio::test]
async fn a_locked_server_says_so() {
    let house = House::new().await;
    house.admin().await;
    let token = house.login("boss", PASSWORD).await.unwrap();
    let house = House::over(house.world.reopen());
    assert!(matches!(house.bearer(&token).await, Err(AuthorityError::Denied(Denied::Locked))));
    assert!(matches!(house.login("boss", PASSWORD).await, Err(AuthorityError::Denied(Denied::Locked))));
    house.attributes.upkeep().await.unwrap();
    house.world.unlock().await.unwrap();
    house.bearer(&token).await.unwrap();
}
