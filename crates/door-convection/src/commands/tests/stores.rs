//! Keysets, stores and what they are set to.

use super::{House, kind};
use serde_json::json as value;

#[tokio::test]
async fn a_keyset_is_made_rotated_and_removed() {
    let house = House::new().await;
    house.root(r#"create_keyset {"keyset_name": "k"}"#).await;
    assert_eq!(kind(&house.root_fails(r#"create_keyset {"keyset_name": "k"}"#).await), "KeyError");
    assert_eq!(kind(&house.root_fails(r#"create_keyset {"keyset_name": "../outside"}"#).await), "ValueError");
    assert_eq!(house.root("list_keysets {}").await["keysets"], value!(["default", "k"]));
    house
        .root(r#"create_store {"store_name": "s", "keyset_name": "k", "store_type": "generic", "store_args": {}}"#)
        .await;
    house.world.put("s", "a", "1").await.unwrap();
    let term = house.world.keysets().await.unwrap().into_iter().find(|k| k.name == "k").unwrap().write_term;
    let rotated = house.root(r#"rotate_keyset {"keyset_name": "k"}"#).await;
    assert_eq!(rotated["result"]["messages"], value!(["Keys for KeySet k Rotated"]));
    // in force from the answer on; what is there can be read all along
    let now = house.world.keysets().await.unwrap().into_iter().find(|k| k.name == "k").unwrap().write_term;
    assert!(now > term);
    let read = house.root(r#"get_secret {"store_name": "s", "store_args": {"secret_name": "a"}}"#).await;
    assert_eq!(read["secret"], 1);
    assert_eq!(kind(&house.root_fails(r#"remove_keyset {"keyset_name": "k"}"#).await), "RuntimeError");
    house.root(r#"create_keyset {"keyset_name": "spare"}"#).await;
    house.root(r#"remove_keyset {"keyset_name": "spare"}"#).await;
    for command in ["remove_keyset", "rotate_keyset"] {
        let messages = house.root_fails(&format!(r#"{command} {{"keyset_name": "spare"}}"#)).await;
        assert_eq!(kind(&messages), "KeyError", "{command}");
    }
}

#[tokio::test]
async fn a_store_of_each_type_is_made_by_each_of_its_names() {
    let house = House::new().await;
    let types = house.root("list_store_types {}").await;
    assert_eq!(types["store_types"], value!(["generic", "passdb", "rsa", "x509"]));
    let names = [
        "generic",
        "Generic_Secret",
        "passdb",
        "User_Secret",
        "user",
        "rsa",
        "RSA_Secret",
        "x509",
        "X509_Secret",
    ];
    for (at, name) in names.into_iter().enumerate() {
        // the library has another field for it
        let field = if at % 2 == 0 { "store_type" } else { "store_type_name" };
        let text = format!(
            r#"{{"store_name": "s{at}", "keyset_name": "default", "{field}": "{name}", "store_args": null}}"#
        );
        house.root(&format!("create_store {text}")).await;
        assert_eq!(kind(&house.root_fails(&format!("create_store {text}")).await), "KeyError");
    }
    assert_eq!(
        house.root(r#"list_stores {"prefix": "s", "limit": 2, "after": "s3"}"#).await["stores"],
        value!(["s4", "s5"])
    );
    let info = house.root(r#"store_info {"store_name": "s3"}"#).await;
    assert_eq!(info["keyset"], "default");
    assert_eq!(info["stats"], value!({"secret_count": 0, "reads": null, "writes": 0}));
    assert_eq!(info["metadata"]["plugin"]["name"], "passdb");
    assert_eq!(info["metadata"]["author"], "root");
    house.root(r#"remove_store {"store_name": "s3"}"#).await;
    for text in [r#"remove_store {"store_name": "s3"}"#, r#"store_info {"store_name": "s3"}"#] {
        assert_eq!(kind(&house.root_fails(text).await), "KeyError", "{text}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_is_refused_and_leaves_nothing() {
    let house = House::new().await;
    let create = |name: &str, keyset: &str, rest: &str| {
        format!(r#"create_store {{"store_name": "{name}", "keyset_name": "{keyset}", {rest}}}"#)
    };
    let generic = r#""store_type": "generic", "store_args": {}"#;
    for (text, expected) in [
        (create("/root.key", "default", generic), "ValueError"),
        (create("secrets/web", "default", generic), "ValueError"),
        (create("..", "default", generic), "ValueError"),
        (create("s", "none", generic), "KeyError"),
        (create("s", "default", r#""store_type": "authdb""#), "ImportError"),
        (create("s", "default", r#""store_args": {}"#), "KeyError"),
        (create("s", "default", r#""store_type": "generic", "store_args": []"#), "ValueError"),
        (create("s", "default", r#""store_type": "generic", "store_args": {"length": 3}"#), "ValueError"),
        (create("s", "default", r#""store_type": "passdb", "store_args": {"length": "3"}"#), "ValueError"),
        (
            create("s", "default", r#""store_type": "passdb", "store_args": {"value_type": "any"}"#),
            "ValueError",
        ),
    ] {
        assert_eq!(kind(&house.root_fails(&text).await), expected, "{text}");
    }
    assert_eq!(house.root("list_stores {}").await["stores"], value!([]));
}

#[tokio::test]
async fn settings_are_told_and_changed() {
    let house = House::new().await;
    let args = r#"{"length": "12", "value_type": "digits"}"#;
    house
        .root(&format!(r#"create_store {{"store_name": "p", "keyset_name": "default", "store_type": "passdb", "store_args": {args}}}"#))
        .await;
    let told = house.root(r#"store_config {"store_name": "p", "config_args": {}}"#).await;
    let expected = |length: i32| {
        let told = value!({"state": true, "messages": []});
        value!({"length": length, "value_type": "digits", "keep_versions": 0, "cas_required": false, "result": told})
    };
    assert_eq!(told, expected(12));
    // the library has another field for them
    let told = house.root(r#"store_config {"store_name": "p", "store_config": {"length": "20"}}"#).await;
    assert_eq!(told, expected(20));
    let wrong = r#"store_config {"store_name": "p", "config_args": {"length": "9", "colour": "red"}}"#;
    assert_eq!(kind(&house.root_fails(wrong).await), "ValueError");
    assert_eq!(house.root(r#"store_config {"store_name": "p"}"#).await, expected(20));
    let nowhere = r#"store_config {"store_name": "q", "config_args": {"length": "9"}}"#;
    assert_eq!(kind(&house.root_fails(nowhere).await), "KeyError");
}
