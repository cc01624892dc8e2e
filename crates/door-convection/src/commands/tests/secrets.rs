//! Secrets of every type.

use super::{House, kind};
use serde_json::{Value, json as value};

impl House {
    pub(super) async fn store(&self, store: &str, store_type: &str, args: &str) {
        let rest = format!(r#""store_type": "{store_type}", "store_args": {args}"#);
        self.root(&format!(r#"create_store {{"store_name": "{store}", "keyset_name": "default", {rest}}}"#))
            .await;
    }
}

/// A request about a secret.
fn about(command: &str, store: &str, args: &str) -> String {
    format!(r#"{command} {{"store_name": "{store}", "store_args": {{{args}}}}}"#)
}

#[tokio::test]
async fn a_generic_secret_is_made_once_changed_read_listed_and_removed() {
    let house = House::new().await;
    house.store("g", "generic", "{}").await;
    for (at, json) in ["1.50", "9007199254740993", "\"é\"", r#"{"a": [true, null]}"#].into_iter().enumerate()
    {
        let name = format!(r#""secret_name": "n/{at}""#);
        house.root(&about("create_secret", "g", &format!(r#"{name}, "secret_value": {json}"#))).await;
        let sent = house.root(&about("get_secret", "g", &name)).await;
        assert_eq!(sent["secret"], serde_json::from_str::<Value>(json).unwrap());
        // natively it is the very same, to the byte
        assert_eq!(house.world.get("g", &format!("n/{at}")).await.unwrap().unwrap(), json);
    }
    let one = r#""secret_name": "n/0""#;
    let value_of = |json: &str| format!(r#"{one}, "secret_value": {json}"#);
    assert_eq!(kind(&house.root_fails(&about("create_secret", "g", &value_of("2"))).await), "KeyError");
    house.root(&about("update_secret", "g", &value_of("2"))).await;
    assert_eq!(house.root(&about("get_secret", "g", one)).await["secret"], 2);
    assert_eq!(
        house.root(&about("get_secret", "g", r#""secret_name": "n/0", "version": "1""#)).await["secret"],
        1.5
    );
    let stale = about("update_secret", "g", &format!(r#"{}, "version": 1"#, value_of("3")));
    assert_eq!(kind(&house.root_fails(&stale).await), "ValueError");

    let listed = house.root(&about("list_secrets", "g", "")).await;
    assert_eq!(listed["secrets"], value!(["n/0", "n/1", "n/2", "n/3"]));
    assert_eq!(
        (&listed["store"], &listed["result"]["messages"]),
        (&value!("g"), &value!(["4 Secrets in g"]))
    );
    let page =
        house.root(&about("list_secrets", "g", r#""prefix": "n/", "after": "n/0", "limit": "2""#)).await;
    assert_eq!((&page["secrets"], &page["next"]), (&value!(["n/1", "n/2"]), &value!("n/2")));

    house.root(&about("destroy_secret", "g", one)).await;
    assert_eq!(house.world.get("g", "n/0").await.unwrap(), None);
    let missing = r#""secret_name": "n/0", "secret_value": 1"#;
    for command in ["destroy_secret", "get_secret", "update_secret"] {
        assert_eq!(kind(&house.root_fails(&about(command, "g", missing)).await), "KeyError", "{command}");
    }
    // its name is free again
    house.root(&about("create_secret", "g", missing)).await;
}

#[tokio::test]
async fn what_is_no_request_about_a_secret_is_told() {
    let house = House::new().await;
    house.store("g", "generic", "{}").await;
    for (text, expected) in [
        (about("create_secret", "g", r#""secret_name": "a""#), "ValueError"),
        (about("create_secret", "g", r#""secret_value": 1"#), "KeyError"),
        (about("create_secret", "g", r#""secret_name": "../a", "secret_value": 1"#), "ValueError"),
        (
            about("create_secret", "g", r#""secret_name": "a", "secret_value": "x", "encoding": "hex""#),
            "ValueError",
        ),
        (about("create_secret", "none", r#""secret_name": "a", "secret_value": 1"#), "KeyError"),
        (about("get_secret", "g", r#""secret_name": "a", "part": "all of it""#), "ValueError"),
        (r#"get_secret {"store_name": "g"}"#.to_owned(), "KeyError"),
        (r#"get_secret {"store_name": "g", "store_args": "a"}"#.to_owned(), "ValueError"),
        (r#"create_secret {"store_args": {"secret_name": "a", "secret_value": 1}}"#.to_owned(), "KeyError"),
        (about("list_secrets", "none", ""), "KeyError"),
    ] {
        assert_eq!(kind(&house.root_fails(&text).await), expected, "{text}");
    }
    assert_eq!(house.root(&about("list_secrets", "g", "")).await["secrets"], value!([]));
}

#[tokio::test]
async fn bytes_go_in_and_out_as_base64() {
    let house = House::new().await;
    house.store("g", "generic", "{}").await;
    let bytes = r#""secret_name": "b", "secret_value": "AP8=", "encoding": "base64""#;
    house.root(&about("create_secret", "g", bytes)).await;
    let sent = house.root(&about("get_secret", "g", r#""secret_name": "b""#)).await;
    assert_eq!((&sent["secret"], &sent["encoding"]), (&value!("AP8="), &value!("base64")));
}

#[tokio::test]
async fn a_password_is_given_or_made_as_the_store_or_the_request_says() {
    let house = House::new().await;
    house.store("p", "passdb", r#"{"length": "30", "value_type": "digits"}"#).await;
    let password = async |name: &str| {
        let sent = house.root(&about("get_secret", "p", &format!(r#""secret_name": "{name}""#))).await;
        sent["secret"].as_str().unwrap().to_owned()
    };
    house.root(&about("create_secret", "p", r#""secret_name": "given", "secret_value": "p\"w""#)).await;
    assert_eq!(password("given").await, "p\"w");
    house.root(&about("create_secret", "p", r#""secret_name": "made""#)).await;
    let made = password("made").await;
    assert!(made.len() == 30 && made.bytes().all(|byte| byte.is_ascii_digit()), "{made}");
    house
        .root(&about(
            "update_secret",
            "p",
            r#""secret_name": "made", "length": "8", "value_type": "ascii_letters""#,
        ))
        .await;
    let changed = password("made").await;
    assert!(changed.len() == 8 && changed.bytes().all(|byte| byte.is_ascii_alphabetic()), "{changed}");
    house
        .root(&about(
            "create_secret",
            "p",
            r#""secret_name": "wide", "length": 400, "value_type": "printable""#,
        ))
        .await;
    assert!(!password("wide").await.contains(|c: char| c.is_control() || c == ' '));

    // natively there is a user name with it: the secret's own, until another is given
    let native: Value = serde_json::from_str(&house.world.get("p", "given").await.unwrap().unwrap()).unwrap();
    assert_eq!(native, value!({"username": "given", "password": "p\"w"}));
    house
        .root(&about(
            "update_secret",
            "p",
            r#""secret_name": "given", "username": "ann", "secret_value": "x""#,
        ))
        .await;
    house.root(&about("update_secret", "p", r#""secret_name": "given", "secret_value": "y""#)).await;
    let part = |part: &str| about("get_secret", "p", &format!(r#""secret_name": "given", "part": "{part}""#));
    assert_eq!(house.root(&part("username")).await["secret"], "ann");
    assert_eq!(house.root(&part("all")).await["secret"], value!({"username": "ann", "password": "y"}));
    assert_eq!(kind(&house.root_fails(&part("public")).await), "ValueError");
    for args in [
        r#""secret_name": "x", "length": "3""#,
        r#""secret_name": "x", "value_type": "any""#,
        r#""secret_name": "x", "colour": "red""#,
    ] {
        assert_eq!(kind(&house.root_fails(&about("create_secret", "p", args)).await), "ValueError", "{args}");
    }
}

#[tokio::test]
async fn a_long_value_comes_in_pieces_that_fit() {
    let house = House::new().await;
    house.store("g", "generic", "{}").await;
    let long = "0123456789".repeat(300);
    house
        .root(&about("create_secret", "g", &format!(r#""secret_name": "l", "secret_value": "{long}""#)))
        .await;
    let mut whole = String::new();
    while whole.len() < long.len() {
        let args = format!(r#""secret_name": "l", "offset": "{}""#, whole.len());
        let sent = house.root(&about("get_secret", "g", &args)).await;
        assert!(sent.to_string().len() < 900);
        assert_eq!((&sent["total"], &sent["version"]), (&value!(3_000), &value!(1)));
        whole.push_str(sent["secret"].as_str().unwrap());
    }
    assert_eq!(whole, long);
}
