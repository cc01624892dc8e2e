//! Who may do what, from outside: the original's escalations, and asking why.

use crate::client::{Client, Wire};
use crate::shared::World;
use rustix::net::RecvFlags;
use serde_json::{Value, json};
use std::io::Write as _;
use std::os::unix::net::UnixStream;

const PASSWORD: &str = "correct horse battery staple";

/// Makes a user with a password, and logs in.
fn log_in(world: &World, user: &str) -> Client {
    let root = world.client();
    root.post("/users", json!({ "name": user, "password": PASSWORD }).to_string()).ok();
    let body = json!({ "user": user, "password": PASSWORD }).to_string();
    let granted = world.served.client().post("/auth/login", body).ok();
    world.served.client().with_token(granted["token"].as_str().unwrap())
}

/// Makes an ACL and attaches it to a user.
fn give(world: &World, user: &str, acl: &str, rule: &Value) {
    let root = world.client();
    root.post("/acls", json!({ "name": acl, "rule": rule }).to_string()).ok();
    root.put(&format!("/users/{user}/acls/{acl}"), b"").ok();
}

fn stores(access: &str, stores: &str, secrets: &str) -> Value {
    json!({ "mode": "allow", "access": access, "covers": "stores", "stores": [stores], "secrets": [secrets] })
}

fn commands(access: &str, pattern: &str) -> Value {
    json!({ "mode": "allow", "access": access, "covers": "commands", "commands": [pattern] })
}

/// Row 9 of the reference: with an ACL of one store, naming that store opened every command.
#[test]
fn a_store_acl_is_no_way_to_any_command() {
    let world = World::shared();
    let store = world.store("nine");
    let mallory = log_in(&world, "mallory-nine");
    give(&world, "mallory-nine", "only-nine", &stores("rwmd", "nine", ".*"));
    mallory.get(&store.path("keep")).ok();
    mallory.put(&store.path("own"), r#"{"value":1}"#).ok();
    let everything = json!({ "mode": "allow", "access": "rwmd", "covers": "everything" });
    let acl = json!({ "name": "all", "rule": everything }).to_string();
    for (path, body) in [
        ("/keysets", r#"{"name":"mine"}"#),
        ("/stores", r#"{"name":"nine2"}"#),
        ("/users", r#"{"name":"friend"}"#),
        ("/groups", r#"{"name":"nine"}"#),
        ("/acls", &acl),
        ("/lock", ""),
        ("/audit/checkpoint", ""),
    ] {
        mallory.post(path, body).is(403, "refused");
        // the name of the store in the body, in the query: a field is a field, and no name for the rules
        let mut named: serde_json::Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
        named.extend([("store_name".to_owned(), json!("nine")), ("store".to_owned(), json!("nine"))]);
        let named = Value::Object(named).to_string();
        assert!(matches!(mallory.post(path, named).status, 400 | 403), "{path}");
        assert!(matches!(mallory.post(&format!("{path}?store=nine"), body).status, 400 | 403), "{path}");
    }
    mallory.put("/users/mallory-nine/acls/only-nine", b"").is(403, "refused");
    mallory.delete("/stores/nine").is(403, "refused");
    mallory.get("/keysets").is(403, "refused");
    mallory.get("/users").is(403, "refused");
    store.unharmed(&["own"]);
}

/// Row 10: with an ACL of the command, every store was open.
#[test]
fn a_command_acl_is_no_way_into_any_store() {
    let world = World::shared();
    let store = world.store("ten");
    let mallory = log_in(&world, "mallory-ten");
    give(&world, "mallory-ten", "all-commands", &commands("rwmd", "secret.*|store\\.(read|list)"));
    give(&world, "mallory-ten", "one-secret", &stores("r", "ten", "other"));
    for answer in [
        mallory.get(&store.path("keep")),
        mallory.put(&store.path("keep"), r#"{"value":1}"#),
        mallory.delete(&store.path("keep")),
        mallory.get("/stores/ten/metadata/keep"),
    ] {
        answer.is(403, "refused");
    }
    // whether a secret or a store exists is not told
    let there = mallory.get(&store.path("keep")).json()["detail"].to_string().replace("keep", "X");
    let not = mallory.get(&store.path("nope")).json()["detail"].to_string().replace("nope", "X");
    assert_eq!(there, not);
    mallory.get("/stores/nowhere/secrets/keep").is(403, "refused");
    assert_eq!(mallory.get("/stores/ten/secrets").ok()["secrets"], json!([]));
    store.unharmed(&[]);
}

/// Row 11: a second name in the request went to the check, and the first to the command.
#[test]
fn what_is_checked_is_what_is_used() {
    let world = World::shared();
    let store = world.store("eleven");
    let mallory = log_in(&world, "mallory-eleven");
    give(&world, "mallory-eleven", "all-but", &stores("rwmd", ".*", ".*"));
    let deny = json!({ "mode": "deny", "access": "rwmd", "covers": "stores", "stores": ["eleven"], "secrets": [".*"] });
    give(&world, "mallory-eleven", "not-eleven", &deny);
    let client = world.client();
    client.post("/stores", r#"{"name":"eleven-open"}"#).ok();
    mallory.put("/stores/eleven-open/secrets/keep", r#"{"value":1}"#).ok();
    for path in [
        "/stores/eleven/secrets/keep",
        "/stores/eleven/secrets/keep?store_path=eleven-open",
        "/stores/eleven/secrets/keep?store=eleven-open",
        "/stores/%65leven/secrets/keep",
        "/stores/eleven/secrets/%6Beep",
        "/stores/eleven-open/secrets/../../eleven/secrets/keep",
        "/stores/eleven-open%2F..%2Feleven/secrets/keep",
        "/stores/eleven-open/../eleven/secrets/keep",
    ] {
        let answer = mallory.get(path);
        assert!(matches!(answer.status, 400 | 403 | 404), "{path}: {}", answer.text());
        assert!(!answer.text().contains("kept"), "{path}");
        let body = r#"{"value":"taken","store_path":"eleven-open"}"#;
        let answer = mallory.put(path, body);
        assert!(matches!(answer.status, 400 | 403 | 404), "{path}: {}", answer.text());
    }
    store.unharmed(&[]);
}

/// Row 14: a bare access key id was enough to be told what its user may do.
#[test]
fn without_a_token_nobody_is_told_what_somebody_may_do() {
    let world = World::shared();
    let root = world.client();
    let ann = log_in(&world, "ann-fourteen");
    let key = root.get("/users/root").ok()["access_keys"][0].as_str().unwrap().to_owned();
    let stranger = world.served.client();
    for path in [
        "/explain?action=store.list".to_owned(),
        "/users/root/explain?action=store.list".to_owned(),
        "/who-can?action=store.list".to_owned(),
        "/self".to_owned(),
        format!("/explain?action=store.list&access_key_id={key}"),
    ] {
        stranger.get(&path).is(401, "unauthenticated");
        stranger.with_token(&key).get(&path).is(401, "unauthenticated");
    }
    // and with a token, about oneself only; of others not even whether they exist
    ann.get("/explain?action=store.list").ok();
    ann.get("/users/root/explain?action=store.list").is(403, "refused");
    ann.get("/users/nobody-there/explain?action=store.list").is(403, "refused");
    ann.get("/who-can?action=store.list").is(403, "refused");
}

/// Row 17: names became keys of the reply, and a user named `result` broke it.
#[test]
fn names_are_values_and_never_keys() {
    let world = World::shared();
    let root = world.client();
    for name in ["result", "error", "code", "user", "__proto__", "next", "users"] {
        root.post("/users", json!({ "name": name }).to_string()).ok();
        assert_eq!(root.get(&format!("/users/{name}")).ok()["name"], name);
        let rule = stores("r", "web", ".*");
        root.post("/acls", json!({ "name": name, "rule": rule }).to_string()).ok();
        root.put(&format!("/users/{name}/acls/{name}"), b"").ok();
        let able = root.get("/who-can?action=read&store=web&secret=x").ok();
        let users = able["answers"][0]["users"].as_array().unwrap();
        assert!(users.iter().any(|able| able["user"] == name), "{able}");
        root.delete(&format!("/users/{name}")).ok();
        root.delete(&format!("/acls/{name}")).ok();
    }
}

#[test]
fn explain_tells_which_rule_decides_and_who_can_lists_who() {
    let world = World::shared();
    let store = world.store("explained");
    let ann = log_in(&world, "ann-explains");
    let root = world.client();
    let refusal = ann.get(&store.path("keep"));
    refusal.is(403, "refused");
    let detail = refusal.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("secret.get on 'explained/keep'"), "{detail}");
    root.post("/groups", r#"{"name":"readers"}"#).ok();
    root.post("/acls", json!({ "name": "see", "rule": stores("r", "explained", "k.*") }).to_string()).ok();
    root.put("/groups/readers/acls/see", b"").ok();
    root.put("/groups/readers/members/ann-explains", b"").ok();
    let run = |arguments: &[&str]| {
        world.home.run(&[&["explain"], arguments, &["--output", "json"]].concat()).json()
    };
    let why = run(&["--user", "ann-explains", "read", "explained/keep"]);
    assert_eq!((&why["action"], &why["resource"]), (&json!("secret.get"), &json!("explained/keep")));
    assert_eq!(why["answers"][0]["allowed"], true);
    assert_eq!(why["answers"][0]["rule"], "acl see (group readers)");
    let why = run(&["--user", "ann-explains", "secret.put", "explained/keep"]);
    let answers = why["answers"].as_array().unwrap();
    assert_eq!(answers.iter().map(|one| &one["access"]).collect::<Vec<_>>(), ["w", "m"]);
    assert!(answers.iter().all(|one| one["allowed"] == false && one["rule"] == "no rule allows it"));
    assert_eq!(answers[0]["candidates"][0]["bearing"], "no match: its access lacks this");
    let able = run(&["--who-can", "read", "explained/keep"]);
    let users = able["answers"][0]["users"].as_array().unwrap();
    for (user, rule) in [("ann-explains", "acl see (group readers)"), ("root", "root may do anything")] {
        assert!(users.contains(&json!({ "user": user, "rule": rule })), "{able}");
    }
    let table = world.home.run(&["explain", "read", "explained/keep"]).ok();
    assert!(table.contains("root may do anything"), "{table}");
    assert!(
        ann.get("/explain?action=read&store=explained&secret=keep").ok()["answers"][0]["allowed"] == true
    );
    for bad in ["secret.gett", "write explained", "store.remove explained/keep", "user.create explained"] {
        let words: Vec<&str> = std::iter::once("explain").chain(bad.split(' ')).collect();
        let error = world.home.run(&words).refused();
        assert!(error.contains("asked upon") || error.contains("no action"), "{error}");
    }
}

/// A listing that takes long, and a right that is lost meanwhile.
#[test]
fn a_stream_of_names_ends_with_a_problem_when_the_right_to_it_is_lost() {
    let world = World::new();
    let client = world.client();
    client.post("/stores", r#"{"name":"long"}"#).ok();
    let ann = log_in(&world, "ann");
    give(&world, "ann", "long", &stores("rw", "long", ".*"));
    let name = |at: usize| format!("{at:05}{}", format!("/{}", "x".repeat(249)).repeat(4));
    std::thread::scope(|scope| {
        for part in 0..8 {
            let client = &client;
            scope.spawn(move || {
                let mut wire = client.connect();
                for at in (part..LONG).step_by(8) {
                    let line = format!("PUT /api/v1/stores/long/secrets/{}", name(at));
                    let headers = [("content-type", "application/json")];
                    let answer = wire.ask(&client.request(&line, &headers, br#"{"value":1}"#));
                    assert_eq!(answer.status, 200, "{}", answer.text());
                }
            });
        }
    });
    let mut stream = UnixStream::connect(&world.served.socket).unwrap();
    let line = "GET /api/v1/stores/long/secrets";
    stream.write_all(&ann.request(line, &[("accept", "application/x-ndjson")], b"")).unwrap();
    // it has begun, and cannot go on before it is read
    rustix::net::recv(&stream, &mut [0; 1], RecvFlags::PEEK).unwrap();
    let mut wire = Wire::over(stream);
    client.delete("/users/ann/acls/long").ok();
    let answer = wire.answer().unwrap();
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["code"], &last["status"]), (&json!("refused"), &json!(403)), "{last}");
    assert!(text.lines().count() < LONG, "{}", text.lines().count());
}

/// Names of a kilobyte: more than one piece of the stream, which has a thousand, and one piece is more than fits between the
/// two ends of a local socket.
const LONG: usize = 1_500;
