//! What gave everything away, or lost it, at the original's own server, tried at ours with the original's own client.

use crate::convection_world::{ALL, World};
use crate::home::Done;
use crate::served::after;
use serde_json::{Value, json};

#[track_caller]
fn worked(done: &Done) {
    assert!(done.code == Some(0) && done.out.starts_with("Result: Success\n"), "{done:?}");
}

#[track_caller]
fn failed(done: &Done) {
    assert!(done.code == Some(1) && done.out.starts_with("Result: Failure\n"), "{done:?}");
}

/// A store with a secret.
fn store(world: &World, name: &str) {
    let create = ["create_store", "--store-name", name, "--keyset-name", "keys", "--store-type", "generic"];
    worked(&world.by("root", &create));
    let secret = ["create_secret", "--store-name", name, "--store-arg", "secret_name=a", "secret_value=kept"];
    worked(&world.by("root", &secret));
}

fn secret_of(world: &World, who: &str, store: &str) -> Done {
    world.by(who, &["get_secret", "--store-name", store, "--store-arg", "secret_name=a"])
}

/// Rows 9, 10, 11, 14 and 15: a right to one store was a right to every command that named it, and to every store.
#[test]
fn whoever_has_one_store_gets_no_further_with_the_originals_library() {
    let Some(mut world) = World::ours(ALL) else { return };
    world.ready();
    worked(&world.by("root", &["create_keyset", "--keyset-name", "keys"]));
    for name in ["own", "web"] {
        store(&world, name);
    }
    let public = format!("@{}", world.home.join("ann.pub").display());
    let made = world.by("root", &["create_user", "--user-name", "ann", "--public-key", &public]).ok();
    let id = after(&made, "Access Key ID: ");
    let own = ["--access-mode", "rwmd", "--store-path", "^own$", "--secret-name", "^.*$"];
    let acl = ["create_acl", "--acl-name", "own", "--acl-type", "ACLStore", "--mode", "allow"];
    worked(&world.by("root", &[&acl[..], &own].concat()));
    let attach = ["attach_acl", "--acl-name", "own", "--attach-type", "user", "--attach-name", "ann"];
    worked(&world.by("root", &attach));

    let key = std::fs::read_to_string(world.home.join("ann.key")).unwrap();
    let ask = |command: &str, mut fields: Value, beside: &str| {
        fields[beside] = json!("own");
        ("command", json!({ "command": command, "data": fields }))
    };
    let secret = json!({ "store_name": "web", "store_args": { "secret_name": "a" } });
    let attach = json!({ "acl_name": "own", "attach_type": "user", "attach_name": "root" });
    let done = world.by_library(&[
        ("authorize", json!({ "access_key_id": id, "private_key": key })),
        ask("create_keyset", json!({ "keyset_name": "mine" }), "store_name"),
        ask("create_group", json!({ "group_name": "mine" }), "store_name"),
        ask("attach_acl", attach, "store_name"),
        ask("get_secret", secret.clone(), "store_path"),
        ask("destroy_secret", secret, "store_path"),
        ask("audit_user", json!({ "user_name": "root" }), "store_name"),
        ("list_stores", json!({})),
        ("get_secret", json!({ "store_name": "own", "store_args": { "secret_name": "a" } })),
    ]);
    assert_eq!(done[0]["ok"], json!(true), "{}", done[0]);
    for refused in &done[1..7] {
        // the client itself may refuse what it does not know
        let state = &refused["ok"]["result"]["state"];
        assert!(*state == json!(false) || refused["error"].is_string(), "{refused}");
    }
    assert_eq!(done[7]["ok"], json!(["own"]));
    assert_eq!(done[8]["ok"], json!("kept"));
    let keysets = world.by("root", &["list_keysets"]).ok();
    let groups = world.by("root", &["list_groups"]).ok();
    assert!(!keysets.contains("mine") && !groups.contains("mine"), "{keysets}{groups}");
    assert!(secret_of(&world, "root", "web").ok().contains("kept"));
    // an access key's id without its token tells nothing of what its user may do
    let bare = world
        .by_library(&[("command", json!({ "command": "command_list", "data": { "access_key_id": id } }))]);
    let told = bare[0]["ok"]["commands"].as_array().unwrap();
    assert!(!told.contains(&json!("get_secret")) && !told.contains(&json!("list_stores")), "{told:?}");
}

/// Rows 18 to 23: names were paths, and a keyset in use was lost when it was rotated.
#[test]
fn what_lost_data_there_loses_none_with_the_originals_client() {
    let Some(mut world) = World::ours(ALL) else { return };
    world.ready();
    worked(&world.by("root", &["create_keyset", "--keyset-name", "keys"]));
    store(&world, "web");
    for name in ["/root.key", "/auth.db", "secrets/web", "../web", "web/"] {
        let create =
            ["create_store", "--store-name", name, "--keyset-name", "keys", "--store-type", "generic"];
        failed(&world.by("root", &create));
        failed(&world.by("root", &["create_keyset", "--keyset-name", name]));
    }
    worked(&world.by("root", &["rotate_keyset", "--keyset-name", "keys"]));
    assert!(secret_of(&world, "root", "web").ok().contains("kept"));
    // half a list, null, a number: what ended the listener is answered, and the next is served
    for args in ["[1, 2]", "{\"secret_name\": null}", "{\"secret_name\": 5}"] {
        let done = world.by("root", &["get_secret", "--store-name", "web", "--store-arg", args]);
        assert_ne!(done.code, Some(0), "{done:?}");
    }
    worked(&world.by("root", &["lock"]));
    worked(&world.unlock(&world.keys[2]));
    world.by("root", &["authorize"]).ok();
    assert!(secret_of(&world, "root", "web").ok().contains("kept"));
    assert_eq!(world.by("root", &["list_stores"]).ok(), "Secrets Stores:\n\tweb\n");
}
