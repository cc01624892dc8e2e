//! What the network's rules refuse never reaches the other rules, and has an entry that names the network's rule.

use std::net::IpAddr;
use std::sync::Arc;
use strongroom_gate::{ActionSet, Denied, Mode, Nacl, NaclRule, Nacls, Secret, Verdict};
use strongroom_model::{Action, Caller, Client, Entrance, Name, Origin, SecretPath};
use strongroom_secrets::GetSecret;
use strongroom_testkit::{TestWorld, WorldError, value};

fn rule(mode: Mode, network: &str, pattern: &str) -> NaclRule {
    let mut actions = ActionSet::default();
    assert!(actions.add(pattern) > 0, "{pattern}");
    NaclRule { mode, networks: vec![network.parse().unwrap()], actions }
}

/// The second listener lets one network read; the first has no rules.
fn nacls() -> Nacls {
    let rules = vec![rule(Mode::Allow, "10.0.0.0/8", "secret.get"), rule(Mode::Deny, "10.0.0.13", "*")];
    Nacls::new(vec![None, Some(Arc::new(Nacl::new("edge", rules)))])
}

async fn root_from(world: &TestWorld, address: [u8; 4], via: Option<IpAddr>, entrance: u16) -> Caller {
    let client = Client { address: address.into(), via, entrance: Entrance(entrance) };
    Caller { origin: Origin::Network(client), ..world.root_caller().await.unwrap() }
}

fn refusal(fault: WorldError) -> String {
    match fault {
        WorldError::Denied(Denied::Refused { rule, .. }) => rule.to_string(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn root_from_a_denied_address_is_refused_by_the_network_with_an_entry() {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    world.gate.set_nacls(nacls());
    let from = world.head() + 1;
    let proxy = Some([10, 9, 9, 9].into());
    let denied = root_from(&world, [10, 0, 0, 13], proxy, 1).await;
    let fault = world.put_as(&denied, "web", "a", &value("1"), None).await.unwrap_err();
    assert_eq!(refusal(fault), "nacl edge rule 2");
    let silent = root_from(&world, [10, 0, 0, 1], None, 1).await;
    let fault = world.put_as(&silent, "nowhere", "a", &value("1"), None).await.unwrap_err();
    assert_eq!(refusal(fault), "nacl edge: no rule allows it", "whether the store exists is not told");
    let other_way = root_from(&world, [10, 0, 0, 13], None, 0).await;
    world.put_as(&other_way, "web", "a", &value("1"), None).await.unwrap();

    let trail = world.trail(from).await.unwrap();
    let refused: Vec<(Verdict, &str, &str)> = trail
        .iter()
        .filter(|line| line.action == Action::PutSecret)
        .map(|line| (line.verdict, line.origin.as_str(), line.rule.as_str()))
        .collect();
    let expected = [
        (Verdict::Refused, "10.0.0.13 via 10.9.9.9", "nacl edge rule 2"),
        (Verdict::Refused, "10.0.0.1", "nacl edge: no rule allows it"),
        (Verdict::Done, "10.0.0.13", "root may do anything"),
    ];
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn an_address_that_is_allowed_still_needs_a_right() {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    world.gate.set_nacls(nacls());
    let caller = root_from(&world, [10, 0, 0, 1], None, 1).await;
    let secret = || Secret { store: Name::new("web").unwrap(), path: SecretPath::new("a").unwrap() };
    drop(world.gate.admit::<GetSecret>(&caller, secret()).await.unwrap());
    let stranger = Caller { principal: None, ..caller };
    let refused = world.gate.admit::<GetSecret>(&stranger, secret()).await;
    assert!(matches!(refused, Err(Denied::Refused { rule, .. }) if &*rule == "no rule allows it"));
}

#[tokio::test]
async fn from_a_denied_address_a_good_token_and_a_bad_one_are_told_the_same() {
    let world = TestWorld::unlocked().await;
    world.gate.set_nacls(nacls());
    let good = root_from(&world, [10, 0, 0, 13], None, 1).await;
    let bad = Caller { principal: None, ..good.clone() };
    let with_token = world.create_store_as(&good, "web").await.unwrap_err();
    let with_token = refusal(with_token);
    let turned_away = world.gate.turn_away(&bad, Action::CreateStore, "no valid token").await;
    assert!(
        matches!(&turned_away, Err(Denied::Refused { rule, .. }) if **rule == with_token),
        "{turned_away:?}"
    );
    let elsewhere = root_from(&world, [10, 0, 0, 13], None, 0).await;
    let elsewhere = Caller { principal: None, ..elsewhere };
    assert_eq!(world.gate.turn_away(&elsewhere, Action::CreateStore, "no valid token").await, Ok(()));
}

#[tokio::test]
async fn a_locked_server_judges_unlock_keys_by_the_network_too() {
    let mut world = TestWorld::new();
    world.initialise(1, 1).await.unwrap();
    world.gate.set_nacls(nacls());
    let key = world.keys[0].clone();
    let client = |address: [u8; 4]| {
        Origin::Network(Client { address: address.into(), via: None, entrance: Entrance(1) })
    };
    let fault = world.present(client([10, 0, 0, 1]), &key).await.unwrap_err();
    assert_eq!(refusal(fault), "nacl edge: no rule allows it");
    assert!(world.present(client([127, 0, 0, 1]), &key).await.unwrap().done, "a built-in rule allows it");
}

#[tokio::test]
async fn a_flood_of_strangers_from_denied_addresses_leaves_few_entries() {
    let world = TestWorld::unlocked().await;
    world.gate.set_nacls(nacls());
    let before = world.head();
    for round in 0..100 {
        let via = Some([10, 1, 0, round].into());
        let client = Client { address: [10, 0, 0, 13].into(), via, entrance: Entrance(1) };
        let stranger = world.caller(Origin::Network(client));
        refusal(world.create_store_as(&stranger, "web").await.unwrap_err());
    }
    assert_eq!(world.head(), before + 1, "whatever proxy they come by");
}

#[tokio::test]
async fn what_the_network_decides_can_be_asked() {
    let world = TestWorld::unlocked().await;
    world.gate.set_nacls(nacls());
    let caller = root_from(&world, [10, 0, 0, 1], None, 1).await;
    let decision = world.gate.network_decision(caller.origin, Action::GetSecret).unwrap();
    assert_eq!((decision.allowed, &*decision.rule), (true, "nacl edge rule 1"));
    assert_eq!(world.gate.network_decision(Origin::Local { uid: 0 }, Action::GetSecret), None);
}
