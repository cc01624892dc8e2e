//! What the rules refuse has no effect, and an entry that names the rule.

use strongroom_gate::{Actions, Subject};
use strongroom_gate::{Decision, Denied, Rule, RuleSet, Verdict};
use strongroom_model::{Action, Caller, Name, Origin, Principal, UserId};
use strongroom_store::MemoryStore;
use strongroom_testkit::{TestWorld, WorldError, WorldOptions, value};

/// Another user, as a credential would have established one.
async fn other(world: &TestWorld) -> Caller {
    let root = world.root_caller().await.expect("root");
    let partition = root.principal.as_ref().expect("a user").partition;
    let name = Name::new("mallory").expect("a name");
    let principal = std::sync::Arc::new(Principal { partition, user: UserId([9; 16]), name });
    Caller { principal: Some(principal), ..world.stranger() }
}

#[tokio::test]
async fn a_user_who_is_not_root_is_refused_with_the_rule_and_an_entry() {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    let mallory = other(&world).await;
    let from = world.head() + 1;
    let fault = world.create_store_as(&mallory, "mine").await.unwrap_err();
    let WorldError::Denied(Denied::Refused { action: "store.create", rule, .. }) = fault else {
        panic!("{fault}")
    };
    assert_eq!(&*rule, "no rule allows it");
    let fault = world.put_as(&mallory, "web", "a", &value("1"), None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Refused { action: "secret.put", .. })), "{fault}");
    let fault = world.put_as(&mallory, "nowhere", "a", &value("1"), None).await.unwrap_err();
    assert!(
        matches!(fault, WorldError::Denied(Denied::Refused { .. })),
        "whether it exists is not told: {fault}"
    );
    let fault = world.remove_as(&mallory, "web", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Refused { .. })), "{fault}");
    assert_eq!(world.stores().await.unwrap(), ["web"]);
    assert_eq!(world.list("web").await.unwrap(), Vec::<String>::new());
    let trail = world.trail(from).await.unwrap();
    for (at, action) in [Action::CreateStore, Action::PutSecret, Action::PutSecret, Action::RemoveSecret]
        .into_iter()
        .enumerate()
    {
        let line = &trail[at];
        assert_eq!((line.action, line.decision, line.verdict), (action, Decision::Refused, Verdict::Refused));
        assert_eq!((line.user.as_deref(), line.rule.as_str()), (Some("mallory"), "no rule allows it"));
    }
}

#[tokio::test]
async fn a_denial_wins_over_root() {
    let mut rules = RuleSet::built_in(1000);
    rules.push(Rule::deny("nobody reads today", Subject::Anyone, Actions::Only(vec![Action::GetSecret])));
    let options = WorldOptions { rules, ..WorldOptions::default() };
    let world = TestWorld::unlocked_with(MemoryStore::new(strongroom_audit::link), options).await;
    world.create_store("web").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    let fault = world.get("web", "a").await.unwrap_err();
    let WorldError::Denied(Denied::Refused { rule, .. }) = fault else { panic!("{fault}") };
    assert_eq!(&*rule, "nobody reads today");
}

#[tokio::test]
async fn without_rules_nobody_may_anything() {
    let options = WorldOptions { rules: Vec::new(), ..WorldOptions::default() };
    let mut world = TestWorld::with(MemoryStore::new(strongroom_audit::link), options);
    let fault = world.initialise(1, 1).await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Refused { .. })), "{fault}");
    let fault = world.present(Origin::Local { uid: 0 }, "key").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Refused { .. })), "{fault}");
    assert!(world.operator.started("1").await.is_err());
}

#[tokio::test]
async fn nobody_calls_as_the_server() {
    let world = TestWorld::unlocked().await;
    let before = world.head();
    let caller = world.caller(Origin::Internal);
    let refused =
        world.gate.admit::<strongroom_operator::Housekeeping>(&caller, strongroom_gate::Server).await;
    assert!(matches!(refused, Err(Denied::Refused { .. })));
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_few_entries() {
    let world = TestWorld::unlocked().await;
    let before = world.head();
    for _ in 0..300 {
        let stranger = world.stranger();
        let fault = world.create_store_as(&stranger, "web").await.unwrap_err();
        assert!(matches!(fault, WorldError::Denied(Denied::Refused { .. })), "{fault}");
        world.identity.turn_away(&stranger, Action::GetSecret).await.unwrap();
    }
    assert_eq!(world.head(), before + 1);
}

#[tokio::test]
async fn a_flood_of_challenges_and_of_bad_proofs_leaves_few_entries_and_keeps_nobody_out() {
    let world = TestWorld::unlocked().await;
    let key = world.access_key.unwrap().to_string();
    let before = world.head();
    let mut challenges = Vec::new();
    for _ in 0..200 {
        challenges.push(world.challenge(&key).await.unwrap());
    }
    assert!(world.head() <= before + 1, "challenges");
    for challenge in &challenges {
        let fault = world.prove(&key, challenge, &[0; 64], None).await.unwrap_err();
        assert!(matches!(fault, WorldError::Identity(_)), "{fault}");
    }
    assert!(world.head() <= before + 2, "proofs");
    world.authorize(None).await.expect("who has the key is not kept out");
}
