//! Users, groups and ACLs, as an administrator and a user at a shell meet them.

use crate::home::{Done, Home};
use crate::shared::World;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use strongroom_crypto::{PrivateKey, generate_ed25519_pkcs8, private_key_pem, public_key_pem};

const PASSWORD: &str = "a password of ann's\n";

/// A user at a shell of their own.
struct Person {
    home: Home,
    address: String,
    authority: String,
}

impl Person {
    /// Somebody with a fresh key pair, known to nobody.
    fn new(world: &World) -> Self {
        let home = Home::new();
        let pem = private_key_pem(&generate_ed25519_pkcs8().unwrap());
        let public = public_key_pem(&PrivateKey::from_pem(&pem).unwrap().public_key().unwrap());
        home.file("key.pem", pem.expose(<[u8]>::to_vec));
        home.file("key.pub", public);
        home.file("password", PASSWORD);
        let authority = world.served.authority.to_str().unwrap().to_owned();
        Self { home, address: world.served.address.clone(), authority }
    }

    fn public_key(&self) -> String {
        self.home.join("key.pub").to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let place = ["--address", &self.address, "--cacert", &self.authority];
        self.home.run(&[arguments, &place].concat())
    }

    fn login(&self, key: &str) -> Done {
        self.run(&["login", "--access-key-id", key, "--key", "key.pem", "--output", "json"])
    }
}

/// Ann, whom the world's root made, with her access key's id.
fn ann(world: &World) -> (Person, String) {
    let ann = Person::new(world);
    let made =
        world.home.run(&["user", "create", "ann", "--public-key", &ann.public_key(), "--output", "json"]);
    let id = made.json()["access_key_id"].as_str().unwrap().to_owned();
    (ann, id)
}

#[test]
fn a_user_is_made_given_rights_and_loses_them() {
    let world = World::new();
    let store = world.store("team");
    let root = &world.home;
    let (ann, id) = ann(&world);
    let token = ann.login(&id).json()["token_file"].as_str().unwrap().to_owned();
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(ann.run(&["whoami"]).ok().contains("ann"));
    assert!(ann.run(&["secret", "get", "team", "keep"]).refused().contains("secret.get"));
    root.run(&["group", "create", "devs"]).ok();
    root.run(&["group", "add", "devs", "ann"]).ok();
    root.run(&["acl", "create", "team-read", "--allow", "--access", "r", "--store", "team"]).ok();
    root.run(&["acl", "attach", "team-read", "--group", "devs"]).ok();
    assert!(ann.run(&["secret", "get", "team", "keep"]).ok().contains("kept"));
    assert!(root.run(&["group", "show", "devs"]).ok().contains("ann"));
    assert!(root.run(&["acl", "list"]).ok().contains("team-read"));
    root.run(&["acl", "remove", "team-read"]).refused();
    root.run(&["acl", "remove", "team-read", "--force"]).ok();
    ann.run(&["secret", "get", "team", "keep"]).refused();
    let listed = root.run(&["user", "list", "--output", "json"]).json();
    let names: Vec<_> = listed["users"].as_array().unwrap().iter().map(|user| &user["name"]).collect();
    assert_eq!(names, ["ann", "root"]);
    root.run(&["user", "disable", "ann"]).ok();
    ann.run(&["whoami"]).refused();
    ann.login(&id).refused();
    root.run(&["user", "enable", "ann"]).ok();
    ann.run(&["whoami"]).refused();
    ann.login(&id).ok();
    ann.run(&["deauth"]).ok();
    assert!(!std::path::Path::new(&token).exists(), "deauth erases it");
    root.run(&["user", "remove", "ann", "--yes"]).ok();
    ann.login(&id).refused();
    assert!(root.run(&["user", "remove", "root", "--yes"]).refused().contains("protected"));
    store.unharmed(&[]);
}

#[test]
fn passwords_and_keys_of_ones_own() {
    let world = World::new();
    let store = world.store("own");
    let (ann, id) = ann(&world);
    ann.login(&id).ok();
    ann.run(&["password", "set", "--password-file", "password"]).ok();
    let by_password = ["login", "--user", "ann", "--password-file", "password"];
    ann.run(&by_password).ok();
    assert!(ann.run(&["token", "show"]).ok().contains("password"));
    let listed = ann.run(&["token", "list", "--output", "json"]).json();
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2);
    let other = Person::new(&world);
    let file = other.public_key();
    let add = ["access-key", "add", &file, "--output", "json"];
    assert!(ann.run(&add).refused().contains("present password"), "a password's session gets no key");
    let added = ann.run(&[&add[..], &["--present-file", "password"]].concat()).json();
    other.login(added["id"].as_str().unwrap()).ok();
    ann.run(&["access-key", "remove", added["id"].as_str().unwrap()]).ok();
    other.run(&["whoami"]).refused();
    ann.home.file("password", "not ann's password\n");
    ann.run(&by_password).refused();
    let stray = ann.run(&["password", "set", "hunter2hunter2"]);
    assert!(stray.code == Some(2) && !stray.err.contains("hunter2"), "{stray:?}");
    let revoked = listed["tokens"][1]["accessor"].as_str().unwrap();
    ann.run(&["token", "revoke", revoked]).ok();
    ann.run(&["whoami"]).refused();
    store.unharmed(&[]);
}

#[test]
fn guesses_are_told_to_wait_and_names_are_not_told() {
    let world = World::new();
    let store = world.store("guesses");
    world
        .client()
        .post("/users", json!({ "name": "bob", "password": "bob's own password" }).to_string())
        .ok();
    let client = world.served.client();
    let guess = |user: &str| {
        let body = json!({ "user": user, "password": "wrong wrong wrong" });
        client.post("/auth/login", body.to_string())
    };
    let (known, unknown) = (guess("bob"), guess("nobody"));
    known.is(401, "unauthenticated");
    unknown.is(401, "unauthenticated");
    assert_eq!(known.json()["detail"], unknown.json()["detail"]);
    let throttled = (0..12).map(|_| guess("nobody")).find(|answer| answer.status == 429).unwrap();
    throttled.is(429, "too_many_requests");
    assert!(throttled.header("retry-after").is_some_and(|wait| wait.parse::<u64>().unwrap() >= 1));
    store.unharmed(&[]);
}

#[test]
fn bad_input_about_people_is_told_and_changes_nothing() {
    let world = World::new();
    let store = world.store("bad");
    let client = world.client();
    let before = client.get("/users").ok();
    let rule = |rule: Value| json!({ "name": "a", "rule": rule }).to_string();
    for (path, body, status, code) in [
        ("/users", json!({ "name": "e\u{301}" }).to_string(), 400, "invalid_name"),
        ("/users", json!({ "name": "../x" }).to_string(), 400, "invalid_name"),
        ("/users", json!({ "name": "root" }).to_string(), 409, "protected_user"),
        ("/users", json!({ "name": "recovery" }).to_string(), 409, "protected_user"),
        ("/users", json!({ "name": "x", "public_key": "hello" }).to_string(), 400, "invalid_key"),
        ("/users", json!({ "name": "x", "password": "short" }).to_string(), 400, "invalid_request"),
        ("/users", json!({ "name": "x", "admin": true }).to_string(), 400, "invalid_request"),
        (
            "/acls",
            rule(json!({ "mode": "allow", "access": "r", "covers": "stores", "stores": ["(a)\\1"] })),
            400,
            "invalid_acl",
        ),
        ("/acls", rule(json!({ "mode": "allow", "access": "r", "covers": "stores" })), 400, "invalid_acl"),
        ("/acls", rule(json!({ "mode": "allow", "access": "", "covers": "everything" })), 400, "invalid_acl"),
        (
            "/acls",
            rule(json!({ "mode": "deny", "access": "r", "covers": "commands", "commands": ["no.such"] })),
            400,
            "invalid_acl",
        ),
    ] {
        client.post(path, body).is(status, code);
    }
    client.put("/users/root", json!({ "enabled": false }).to_string()).is(409, "protected_user");
    client.delete("/users/root").is(409, "protected_user");
    client.put("/users/nobody/acls/nothing", "").is(404, "not_found");
    client.get("/users?cursor=forged").is(400, "invalid_request");
    assert_eq!(client.get("/users").ok(), before);
    store.unharmed(&[]);
}
