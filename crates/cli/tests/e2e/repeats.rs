//! A request id that is seen again.

use crate::client::Answer;
use crate::home::Home;
use crate::served::Served;
use crate::shared::{Guarded, World};
use serde_json::json;

fn put(store: &Guarded, path: &str, id: &str, body: &str) -> Answer {
    let line = format!("PUT /api/v1{}", store.path(path));
    store.client.send(&line, &[("x-request-id", id), ("content-type", "application/json")], body)
}

#[test]
fn a_repeated_write_is_done_once_and_answered_the_same() {
    let world = World::shared();
    let store = world.store("repeats");
    let id = "0197a000-0000-7000-8000-000000000001";
    let first = put(&store, "a", id, r#"{"value":1}"#).ok();
    let again = put(&store, "a", id, r#"{"value":1}"#).ok();
    assert_eq!(first, again);
    assert_eq!(store.get("a").ok()["version"], 1);
    let other = put(&store, "a", "0197a000-0000-7000-8000-000000000002", r#"{"value":1}"#).ok();
    assert_eq!(other["version"], 2);
    assert_eq!(put(&store, "a", id, r#"{"value":1}"#).ok(), first, "however late");
    assert_eq!(store.get("a").ok()["version"], 2);
    store.unharmed(&["a"]);
}

#[test]
fn a_repetition_after_kill_9_is_answered_as_before() {
    let home = Home::new();
    let mut world = World { served: Served::dev(&home), home };
    let store = world.store("restart");
    let id = "0197a000-0000-7000-8000-000000000007";
    let first = put(&store, "a", id, r#"{"value":1}"#).ok();
    let World { served, home } = world;
    served.kill();
    world = World { served: Served::dev(&home), home };
    let store = store.on(&world);
    assert_eq!(put(&store, "a", id, r#"{"value":1}"#).ok(), first);
    put(&store, "a", id, r#"{"value":2}"#).is(409, "request_reused");
    assert_eq!(store.get("a").ok()["version"], 1);
    store.unharmed(&["a"]);
}

#[test]
fn a_request_id_with_another_body_or_target_is_refused() {
    let world = World::shared();
    let store = world.store("reuse");
    let id = "0197a000-0000-7000-8000-000000000003";
    put(&store, "a", id, r#"{"value":1}"#).ok();
    put(&store, "a", id, r#"{"value":2}"#).is(409, "request_reused");
    put(&store, "b", id, r#"{"value":1}"#).is(409, "request_reused");
    let line = format!("DELETE /api/v1{}", store.path("a"));
    store.client.send(&line, &[("x-request-id", id)], b"").is(409, "request_reused");
    assert_eq!(store.get("a").ok()["value"], json!(1));
    store.unharmed(&["a"]);
}

#[test]
fn a_repeated_deletion_and_a_repeated_store_are_answered_the_same() {
    let world = World::shared();
    let store = world.store("repeat-others");
    store.put("gone", r#"{"value":1}"#).ok();
    let line = format!("DELETE /api/v1{}", store.path("gone"));
    let id = [("x-request-id", "0197a000-0000-7000-8000-000000000004")];
    assert_eq!(store.client.send(&line, &id, b"").status, 204);
    assert_eq!(store.client.send(&line, &id, b"").status, 204);
    store.client.delete(&store.path("gone")).is(404, "not_found");
    let headers =
        [("x-request-id", "0197a000-0000-7000-8000-000000000005"), ("content-type", "application/json")];
    let made = store.client.send("POST /api/v1/stores", &headers, r#"{"name":"repeat-made"}"#);
    let again = store.client.send("POST /api/v1/stores", &headers, r#"{"name":"repeat-made"}"#);
    assert_eq!((made.status, made.text()), (again.status, again.text()));
    made.ok();
    store.client.post("/stores", r#"{"name":"repeat-made"}"#).is(409, "already_exists");
    store.unharmed(&[]);
}

#[test]
fn clients_that_repeat_at_once_make_one_version() {
    let world = World::shared();
    let store = world.store("repeat-race");
    let id = "0197a000-0000-7000-8000-000000000006";
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| put(&store, "a", id, r#"{"value":1}"#))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 409 | 503), "{}", answer.text());
    }
    assert!(answers.iter().any(|answer| answer.status == 200));
    assert_eq!(store.get("a").ok()["version"], 1);
    store.unharmed(&["a"]);
}
