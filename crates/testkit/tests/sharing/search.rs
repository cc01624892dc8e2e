//! Tokens of what is looked for: of collectors and epochs that the reader may search.

use crate::house::Own;
use crate::house::{House, base64};
use std::time::Duration;
use strongroom_attributes::{self as authority, AuthorityError, Sharing};
use strongroom_blindindex::Form;
use strongroom_envelope::{IndexBundle, Purpose, unwrap};
use strongroom_model::Caller;
use strongroom_sharing::MemberId;
use strongroom_sharing::authority::{AskTokens, Group, SearchRule, Tokens, Wanted};

fn id(caller: &Caller) -> MemberId {
    MemberId(caller.principal.as_ref().unwrap().user.0)
}

fn asked(field: &str, values: &[&str]) -> AskTokens {
    AskTokens {
        field: field.into(),
        form: "ip".into(),
        values: values.iter().map(|value| Wanted::Exact((*value).into())).collect(),
        from_epoch: None,
        to_epoch: None,
        collectors: None,
    }
}

async fn ask(house: &House, by: &Caller, asked: AskTokens) -> Result<Tokens, AuthorityError> {
    let permit = house.permit(by, Sharing::own(by)).await?;
    house.attributes.tokens(permit, asked).await
}

async fn set_rules(house: &House, collectors: Option<Vec<MemberId>>, rules: &[(&str, Option<&str>)]) {
    let rules = rules
        .iter()
        .map(|(field, policy)| SearchRule { field: (*field).into(), policy: policy.map(Into::into) });
    let group = Group { name: "members".into(), collectors, rules: rules.collect() };
    let admin = house.admin().await;
    let permit = house.permit(&admin, authority::named("members").unwrap()).await.unwrap();
    house.attributes.change_group(permit, group).await.unwrap();
}

#[tokio::test]
async fn a_readers_token_is_the_collectors_own() {
    let house = House::new().await;
    let (ann, bob) = (house.member("ann", &["A"], 1).await, house.member("bob", &["B"], 2).await);
    let permit = house.permit(&ann, Sharing::own(&ann)).await.unwrap();
    let wrapped = house.attributes.index_keys(permit).await.unwrap();
    let recipient = house.recipient(&ann, Purpose::IndexKeys).await;
    let bytes = unwrap(&Own::of(1).wrap, &recipient, &base64(&wrapped.sealed)).unwrap();
    let key = &IndexBundle::from_bytes(&bytes).unwrap().epochs[&1];
    let own = key.field("src_ip").token(Form::Ip, "203.0.113.7", &mut Vec::new()).unwrap();
    let told = ask(&house, &bob, asked("src_ip", &["::ffff:203.0.113.7", "198.51.100.1"])).await.unwrap();
    assert_eq!(told.tokens.len(), 2);
    assert!(told.refused.is_empty());
    let of_ann: Vec<_> = told.tokens[0].iter().filter(|token| token.collector == id(&ann)).collect();
    assert_eq!((of_ann.len(), of_ann[0].epoch, of_ann[0].token.0), (1, 1, own.0));
    assert!(told.tokens[1].iter().all(|token| token.token.0 != own.0));
}

#[tokio::test]
async fn rules_say_who_searches_which_field_of_whom() {
    let house = House::new().await;
    let (ann, bob) = (house.member("ann", &["A"], 1).await, house.member("bob", &["B"], 2).await);
    set_rules(&house, Some(vec![id(&ann)]), &[("src_ip", Some("B and not_there or B")), ("user", Some("C"))])
        .await;
    let told = ask(&house, &bob, asked("src_ip", &["10.0.0.1"])).await.unwrap();
    assert_eq!(told.tokens[0].iter().map(|token| token.collector).collect::<Vec<_>>(), [id(&ann)]);
    assert_eq!(told.refused, [id(&bob)], "nobody's group");
    let told = ask(&house, &bob, asked("user", &["10.0.0.1"])).await.unwrap();
    assert!(told.tokens[0].is_empty() && told.refused.len() == 2);
    let told = ask(&house, &ann, asked("src_ip", &["10.0.0.1"])).await.unwrap();
    assert!(told.tokens[0].is_empty(), "without the attribute");
    // what it had decides about each epoch
    house.set_attributes("bob", &["D"]).await;
    let told = ask(&house, &bob, asked("src_ip", &["10.0.0.1"])).await.unwrap();
    assert_eq!(told.tokens[0].iter().map(|token| token.epoch).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn epochs_that_may_not_be_read_are_not_searched() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    house.suspend("ann").await;
    house.resume("ann").await;
    let late = house.member("late", &["A"], 2).await;
    let epochs = async |by: &Caller| {
        let told = ask(&house, by, asked("src_ip", &["10.0.0.1"])).await.unwrap();
        let of_ann = told.tokens[0].iter().filter(|token| token.collector == id(&ann));
        of_ann.map(|token| token.epoch).collect::<Vec<_>>()
    };
    assert_eq!(epochs(&late).await, [2]);
    house.set_epochs("late", "1").await.unwrap();
    assert_eq!(epochs(&late).await, [1, 2]);
}

#[tokio::test]
async fn values_a_minute_are_bounded_and_the_trail_never_has_one() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let from = house.world.head() + 1;
    let many: Vec<String> = (0..60).map(|last| format!("203.0.113.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for _ in 0..10 {
        ask(&house, &ann, asked("src_ip", &many)).await.unwrap();
    }
    let refused = ask(&house, &ann, asked("src_ip", &["203.0.113.1"])).await;
    assert!(matches!(refused, Err(AuthorityError::Throttled { wait }) if wait > Duration::ZERO));
    house.world.clock.advance(Duration::from_secs(61));
    ask(&house, &ann, asked("src_ip", &["203.0.113.1"])).await.unwrap();
    let lines = house.world.trail(from).await.unwrap();
    let notes: Vec<_> = lines.iter().filter(|line| line.action.name() == "sharing.tokens").collect();
    assert_eq!(notes.len(), 12);
    assert_eq!(notes[0].note, "field src_ip: 60 values, 60 tokens");
    assert!(lines.iter().all(|line| !line.note.contains("203.0.113")));
}

#[tokio::test]
async fn questions_without_sense_are_refused() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let many: Vec<&str> = vec!["10.0.0.1"; 65];
    for bad in [
        asked("", &["10.0.0.1"]),
        asked("src_ip", &[]),
        asked("src_ip", &many),
        AskTokens { form: "colour".into(), ..asked("src_ip", &["10.0.0.1"]) },
        AskTokens { values: vec![Wanted::Network("not a network".into())], ..asked("src_ip", &[]) },
    ] {
        assert!(matches!(ask(&house, &ann, bad).await, Err(AuthorityError::Malformed { .. })));
    }
}

#[tokio::test]
async fn work_that_rules_make_is_bounded_and_counts_as_values() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let rules: Vec<(&str, Option<&str>)> = vec![("src_ip", Some("B or C or A")); 1_000];
    set_rules(&house, None, &rules).await;
    // a thousand policies to read are worth ten values: sixty requests of one value are too many
    let mut answered = 0;
    let refused = loop {
        match ask(&house, &ann, asked("src_ip", &["203.0.113.1"])).await {
            Ok(told) => assert_eq!(told.tokens[0].len(), 1),
            Err(refused) => break refused,
        }
        answered += 1;
    };
    assert!(matches!(refused, AuthorityError::Throttled { .. }), "{refused}");
    assert!((20..100).contains(&answered), "{answered} of 600 values a minute");
    // many such groups are more than one request may look at
    let admin = house.admin().await;
    for number in 0..20 {
        let name = format!("group{number}");
        let all = rules
            .iter()
            .map(|(field, policy)| SearchRule { field: (*field).into(), policy: policy.map(Into::into) });
        let group = Group { name: name.clone(), collectors: None, rules: all.collect() };
        let permit = house.permit(&admin, authority::named(&name).unwrap()).await.unwrap();
        house.attributes.create_group(permit, group).await.unwrap();
    }
    house.world.clock.advance(Duration::from_secs(61));
    let refused = ask(&house, &ann, asked("src_ip", &["203.0.113.1"])).await;
    let is_told = |what| what == "amount of work";
    assert!(matches!(refused, Err(AuthorityError::Malformed { what, .. }) if is_told(what)), "{refused:?}");
    // another field is no work
    ask(&house, &ann, asked("user", &["203.0.113.1"])).await.unwrap();
}
