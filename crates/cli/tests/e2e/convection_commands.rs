//! The convection door's commands for people, keysets, stores and secrets: what one door makes the others see, and who
//! tries to get more than is theirs does not.

use crate::site::Site;
use crate::talk::{Credential, Talk, Way, done, failed, messages, site, site_with};
use serde_json::{Value, json};
use std::process::Command;

const REFUSED: &str = "Auth Token valid, but ACL denies access to specified resource";

/// One listener whose network may read, over TCP; the other two as they are.
const FEW: &str = r#"
[listener.sock]
door = "convection"
address = "unix:HOME/convection.sock"

[listener.wire]
door = "convection"
address = "127.0.0.1:0"
nacl = "few"

[nacl.few]
rules = [
  { type = "allow", addresses = ["loopback"], commands = ["get_secret", "list_secrets", "create_secret", "start"] },
  { type = "deny", addresses = ["127.0.0.1"], commands = ["list_secrets", "rotate"] },
]
"#;

/// A key pair of RSA in the home: its public half.
fn key_pair(site: &Site, name: &str) -> String {
    let (key, public) = (format!("{name}.key"), format!("{name}.pub"));
    let run = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).current_dir(site.home.path()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    run(&["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &key]);
    run(&["pkey", "-pubout", "-in", &key, "-out", &public]);
    std::fs::read_to_string(site.home.join(&public)).unwrap()
}

/// A user with a token of their own.
fn user(site: &Site, root: &Credential, name: &str) -> Credential {
    let mut talk = Talk::begin(site, Way::Unix);
    let fields = json!({ "user_name": name, "public_key": key_pair(site, name) });
    let made = done(talk.ask("create_user", &root.with(fields)));
    talk.authorize(&site.home, &format!("{name}.key"), made["access_key_id"].as_str().unwrap())
}

fn store(name: &str, kind: &str) -> Value {
    json!({ "store_name": name, "keyset_name": "default", "store_type": kind, "store_args": {} })
}

fn secret(store: &str, name: &str) -> Value {
    json!({ "store_name": store, "store_args": { "secret_name": name } })
}

fn value(store: &str, name: &str, value: &Value) -> Value {
    json!({ "store_name": store, "store_args": { "secret_name": name, "secret_value": value } })
}

#[test]
fn what_is_made_at_one_door_is_seen_at_the_other() {
    let (site, _, root) = site();
    let native = site.served().client().with_token(&root.token);
    let mut talk = Talk::begin(&site, Way::Tcp);
    let mut ask = |command: &str, fields: Value| done(talk.ask(command, &root.with(fields)));

    // made here, seen natively
    let made = ask("create_user", json!({ "user_name": "ann", "public_key": key_pair(&site, "ann") }));
    ask("create_group", json!({ "group_name": "devs" }));
    ask("attach_group", json!({ "group_name": "devs", "user_name": "ann" }));
    let acl = json!({ "acl_name": "web", "acl_type": "ACLStore", "mode": "allow", "access_mode": "rw",
        "store_paths": ["web"], "secret_names": ["app/.*"], "commands": null });
    ask("create_acl", acl);
    ask("attach_acl", json!({ "acl_name": "web", "attach_type": "group", "attach_name": "devs" }));
    ask("create_keyset", json!({ "keyset_name": "k" }));
    ask(
        "create_store",
        json!({ "store_name": "web", "keyset_name": "k", "store_type": "generic", "store_args": {} }),
    );
    ask("create_secret", value("web", "app/db", &json!({ "n": 9_007_199_254_740_993_u64 })));
    let ann = native.get("/users/ann").ok();
    let key = ann["access_keys"][0].as_str().unwrap().replace('-', "");
    assert_eq!((&json!(key), &ann["groups"]), (&made["access_key_id"], &json!(["devs"])));
    let acl = native.get("/acls/web").ok();
    let rule = &acl["rule"];
    assert_eq!((&rule["covers"], &rule["access"]), (&json!("stores"), &json!("rw")));
    assert_eq!((&rule["secrets"], &acl["groups"]), (&json!(["app/.*"]), &json!(["devs"])));
    assert_eq!(native.get("/stores/web").ok()["keyset"], "k");
    let read = native.get("/stores/web/secrets/app/db").ok();
    assert_eq!(read["value"], json!({ "n": 9_007_199_254_740_993_u64 }));

    // made natively, seen here
    native.post("/stores", json!({ "name": "people", "type": "user" }).to_string()).ok();
    native.put("/stores/people/secrets/db", r#"{"value":{"username":"app","password":"p w"}}"#).ok();
    native.post("/groups", r#"{"name":"ops"}"#).ok();
    native.put("/groups/ops/members/ann", "").ok();
    assert_eq!(ask("list_stores", json!({}))["stores"], json!(["people", "web"]));
    assert_eq!(ask("store_info", json!({ "store_name": "people" }))["metadata"]["plugin"]["name"], "passdb");
    assert_eq!(ask("get_secret", secret("people", "db"))["secret"], "p w");
    assert_eq!(ask("audit_group", json!({ "group_name": "ops" }))["ops"]["users"], json!(["ann"]));
    native.put("/stores/web/secrets/app/db", r#"{"value":2}"#).ok();
    assert_eq!(ask("get_secret", secret("web", "app/db"))["secret"], 2);
    let rotated = ask("rotate_keyset", json!({ "keyset_name": "k" }));
    assert_eq!(messages(&rotated), ["Keys for KeySet k Rotated"]);
    ask("destroy_secret", secret("web", "app/db"));
    native.get("/stores/web/secrets/app/db").is(404, "not_found");
    native.delete("/users/ann").ok();
    assert_eq!(ask("list_users", json!({}))["users"], json!(["root"]));
}

#[test]
fn every_command_has_its_entry_and_none_tells_a_value() {
    let (site, _, root) = site();
    let mut talk = Talk::begin(&site, Way::Web);
    let mut ask = |command: &str, fields: Value| done(talk.ask(command, &root.with(fields)));
    ask("create_store", store("web", "generic"));
    ask("create_secret", value("web", "a", &json!("hunter2hunter2")));
    ask("get_secret", secret("web", "a"));
    ask("destroy_secret", secret("web", "a"));
    let native = site.served().client().with_token(&root.token);
    let trail = native.get("/audit/entries?tail=true&limit=20").ok();
    for action in ["store.create", "secret.put", "secret.get", "secret.remove"] {
        let entries = trail["entries"].as_array().unwrap();
        assert!(entries.iter().any(|entry| entry["action"] == action), "{action}: {trail}");
    }
    assert!(!trail.to_string().contains("hunter2") && !site.served().log_text().contains("hunter2"));
}

/// Rows 9 to 13 and 15: a user who has one store tries for all the rest.
#[test]
fn whoever_has_one_store_gets_nothing_beside_it() {
    let (site, _, root) = site();
    let ann = user(&site, &root, "ann");
    let mut talk = Talk::begin(&site, Way::Tcp);
    for name in ["web", "my-webhooks", "secrets"] {
        done(talk.ask("create_store", &root.with(store(name, "generic"))));
        done(talk.ask("create_secret", &root.with(value(name, "a", &json!(name)))));
    }
    let give = |talk: &mut Talk, name: &str, mut acl: Value| {
        acl["acl_name"] = json!(name);
        done(talk.ask("create_acl", &root.with(acl)));
        let to = json!({ "acl_name": name, "attach_type": "user", "attach_name": "ann" });
        done(talk.ask("attach_acl", &root.with(to)));
    };
    let own = json!({ "acl_type": "ACLStore", "mode": "allow", "access_mode": "rwmd", "store_paths": ["web"],
        "secret_names": [".*"] });
    give(&mut talk, "own", own);
    done(talk.ask(
        "create_acl",
        &root.with(json!({ "acl_name": "any", "acl_type": "ACLObject", "mode": 1, "access_mode": 30 })),
    ));
    assert_eq!(done(talk.ask("get_secret", &ann.with(secret("web", "a"))))["secret"], "web");

    let beside =
        json!({ "store_name": "web", "store_path": "web", "secret_name": "a", "command": "get_secret" });
    let attempts = [
        ("create_keyset", json!({ "keyset_name": "k" })),
        ("rotate_keyset", json!({ "keyset_name": "default" })),
        ("attach_acl", json!({ "acl_name": "any", "attach_type": "user", "attach_name": "ann" })),
        ("create_acl", json!({ "acl_name": "mine", "acl_type": "ACLObject", "mode": 1, "access_mode": 30 })),
        ("create_user", json!({ "user_name": "root", "public_key": key_pair(&site, "eve") })),
        ("remove_access", json!({ "user_name": "root" })),
        ("audit_user", json!({ "user_name": "root" })),
        ("list_users", json!({})),
        ("lock", json!({})),
        ("rotate_root_keys", json!({ "num_keys": 1 })),
        ("remove_store", json!({})),
        ("store_config", json!({ "config_args": { "keep_versions": 1 } })),
    ];
    for (command, fields) in attempts {
        let mut all = beside.clone();
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(failed(&talk.ask(command, &ann.with(all))), REFUSED, "{command}");
    }
    // what is checked is what is used, and what is missing is told like what is not theirs
    for name in ["my-webhooks", "secrets", "nowhere"] {
        for command in ["get_secret", "list_secrets", "destroy_secret", "store_info"] {
            let mut fields = secret(name, "a");
            (fields["store_path"], fields["secret_name"]) = (json!("web"), json!("a"));
            assert_eq!(failed(&talk.ask(command, &ann.with(fields))), REFUSED, "{command} {name}");
        }
    }
    assert_eq!(done(talk.ask("list_stores", &ann.with(json!({}))))["stores"], json!(["web"]));

    // a command is no store, and a deny holds whatever stands beside the name
    let command = json!({ "acl_type": "ACLCommand", "mode": "allow", "access_mode": "rwmd", "commands": [".*_secrets?"] });
    give(&mut talk, "cmd", command);
    assert_eq!(failed(&talk.ask("get_secret", &ann.with(secret("secrets", "a")))), REFUSED);
    let deny = json!({ "acl_type": "ACLStore", "mode": "deny", "access_mode": "rwmd", "store_paths": ["web"], "secret_names": ["a"] });
    give(&mut talk, "deny", deny);
    let mut fields = secret("web", "a");
    (fields["store_path"], fields["secret_name"]) = (json!("other"), json!("other"));
    assert_eq!(failed(&talk.ask("get_secret", &ann.with(fields))), REFUSED);
    done(talk.ask("create_secret", &ann.with(value("web", "b", &json!(1)))));

    // nothing of it has changed anything
    assert_eq!(done(talk.ask("list_keysets", &root.with(json!({}))))["keysets"], json!(["default"]));
    assert_eq!(done(talk.ask("list_stores", &root.with(json!({}))))["stores"].as_array().unwrap().len(), 3);
}

/// Row 14: an id is no proof, of anything.
#[test]
fn an_access_key_id_alone_opens_and_tells_nothing() {
    let (site, _, root) = site();
    let mut talk = Talk::begin(&site, Way::Tcp);
    let known = done(talk.ask("command_list", &json!({ "access_key_id": root.id })));
    let unknown = done(talk.ask("command_list", &json!({ "access_key_id": "0".repeat(32) })));
    assert_eq!(known, unknown);
    for command in ["list_users", "get_secret", "list_stores", "audit_user"] {
        let told = failed(&talk.ask(command, &json!({ "access_key_id": root.id, "user_name": "root" })));
        assert!(told.contains("Authorization Required"), "{told}");
    }
}

/// Rows 17 to 20: names are names.
#[test]
fn a_name_is_no_path_and_no_key_of_an_answer() {
    let (site, _, root) = site();
    let mut talk = Talk::begin(&site, Way::Tcp);
    let mut ask = |command: &str, fields: Value| talk.ask(command, &root.with(fields));
    for name in ["/root.key", "/auth.db", "secrets/web", "../web", "..", "."] {
        assert!(failed(&ask("create_store", store(name, "generic"))).contains("ValueError"), "{name}");
        let keyset = failed(&ask("create_keyset", json!({ "keyset_name": name })));
        assert!(keyset.contains("ValueError"), "{keyset}");
    }
    for name in ["web", "root.key", "authdb", "keymap.db"] {
        done(ask("create_store", store(name, "generic")));
        done(ask("create_secret", value(name, "a", &json!(name))));
    }
    for name in ["web", "root.key", "authdb", "keymap.db"] {
        assert!(failed(&ask("create_store", store(name, "generic"))).contains("exists"));
        assert_eq!(done(ask("get_secret", secret(name, "a")))["secret"], name);
    }
    done(ask("create_group", json!({ "group_name": "result" })));
    let audit = done(ask("audit_group", json!({ "group_name": "result" })));
    assert_eq!(audit["result_"], json!({ "acls": [], "users": [] }));
}

#[test]
fn the_networks_rules_speak_of_commands_and_come_before_the_data() {
    let (site, _, root) = site_with(FEW);
    let mut unix = Talk::begin(&site, Way::Unix);
    done(unix.ask("create_store", &root.with(store("web", "generic"))));
    let mut talk = Talk::begin(&site, Way::Tcp);
    done(talk.ask("create_secret", &root.with(value("web", "a", &json!(1)))));
    assert_eq!(done(talk.ask("get_secret", &root.with(secret("web", "a"))))["secret"], 1);
    let refused = |command: &str| format!("Permission Denied|127.0.0.1 is not allowed to access {command}");
    // before the data: what is no JSON is refused like what is, and a word that is no command like one that is
    for (text, command) in [
        ("list_secrets {bad", "list_secrets"),
        ("update_secret {}", "update_secret"),
        ("list_users [1}", "list_users"),
        ("rotate_root_keys {}", "rotate_root_keys"),
        ("stop", "stop"),
        ("service-start {}", "service-start"),
        ("no_such_thing", "no_such_thing"),
    ] {
        let answer = talk.raw(text.as_bytes());
        assert_eq!(failed(&answer), refused(command), "{text}");
    }
    // nobody is let in to the words that are no commands, though a rule names one
    assert_eq!(failed(&talk.raw(b"start")), refused("start"));
    // what a host needs to set itself up is let in, and nothing of it guards the socket
    assert_eq!(done(talk.raw(b"status"))["locked"], false);
    done(unix.ask("list_secrets", &root.with(json!({ "store_name": "web" }))));
    assert_eq!(failed(&unix.raw(b"no_such_thing")), "Invalid Command|No Such command: 'no_such_thing'");
    let trail = site.served().client().with_token(&root.token).get("/audit/entries?tail=true&limit=30").ok();
    let entries = trail["entries"].as_array().unwrap();
    // the first has an entry; the others, of the same place in the same seconds, are counted
    let refusals: Vec<_> = entries.iter().filter(|entry| entry["outcome"] == "refused").collect();
    let first = refusals.first().map(|entry| (&entry["rule"], &entry["note"], &entry["action"]));
    assert_eq!(
        first,
        Some((&json!("nacl few rule 2"), &json!("list_secrets"), &json!("secret.list"))),
        "{trail}"
    );
}
