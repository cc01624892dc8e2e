//! Many at once, on the same thing.

use crate::client::{Answer, Client};
use crate::shared::World;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

const CLIENTS: usize = 8;

/// Runs a client's part in as many threads; gives what each brings back.
fn together<T: Send>(client: &Client, part: impl Fn(usize, &Client) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let part = &part;
        let threads: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || part(number, client))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn put(client: &Client, path: &str, body: &serde_json::Value) -> Answer {
    client.put(path, body.to_string())
}

#[test]
fn of_many_who_create_the_same_one_does() {
    let world = World::shared();
    let store = world.store("first-wins");
    for round in 0..5 {
        let path = store.path(&format!("r{round}"));
        let answers = together(&store.client, |number, client| {
            put(client, &path, &json!({ "value": number, "cas": 0 }))
        });
        let winners: Vec<usize> = (0..CLIENTS).filter(|at| answers[*at].status == 200).collect();
        assert_eq!(winners.len(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.is(409, "version_mismatch");
        }
        assert_eq!(store.client.get(&path).ok()["value"], winners[0]);
    }
    store.unharmed(&["r0", "r1", "r2", "r3", "r4"]);
}

#[test]
fn of_many_who_write_the_same_each_makes_a_version() {
    let world = World::shared();
    let store = world.store("each-counts");
    let path = store.path("one");
    let versions = together(&store.client, |number, client| -> Vec<(u64, usize)> {
        let write = |turn| {
            let value = number * 100 + turn;
            let written = put(client, &path, &json!({ "value": value })).ok();
            (written["version"].as_u64().unwrap(), value)
        };
        (0..10).map(write).collect()
    });
    let mut versions: Vec<(u64, usize)> = versions.into_iter().flatten().collect();
    versions.sort_unstable();
    assert_eq!(
        versions.iter().map(|(version, _)| *version).collect::<Vec<_>>(),
        (1..=80).collect::<Vec<_>>()
    );
    for (version, value) in versions {
        assert_eq!(store.get(&format!("one?version={version}")).ok()["value"], value);
    }
    store.unharmed(&["one"]);
}

#[test]
fn a_store_that_is_removed_amid_writes_takes_them_with_it() {
    let world = World::shared();
    let store = world.store("beside");
    let client = &store.client;
    client.post("/stores", r#"{"name":"doomed"}"#).ok();
    let gone = AtomicBool::new(false);
    together(client, |number, client| {
        for turn in 0.. {
            if number == 0 && turn == 5 {
                assert_eq!(client.delete("/stores/doomed").status, 204);
                gone.store(true, Ordering::SeqCst);
                break;
            }
            let was_gone = gone.load(Ordering::SeqCst);
            let answer =
                put(client, &format!("/stores/doomed/secrets/{number}/{turn}"), &json!({ "value": 1 }));
            match answer.status {
                200 => assert!(!was_gone, "written into a store that was gone"),
                404 => break,
                _ => answer.is(409, "conflict"),
            }
        }
    });
    client.get("/stores/doomed").is(404, "not_found");
    client.post("/stores", r#"{"name":"doomed"}"#).ok();
    assert_eq!(client.get("/stores/doomed/secrets").ok()["secrets"], json!([]));
    store.unharmed(&[]);
}

#[test]
fn locking_amid_writes_loses_none_that_was_acknowledged() {
    let world = World::new();
    let store = world.store("locked-amid");
    let written = together(&store.client, |number, client| {
        let mut written = Vec::new();
        for turn in 0.. {
            if number == 0 && turn == 10 {
                assert_eq!(client.post("/lock", b"").status, 204);
                break;
            }
            let path = store.path(&format!("{number}/{turn}"));
            let answer = put(client, &path, &json!({ "value": path }));
            match answer.status {
                200 => written.push(path),
                503 => {
                    answer.is(503, "locked");
                    break;
                }
                _ => answer.is(401, "unauthenticated"),
            }
        }
        written
    });
    assert_eq!(world.served.client().health().json()["state"], "locked");
    world.home.feed(&["unlock", "--key-file", "-"], &world.served.unlock_keys()[0]).ok();
    world.home.run(&["login"]).ok();
    let store = store.on(&world);
    let mut names = 1;
    for path in written.into_iter().flatten() {
        assert_eq!(store.client.get(&path).ok()["value"], path);
        names += 1;
    }
    assert_eq!(store.names().len(), names, "nothing was written beyond what was acknowledged");
    assert_eq!(world.home.run(&["audit", "verify", "--output", "json"]).json()["ok"], true);
}
