//! The binary against a scripted server: forms of values, output, exit codes, what is refused.

use crate::world::{Reply, Request, World, reply};
use std::os::unix::fs::PermissionsExt as _;

const PROBLEM: &str =
    r#"{"type":"t","title":"The server is locked","status":503,"code":"locked","request_id":"r-1"}"#;

fn locked(_: &Request) -> Reply {
    reply(503, PROBLEM)
}

fn written(_: &Request) -> Reply {
    reply(200, r#"{"version":3,"created":"2026-01-01T00:00:00Z"}"#)
}

#[test]
fn help_and_version_end_with_zero() {
    let world = World::alone();
    assert_eq!(world.run(&["--help"]).code(), 0);
    assert_eq!(world.run(&["secret", "put", "--help"]).code(), 0);
    assert!(world.run(&["--version"]).out().starts_with("strongroom "));
}

#[test]
fn usage_errors_end_with_two() {
    let world = World::alone();
    for args in [
        &["nonsense"][..],
        &[],
        &["secret", "get"],
        &["secret", "get", "s", "../etc"],
        &["init", "--num-keys", "0"],
        &["init", "--num-keys", "2", "--threshold", "3"],
        &["login", "--ttl", "8"],
        &["secret", "put", "s", "p", "--value", "@f", "--json", "--bytes"],
        &["rotate", "root", "--confirm", "--cancel"],
        &["status", "--address", "http://localhost:1"],
        &["status", "--address", "https://localhost:1"],
        &["secret", "put", "s", "p"],
        &["unlock"],
        &["store", "remove", "s"],
        &["login"],
    ] {
        let outcome = world.run(args);
        assert_eq!(outcome.code(), 2, "{args:?}: {}", outcome.err());
        assert!(!outcome.err().is_empty(), "{args:?}");
    }
}

#[test]
fn no_server_is_said_with_a_hint() {
    let outcome = World::alone().run(&["status"]);
    assert_eq!(outcome.code(), 1);
    assert!(outcome.err().starts_with("error: no server at unix:/"), "{}", outcome.err());
    assert!(outcome.err().contains("hint: start one with `strongroom dev`"), "{}", outcome.err());
}

#[test]
fn a_refusal_ends_with_one_and_says_what_helps() {
    let outcome = World::with(locked).run(&["store", "list"]);
    assert_eq!(outcome.code(), 1);
    assert_eq!(outcome.out(), "");
    assert_eq!(
        outcome.err(),
        "error: The server is locked (locked, request r-1)\n  hint: strongroom unlock\n"
    );
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let world = World::with(written);
    for args in [
        &["secret", "put", "s", "p", "--value", "hunter2"][..],
        &["secret", "put", "s", "p", "--value=hunter2"],
        &["secret", "put", "s", "p", "hunter2"],
        &["unlock", "hunter2"],
        &["auto-unlock", "add", "hunter2"],
        &["rotate", "root", "hunter2"],
    ] {
        let outcome = world.run(args);
        assert_eq!(outcome.code(), 2, "{args:?}");
        assert!(
            outcome.err().contains("on the command line can be read by other processes"),
            "{}",
            outcome.err()
        );
        assert!(!outcome.err().contains("hunter2"), "{}", outcome.err());
    }
    assert!(world.seen().is_empty());
}

#[test]
fn a_text_from_standard_input_becomes_a_json_string() {
    let world = World::with(written);
    let outcome = world.run_with(&["secret", "put", "app", "db/password", "--value", "-"], b"a\"b\n");
    assert_eq!(outcome.out(), "Wrote db/password version 3.\n", "{}", outcome.err());
    let seen = &world.seen()[0];
    assert_eq!(seen.line, "PUT /api/v1/stores/app/secrets/db/password");
    assert_eq!(seen.text(), r#"{"value":"a\"b\n"}"#);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("x-request-id").unwrap().len(), 36);
}

#[test]
fn json_goes_out_to_the_byte() {
    let world = World::with(written);
    let file = world.file("v.json", "{\"n\": 9007199254740993, \"x\": 1.10}");
    let value = format!("@{}", file.display());
    let outcome = world.run(&["secret", "put", "s", "p", "--value", &value, "--json", "--cas", "2"]);
    assert_eq!(outcome.code(), 0, "{}", outcome.err());
    assert_eq!(world.seen()[0].text(), r#"{"value":{"n": 9007199254740993, "x": 1.10},"cas":2}"#);
}

#[test]
fn bytes_go_out_as_octets() {
    let world = World::with(written);
    let args = ["secret", "put", "s", "p", "--value", "-", "--bytes", "--cas", "0"];
    assert_eq!(world.run_with(&args, &[0, 255, 10]).code(), 0);
    let seen = &world.seen()[0];
    assert_eq!(seen.line, "PUT /api/v1/stores/s/secrets/p?cas=0");
    assert_eq!(seen.body, [0, 255, 10]);
    assert_eq!(seen.header("content-type"), Some("application/octet-stream"));
}

#[test]
fn bad_values_are_refused_before_anything_is_sent() {
    let world = World::with(written);
    let json = world.run_with(&["secret", "put", "s", "p", "--value", "-", "--json"], br#"{"a":1,"a":2}"#);
    assert_eq!(json.code(), 1);
    assert!(json.err().starts_with("error: the value is not acceptable JSON"), "{}", json.err());
    let text = world.run_with(&["secret", "put", "s", "p", "--value", "-"], &[0xff]);
    assert_eq!(text.code(), 2);
    let large = world.run_with(&["secret", "put", "s", "p", "--value", "-"], &vec![b'x'; 1024 * 1024 + 1]);
    assert_eq!(large.code(), 1);
    assert!(world.seen().is_empty());
}

#[test]
fn a_value_comes_out_to_the_byte() {
    let answer = r#"{"value":{"n": 9007199254740993},"version":1,"created":"c","creator":"root"}"#;
    let world = World::with(move |_| reply(200, answer));
    assert_eq!(world.run(&["secret", "get", "s", "p"]).out(), r#"{"n": 9007199254740993}"#);
    let json = world.run(&["secret", "get", "s", "p", "--version", "1", "--output", "json"]);
    assert_eq!(json.out(), format!("{answer}\n"));
    assert_eq!(world.seen()[1].line, "GET /api/v1/stores/s/secrets/p?version=1");
}

#[test]
fn texts_and_bytes_come_out_as_they_went_in() {
    let world = World::with(|request| match request.line.rsplit('/').next() {
        Some("text") => reply(200, r#"{"value":"a\"b\n","version":1,"created":"c","creator":"root"}"#),
        _ => reply(200, r#"{"bytes":"AP8K","version":1,"created":"c","creator":"root"}"#),
    });
    assert_eq!(world.run(&["secret", "get", "s", "text"]).out(), "a\"b\n");
    assert_eq!(world.run(&["secret", "get", "s", "bytes"]).out_bytes(), [0, 255, 10]);
}

#[test]
fn raw_values_are_asked_for_as_octets() {
    let world = World::with(|_| (200, vec![1, 0, 2]));
    assert_eq!(world.run(&["secret", "get", "s", "p", "--raw"]).out_bytes(), [1, 0, 2]);
    assert_eq!(world.seen()[0].header("accept"), Some("application/octet-stream"));
}

#[test]
fn listings_are_streams() {
    let lines = "{\"path\":\"a/b\"}\n{\"path\":\"c\"}\n";
    let world = World::with(move |_| reply(200, lines));
    let table = world.run(&["secret", "list", "s", "--prefix", "a/", "--search", "x y"]).out();
    assert_eq!(table, "PATH\na/b\nc\n");
    assert_eq!(world.run(&["secret", "search", "s", "x", "--output", "json"]).out(), lines);
    let seen = world.seen();
    assert_eq!(seen[0].line, "GET /api/v1/stores/s/secrets?prefix=a%2F&contains=x%20y");
    assert_eq!(seen[0].header("accept"), Some("application/x-ndjson"));
    assert_eq!(seen[1].line, "GET /api/v1/stores/s/secrets?contains=x");
}

#[test]
fn a_listing_in_pages_is_shown_to_its_end() {
    let row = |name: &str| {
        format!(r#"{{"id":"x","name":"{name}","created":"2026-01-01T00:00:00Z","size":0,"acls":[]}}"#)
    };
    let (first, second) = (row("one"), row("two"));
    let rows = format!(r#"{{"groups":[{first},{second}]}}"#);
    let world = World::with(move |request| {
        let last = request.line.ends_with("/groups?cursor=a%2Bb");
        let page = if last { format!("[{second}]") } else { format!(r#"[{first}],"next":"a+b""#) };
        reply(200, &format!(r#"{{"groups":{page}}}"#))
    });
    let table = world.run(&["group", "list"]).out();
    assert!(table.contains("one") && table.contains("two"), "{table}");
    assert_eq!(world.run(&["group", "list", "--output", "json"]).out(), format!("{rows}\n"));
    assert_eq!(world.seen().len(), 4);
}

#[test]
fn the_pages_of_one_users_tokens_are_that_users() {
    let world = World::with(|request| {
        let last = request.line.contains("cursor=");
        reply(200, if last { r#"{"tokens":[]}"# } else { r#"{"tokens":[],"next":"c"}"# })
    });
    assert_eq!(world.run(&["token", "list", "--user", "ann"]).code(), 0);
    let seen = world.seen();
    assert_eq!(seen[1].line, "GET /api/v1/tokens?user=ann&cursor=c");
    let broken = World::with(|_| reply(200, "{}")).run(&["token", "list", "--all"]);
    assert_eq!(broken.code(), 1);
}

#[test]
fn a_listing_that_fails_in_the_middle_is_a_failure() {
    let world = World::with(move |_| reply(200, "{\"path\":\"a\"}\n{\"path"));
    let outcome = world.run(&["secret", "list", "s"]);
    assert_eq!(outcome.code(), 1);
    assert!(outcome.err().contains("not what was expected"), "{}", outcome.err());
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let lines = "{\"path\":\"p\",\"version\":1}\n".repeat(200_000);
    let world = World::with(move |_| reply(200, &lines));
    for args in [&["secret", "list", "s"][..], &["secret", "list", "s", "--output", "json"]] {
        let mut child = world.command(args).spawn().unwrap();
        drop(child.stdout.take());
        let outcome = child.wait_with_output().unwrap();
        assert_eq!(outcome.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&outcome.stderr), "");
    }
}

#[test]
fn a_server_cannot_drive_the_terminal() {
    let world =
        World::with(|_| reply(400, "{\"title\":\"a\\u001b[2J\",\"code\":\"x\",\"request_id\":\"r\"}"));
    let err = world.run(&["store", "list"]).err();
    assert_eq!(err, "error: a\u{fffd}[2J (x, request r)\n");
}

#[test]
fn stores_are_made_listed_and_removed() {
    let store = r#"{"id":"i","name":"app","type":"generic","type_version":1,"keyset":"default","creator":"root","created":"c","updated":"u","secrets":2,"keep_versions":0,"cas_required":false,"settings":{}}"#;
    let world = World::with(move |request| match request.line.as_str() {
        "GET /api/v1/stores" => reply(200, &format!("{{\"stores\":[{store}]}}")),
        "DELETE /api/v1/stores/app" => reply(204, ""),
        _ => reply(201, store),
    });
    let made = world.run(&["store", "create", "app"]);
    assert_eq!(made.out(), "Created the generic store app, sealed by keyset default.\n", "{}", made.err());
    assert!(world.run(&["store", "list"]).out().contains("app   generic  default"));
    assert_eq!(world.run(&["store", "show", "app", "--output", "json"]).out(), format!("{store}\n"));
    assert_eq!(world.run(&["store", "remove", "app", "--yes"]).out(), "Removed store app.\n");
    assert_eq!(
        world.seen()[0].text(),
        r#"{"name":"app","type":"generic","keyset":null,"keep_versions":0,"cas_required":false,"settings":{}}"#
    );
}

#[test]
fn unlock_keys_come_from_a_private_file_one_a_line() {
    let world = World::with(|request| match request.text().as_str() {
        r#"{"unlock_key":"key-1"}"# => reply(200, r#"{"done":false,"have":1,"need":2}"#),
        _ => reply(200, r#"{"done":true,"have":2,"need":2}"#),
    });
    let file = world.file("keys", "key-1\n\nkey-2\nkey-3\n");
    let path = file.to_str().unwrap();
    let outcome = world.run(&["unlock", "--key-file", path]);
    assert_eq!((outcome.code(), outcome.out().as_str()), (0, "Unlocked.\n"), "{}", outcome.err());
    assert_eq!(world.seen().len(), 2);
    assert_eq!(world.run_with(&["unlock", "--key-file", "-"], b"key-1\n").code(), 1);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(world.run(&["unlock", "--key-file", path]).err().contains("can be read by others"));
}

#[test]
fn a_broken_trail_ends_with_one() {
    let report = r#"{"ok":false,"entries":7,"checkpoints":1,"first_bad":5,"fault":"wrong link"}"#;
    let world = World::with(move |_| reply(200, report));
    let outcome = world.run(&["audit", "verify"]);
    assert_eq!(outcome.code(), 1);
    assert!(outcome.out().contains("wrong link"));
    let bad = world.file("checkpoint", "{\"format\":1}");
    let outcome = world.run(&["audit", "verify", "--against", bad.to_str().unwrap()]);
    assert_eq!(outcome.code(), 1);
    assert_eq!(world.seen().len(), 1);
}

#[test]
fn an_export_into_a_file_is_whole_or_not_there() {
    let world = World::with(|_| reply(200, "{\"seq\":1}\n"));
    let path = world.home().join("out/trail.ndjson");
    assert_eq!(world.run(&["audit", "export", "--out", path.to_str().unwrap()]).code(), 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"seq\":1}\n");
    let world = World::with(locked);
    let path = world.home().join("trail.ndjson");
    assert_eq!(world.run(&["audit", "export", "--out", path.to_str().unwrap()]).code(), 1);
    assert!(!path.exists());
}

#[test]
fn an_unknown_field_in_the_configuration_is_refused_with_its_line() {
    let world = World::alone();
    world.file("config/strongroom/config.toml", "current = \"a\"\n\n[context.a]\naddres = \"x\"\n");
    let outcome = world.run(&["status"]);
    assert_eq!(outcome.code(), 1);
    assert!(outcome.err().contains("line 4") && outcome.err().contains("addres"), "{}", outcome.err());
}

#[test]
fn completions_are_written_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let outcome = World::alone().run(&["completions", shell]);
        assert_eq!(outcome.code(), 0);
        assert!(outcome.out().contains("strongroom"));
    }
}
