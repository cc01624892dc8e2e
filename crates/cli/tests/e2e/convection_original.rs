//! The original's own client, unmodified, lives its whole life at our door. The same life is lived at the original's own
//! server, which shows that what is asked for here is what the original does, wherever it works.

use crate::convection_world::{ALL, World};
use crate::home::Done;
use crate::served::after;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn the_originals_client_lives_its_whole_life_at_our_door() {
    let Some(mut world) = World::ours(ALL) else { return };
    life(&mut world);
    assert_eq!(world.served().client().health().status, 200);
}

#[test]
fn the_same_life_is_what_the_original_does_where_it_works() {
    let Some(mut world) = World::theirs() else { return };
    life(&mut world);
}

/// Every command of the client; where the original is known to be wrong, only ours is asked.
fn life(world: &mut World) {
    beginnings(world);
    authorisation(world);
    people(world);
    rights(world);
    keysets(world);
    secrets(world);
    passwords(world);
    if world.is_ours() {
        long_answers(world);
        generators(world);
        certificates(world);
    }
    protected(world);
    rotations(world);
}

/// What the client printed about a command that succeeded: the JSON below its first lines, or nothing.
#[track_caller]
fn success(done: Done) -> Value {
    assert!(done.out.starts_with("Result: Success\n"), "{done:?}");
    let text = done.ok();
    text.find("\n{").map_or(Value::Null, |at| serde_json::from_str(&text[at..]).unwrap())
}

/// A command that was refused: the messages below its first lines.
#[track_caller]
fn failure(done: &Done) -> String {
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.starts_with("Result: Failure\n"), "{done:?}");
    done.out["Result: Failure\n".len()..].to_owned()
}

/// Status, initialisation by the original's server console, wrong and right keys.
fn beginnings(world: &mut World) {
    assert_eq!(world.client(&["status"]).ok(), "Initialized: No\nUnlocked: No\n");
    world.initialise();
    assert_eq!(world.client(&["status"]).ok(), "Initialized: Yes\nUnlocked: No\n");
    for wrong in ["nonsense", "", &"A".repeat(43)] {
        failure(&world.unlock(wrong));
    }
    if world.is_ours() {
        // the original takes what begins with a key for that key
        failure(&world.unlock(&format!("{}x", world.keys[0])));
    }
    assert!(!world.by("root", &["authorize"]).out.contains("Authorization Success"));
    success(world.unlock(&world.keys[1]));
    assert_eq!(world.client(&["status"]).ok(), "Initialized: Yes\nUnlocked: Yes\n");
    failure(&world.unlock(&world.keys[0]));
}

/// With an AuthFile and without.
fn authorisation(world: &World) {
    let key = world.home.join("root.key").display().to_string();
    let bare = ["authorize", "--access-key-id", &world.root, "--private-key", &key, "--expire-time", "5m"];
    let said = world.client(&bare).ok();
    assert!(said.starts_with("Authorization Success\n"), "{said}");
    let token = after(&said, "AuthToken: ");
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let given = ["--access-key-id", &world.root, "--auth-token", &token];
    let listed = world.client(&[&["list_users"][..], &given].concat()).ok();
    assert_eq!(listed, "Users:\n\troot\n");
    assert_eq!(world.client(&[&["deauth"][..], &given].concat()).ok(), "Deauthorized\n");
    assert_ne!(world.client(&[&["list_users"][..], &given].concat()).code, Some(0));

    let said = world.by("root", &["authorize"]).ok();
    assert!(said.starts_with("Authorization Success\nWrote Auth Token to "), "{said}");
    let file = world.auth_file("root");
    assert!(std::fs::read_to_string(&file).unwrap().contains("auth_token = "));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.by("root", &["list_users"]).ok(), "Users:\n\troot\n");

    // by another's key, the challenge cannot be opened
    let ann = world.home.join("ann.key").display().to_string();
    if world.is_ours() {
        let wrong = ["authorize", "--access-key-id", &world.root, "--private-key", &ann];
        assert_ne!(world.client(&wrong).code, Some(0));
        let unknown = ["authorize", "--access-key-id", &"0".repeat(32), "--private-key", &key];
        assert_ne!(world.client(&unknown).code, Some(0));
    }
    // it asks without its token, and finds its AuthFile only by the usual name
    std::fs::copy(&file, world.home.join("convection-secrets.auth.toml")).unwrap();
    let listed = world.client(&["command_list"]).ok();
    assert!(listed.starts_with("Commands:\n\t"), "{listed}");
    std::fs::remove_file(world.home.join("convection-secrets.auth.toml")).unwrap();
}

/// Users and groups.
fn people(world: &World) {
    let public = format!("@{}", world.home.join("ann.pub").display());
    let create = ["create_user", "--user-name", "ann", "--public-key", &public];
    let said = world.by("root", &create).ok();
    assert!(said.starts_with("Created User 'ann'\n"), "{said}");
    world.write_auth_file("ann", &after(&said, "Access Key ID: "));
    success(world.by("root", &["create_group", "--group-name", "devs"]));
    failure(&world.by("root", &["create_group", "--group-name", "devs"]));
    success(world.by("root", &["attach_group", "--group-name", "devs", "--user-name", "ann"]));
    let audit = success(world.by("root", &["audit_group", "--group-name", "devs"]));
    assert_eq!(audit["devs"]["users"], json!(["ann"]), "{audit}");
    assert_eq!(world.by("root", &["list_groups"]).ok(), "Groups:\n\tdevs\n");
    let audit = success(world.by("root", &["audit_user", "--user-name", "ann"]));
    assert_eq!(audit["ann"]["groups"], json!(["devs"]), "{audit}");
    assert_eq!(audit["ann"]["access-key-count"], json!(1), "{audit}");
    failure(&world.by("root", &["audit_user", "--user-name", "nobody"]));
    // nothing is allowed yet: at the original not even this, at ours nothing with the token
    let authorised = world.by("ann", &["authorize"]);
    assert_eq!(authorised.code == Some(0), world.is_ours(), "{authorised:?}");
    assert_ne!(world.by("ann", &["list_users"]).code, Some(0));
}

/// ACLs of all three types, attached to users and groups.
fn rights(world: &World) {
    let acl = |name: &str, kind: &str, mode: &str, access: &str, more: &[&str]| {
        let head = ["create_acl", "--acl-name", name, "--acl-type", kind, "--mode", mode];
        world.by("root", &[&head[..], &["--access-mode", access], more].concat())
    };
    let commands = ["--command", "^(authorize|deauth|command_list|get_secret|list_secrets)$"];
    success(acl("reading", "ACLCommand", "allow", "r", &commands));
    let web = ["--store-path", "^web$", "--secret-name", "^.*$"];
    success(acl("web", "ACLStore", "allow", "r", &web));
    success(acl("nothing", "ACLObject", "deny", "d", &[]));
    failure(&acl("web", "ACLStore", "allow", "r", &web));
    failure(&acl("what", "ACLWhat", "allow", "r", &[]));
    let listed = world.by("root", &["list_acls"]).ok();
    // root's own rights are ACLs at the original, and no more than root's at ours
    for name in ["reading", "web", "nothing"] {
        assert!(listed.contains(&format!("\t{name}\n")), "{listed}");
    }
    let audit = success(world.by("root", &["audit_acl", "--acl-name", "web"]));
    assert_eq!(audit["web"]["store_paths"], json!(["^web$"]), "{audit}");
    assert_eq!(audit["web"]["name"], json!("web"), "{audit}");
    let attach = |name: &str, kind: &str, to: &str| {
        world.by("root", &["attach_acl", "--acl-name", name, "--attach-type", kind, "--attach-name", to])
    };
    success(attach("reading", "group", "devs"));
    success(attach("web", "user", "ann"));
    success(attach("nothing", "user", "ann"));
    failure(&attach("missing", "user", "ann"));
    failure(&attach("web", "user", "nobody"));
    // of the three, the one that denies what nobody asked for must not stand in the way
    let detach = ["detach_acl", "--acl-name", "nothing", "--detach-type", "user", "--detach-name", "ann"];
    success(world.by("root", &detach));
    success(world.by("root", &["remove_acl", "--acl-name", "nothing"]));
    assert!(world.by("ann", &["authorize"]).ok().starts_with("Authorization Success\n"));
    failure(&world.by("ann", &["create_group", "--group-name", "mine"]));
}

/// Keysets, made and in use.
fn keysets(world: &World) {
    for name in ["web-keys", "spare"] {
        success(world.by("root", &["create_keyset", "--keyset-name", name]));
    }
    failure(&world.by("root", &["create_keyset", "--keyset-name", "spare"]));
    let listed = world.by("root", &["list_keysets"]).ok();
    assert!(listed.contains("\tweb-keys\n") && listed.contains("\tspare\n"), "{listed}");
    let create = ["create_store", "--store-name", "web", "--keyset-name"];
    success(world.by("root", &[&create[..], &["web-keys", "--store-type", "generic"]].concat()));
    failure(&world.by("root", &[&create[..], &["web-keys", "--store-type", "generic"]].concat()));
    let other = ["create_store", "--store-name", "other", "--keyset-name"];
    failure(&world.by("root", &[&other[..], &["missing", "--store-type", "generic"]].concat()));
    failure(&world.by("root", &[&other[..], &["web-keys", "--store-type", "what"]].concat()));
    failure(&world.by("root", &["remove_keyset", "--keyset-name", "web-keys"]));
    success(world.by("root", &["remove_keyset", "--keyset-name", "spare"]));
    assert!(!world.by("root", &["list_keysets"]).ok().contains("\tspare\n"));
    assert_eq!(world.by("root", &["list_stores"]).ok(), "Secrets Stores:\n\tweb\n");
    let types = world.by("root", &["list_store_types"]).ok();
    assert!(types.contains("\tgeneric\n") && types.contains("\tpassdb\n"), "{types}");
}

/// A generic secret's life, and what ann may.
fn secrets(world: &World) {
    let web = |who: &str, command: &str, arguments: &[&str]| {
        let args = [&[command, "--store-name", "web", "--store-arg"][..], arguments].concat();
        world.by(who, &args)
    };
    success(web("root", "create_secret", &["secret_name=db", "secret_value=one"]));
    failure(&web("root", "create_secret", &["secret_name=db", "secret_value=two"]));
    let document = r#"{"secret_name": "doc", "secret_value": {"a": [1, 2], "b": "\u00fc"}}"#;
    success(web("root", "create_secret", &[document]));
    assert_eq!(success(web("root", "get_secret", &["secret_name=db"]))["secret"], "one");
    let document = success(web("root", "get_secret", &["secret_name=doc"]));
    assert_eq!(document["secret"], json!({"a": [1, 2], "b": "\u{fc}"}));
    success(web("root", "update_secret", &["secret_name=db", "secret_value=two"]));
    assert_eq!(success(web("ann", "get_secret", &["secret_name=db"]))["secret"], "two");
    failure(&web("ann", "update_secret", &["secret_name=db", "secret_value=mine"]));
    failure(&web("root", "get_secret", &["secret_name=missing"]));
    failure(&web("root", "update_secret", &["secret_name=missing", "secret_value=x"]));
    let listed = success(world.by("root", &["list_secrets", "--store-name", "web"]));
    assert_eq!((&listed["secrets"], &listed["store"]), (&json!(["db", "doc"]), &json!("web")));
    success(web("root", "destroy_secret", &["secret_name=doc"]));
    failure(&web("root", "get_secret", &["secret_name=doc"]));
    let info = success(world.by("root", &["store_info", "--store-name", "web"]));
    assert_eq!(info["keyset"], "web-keys");
    assert_eq!(info["stats"]["secret_count"], 1, "{info}");
    assert_eq!(info["metadata"]["plugin"]["type"].as_str().map(str::to_lowercase).as_deref(), Some("secret"));
    success(world.by("root", &["store_config", "--store-name", "web"]));
    failure(&world.by("root", &["get_secret", "--store-name", "nowhere", "--store-arg", "secret_name=db"]));
}

/// The generator.
fn passwords(world: &World) {
    let create =
        ["create_store", "--store-name", "pw", "--keyset-name", "web-keys", "--store-type", "passdb"];
    success(world.by("root", &create));
    let pw = |command: &str, arguments: &[&str]| {
        world.by("root", &[&[command, "--store-name", "pw", "--store-arg"][..], arguments].concat())
    };
    success(pw("create_secret", &["secret_name=given", "secret_value=by-hand"]));
    assert_eq!(success(pw("get_secret", &["secret_name=given"]))["secret"], "by-hand");
    success(pw(
        "create_secret",
        &[r#"{"secret_name": "made", "length": 24, "value_type": "ascii_letters"}"#],
    ));
    let made = success(pw("get_secret", &["secret_name=made"]))["secret"].as_str().unwrap().to_owned();
    assert!(made.len() == 24 && made.bytes().all(|byte| byte.is_ascii_alphabetic()), "{made}");
    success(pw("destroy_secret", &["secret_name=given"]));
    success(world.by("root", &["remove_store", "--store-name", "pw"]));
    failure(&world.by("root", &["remove_store", "--store-name", "pw"]));
    assert_eq!(world.by("root", &["list_stores"]).ok(), "Secrets Stores:\n\tweb\n");
}

/// The original's server dies of a request this long. What its client cannot read in one answer it gets in pieces.
fn long_answers(world: &World) {
    let value: String = (b'a'..=b'z').cycle().take(3_000).map(char::from).collect();
    let web = |command: &str, arguments: &[&str]| {
        world.by("root", &[&[command, "--store-name", "web", "--store-arg"][..], arguments].concat())
    };
    success(web("create_secret", &["secret_name=long", &format!("secret_value={value}")]));
    let cut = web("get_secret", &["secret_name=long"]);
    assert!(cut.code == Some(1) && cut.err.contains("JSONDecodeError"), "{cut:?}");
    let mut got = String::new();
    while got.len() < value.len() {
        let offset = format!("offset={}", got.len());
        let piece = success(web("get_secret", &["secret_name=long", &offset, "length=800"]));
        assert_eq!(piece["total"], 3_000, "{piece}");
        got.push_str(piece["secret"].as_str().unwrap());
    }
    assert_eq!(got, value);
    let page = success(web("list_secrets", &["limit=1"]));
    assert_eq!((&page["secrets"], &page["next"]), (&json!(["db"]), &json!("db")));
    let page = success(web("list_secrets", &["after=db"]));
    assert_eq!((&page["secrets"], &page["next"]), (&json!(["long"]), &Value::Null));
    success(web("destroy_secret", &["secret_name=long"]));
}

/// What the original's generator makes of a store's configuration is not what it says; ours is.
fn generators(world: &World) {
    let create =
        ["create_store", "--store-name", "pins", "--keyset-name", "web-keys", "--store-type", "passdb"];
    success(world.by("root", &[&create[..], &["--store-arg", "length=31", "value_type=digits"]].concat()));
    let pins = |command: &str, arguments: &[&str]| {
        world.by("root", &[&[command, "--store-name", "pins", "--store-arg"][..], arguments].concat())
    };
    for (name, more, length) in [("usual", "", 31), ("short", "length=9", 9)] {
        let name = format!("secret_name={name}");
        let arguments: Vec<&str> = [&*name, more].into_iter().filter(|word| !word.is_empty()).collect();
        success(pins("create_secret", &arguments));
        let made = success(pins("get_secret", &[&name]))["secret"].as_str().unwrap().to_owned();
        assert!(made.len() == length && made.bytes().all(|byte| byte.is_ascii_digit()), "{made}");
    }
    success(world.by("root", &["remove_store", "--store-name", "pins"]));
}

/// The two types that the original never had, by the same client.
fn certificates(world: &World) {
    for (store, kind) in [("keys", "rsa"), ("certs", "X509_Secret")] {
        let create =
            ["create_store", "--store-name", store, "--keyset-name", "web-keys", "--store-type", kind];
        success(world.by("root", &create));
    }
    let ask = |command: &str, store: &str, arguments: &[&str]| {
        world.by("root", &[&[command, "--store-name", store, "--store-arg"][..], arguments].concat())
    };
    success(ask("create_secret", "keys", &["secret_name=signing"]));
    let public = success(ask("get_secret", "keys", &["secret_name=signing", "part=public"]));
    assert!(public["secret"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"), "{public}");
    success(ask("create_secret", "certs", &["secret_name=www", "common_name=www.example.org"]));
    let certificate = success(ask("get_secret", "certs", &["secret_name=www", "part=certificate"]));
    assert!(certificate["secret"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"));
    for store in ["keys", "certs"] {
        success(world.by("root", &["remove_store", "--store-name", store]));
    }
}

/// What cannot be removed, and what can.
fn protected(world: &World) {
    failure(&world.by("root", &["remove_access", "--user-name", "root"]));
    let only = ["remove_access", "--user-name", "root", "--remove-access-key-id", &world.root];
    failure(&world.by("root", &only));
    failure(&world.by("root", &["remove_keyset", "--keyset-name", "authdb"]));
    failure(&world.by("root", &["remove_store", "--store-name", "authdb"]));
    success(world.by("root", &["detach_group", "--group-name", "devs", "--user-name", "ann"]));
    success(world.by("root", &["remove_group", "--group-name", "devs"]));
    let detach = ["detach_acl", "--acl-name", "web", "--detach-type", "user", "--detach-name", "ann"];
    success(world.by("root", &detach));
    success(world.by("root", &["remove_access", "--user-name", "ann"]));
    assert_eq!(world.by("root", &["list_users"]).ok(), "Users:\n\troot\n");
    assert_ne!(world.by("ann", &["get_secret", "--store-name", "web"]).code, Some(0));
}

/// Keysets and the root key; old and new unlock keys; locked, and out.
fn rotations(world: &mut World) {
    let get = ["get_secret", "--store-name", "web", "--store-arg", "secret_name=db"];
    if world.is_ours() {
        // the original's keyset cannot be rotated once a store uses it
        success(world.by("root", &["rotate_keyset", "--keyset-name", "web-keys"]));
        assert_eq!(success(world.by("root", &get))["secret"], "two");
    }
    let said = world.by("root", &["rotate_root_keys"]);
    let new: Vec<String> = serde_json::from_value(success(said)["keys"].clone()).unwrap();
    assert_eq!(new.len(), 5);
    assert!(new.iter().all(|key| !world.keys.contains(key)));
    assert_eq!(world.client(&["status"]).ok(), "Initialized: Yes\nUnlocked: No\n");
    let old = world.keys[0].clone();
    if world.is_ours() {
        // the old ones open until a new one has been seen to open
        success(world.unlock(&old));
        world.by("root", &["authorize"]).ok();
        success(world.by("root", &["lock"]));
    }
    success(world.unlock(&new[4]));
    world.by("root", &["authorize"]).ok();
    assert_eq!(success(world.by("root", &get))["secret"], "two");
    success(world.by("root", &["lock"]));
    failure(&world.unlock(&old));
    assert_ne!(world.by("root", &get).code, Some(0));
    success(world.unlock(&new[0]));
    world.by("root", &["authorize"]).ok();
    world.keys = new;
    let said = world.by("root", &["deauth"]).ok();
    assert!(said.starts_with("Deauthorized\nRemoved Auth Token from "), "{said}");
    assert!(!std::fs::read_to_string(world.auth_file("root")).unwrap().contains("auth_token"));
    assert_ne!(world.by("root", &["list_users"]).code, Some(0));
}
