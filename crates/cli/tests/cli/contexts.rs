//! Contexts, and how the output looks.

use crate::world::{World, reply};

fn run(world: &World, args: &[&str]) -> (Option<i32>, String, String) {
    let output = world.command(args).env_remove("STRONGROOM_ADDR").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn contexts_are_set_used_listed_and_removed() {
    let world = World::with(|_| reply(200, r#"{"stores":[]}"#));
    let socket = format!("unix:{}", world.home().join("s.sock").display());
    assert_eq!(
        run(&world, &["context", "set", "far", "--server", "https://far:8200", "--authority", "ca.pem"]).0,
        Some(0)
    );
    assert_eq!(run(&world, &["context", "set", "here", "--server", &socket]).0, Some(0));
    assert_eq!(run(&world, &["store", "list"]).0, Some(0), "the last one that was set is used");
    assert_eq!(run(&world, &["context", "use", "far"]).0, Some(0));
    assert_eq!(run(&world, &["store", "list"]).0, Some(1));
    assert_eq!(run(&world, &["store", "list", "--context", "here"]).0, Some(0));
    let (_, listed, _) = run(&world, &["context", "list", "--output", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["current"], "far");
    assert!(listed["contexts"]["far"]["cacert"].as_str().unwrap().starts_with('/'), "{listed}");
    let (_, table, _) = run(&world, &["context", "list"]);
    assert!(table.lines().any(|line| line.starts_with('*') && line.contains("https://far:8200")), "{table}");
    world.file("state/strongroom/tokens/far", "t0ken");
    assert_eq!(run(&world, &["context", "remove", "far"]).0, Some(0));
    assert!(!world.home().join("state/strongroom/tokens/far").exists());
    let (code, _, error) = run(&world, &["context", "use", "far"]);
    assert!(code == Some(1) && error.contains("has no context \"far\""), "{error}");
    assert_eq!(run(&world, &["context", "set", "x", "--server", "http://x"]).0, Some(2));
}

/// Colours and progress are for terminals: none of these is one.
#[test]
fn nothing_moves_or_shines_where_nobody_looks() {
    let world = World::with(|_| {
        reply(
            200,
            r#"{"stores":[{"id":"i","name":"app","type":"generic","type_version":1,"keyset":"default","creator":"root","created":"c","updated":"u","secrets":2}]}"#,
        )
    });
    for args in [&["store", "list"][..], &["--help"], &["nonsense"], &["secret", "list", "app"]] {
        let outcome = world.run(args);
        assert!(!outcome.out().contains('\u{1b}') && !outcome.err().contains('\u{1b}'), "{args:?}");
    }
}
