//! The original's library over TCP and a WebSocket client over `wss`, with network rules that allow and that deny; the
//! original's programs as they are installed.

use crate::convection_world::{ALL, Server, World};
use crate::drive::original;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::process::Command;

/// This host may do all but two things, one of which nobody allows and one that is denied.
const SOME: &str = r#"[
  { type = "allow", addresses = ["127.0.0.0/8"], commands = [
    "command_list", "list_users", "list_stores", "create_user", "create_acl", "attach_acl", "audit_acl", "create_keyset",
    "create_store", "store_info", "store_config", "create_secret", "get_secret", "update_secret", "list_secrets",
    "destroy_secret",
  ] },
  { type = "deny", addresses = ["127.0.0.1"], commands = ["destroy_secret"] },
]"#;

/// The value of a step that worked.
#[track_caller]
fn value(result: &Value) -> &Value {
    result.get("ok").unwrap_or_else(|| panic!("{result}"))
}

#[track_caller]
fn refused(result: &Value, text: &str) {
    let told = result["text"].as_str().unwrap_or_default();
    assert!(result["error"] == "RuntimeError" && told.contains(text), "{result}");
}

fn log_in(world: &World) -> (&'static str, Value) {
    let key = std::fs::read_to_string(world.home.join("root.key")).unwrap();
    ("authorize", json!({ "access_key_id": world.root, "private_key": key }))
}

#[test]
fn the_originals_library_does_over_tcp_what_network_rules_allow() {
    let Some(mut world) = World::ours(SOME) else { return };
    world.ready();
    let ann = std::fs::read_to_string(world.home.join("ann.pub")).unwrap();
    let secret = |name: &str, more: Value| {
        let mut args = json!({ "secret_name": name });
        args.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        json!({ "store_name": "app", "store_args": args })
    };
    let web = json!({ "store_paths": ["^app$"], "secret_names": ["^db$"] });
    // these three never worked at the original's own server: it sends what that server does not read
    let acl =
        json!({ "acl_name": "app", "mode": 1, "access_mode": 6, "acl_type": "ACLStore", "acl_args": web });
    let store =
        json!({ "store_name": "app", "keyset_name": "k", "store_type_name": "generic", "store_args": null });
    let config = json!({ "store_name": "app", "store_config": {} });
    let done = world.by_library(&[
        log_in(&world),
        ("list_users", json!({})),
        ("create_user", json!({ "user_name": "ann", "public_key": ann })),
        ("create_acl", acl),
        ("attach_acl", json!({ "acl_name": "app", "attach_type": "user", "attach_name": "ann" })),
        ("audit_acl", json!({ "acl_name": "app" })),
        ("command", json!({ "command": "create_keyset", "data": { "keyset_name": "k" } })),
        ("create_store", store),
        ("store_config", config),
        ("create_secret", secret("db", json!({ "secret_value": {"a": [1, null, 2.5]} }))),
        ("update_secret", secret("db", json!({ "secret_value": "two" }))),
        ("get_secret", secret("db", json!({}))),
        ("list_stores", json!({})),
        ("store_info", json!({ "store_name": "app" })),
        // denied, and allowed by no rule
        ("destroy_secret", secret("db", json!({}))),
        ("list_groups", json!({})),
        ("get_secret", secret("db", json!({}))),
        ("status", json!({})),
        ("deauth", json!({})),
    ]);
    assert_eq!(value(&done[0]), &json!(true));
    assert_eq!(value(&done[1]), &json!(["root"]));
    assert_eq!(value(&done[2]).as_str().map(str::len), Some(32));
    assert_eq!(value(&done[5])["app"]["store_paths"], json!(["^app$"]));
    assert_eq!(value(&done[11]), &json!("two"));
    assert_eq!(value(&done[12]), &json!(["app"]));
    assert_eq!(value(&done[13])["stats"]["secret_count"], json!(1));
    refused(&done[14], "Permission Denied; 127.0.0.1 is not allowed to access destroy_secret");
    refused(&done[15], "Permission Denied; 127.0.0.1 is not allowed to access list_groups");
    for at in [3, 4, 6, 7, 8, 9, 10, 16, 17, 18] {
        value(&done[at]);
    }
    // the socket has no network rules
    let destroy = ["destroy_secret", "--store-name", "app", "--store-arg", "secret_name=db"];
    assert!(world.by("root", &destroy).ok().starts_with("Result: Success\n"));
}

#[test]
fn the_built_in_rules_let_this_host_in_and_no_further() {
    let Some(mut world) = World::ours("[]") else { return };
    world.initialise();
    let key = json!({ "command": "unlock", "data": { "unlock_key": world.keys[0] } });
    let done = world.by_library(&[
        ("status", json!({})),
        ("command", key),
        log_in(&world),
        ("list_users", json!({})),
        ("deauth", json!({})),
    ]);
    assert_eq!(value(&done[0]), &json!({ "initialized": true, "locked": true }));
    assert_eq!(value(&done[1])["result"]["state"], json!(true));
    assert_eq!(value(&done[2]), &json!(true));
    refused(&done[3], "Permission Denied; 127.0.0.1 is not allowed to access list_users");
    assert_eq!(value(&done[4]), &json!(true));
}

#[test]
fn a_websocket_client_authorises_in_two_steps_and_keeps_to_the_rules() {
    let Some(mut world) = World::ours(SOME) else { return };
    world.ready();
    let who = format!(r#""access_key_id": "{}", "auth_token": "TOKEN""#, world.root);
    let ask = |command: &str, more: &str| json!(format!("{command} {{{who}{more}}}"));
    let key = world.home.join("root.key");
    let said = world.driver.websocket(
        &world.websocket,
        &world.authority,
        &[
            json!("status"),
            ask("list_users", ""),
            json!(format!("authorize {{\"access_key_id\": \"{}\"}}", world.root)),
            json!({ "prove": key }),
            ask("list_users", ""),
            ask("create_keyset", r#", "keyset_name": "k""#),
            ask(
                "create_store",
                r#", "store_name": "w", "keyset_name": "k", "store_type": "generic", "store_args": {}"#,
            ),
            ask(
                "create_secret",
                r#", "store_name": "w", "store_args": {"secret_name": "a", "secret_value": [true]}"#,
            ),
            ask("get_secret", r#", "store_name": "w", "store_args": {"secret_name": "a"}"#),
            ask("destroy_secret", r#", "store_name": "w", "store_args": {"secret_name": "a"}"#),
            json!("status {bad"),
            json!("status"),
        ],
    );
    let state = |at: usize| said[at]["result"]["state"].as_bool().unwrap();
    assert_eq!((&said[0]["initialized"], &said[0]["locked"]), (&json!(true), &json!(false)));
    assert!(!state(1), "without a token: {}", said[1]);
    assert_eq!(said[2]["result"]["messages"], json!(["Auth Initiated"]));
    assert_eq!(said[3]["result"], json!({ "state": true, "messages": ["Authorized"] }));
    assert_eq!(said[4]["users"], json!(["root"]));
    assert!(state(5) && state(6) && state(7), "{said:?}");
    assert_eq!(said[8]["secret"], json!([true]));
    assert_eq!(said[9]["result"]["messages"][0], json!("Permission Denied"));
    assert!(!state(10) && state(11), "{said:?}");
}

#[test]
fn the_installed_programs_themselves_find_the_server_and_say_when_it_is_not_there() {
    let Some(mut world) = World::ours(ALL) else { return };
    let Some(program) = original("convection-secrets") else { return };
    world.ready();
    let status = |world: &World| {
        let mut command = Command::new(&program);
        command.arg("status").env_clear().env("HOME", world.home.path()).current_dir(world.home.path());
        command.output().unwrap()
    };
    let done = status(&world);
    assert!(done.status.success());
    assert_eq!(String::from_utf8_lossy(&done.stdout), "Initialized: Yes\nUnlocked: Yes\n");
    // what the door did is what the native client sees, and the trail has it
    let socket = format!("unix:{}", world.served().socket.display());
    let native = world.home.run(&["status", "--address", &socket, "--output", "json"]).json();
    assert_eq!(native["state"], "unlocked", "{native}");
    let Server::Ours(served) = std::mem::replace(&mut world.server, Server::None) else { return };
    assert_eq!(served.stop(Signal::TERM).code(), Some(0));
    assert_eq!(status(&world).status.code(), Some(1));
}
