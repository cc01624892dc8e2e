//! Users, groups, ACLs.

use super::{House, PEMS, json, kind};
use serde_json::json as value;

#[tokio::test]
async fn a_user_is_made_given_a_key_audited_and_taken_apart() {
    let house = House::new().await;
    let create =
        |at: usize| format!(r#"create_user {{"user_name": "ann", "public_key": {}}}"#, json(PEMS[at]));
    let made = house.root(&create(0)).await;
    assert_eq!(made["user"], "ann");
    let first = made["access_key_id"].as_str().unwrap().to_owned();
    assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    // whoever is there already gets one more key, and none twice
    let second = house.root(&create(1)).await["access_key_id"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    house.root(&create(2)).await;
    assert_eq!(kind(&house.root_fails(&create(1)).await), "PubkeyExistsError");
    assert_eq!(house.root("list_users {}").await["users"], value!(["ann", "root"]));
    let audit = house.root(r#"audit_user {"user_name": "ann"}"#).await;
    let expected = value!({"acls": [], "groups": [], "access-key-count": 3, "auth-token-count": 0});
    assert_eq!(audit["ann"], expected);

    // by its id, by its public half, and by both where they are of one key
    house.root(&format!(r#"remove_access {{"remove_access_key_id": "{first}"}}"#)).await;
    let both = format!(r#""user_name": "ann", "remove_access_key_id": "{second}", "remove_public_key": "#);
    house.root_fails(&format!("remove_access {{{both}{}}}", json(PEMS[2]))).await;
    house.root(&format!("remove_access {{{both}{}}}", json(PEMS[1]))).await;
    house.root(&format!(r#"remove_access {{"remove_public_key": {}}}"#, json(PEMS[2]))).await;
    assert_eq!(house.root(r#"audit_user {"user_name": "ann"}"#).await["ann"]["access-key-count"], 0);
    house.root(r#"remove_access {"user_name": "ann", "remove_access_key_id": null}"#).await;
    assert_eq!(house.root("list_users {}").await["users"], value!(["root"]));
    for gone in [
        r#"audit_user {"user_name": "ann"}"#.to_owned(),
        r#"remove_access {"user_name": "ann"}"#.to_owned(),
        format!(r#"remove_access {{"remove_access_key_id": "{second}"}}"#),
        r#"remove_access {"remove_access_key_id": "no id"}"#.to_owned(),
        format!(r#"remove_access {{"remove_public_key": {}}}"#, json(PEMS[2])),
    ] {
        assert_eq!(kind(&house.root_fails(&gone).await), "KeyError", "{gone}");
    }
}

#[tokio::test]
async fn what_is_no_user_and_no_key_is_told() {
    let house = House::new().await;
    for (text, expected) in [
        (r#"create_user {"user_name": "ann"}"#, "KeyError"),
        (r#"create_user {"user_name": "ann", "public_key": "none"}"#, "ValueError"),
        (r#"create_user {"user_name": "a/b", "public_key": "none"}"#, "ValueError"),
        (r#"create_user {"user_name": ["ann"], "public_key": "none"}"#, "ValueError"),
        (r#"remove_access {"verbose": false}"#, "SyntaxError"),
        (r#"remove_access {"remove_public_key": "none"}"#, "ValueError"),
        (r#"list_users {"limit": 0}"#, "ValueError"),
    ] {
        assert_eq!(kind(&house.root_fails(text).await), expected, "{text}");
    }
    assert_eq!(house.root("list_users {}").await["users"], value!(["root"]));
}

#[tokio::test]
async fn a_protected_user_stays_and_keeps_a_key() {
    let house = House::new().await;
    let root_key = house.world.access_key.unwrap().to_string();
    for text in [
        r#"remove_access {"user_name": "root"}"#.to_owned(),
        format!(r#"remove_access {{"user_name": "root", "remove_access_key_id": "{root_key}"}}"#),
        format!(r#"remove_access {{"remove_access_key_id": "{root_key}"}}"#),
    ] {
        assert_eq!(kind(&house.root_fails(&text).await), "ProtectedUserError", "{text}");
    }
    // somebody else may not touch them at all, whatever commands they have
    let ann = house.user("ann").await;
    house
        .give(
            "ann",
            "all",
            r#""acl_type": "ACLCommand", "mode": "allow", "access_mode": "rwmd", "commands": [".*"]"#,
        )
        .await;
    let more = format!(r#"create_user {{"user_name": "root", "public_key": {}}}"#, json(PEMS[1]));
    assert_eq!(kind(&super::messages(&house.ask(&ann, &more).await)), "PermissionError");
    let made = format!(r#"create_user {{"user_name": "recovery", "public_key": {}}}"#, json(PEMS[1]));
    assert_eq!(kind(&super::messages(&house.ask(&ann, &made).await)), "PermissionError");
    assert_eq!(house.root(&made).await["user"], "recovery");
}

#[tokio::test]
async fn somebody_named_result_does_not_break_an_answer() {
    let house = House::new().await;
    house.user("result").await;
    house.root(r#"create_group {"group_name": "result"}"#).await;
    house
        .root(r#"create_acl {"acl_name": "result", "acl_type": "ACLObject", "mode": 1, "access_mode": 2}"#)
        .await;
    for text in [
        r#"audit_user {"user_name": "result"}"#,
        r#"audit_group {"group_name": "result"}"#,
        r#"audit_acl {"acl_name": "result"}"#,
    ] {
        let answer = house.root(text).await;
        assert!(answer["result_"]["acls"].is_array() || answer["result_"]["name"] == "result", "{answer}");
        assert_eq!(answer["result"]["messages"], value!([]));
    }
}

#[tokio::test]
async fn a_group_lives_from_its_making_to_its_end() {
    let house = House::new().await;
    house.user("ann").await;
    assert_eq!(house.root(r#"create_group {"group_name": "devs"}"#).await["group"], "devs");
    assert_eq!(kind(&house.root_fails(r#"create_group {"group_name": "devs"}"#).await), "KeyError");
    let who = r#"{"group_name": "devs", "user_name": "ann"}"#;
    house.root(&format!("attach_group {who}")).await;
    assert_eq!(kind(&house.root_fails(&format!("attach_group {who}")).await), "KeyError");
    let audit = house.root(r#"audit_group {"group_name": "devs"}"#).await;
    assert_eq!(audit["devs"], value!({"acls": [], "users": ["ann"]}));
    assert_eq!(house.root("list_groups {}").await["groups"], value!(["devs"]));
    house.root(&format!("detach_group {who}")).await;
    // whoever is not in it is not taken out, and nothing more is said
    assert!(house.root_fails(&format!("detach_group {who}")).await.is_empty());
    house.root(r#"remove_group {"group_name": "devs"}"#).await;
    for text in [
        r#"remove_group {"group_name": "devs"}"#.to_owned(),
        r#"audit_group {"group_name": "devs"}"#.to_owned(),
        format!("attach_group {who}"),
        format!("detach_group {who}"),
    ] {
        assert_eq!(kind(&house.root_fails(&text).await), "KeyError", "{text}");
    }
}

#[tokio::test]
async fn three_types_of_acl_are_made_audited_attached_and_removed() {
    let house = House::new().await;
    house.user("ann").await;
    house.root(r#"create_group {"group_name": "devs"}"#).await;
    let acls = [
        (
            r#""acl_type": "ACLObject", "mode": "deny", "access_mode": "d""#,
            value!({"object": "ACLObject", "mode": "deny", "access_mode": "d"}),
        ),
        (
            r#""acl_type": "ACLCommand", "mode": "allow", "access_mode": "rw", "commands": ["list_.*", "user\\.read"]"#,
            value!({"object": "ACLCommand", "mode": "allow", "access_mode": "rw", "commands": ["list_.*", "user\\.read"]}),
        ),
        (
            r#""acl_type": "ACLStore", "mode": 1, "access_mode": 30, "store_paths": ["web"], "secret_names": [".*"]"#,
            value!({"object": "ACLStore", "mode": "allow", "access_mode": "rwmd", "store_paths": ["web"], "secret_names": [".*"]}),
        ),
    ];
    for (at, (fields, mut expected)) in acls.into_iter().enumerate() {
        let name = format!("acl{at}");
        let made = house.root(&format!(r#"create_acl {{"acl_name": "{name}", {fields}}}"#)).await;
        assert_eq!(made["acl"], name);
        expected["name"] = value!(name);
        assert_eq!(house.root(&format!(r#"audit_acl {{"acl_name": "{name}"}}"#)).await[&name], expected);
    }
    assert_eq!(house.root("list_acls {}").await["acls"], value!(["acl0", "acl1", "acl2"]));
    assert_eq!(house.root(r#"list_acls {"limit": 2}"#).await["next"], "acl1");
    let attach = |word: &str, kind: &str, to: &str| {
        format!(r#"{word}_acl {{"acl_name": "acl1", "{word}_type": "{kind}", "{word}_name": "{to}"}}"#)
    };
    house.root(&attach("attach", "user", "ann")).await;
    house.root(&attach("attach", "group", "devs")).await;
    assert_eq!(house.root(r#"audit_user {"user_name": "ann"}"#).await["ann"]["acls"], value!(["acl1"]));
    house.root(&attach("detach", "group", "devs")).await;
    assert!(house.root_fails(&attach("detach", "group", "devs")).await.is_empty());
    assert_eq!(kind(&house.root_fails(&attach("attach", "team", "devs")).await), "ValueError");
    assert_eq!(kind(&house.root_fails(&attach("attach", "user", "bob")).await), "KeyError");
    house.root(r#"remove_acl {"acl_name": "acl1"}"#).await;
    assert_eq!(house.root(r#"audit_user {"user_name": "ann"}"#).await["ann"]["acls"], value!([]));
    assert_eq!(kind(&house.root_fails(r#"remove_acl {"acl_name": "acl1"}"#).await), "KeyError");
}

#[tokio::test]
async fn a_pattern_that_cannot_be_is_refused_with_its_place() {
    let house = House::new().await;
    let create = |rest: &str| {
        format!(r#"create_acl {{"acl_name": "a", "mode": "allow", "access_mode": "r", {rest}}}"#)
    };
    for (rest, told) in [
        (r#""acl_type": "ACLCommand", "commands": ["get_.*", "(?=x)"]"#, "commands: pattern '(?=x)', byte 0"),
        (r#""acl_type": "ACLCommand", "commands": ["web[", "x"]"#, "commands: pattern 'web[', byte 3"),
        (r#""acl_type": "ACLCommand", "commands": ["secret"]"#, "there is no such command"),
        (r#""acl_type": "ACLCommand", "commands": []"#, "names no commands"),
        (r#""acl_type": "ACLStore", "store_paths": ["web"]"#, "names no secrets"),
        (r#""acl_type": "ACLStore", "store_paths": ["a/b"], "secret_names": [".*"]"#, "matches nothing"),
    ] {
        let messages = house.root_fails(&create(rest)).await;
        assert_eq!(kind(&messages), "ValueError", "{rest}");
        assert!(messages[2].contains(told), "{messages:?}");
    }
    assert_eq!(house.root("list_acls {}").await["acls"], value!([]));
}
