//! What the original's check let pass: rows 9 to 20 of the list of what was wrong with it.

use super::{House, is_refused};
use serde_json::json as value;
use strongroom_gate::{AclNamed, Denied, User};
use strongroom_identity::{SetPassword, UpdateAcl};
use strongroom_model::Caller;
use strongroom_testkit::name;

const OWN_STORE: &str = r#""acl_type": "ACLStore", "mode": "allow", "access_mode": "rwmd", "store_paths": ["own"], "secret_names": [".*"]"#;

async fn house() -> House {
    let house = House::new().await;
    for store in ["own", "web", "my-webhooks"] {
        house.store(store, "generic", "{}").await;
        house.world.put(store, "a", "1").await.unwrap();
    }
    house
}

fn read(store: &str, beside: &str) -> String {
    format!(r#"get_secret {{"store_name": "{store}", "store_args": {{"secret_name": "a"}}{beside}}}"#)
}

async fn refused(house: &House, who: &Caller, text: &str) {
    let answer = house.ask(who, text).await;
    assert!(is_refused(&answer), "{text}: {answer}");
}

#[tokio::test]
async fn a_stores_name_beside_a_command_gives_no_command() {
    let house = house().await;
    let ann = house.user("ann").await;
    house.give("ann", "own", OWN_STORE).await;
    house.root(r#"create_acl {"acl_name": "any", "acl_type": "ACLObject", "mode": "allow", "access_mode": "rwmd"}"#).await;
    assert_eq!(house.ask(&ann, &read("own", "")).await["secret"], 1);
    for text in [
        r#"create_keyset {"keyset_name": "k", "store_name": "own"}"#,
        r#"attach_acl {"acl_name": "any", "attach_type": "user", "attach_name": "ann", "store_name": "own"}"#,
        r#"create_user {"user_name": "eve", "public_key": "x", "store_name": "own", "store_path": "own"}"#,
        r#"list_users {"store_name": "own"}"#,
        r#"audit_user {"user_name": "root", "store_name": "own", "secret_name": "a"}"#,
        r#"rotate_keyset {"keyset_name": "default", "store_path": "own"}"#,
        r#"create_store {"store_name": "own2", "keyset_name": "default", "store_type": "generic", "store_path": "own"}"#,
        r#"remove_store {"store_name": "own"}"#,
        r#"store_config {"store_name": "own", "config_args": {"keep_versions": 1}}"#,
    ] {
        refused(&house, &ann, text).await;
    }
    assert_eq!(house.root("list_keysets {}").await["keysets"], value!(["default"]));
    assert_eq!(house.root(r#"audit_user {"user_name": "ann"}"#).await["ann"]["acls"], value!(["own"]));
}

#[tokio::test]
async fn a_command_gives_no_store_and_a_store_is_what_is_used() {
    let house = house().await;
    let ann = house.user("ann").await;
    let all = r#""acl_type": "ACLCommand", "mode": "allow", "access_mode": "rwmd", "commands": ["get_secret", "create_secret"]"#;
    house.give("ann", "cmd", all).await;
    refused(&house, &ann, &read("web", "")).await;
    house.give("ann", "own", OWN_STORE).await;
    assert_eq!(house.ask(&ann, &read("own", "")).await["secret"], 1);
    // one name is checked and the same is used, whatever stands beside it
    for beside in [
        r#", "store_path": "own""#,
        r#", "secret_name": "other""#,
        r#", "store": "own", "store_path": "own", "secret_name": "a""#,
    ] {
        refused(&house, &ann, &read("web", beside)).await;
    }
    let denied = r#""acl_type": "ACLStore", "mode": "deny", "access_mode": "rwmd", "store_paths": ["own"], "secret_names": ["a"]"#;
    house.give("ann", "no", denied).await;
    refused(&house, &ann, &read("own", "")).await;
    refused(&house, &ann, &read("own", r#", "store_path": "web", "secret_name": "b""#)).await;
    assert_eq!(house.ask(&ann, r#"list_secrets {"store_name": "own"}"#).await["secrets"], value!([]));
}

#[tokio::test]
async fn a_pattern_is_matched_whole_and_a_narrow_allow_takes_nothing_away() {
    let house = house().await;
    let ann = house.user("ann").await;
    let web = |name: &str, access: &str, stores: &str, secrets: &str| {
        let lists = format!(r#""store_paths": ["{stores}"], "secret_names": ["{secrets}"]"#);
        (
            name.to_owned(),
            format!(r#""acl_type": "ACLStore", "mode": "allow", "access_mode": "{access}", {lists}"#),
        )
    };
    let (name, broad) = web("broad", "r", "web", ".*");
    house.give("ann", &name, &broad).await;
    assert_eq!(house.ask(&ann, &read("web", "")).await["secret"], 1);
    refused(&house, &ann, &read("my-webhooks", "")).await;
    let write =
        r#"create_secret {"store_name": "web", "store_args": {"secret_name": "app/b", "secret_value": 2}}"#;
    refused(&house, &ann, write).await;
    let (name, narrow) = web("narrow", "rw", "web", "app/.*");
    house.give("ann", &name, &narrow).await;
    assert_eq!(house.ask(&ann, write).await["result"]["state"], true);
    let change =
        r#"update_secret {"store_name": "web", "store_args": {"secret_name": "app/b", "secret_value": 3}}"#;
    refused(&house, &ann, change).await;
}

#[tokio::test]
async fn a_listing_shows_what_one_may_see_and_what_is_missing_is_refused_like_what_is_not() {
    let house = house().await;
    let ann = house.user("ann").await;
    refused(&house, &ann, "list_stores {}").await;
    house.give("ann", "own", OWN_STORE).await;
    assert_eq!(house.ask(&ann, "list_stores {}").await["stores"], value!(["own"]));
    for store in ["web", "nowhere"] {
        for text in [
            read(store, ""),
            format!(r#"list_secrets {{"store_name": "{store}"}}"#),
            format!(r#"store_info {{"store_name": "{store}"}}"#),
            format!(r#"destroy_secret {{"store_name": "{store}", "store_args": {{"secret_name": "a"}}}}"#),
        ] {
            refused(&house, &ann, &text).await;
        }
    }
    for who in ["root", "nobody"] {
        refused(&house, &ann, &format!(r#"audit_user {{"user_name": "{who}"}}"#)).await;
        refused(&house, &ann, &format!(r#"remove_access {{"user_name": "{who}"}}"#)).await;
    }
    let root_key = house.world.access_key.unwrap();
    for key in [root_key.to_string(), "00000000000040008000000000000000".to_owned()] {
        refused(&house, &ann, &format!(r#"remove_access {{"remove_access_key_id": "{key}"}}"#)).await;
    }
}

#[tokio::test]
async fn a_command_is_given_by_its_name_and_brings_no_other_along() {
    let house = house().await;
    let ann = house.user("ann").await;
    let acl = r#""acl_type": "ACLCommand", "mode": "allow", "access_mode": "rwm", "commands": ["create_group", "attach_group"]"#;
    house.give("ann", "groups", acl).await;
    let state = async |text: &str| house.ask(&ann, text).await["result"]["state"].clone();
    assert_eq!(state(r#"create_group {"group_name": "devs"}"#).await, true);
    let who = r#"{"group_name": "devs", "user_name": "ann"}"#;
    assert_eq!(state(&format!("attach_group {who}")).await, true);
    refused(&house, &ann, &format!("detach_group {who}")).await;
    refused(&house, &ann, r#"remove_group {"group_name": "devs"}"#).await;
    refused(&house, &ann, "list_groups {}").await;
    // a deny by name closes what an allow of everything opens
    house.give("ann", "all", r#""acl_type": "ACLObject", "mode": "allow", "access_mode": "rwmd""#).await;
    assert_eq!(house.ask(&ann, &read("web", "")).await["secret"], 1);
    let deny = r#""acl_type": "ACLCommand", "mode": "deny", "access_mode": "rwmd", "commands": ["get_secret", "create_secret"]"#;
    house.give("ann", "deny", deny).await;
    refused(&house, &ann, &read("web", "")).await;
    refused(
        &house,
        &ann,
        r#"create_secret {"store_name": "web", "store_args": {"secret_name": "b", "secret_value": 1}}"#,
    )
    .await;
    assert_eq!(
        state(
            r#"update_secret {"store_name": "web", "store_args": {"secret_name": "a", "secret_value": 2}}"#
        )
        .await,
        true
    );
}

#[tokio::test]
async fn who_is_denied_a_command_does_not_come_to_the_same_by_another_door() {
    let house = house().await;
    let ann = house.user("ann").await;
    let any = r#""acl_type": "ACLCommand", "mode": "allow", "access_mode": "rwmd", "commands": [".*"]"#;
    house.give("ann", "any", any).await;
    let gate = &house.world.gate;
    let update = || gate.admit::<UpdateAcl>(&ann, AclNamed { name: name("any") });
    let set_password = || gate.admit::<SetPassword>(&ann, User { name: name("ann") });
    assert!(update().await.is_ok() && set_password().await.is_ok());
    let none = r#""acl_type": "ACLCommand", "mode": "deny", "access_mode": "rwmd", "commands": ["create_acl", "create_user"]"#;
    house.give("ann", "none", none).await;
    refused(&house, &ann, r#"create_user {"user_name": "eve", "public_key": "x"}"#).await;
    // an ACL of their own that allows more is as good as a new one, and a password of somebody's as a new key
    assert!(matches!(update().await, Err(Denied::Refused { .. })));
    assert!(matches!(set_password().await, Err(Denied::Refused { .. })));
}

#[tokio::test]
async fn a_list_of_nothing_is_for_who_may_ask_too() {
    let house = house().await;
    let ann = house.user("ann").await;
    refused(&house, &ann, "list_hook_types {}").await;
    let hooks =
        r#""acl_type": "ACLCommand", "mode": "allow", "access_mode": "r", "commands": ["list_hook_types"]"#;
    house.give("ann", "hooks", hooks).await;
    assert_eq!(house.ask(&ann, "list_hook_types {}").await["hook_types"], value!([]));
    refused(&house, &ann, "list_store_types {}").await;
}
