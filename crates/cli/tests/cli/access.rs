//! Initialisation, login and logout, and what they leave on the disk.

use crate::world::{Reply, Request, World, reply};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_crypto::PublicKey;

const NEW_KEYS: &str = r#"{"set_id":"5e7","threshold":1,"unlock_keys":["srk-1","srk-2"],"access_key_id":"aki","warnings":["Mind the gap."]}"#;
const NEW_TOKEN: &str =
    r#"{"token":"sr.t1.secret","accessor":"acc","expires":"2026-01-01T08:00:00Z","ttl_secs":28800}"#;

fn server(request: &Request) -> Reply {
    match request.line.as_str() {
        "POST /api/v1/init" => reply(200, NEW_KEYS),
        "POST /api/v1/init/confirm" | "DELETE /api/v1/auth/token" => reply(204, ""),
        "POST /api/v1/auth/challenge" => reply(200, r#"{"challenge":"Y2hhbGxlbmdl","expires":"soon"}"#),
        "POST /api/v1/auth/authorize" => reply(200, NEW_TOKEN),
        "GET /api/v1/stores" => reply(200, r#"{"stores":[]}"#),
        _ => reply(404, "?"),
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn field(text: &str, name: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).unwrap()[name].as_str().unwrap().to_owned()
}

#[test]
fn initialisation_makes_a_private_key_that_login_then_uses() {
    let world = World::with(server);
    let outcome = world.run(&["init", "--num-keys", "2", "--yes"]);
    assert_eq!(outcome.code(), 0, "{}", outcome.err());
    for shown in [
        "1: srk-1",
        "2: srk-2",
        "access key id: aki",
        "lost for ever",
        "history",
        "Mind the gap.",
        "Confirmed",
    ] {
        assert!(outcome.out().contains(shown), "{shown}: {}", outcome.out());
    }
    let key = files(world.home().join("state/strongroom/keys")).remove(0);
    assert_eq!(mode(&key), 0o600);
    assert_eq!(mode(&world.home().join("state/strongroom")), 0o700);
    assert_eq!(world.run(&["login"]).code(), 0);
    let seen = world.seen();
    assert_eq!(seen[1].text(), r#"{"set_id":"5e7"}"#);
    let public = PublicKey::from_pem(field(&seen[0].text(), "public_key").as_bytes()).unwrap();
    let signature = data_encoding::BASE64.decode(field(&seen[3].text(), "signature").as_bytes()).unwrap();
    let meant = strongroom_api::MeantServer::local(rustix::process::geteuid().as_raw());
    let transcript = strongroom_api::signed_transcript("aki", "Y2hhbGxlbmdl", &meant);
    assert_eq!(public.verify(&transcript, &signature), Ok(()));
    assert!(seen[3].text().contains("\"ttl_secs\":28800"));
}

#[test]
fn a_token_is_private_and_goes_along_until_logout() {
    let world = World::with(server);
    world.run(&["init", "--yes"]);
    let login = world.run(&["login", "--ttl", "30m"]);
    assert!(!login.out().contains("sr.t1.secret") && !login.err().contains("sr.t1.secret"));
    let token = files(world.home().join("state/strongroom/tokens")).remove(0);
    assert_eq!(mode(&token), 0o600);
    assert_eq!(std::fs::read_to_string(&token).unwrap(), "sr.t1.secret");
    assert_eq!(world.run(&["store", "list"]).code(), 0);
    assert_eq!(world.seen().last().unwrap().header("authorization"), Some("Bearer sr.t1.secret"));
    assert_eq!(world.run(&["logout"]).out(), "Logged out.\n");
    assert!(!token.exists());
    world.run(&["store", "list"]);
    assert_eq!(world.seen().last().unwrap().header("authorization"), None);
}

#[test]
fn a_login_for_programs_does_not_print_the_token() {
    let world = World::with(server);
    world.run(&["init", "--yes"]);
    let out = world.run(&["login", "--output", "json"]).out();
    assert_eq!(field(&out, "accessor"), "acc");
    assert!(!out.contains("sr.t1.secret"));
}

#[test]
fn without_consent_the_keys_are_shown_but_not_confirmed() {
    let world = World::with(server);
    let outcome = world.run(&["init"]);
    assert_eq!(outcome.code(), 0);
    assert!(outcome.err().contains("strongroom init --confirm 5e7"), "{}", outcome.err());
    assert_eq!(world.seen().len(), 1);
    assert_eq!(world.run(&["init", "--confirm", "5e7"]).code(), 0);
    assert_eq!(world.seen()[1].line, "POST /api/v1/init/confirm");
}

#[test]
fn initialisation_for_programs_prints_the_servers_json() {
    let world = World::with(server);
    let outcome = world.run(&["init", "--yes", "--output", "json"]);
    assert_eq!(outcome.out(), format!("{NEW_KEYS}\n"));
}

#[test]
fn the_one_time_token_goes_into_a_header() {
    let world = World::with(server);
    let file = world.file("once", "it-123\n");
    let outcome = world.run(&["init", "--yes", "--init-token-file", file.to_str().unwrap()]);
    assert_eq!(outcome.code(), 0, "{}", outcome.err());
    let seen = world.seen();
    assert!(seen.iter().all(|request| request.header("x-init-token") == Some("it-123")));
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_public_key_that_is_none_is_refused_before_anything_is_sent() {
    let world = World::with(server);
    let file = world.file("key.pem", "hello");
    let outcome = world.run(&["init", "--public-key", file.to_str().unwrap()]);
    assert_eq!(outcome.code(), 1);
    assert!(outcome.err().contains("no PEM block with a public key"), "{}", outcome.err());
    assert!(world.seen().is_empty());
}

#[test]
fn a_private_key_that_others_may_read_is_not_used() {
    let world = World::with(server);
    world.run(&["init", "--yes"]);
    let key = files(world.home().join("state/strongroom/keys")).remove(0);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let outcome = world.run(&["login"]);
    assert_eq!(outcome.code(), 1);
    assert!(outcome.err().contains("can be read by others"), "{}", outcome.err());
}

#[test]
fn a_refused_initialisation_leaves_no_key() {
    let world = World::with(|_| reply(409, r#"{"title":"Already","code":"already_initialised"}"#));
    assert_eq!(world.run(&["init", "--yes"]).code(), 1);
    assert!(files(world.home().join("state/strongroom/keys")).is_empty());
}
