//! Names, paths, queries, methods and headers that are not what they should be.

use crate::shared::World;
use serde_json::json;

#[test]
fn no_path_leaves_its_store() {
    let world = World::shared();
    let store = world.store("traversal");
    let bad = [
        "..",
        ".",
        "a/../keep",
        "a/..",
        "./keep",
        "%2e%2e",
        "%2e",
        "%2e%2e/traversal",
        "a/%2e%2e/keep",
        "a%2f..%2fkeep",
        "..%2f..%2fetc%2fpasswd",
        "%2E%2E%2Fkeep",
        "a//b",
        "a/",
        "%2fkeep",
        "%2f",
    ];
    for path in bad {
        for method in ["GET", "PUT", "DELETE"] {
            let answer =
                store.client.send(&format!("{method} /api/v1{}", store.path(path)), &[], r#"{"value":1}"#);
            answer.is(400, "invalid_name");
        }
    }
    for name in ["..", ".", "a/b", "", "../traversal"] {
        store.client.post("/stores", json!({ "name": name }).to_string()).is(400, "invalid_name");
    }
    store.client.get("/stores/%2e%2e/secrets/keep").is(400, "invalid_name");
    store.client.get("/stores/traversal%2f..%2fdev/secrets/keep").is(400, "invalid_name");
    store.unharmed(&[]);
}

#[test]
fn control_characters_and_names_that_are_not_nfc_are_refused() {
    let world = World::shared();
    let store = world.store("characters");
    for path in [
        "a%00b",
        "%0a",
        "a%0d%0ab",
        "%1b[31m",
        "%7f",
        "%c2%85",
        "%e2%80%ae",
        "%e2%80%a8",
        "a%cc%88",
        "e%cc%81/x",
    ] {
        store.put(path, r#"{"value":1}"#).is(400, "invalid_name");
    }
    store.client.post("/stores", "{\"name\":\"a\\u0000b\"}").is(400, "invalid_name");
    store.client.post("/stores", "{\"name\":\"a\\u0308\"}").is(400, "invalid_name");
    store.put("%c3%a4/%F0%9F%94%91", r#"{"value":1}"#).ok();
    assert_eq!(store.get("%C3%A4%2F%f0%9f%94%91").ok()["value"], json!(1));
    store.unharmed(&["ä/🔑"]);
}

#[test]
fn lengths_are_bounded_and_the_bound_is_told() {
    let world = World::shared();
    let store = world.store("lengths");
    let (longest, deep) = ("n".repeat(255), ["c"; 512].join("/"));
    store.put(&longest, r#"{"value":1}"#).ok();
    store.put(&deep, r#"{"value":2}"#).ok();
    let long = store.put(&"n".repeat(256), r#"{"value":1}"#);
    long.is(400, "invalid_name");
    assert!(long.text().contains("255"), "{}", long.text());
    let deeper = store.put(&format!("{deep}/c"), r#"{"value":1}"#);
    deeper.is(400, "invalid_name");
    assert!(deeper.text().contains("1024"), "{}", deeper.text());
    store.client.post("/stores", json!({ "name": "n".repeat(256) }).to_string()).is(400, "invalid_name");
    store.get(&"p".repeat(5_000)).is(414, "path_too_long");
    store
        .client
        .get(&format!("/stores/lengths/secrets?prefix={}", "p".repeat(5_000)))
        .is(414, "path_too_long");
    store.unharmed(&[&longest, &deep]);
}

#[test]
fn bad_escapes_are_refused() {
    let world = World::shared();
    let store = world.store("escapes");
    for path in ["%", "%2", "%zz", "a%", "a%f", "%ff", "%c3%28", "%-1", "%+1"] {
        let answer = store.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        answer.is(400, "invalid_name");
    }
    store.client.get("/stores/escapes/secrets?prefix=%zz").is(400, "invalid_request");
    store.client.get("/stores/escapes/secrets?prefix=%ff").is(400, "invalid_request");
    store.unharmed(&[]);
}

#[test]
fn many_and_large_headers_are_refused() {
    let world = World::shared();
    let store = world.store("headers");
    let many: Vec<(String, String)> = (0..70).map(|at| (format!("x-{at}"), "1".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    store.client.send("GET /api/v1/status", &many, b"").is(431, "headers_too_large");
    let large = "x".repeat(20 << 10);
    let answer = store.client.send("GET /api/v1/status", &[("x-large", &large)], b"");
    assert_eq!(answer.status, 431, "{}", answer.text());
    let flood: Vec<(&str, &str)> = (0..2_000).map(|_| ("x-flood", "1")).collect();
    assert_eq!(store.client.send("GET /api/v1/status", &flood, b"").status, 431);
    store.unharmed(&[]);
}

#[test]
fn unknown_routes_and_wrong_methods_are_told_apart() {
    let world = World::shared();
    let store = world.store("routes");
    let client = &store.client;
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/status",
        "/api/v1/nothing",
        "/API/V1/status",
        "/v1/sys/health",
        "/api/v1/stores/routes/secrets/",
        "/api/v1//status",
        "/health/x",
        "/api/v1/status/",
    ] {
        client.send(&format!("GET {path}"), &[], b"").is(404, "unknown_route");
    }
    for line in [
        "POST /api/v1/status",
        "PATCH /api/v1/stores",
        "GET /api/v1/unlock",
        "PATCH /api/v1/stores/routes",
        "OPTIONS /api/v1/stores",
        "TRACE /api/v1/status",
        "POST /health",
        "DELETE /metrics",
        "BREW /api/v1/status",
    ] {
        let answer = client.send(line, &[], b"");
        answer.is(405, "method_not_allowed");
        assert!(answer.header("allow").is_some(), "{answer:?}");
    }
    let head = client.send("GET /health?x=1", &[], b"");
    assert_eq!(head.status, 200);
    store.unharmed(&[]);
}

#[test]
fn bad_query_fields_are_refused() {
    let world = World::shared();
    let store = world.store("queries");
    let bad = [
        "?limit=0",
        "?limit=100001",
        "?limit=-1",
        "?limit=x",
        "?limit=1&limit=2",
        "?nonsense=1",
        "?cursor=x",
        "?cursor=",
        "?cursor=AAAA",
        "?limit=99999999999999999999",
        "?limit",
    ];
    for query in bad {
        store.client.get(&format!("/stores/queries/secrets{query}")).is(400, "invalid_request");
    }
    for query in ["?version=x", "?version=-1", "?version=1&version=1", "?v=1"] {
        store.get(&format!("keep{query}")).is(400, "invalid_request");
    }
    store.get("keep?version=0").is(404, "not_found");
    store.get("keep?version=18446744073709551615").is(404, "not_found");
    store.client.get("/audit/entries?tail=perhaps").is(400, "invalid_request");
    store.client.get("/audit/entries?from=x").is(400, "invalid_request");
    store.unharmed(&[]);
}

#[test]
fn a_cursor_serves_only_the_listing_that_gave_it() {
    let world = World::shared();
    let store = world.store("cursors");
    for name in ["a", "b", "c"] {
        store.put(name, r#"{"value":1}"#).ok();
    }
    let page = store.client.get("/stores/cursors/secrets?limit=2").ok();
    let cursor = page["next"].as_str().unwrap();
    let rest = store.client.get(&format!("/stores/cursors/secrets?cursor={cursor}")).ok();
    assert_eq!(rest["secrets"], json!([{ "path": "c" }, { "path": "keep" }]));
    store.client.get(&format!("/stores/cursors/secrets?prefix=a&cursor={cursor}")).is(400, "invalid_request");
    store.client.get(&format!("/stores/dev/secrets?cursor={cursor}")).is(400, "invalid_request");
    store.unharmed(&["a", "b", "c"]);
}

#[test]
fn a_bad_request_id_is_refused_and_a_good_one_comes_back() {
    let world = World::shared();
    let store = world.store("request-ids");
    for id in ["x", "", "123", "not-a-uuid-at-all", "ffffffff-ffff-ffff-ffff-fffffffffffg"] {
        store.client.send("GET /api/v1/stores", &[("x-request-id", id)], b"").is(400, "invalid_request");
    }
    let id = "0197a000-0000-7000-8000-00000000beef";
    let answer = store.client.send("GET /api/v1/stores/none", &[("x-request-id", id)], b"");
    answer.is(404, "not_found");
    assert_eq!(answer.header("x-request-id"), Some(id));
    assert_eq!(answer.json()["request_id"], id);
    store.unharmed(&[]);
}
