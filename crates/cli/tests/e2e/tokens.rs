//! Tokens, challenges and proofs that do not hold.

use crate::client::{Answer, Client};
use crate::clock;
use crate::shared::World;
use serde_json::{Value, json};
use std::time::Duration;
use strongroom_api::{MeantServer, signed_transcript};
use strongroom_crypto::{PrivateKey, generate_ed25519_pkcs8};
use strongroom_secret::SecretBytes;

/// Root, as the newcomer's context knows it.
struct Root {
    client: Client,
    id: String,
    key: PrivateKey,
}

impl Root {
    fn of(world: &World) -> Self {
        let pem = SecretBytes::new(std::fs::read(world.home.join("data.keys/root.key")).unwrap());
        let client = world.served.client();
        let id = world.client().get("/auth/token").ok()["access_key_id"].as_str().unwrap().to_owned();
        Self { client, id, key: PrivateKey::from_pem(&pem).unwrap() }
    }

    fn challenge(&self) -> String {
        let answer = self.client.post("/auth/challenge", json!({ "access_key_id": self.id }).to_string());
        answer.ok()["challenge"].as_str().unwrap().to_owned()
    }

    fn prove(&self, challenge: &str, key: &PrivateKey, ttl: &Value) -> Answer {
        let signature = key.sign(&signed_transcript(&self.id, challenge, &self.client.meant())).unwrap();
        self.send(challenge, &signature, ttl)
    }

    fn send(&self, challenge: &str, signature: &[u8], ttl: &Value) -> Answer {
        let signature = data_encoding::BASE64.encode(signature);
        let body = json!({ "access_key_id": self.id, "challenge": challenge, "signature": signature, "ttl_secs": ttl });
        self.client.post("/auth/authorize", body.to_string())
    }

    fn log_in(&self, ttl: &Value) -> Client {
        let token = self.prove(&self.challenge(), &self.key, ttl).ok();
        self.client.with_token(token["token"].as_str().unwrap())
    }
}

#[test]
fn an_expired_token_is_refused() {
    let world = World::shared();
    let store = world.store("expired");
    let short = Root::of(&world).log_in(&json!(1));
    let began = clock::now();
    assert_eq!(short.get("/auth/token").ok()["user"], "root");
    while short.get("/auth/token").status == 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "a token of one second still serves");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() > Duration::from_millis(900), "ended before its time");
    short.get("/auth/token").is(401, "unauthenticated");
    short.put(&store.path("keep"), r#"{"value":"taken"}"#).is(401, "unauthenticated");
    store.unharmed(&[]);
}

#[test]
fn an_ended_token_is_refused_and_others_live_on() {
    let world = World::shared();
    let store = world.store("ended");
    let client = Root::of(&world).log_in(&Value::Null);
    client.get(&store.path("keep")).ok();
    client.delete("/auth/token").ok();
    client.get(&store.path("keep")).is(401, "unauthenticated");
    client.delete("/auth/token").is(401, "unauthenticated");
    store.unharmed(&[]);
}

#[test]
fn a_forged_token_is_refused_whatever_it_looks_like() {
    let world = World::shared();
    let store = world.store("forged");
    let token = world.client().token().to_owned();
    let flipped = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
        String::from_utf8(bytes).unwrap()
    };
    let mut forged: Vec<String> = (0..token.len()).step_by(5).map(flipped).collect();
    forged.extend([token[1..].to_owned(), format!("{token}0"), token.repeat(9), "x".into(), "..".into()]);
    let client = world.served.client();
    for token in forged.iter().map(|token| format!("Bearer {token}")).chain([
        "Bearer ".into(),
        "Basic cm9vdA==".into(),
        token,
    ]) {
        let line = format!("GET /api/v1{}", store.path("keep"));
        client.send(&line, &[("authorization", &token)], b"").is(401, "unauthenticated");
    }
    client.get(&store.path("keep")).is(401, "unauthenticated");
    client.get("/stores/there-is-none/secrets/x").is(401, "unauthenticated");
    store.unharmed(&[]);
}

#[test]
fn another_servers_token_is_refused() {
    let (world, other) = (World::shared(), World::new());
    let store = world.store("foreign-token");
    world
        .served
        .client()
        .with_token(other.client().token())
        .get(&store.path("keep"))
        .is(401, "unauthenticated");
    store.unharmed(&[]);
}

#[test]
fn a_challenge_serves_once() {
    let world = World::shared();
    let store = world.store("replay");
    let root = Root::of(&world);
    let challenge = root.challenge();
    let signature = root.key.sign(&signed_transcript(&root.id, &challenge, &root.client.meant())).unwrap();
    root.send(&challenge, &signature, &Value::Null).ok();
    root.send(&challenge, &signature, &Value::Null).is(401, "unauthenticated");
    store.unharmed(&[]);
}

#[test]
fn a_challenge_or_a_proof_that_is_passed_on_is_refused() {
    let (world, other) = (World::shared(), World::new());
    let store = world.store("relayed");
    let (root, elsewhere) = (Root::of(&world), Root::of(&other));
    root.prove(&elsewhere.challenge(), &root.key, &Value::Null).is(401, "unauthenticated");
    let body = json!({ "access_key_id": elsewhere.id }).to_string();
    let for_another_key = root.client.post("/auth/challenge", body).ok();
    root.prove(for_another_key["challenge"].as_str().unwrap(), &root.key, &Value::Null)
        .is(401, "unauthenticated");
    // what somebody signed as a user of the other server
    let challenge = root.challenge();
    let signature =
        root.key.sign(&signed_transcript(&elsewhere.id, &challenge, &root.client.meant())).unwrap();
    root.send(&challenge, &signature, &Value::Null).is(401, "unauthenticated");
    // and what root signed for the other server, which gave out this one's key id and challenge
    for server in [elsewhere.client.meant(), MeantServer::local(0)] {
        let challenge = root.challenge();
        let signature = root.key.sign(&signed_transcript(&root.id, &challenge, &server)).unwrap();
        root.send(&challenge, &signature, &Value::Null).is(401, "unauthenticated");
    }
    // nor does a proof serve that names no server at all
    let challenge = root.challenge();
    let unbound = ["strongroom authorize v1", &root.id, &challenge].join("\0");
    root.send(&challenge, &root.key.sign(unbound.as_bytes()).unwrap(), &Value::Null)
        .is(401, "unauthenticated");
    root.log_in(&Value::Null).get("/auth/token").ok();
    store.unharmed(&[]);
}

#[test]
fn a_forged_proof_is_refused_and_spends_nothing_else() {
    let world = World::shared();
    let store = world.store("proofs");
    let root = Root::of(&world);
    let other = PrivateKey::from_pkcs8(&generate_ed25519_pkcs8().unwrap().expose(<[u8]>::to_vec)).unwrap();
    root.prove(&root.challenge(), &other, &Value::Null).is(401, "unauthenticated");
    root.prove("made-up", &root.key, &Value::Null).is(401, "unauthenticated");
    root.send(&root.challenge(), b"", &Value::Null).is(401, "unauthenticated");
    let bare = root.challenge();
    let signature = root.key.sign(bare.as_bytes()).unwrap();
    root.send(&bare, &signature, &Value::Null).is(401, "unauthenticated");
    let body = json!({ "access_key_id": root.id, "challenge": root.challenge(), "signature": "%" });
    root.client.post("/auth/authorize", body.to_string()).is(400, "invalid_request");
    root.log_in(&Value::Null).get("/auth/token").ok();
    store.unharmed(&[]);
}

#[test]
fn an_unknown_key_looks_like_a_known_one() {
    let world = World::shared();
    let store = world.store("unknown-key");
    let root = Root::of(&world);
    let stranger = Root { id: "11111111-2222-4333-8444-555555555555".to_owned(), ..Root::of(&world) };
    let shape = |challenge: &str| (challenge.len(), challenge.split('.').count());
    assert_eq!(shape(&root.challenge()), shape(&stranger.challenge()));
    let other = PrivateKey::from_pkcs8(&generate_ed25519_pkcs8().unwrap().expose(<[u8]>::to_vec)).unwrap();
    let known = root.prove(&root.challenge(), &other, &Value::Null);
    let unknown = stranger.prove(&stranger.challenge(), &other, &Value::Null);
    known.is(401, "unauthenticated");
    assert_eq!((known.status, &known.json()["detail"]), (unknown.status, &unknown.json()["detail"]));
    for id in ["", "x", "\u{0}", &"x".repeat(64)] {
        root.client.post("/auth/challenge", json!({ "access_key_id": id }).to_string()).ok();
    }
    let long = json!({ "access_key_id": "x".repeat(65) });
    root.client.post("/auth/challenge", long.to_string()).is(400, "invalid_request");
    store.unharmed(&[]);
}

#[test]
fn a_token_lives_no_longer_than_the_server_allows() {
    let world = World::shared();
    let store = world.store("lifetimes");
    let root = Root::of(&world);
    let token = root.prove(&root.challenge(), &root.key, &json!(u32::MAX)).ok();
    assert_eq!(token["ttl_secs"], 24 * 3_600);
    let none = root.prove(&root.challenge(), &root.key, &json!(0));
    assert!(none.status == 400 || none.json()["ttl_secs"].as_u64() <= Some(1), "{}", none.text());
    root.prove(&root.challenge(), &root.key, &json!(-1)).is(400, "invalid_request");
    store.unharmed(&[]);
}
