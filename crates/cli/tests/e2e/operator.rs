//! The production path, by the operator's command line.

use crate::site::Site;
use serde_json::json;

#[test]
fn a_server_goes_from_nothing_to_a_secret_key_by_key() {
    let mut site = Site::bare("");
    assert_eq!(site.state(), "uninitialised");
    let client = site.served().client();
    client.post("/unlock", r#"{"unlock_key":"x"}"#).is(503, "not_initialised");
    client.get("/stores").is(503, "not_initialised");
    site.init("ed25519", &[]);
    assert_eq!((site.state().as_str(), site.keys.len()), ("locked", 5));
    let present = |key: &str| client.post("/unlock", json!({ "unlock_key": key }).to_string());
    assert_eq!(present(&site.keys[0]).ok(), json!({ "done": false, "have": 1, "need": 3 }));
    present(&site.keys[0]).is(400, "repeated_unlock_key");
    present("sruk1-nonsense").is(400, "invalid_key");
    present("").is(400, "invalid_key");
    let mut foreign = Site::bare("");
    foreign.init("ed25519", &[]);
    let stranger = present(&foreign.keys[0]);
    assert!(["foreign_unlock_key", "wrong_unlock_key"].contains(&stranger.json()["code"].as_str().unwrap()));
    let mut damaged = site.keys[1].clone().into_bytes();
    damaged[30] = if damaged[30] == b'x' { b'y' } else { b'x' };
    let damaged = present(std::str::from_utf8(&damaged).unwrap());
    assert_eq!(damaged.status, 400);
    assert!(["invalid_key", "wrong_unlock_key"].contains(&damaged.json()["code"].as_str().unwrap()));
    client.get("/stores").is(503, "locked");
    assert_eq!(present(&site.keys[4]).ok()["have"], 2, "bad keys did not reset the progress");
    assert_eq!(present(&site.keys[2]).ok(), json!({ "done": true, "have": 3, "need": 3 }));
    present(&site.keys[1]).is(409, "conflict");
    assert_eq!(site.state(), "unlocked");
    site.log_in();
    site.run(&["store", "create", "web"]).ok();
    site.put("db/password", "s3cret");
    assert_eq!(site.get("db/password"), "\"s3cret\"");
    site.restart();
    assert_eq!(site.state(), "locked");
    site.unlock();
    assert_eq!(site.get("db/password"), "\"s3cret\"", "a restart ends no token");
}

#[test]
fn initialising_over_the_network_takes_the_one_time_token() {
    let mut site = Site::bare("");
    let client = site.served().client();
    site.key_pair("ed25519");
    let public = std::fs::read_to_string(site.home.join("root.pub")).unwrap();
    let body = json!({ "num_keys": 5, "threshold": 3, "public_key": public }).to_string();
    client.post("/init", &body).is(403, "refused");
    let init = |token: &str, body: &str| {
        let headers = [("x-init-token", token), ("content-type", "application/json")];
        client.send("POST /api/v1/init", &headers, body)
    };
    init("sr.init.0000", &body).is(403, "refused");
    let file = site.home.join("run/init-token");
    let token = std::fs::read_to_string(&file).unwrap();
    for bad in [json!({ "num_keys": 0 }), json!({ "num_keys": 2, "threshold": 3 }), json!({ "threshold": 0 })]
    {
        let mut bad = bad;
        bad["public_key"] = public.clone().into();
        init(&token, &bad.to_string()).is(400, "invalid_request");
    }
    init(&token, &json!({ "public_key": "no key" }).to_string()).is(400, "invalid_key");
    init(&token, &json!({ "public_key": public, "num_keys": 256 }).to_string()).is(400, "invalid_request");
    assert_eq!(site.state(), "uninitialised");
    let address = site.served().address.clone();
    let file = file.display().to_string();
    site.init("ed25519", &["--address", &address, "--init-token-file", &file]);
    site.unlock();
    site.log_in();
    assert_eq!(site.run(&["token", "lookup", "--output", "json"]).json()["user"], "root");
}

#[test]
fn a_second_initialisation_is_refused() {
    let mut site = Site::ready("");
    let keys = site.keys.clone();
    let public = site.home.join("root.pub").display().to_string();
    let done = site.run(&["init", "--public-key", &public, "--yes"]);
    assert!(done.refused().contains("already"), "said why");
    site.restart();
    assert!(site.run(&["init", "--public-key", &public, "--yes"]).refused().contains("already"));
    site.unlock_with(&keys[2..]).ok();
    assert_eq!(site.state(), "unlocked");
}

#[test]
fn root_may_log_in_with_an_rsa_key_of_openssl() {
    let mut site = Site::bare("");
    site.init("rsa", &[]);
    site.unlock();
    site.log_in();
    assert_eq!(site.run(&["token", "lookup", "--output", "json"]).json()["user"], "root");
    site.key_pair("rsa");
    let id = std::fs::read_to_string(site.home.join("root.id")).unwrap();
    let key = site.home.join("root.key").display().to_string();
    let other = site.run(&["login", "--access-key-id", &id, "--key", &key]);
    assert!(other.refused().contains("proof"), "another key proves nothing");
}

#[test]
fn secrets_are_written_listed_searched_versioned_and_deleted() {
    let site = Site::ready("");
    site.run(&["store", "create", "web"]).ok();
    for path in ["db/password", "db/user", "api/key"] {
        site.put(path, path);
    }
    let names = |arguments: &[&str]| -> Vec<String> {
        let lines = site.run(&[arguments, &["--output", "json"]].concat()).ok();
        let paths = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        paths.map(|line| line["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["secret", "list", "web"]), ["api/key", "db/password", "db/user"]);
    assert_eq!(names(&["secret", "list", "web", "--prefix", "db/"]), ["db/password", "db/user"]);
    assert_eq!(names(&["secret", "search", "web", "ser"]), ["db/user"]);
    let put = |cas: &str, value: &str| {
        site.home.feed(&["secret", "put", "web", "db/user", "--cas", cas, "--value", "-"], value)
    };
    assert!(put("0", "x").refused().contains("version"));
    assert!(put("7", "x").refused().contains("version"));
    put("1", "second").ok();
    assert_eq!(site.get("db/user"), "\"second\"");
    assert_eq!(site.run(&["secret", "get", "web", "db/user", "--version", "1", "--raw"]).ok(), "\"db/user\"");
    let metadata = site.run(&["secret", "metadata", "web", "db/user", "--output", "json"]).json();
    assert_eq!((&metadata["version"], metadata["versions"].as_array().unwrap().len()), (&json!(2), 2));
    site.run(&["secret", "remove", "web", "db/user", "--yes"]).ok();
    site.run(&["secret", "get", "web", "db/user"]).refused();
    site.run(&["secret", "remove", "web", "db/user", "--yes"]).refused();
    assert_eq!(names(&["secret", "list", "web"]), ["api/key", "db/password"]);
    put("0", "new life").ok();
    assert_eq!(site.get("db/user"), "\"new life\"");
    site.run(&["store", "remove", "web", "--yes"]).ok();
    site.run(&["secret", "get", "web", "db/password"]).refused();
    site.run(&["store", "create", "web"]).ok();
    assert!(names(&["secret", "list", "web"]).is_empty(), "a store of the same name begins empty");
}

#[test]
fn rotating_the_root_retires_the_old_unlock_keys_only_when_the_new_are_presented() {
    let mut site = Site::ready("");
    site.run(&["store", "create", "web"]).ok();
    site.put("kept", "through rotation");
    let old = site.keys.clone();
    let too_few = site.home.feed(&["rotate", "root", "--key-file", "-"], old[..2].join("\n"));
    too_few.refused();
    let rotate =
        ["rotate", "root", "--num-keys", "4", "--threshold", "2", "--key-file", "-", "--output", "json"];
    let begin = || site.home.feed(&rotate, old[1..4].join("\n")).json();
    begin();
    site.run(&["rotate", "root", "--cancel"]).ok();
    let made = begin();
    let new = made["unlock_keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned());
    let new: Vec<String> = new.collect();
    assert_eq!(new.len(), 4);
    assert_eq!(site.run(&["status", "--output", "json"]).json()["rotation_pending"], true);
    site.home.feed(&["rotate", "root", "--confirm", "--key-file", "-"], &new[0]).refused();
    site.restart();
    site.unlock_with(&old[..3]).ok();
    site.home.feed(&["rotate", "root", "--confirm", "--key-file", "-"], new[..2].join("\n")).ok();
    site.restart();
    let refused = site.unlock_with(&old[..3]).refused();
    assert!(refused.contains("set") || refused.contains("wrong"), "{refused}");
    assert_eq!(site.state(), "locked");
    site.unlock_with(&new[2..]).ok();
    assert_eq!(site.get("kept"), "\"through rotation\"");
    assert_eq!(site.run(&["audit", "verify", "--output", "json"]).json()["ok"], true);
}

#[test]
fn locking_ends_every_token() {
    let site = Site::ready("");
    let client = site.client();
    client.get("/auth/token").ok();
    site.run(&["lock"]).ok();
    assert_eq!(site.state(), "locked");
    client.get("/auth/token").is(503, "locked");
    site.unlock();
    client.get("/auth/token").is(401, "unauthenticated");
    site.log_in();
    site.run(&["token", "lookup"]).ok();
}

#[test]
fn auto_unlock_serves_restarts_until_an_operator_locks() {
    let mut site = Site::ready("[unlock.auto]\nkey_file = \"HOME/auto.key\"\n");
    site.home.feed(&["auto-unlock", "add", "--key-file", "-"], site.keys[..2].join("\n")).refused();
    site.home.feed(&["auto-unlock", "add", "--key-file", "-"], site.keys[..3].join("\n")).ok();
    site.restart();
    assert_eq!(site.state(), "unlocked");
    site.run(&["lock"]).ok();
    site.restart();
    assert_eq!(site.state(), "locked", "an operator's lock holds auto-unlock off");
    assert_eq!(site.run(&["status", "--output", "json"]).json()["auto_unlock_held"], true);
    site.unlock();
    site.restart();
    assert_eq!(site.state(), "unlocked", "a manual unlock ends that");
    std::fs::rename(site.home.join("auto.key"), site.home.join("elsewhere")).unwrap();
    site.restart();
    assert_eq!(site.state(), "locked", "without its key the server starts locked");
    site.unlock();
    site.log_in();
    site.run(&["auto-unlock", "remove"]).ok();
    std::fs::rename(site.home.join("elsewhere"), site.home.join("auto.key")).unwrap();
    site.restart();
    assert_eq!(site.state(), "locked", "what was removed unlocks nothing");
}

#[test]
fn the_trail_is_read_exported_verified_and_anchored() {
    let site = Site::ready("");
    site.run(&["store", "create", "web"]).ok();
    let file = |name: &str| site.home.join(name).display().to_string();
    site.run(&["audit", "checkpoint", "--out", &file("anchor")]).ok();
    site.put("a", "1");
    let tail = site.run(&["audit", "tail", "-n", "3", "--output", "json"]).json();
    let actions: Vec<_> = tail["entries"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert!(actions.contains(&&json!("secret.put")), "{tail}");
    let report = site.run(&["audit", "verify", "--against", &file("anchor"), "--output", "json"]).json();
    assert_eq!(report["ok"], true);
    site.run(&["audit", "export", "--out", &file("trail")]).ok();
    let exported = std::fs::read_to_string(site.home.join("trail")).unwrap();
    for (at, line) in exported.lines().enumerate() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["seq"], at + 1, "in order, and without a gap");
    }
    assert!(exported.lines().count() > 5 && !exported.contains("\"1\""));
    let other = Site::ready("");
    other.run(&["audit", "checkpoint", "--out", &file("foreign")]).ok();
    let refused = site.run(&["audit", "verify", "--against", &file("foreign")]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
}

#[test]
fn all_output_for_programs_is_json() {
    let site = Site::ready("");
    site.run(&["store", "create", "web", "--output", "json"]).json();
    let put = ["secret", "put", "web", "a", "--value", "-", "--output", "json"];
    assert_eq!(site.home.feed(&put, "x").json()["version"], 1);
    for arguments in [
        vec!["status"],
        vec!["token", "lookup"],
        vec!["keyset", "list"],
        vec!["store", "list"],
        vec!["store", "show", "web"],
        vec!["secret", "get", "web", "a"],
        vec!["secret", "metadata", "web", "a"],
        vec!["secret", "list", "web"],
        vec!["secret", "search", "web", "a"],
        vec!["audit", "tail"],
        vec!["audit", "verify"],
        vec!["audit", "checkpoint"],
        vec![
            "login",
            "--access-key-id",
            &std::fs::read_to_string(site.home.join("root.id")).unwrap(),
            "--key",
            &site.home.join("root.key").display().to_string(),
        ],
    ] {
        site.run(&[arguments.as_slice(), &["--output", "json"]].concat()).json();
    }
    for line in site.run(&["audit", "export", "--output", "json"]).ok().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let refused = site.run(&["secret", "get", "web", "none", "--output", "json"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.out.is_empty(), "what went wrong is not output: {refused:?}");
}
