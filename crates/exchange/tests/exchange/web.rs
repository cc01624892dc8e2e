//! The paths: who is let in, what is answered, what a hostile member gets.

use super::world::{Collector, HOUR, World};
use axum::Router;
use axum::body::{Body, Bytes};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use strongroom_blindindex::Token;
use strongroom_crypto::{PrivateKey, generate_ed25519_pkcs8};
use strongroom_envelope::{BatchHeader, Proof, ProofBuilder, ProofPath, Signed, kid, rewrap_message};
use strongroom_exchange::members::Members;
use strongroom_exchange::web::{Exchange, Rates};
use strongroom_member::config::Tls;
use strongroom_member::{Authority, Patience, Server};
use strongroom_sharing::authority::{Manifest, MemberOf, Replaced};
use strongroom_sharing::exchange::EpochProof;
use strongroom_sharing::{MemberId, SignedText};
use tower::ServiceExt as _;

const NOW: u64 = HOUR as u64 * 3_600;

/// An exchange, and the authority whose word it has.
struct Site {
    world: World,
    router: Router,
    authority: PrivateKey,
}

fn key() -> PrivateKey {
    generate_ed25519_pkcs8().unwrap().expose(PrivateKey::from_pkcs8).unwrap()
}

fn spki(key: &PrivateKey) -> String {
    BASE64.encode(key.public_key().unwrap().spki())
}

fn manifest(authority: &PrivateKey, collectors: &[&Collector], revoked: &[MemberId]) -> SignedText {
    signed(authority, &said(authority, collectors, revoked))
}

fn said(authority: &PrivateKey, collectors: &[&Collector], revoked: &[MemberId]) -> Manifest {
    let members = collectors.iter().map(|collector| MemberOf {
        id: collector.id,
        signing_keys: vec![spki(&collector.key)],
        active: true,
        replaced: Vec::new(),
    });
    Manifest {
        authority: "00".repeat(32),
        signing_key: spki(authority),
        epoch: 1,
        epoch_since: NOW,
        issued_at: NOW,
        max_age_secs: 900,
        token_keys: BTreeMap::from([(kid(&authority.public_key().unwrap()), spki(authority))]),
        members: members.collect(),
        revoked: revoked.to_vec(),
        ended_before: BTreeMap::new(),
        ended: BTreeSet::new(),
    }
}

fn signed(authority: &PrivateKey, manifest: &Manifest) -> SignedText {
    Signed::sign(manifest, authority, "strongroom sharing manifest v1").unwrap().into_text()
}

/// An authority where nobody is there: what was kept goes on to count.
fn nobody() -> Authority {
    let patience = Patience { connect: Duration::from_secs(1), answer: Duration::from_secs(1) };
    let server = Server::new(&"http://127.0.0.1:1".parse().unwrap(), &Tls::default(), None, patience);
    Authority::at(server.unwrap())
}

impl Site {
    fn new(collectors: &[&Collector], revoked: &[MemberId], rate: Option<u32>) -> Self {
        let authority = key();
        let manifest = said(&authority, collectors, revoked);
        Self::of(authority, &manifest, rate)
    }

    fn of(authority: PrivateKey, manifest: &Manifest, rate: Option<u32>) -> Self {
        let world = World::new();
        let text = serde_json::to_vec(&signed(&authority, manifest)).unwrap();
        world.storage.put_note("manifest", &text).unwrap();
        let public = Some(authority.public_key().unwrap());
        let (storage, ambient) = (Arc::clone(&world.storage), world.ambient.clone());
        let members = Members::new(nobody(), public, storage, ambient).unwrap();
        let rates = Rates { requests_per_second: rate.and_then(NonZeroU32::new) };
        let exchange = Exchange::new(
            world.keeper.clone(),
            Arc::clone(&world.storage),
            Arc::new(members),
            world.ambient.clone(),
            None,
            rates,
        );
        Self { world, router: exchange.router(), authority }
    }

    fn claims(member: MemberId) -> Value {
        json!({ "iss": "strongroom", "sub": member, "adm": false, "iat": NOW, "exp": NOW + 900, "jti": "01".repeat(16) })
    }

    fn token(&self, member: MemberId) -> String {
        jwt(&self.authority, &self.head(), &Self::claims(member))
    }

    fn admin(&self) -> String {
        let mut claims = Self::claims(MemberId([250; 16]));
        claims["adm"] = true.into();
        jwt(&self.authority, &self.head(), &claims)
    }

    fn head(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid(&self.authority.public_key().unwrap()) })
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: impl Into<Body>) -> (StatusCode, Bytes) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("x-authorization", format!("Bearer {token}")).body(body.into()).unwrap();
        self.send(request).await
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Bytes) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.ask("POST", path, token, body.to_string()).await;
        (status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn insert(&self, from: &Collector, records: Vec<String>) -> (u16, Value) {
        let body = serde_json::to_value(from.insert(records)).unwrap();
        self.post("/add/enc-data", &self.token(from.id), &body).await
    }
}

fn jwt(key: &PrivateKey, head: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(head), part(claims));
    let signature = BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn question(token: u8) -> Value {
    json!({ "where": { "any": [HEXLOWER.encode(&[token; 16])] } })
}

#[tokio::test]
async fn it_says_up_to_anybody_and_ignores_the_proxys_password() {
    let site = Site::new(&[], &[], None);
    let plain = Request::get("/").header("authorization", "Basic dTpw").body(Body::empty()).unwrap();
    assert_eq!(site.send(plain).await, (StatusCode::OK, Bytes::from("up\n")));
    let bearer =
        Request::post("/query").header("authorization", format!("Bearer {}", site.token(MemberId([1; 16]))));
    let (status, _) = site.send(bearer.body(Body::from(question(7).to_string())).unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "that header is not a member's");
}

#[tokio::test]
async fn what_is_inserted_is_found_by_its_token_and_by_nothing_else() {
    let mut one = Collector::new(1);
    let site = Site::new(&[&one], &[], None);
    let records = vec![one.record(&[7, 8]), one.record(&[8])];
    let (status, inserted) = site.insert(&one, records.clone()).await;
    assert_eq!((status, &inserted["accepted"], &inserted["next"]), (201, &json!(2), &json!(3)));
    // any member may ask, also one that never sent anything
    let reader = site.token(MemberId([9; 16]));
    let (status, page) = site.post("/query", &reader, &question(8)).await;
    assert_eq!(status, 200);
    let found: Vec<&str> =
        page["records"].as_array().unwrap().iter().map(|f| f["record"].as_str().unwrap()).collect();
    assert_eq!(found, [records[1].as_str(), records[0].as_str()]);
    assert_eq!(page["records"][0]["hour"], HOUR);
    assert_eq!(site.post("/query", &reader, &question(6)).await.1["records"], json!([]));
    let mut count = question(8);
    count["count"] = true.into();
    assert_eq!(site.post("/query", &reader, &count).await, (200, json!({ "count": 2 })));
    let batch = strongroom_envelope::SealedRecord::parse(&BASE64.decode(records[0].as_bytes()).unwrap())
        .unwrap()
        .batch();
    let asked = json!({ "batches": [batch, "00".repeat(16)] });
    let (_, batches) = site.post("/get/batches", &reader, &asked).await;
    assert_eq!(batches["headers"], json!([one.header, null]));
}

#[tokio::test]
async fn lines_are_the_same_as_pages_and_a_copy_comes_by_sequence() {
    let mut one = Collector::new(1);
    let site = Site::new(&[&one], &[], None);
    let records = one.records(150);
    assert_eq!(site.insert(&one, records.clone()).await.0, 201);
    let token = site.token(one.id);
    let request = Request::post("/query").header("x-authorization", format!("bearer {token}"));
    let request =
        request.header("accept", "application/x-ndjson").body(Body::from(question(7).to_string())).unwrap();
    let (status, lines) = site.send(request).await;
    let of = |lines: &Bytes| -> Vec<String> {
        let text = std::str::from_utf8(lines).unwrap();
        let found = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        found.map(|found| found["record"].as_str().unwrap().to_owned()).collect()
    };
    let newest_first: Vec<String> = records.iter().rev().cloned().collect();
    assert_eq!((status, of(&lines)), (StatusCode::OK, newest_first));
    let (_, lines) = site.ask("GET", &format!("/sync?collector={}&from=11", one.id), &token, "").await;
    assert_eq!(of(&lines), records[10..]);
    let (_, lines) = site.ask("GET", "/sync", &token, "").await;
    assert_eq!(of(&lines), records);
    let (_, heads) = site.ask("GET", "/sync/heads", &token, "").await;
    let heads: Value = serde_json::from_slice(&heads).unwrap();
    assert_eq!((&heads[0]["first"], &heads[0]["sequence"]), (&json!(1), &json!(150)));
    assert_eq!(site.ask("GET", "/sync?colector=1", &token, "").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn tokens_of_another_form_key_or_time_let_nobody_in() {
    let one = Collector::new(1);
    let (suspended, site) = (MemberId([66; 16]), Site::new(&[&one], &[MemberId([66; 16])], None));
    let (good, claims) = (site.head(), Site::claims(one.id));
    let change = |value: &Value, name: &str, to: Value| {
        let mut value = value.clone();
        value[name] = to;
        value
    };
    let sign = |head: &Value, claims: &Value| jwt(&site.authority, head, claims);
    let whole = sign(&good, &claims);
    assert_eq!(site.post("/query", &whole, &question(7)).await.0, 200);
    let cut = whole.rsplit_once('.').unwrap().0.to_owned();
    let others = [
        sign(&change(&good, "alg", json!("none")), &claims),
        sign(&change(&good, "alg", json!("HS256")), &claims),
        sign(&change(&good, "jwk", json!({})), &claims),
        sign(&change(&good, "crit", json!(["exp"])), &claims),
        sign(&good, &change(&claims, "iss", json!("other"))),
        sign(&good, &change(&claims, "exp", json!(NOW))),
        sign(&good, &change(&claims, "iat", json!(NOW + 1_000))),
        sign(&good, &change(&claims, "exp", json!(NOW + 8 * 86_400))),
        sign(&good, &change(&claims, "sub", json!("nobody"))),
        sign(&good, &change(&claims, "more", json!(1))),
        sign(&good, &Site::claims(suspended)),
        jwt(&key(), &good, &claims),
        cut.clone(),
        format!("{cut}."),
        String::new(),
        "a.b.c".to_owned(),
        "x".repeat(10_000),
    ];
    for (at, token) in others.iter().enumerate() {
        let (status, said) = site.post("/query", token, &question(7)).await;
        assert_eq!((status, &said["error"]), (401, &json!("unauthenticated")), "{at}");
    }
    let basic = Request::post("/query").header("x-authorization", format!("Basic {whole}"));
    assert_eq!(site.send(basic.body(Body::empty()).unwrap()).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_administrator_neither_inserts_nor_asks_and_sees_sizes_alone() {
    let mut one = Collector::new(1);
    let site = Site::new(&[&one], &[], None);
    let record = one.record(&[7]);
    site.insert(&one, vec![record.clone()]).await;
    let admin = site.admin();
    let body = serde_json::to_value(one.insert(vec![one.header.clone()])).unwrap();
    for (path, body) in
        [("/add/enc-data", body), ("/query", question(7)), ("/get/batches", json!({ "batches": [] }))]
    {
        let (status, said) = site.post(path, &admin, &body).await;
        assert_eq!((status, &said["error"]), (403, &json!("admin")), "{path}");
    }
    assert_eq!(site.ask("GET", "/sync", &admin, "").await.0, StatusCode::FORBIDDEN);
    let (status, told) = site.ask("GET", "/admin/stats", &admin, "").await;
    let text = String::from_utf8(told.to_vec()).unwrap();
    let seen: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &seen["records"], &seen["postings"]), (StatusCode::OK, &json!(1), &json!(1)));
    assert!(!text.contains(&record[..40]) && !text.contains(&HEXLOWER.encode(&[7; 16])), "{text}");
    let member = site.token(one.id);
    assert_eq!(site.ask("GET", "/admin/stats", &member, "").await.0, StatusCode::FORBIDDEN);
    assert_eq!(site.post("/admin/retention", &member, &json!({ "days": 1 })).await.0, 403);
    assert_eq!(site.post("/admin/retention", &admin, &json!({ "days": 0 })).await.0, 400);
    site.world.clock.advance(Duration::from_hours(50));
}

#[tokio::test]
async fn record_ids_of_others_cannot_be_squatted() {
    let (mut one, mut two) = (Collector::new(1), Collector::new(2));
    let site = Site::new(&[&one, &two], &[], None);
    // two signs records that say they are one's
    let stolen = two.record(&[7]);
    let body = serde_json::to_value(one.insert(vec![stolen])).unwrap();
    let (status, said) = site.post("/add/enc-data", &site.token(one.id), &body).await;
    assert_eq!((status, &said["refused"][0]["error"]), (409, &json!("stranger")));
    let mut forged = Collector::new(1);
    let forgery = forged.record(&[7]);
    let (status, said) = site.insert(&forged, vec![forgery]).await;
    assert_eq!(
        (status, &said["refused"][0]["error"]),
        (409, &json!("signature")),
        "a stolen token signs nothing"
    );
    let ones = one.record(&[7]);
    let with_twos_token = serde_json::to_value(one.insert(vec![ones])).unwrap();
    let (status, said) = site.post("/add/enc-data", &site.token(two.id), &with_twos_token).await;
    assert_eq!((status, &said["error"]), (403, &json!("stranger")));
    assert!(site.world.keeper.standing().heads.is_empty());
    let unknown = Collector::new(3);
    assert_eq!(site.insert(&unknown, vec![unknown.header.clone()]).await.0, 403);
}

#[tokio::test]
async fn a_member_that_floods_is_held_back_and_others_are_not() {
    let one = Collector::new(1);
    let site = Site::new(&[&one], &[], Some(3));
    let (token, other) = (site.token(one.id), site.token(MemberId([2; 16])));
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(site.post("/query", &token, &question(7)).await.0);
    }
    assert!(statuses.starts_with(&[200, 200, 200]) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(site.post("/query", &other, &question(7)).await.0, 200);
}

#[tokio::test]
async fn bodies_that_are_malformed_deep_or_huge_are_refused_as_json() {
    let one = Collector::new(1);
    let site = Site::new(&[&one], &[], None);
    let token = site.token(one.id);
    let deep = format!("{}1{}", "{\"where\":{\"and\":[".repeat(5_000), "]}}".repeat(5_000));
    let too_many = json!({ "records": vec![""; 4_097] }).to_string();
    let cases = [
        ("/query", "", 400),
        ("/query", "{", 400),
        ("/query", "[]", 400),
        ("/query", "{\"where\":{\"any\":[\"zz\"]}}", 400),
        ("/query", "{\"where\":{\"any\":[]},\"surprise\":1}", 400),
        ("/query", &deep, 400),
        ("/add/enc-data", "{\"records\":[]}", 400),
        ("/add/enc-data", "{\"records\":[],\"headers\":[\"AAAA\"]}", 400),
        ("/add/enc-data", &too_many, 400),
        ("/rewrap", "{\"header\":\"AAAA\",\"signature\":\"\"}", 400),
        ("/rewrap", "{\"header\":\"AAAA\"}", 400),
        ("/proofs", "{}", 400),
        ("/nowhere", "{}", 404),
    ];
    for (path, body, expected) in cases {
        let (status, said) = site.ask("POST", path, &token, body.to_owned()).await;
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(status.as_u16(), expected, "{path} {said}");
        assert!(said["error"].is_string() && said["message"].is_string(), "{said}");
    }
    assert_eq!(site.ask("DELETE", "/query", &token, "").await.0, StatusCode::METHOD_NOT_ALLOWED);
    let (status, _) = site.ask("POST", "/query", &token, "x".repeat((1 << 20) + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = site.ask("POST", "/add/enc-data", &token, "x".repeat((8 << 20) + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_epochs_proof_is_kept_when_it_is_its_collectors_and_answers_for_each_token() {
    let (mut one, two) = (Collector::new(1), Collector::new(2));
    let site = Site::new(&[&one, &two], &[], None);
    let records = one.records(3);
    site.insert(&one, records.clone()).await;
    let mut builder = ProofBuilder::new();
    for (sequence, text) in (1..).zip(&records) {
        let bytes = BASE64.decode(text.as_bytes()).unwrap();
        let record = strongroom_envelope::SealedRecord::parse(&bytes).unwrap();
        builder.add(sequence, &record.digest(), record.tokens());
    }
    let tree = builder.finish();
    let word = |collector: MemberId, last: u64| EpochProof {
        collector,
        epoch: 1,
        first: 1,
        last,
        root: HEXLOWER.encode(&tree.root()),
        leaves: u64::try_from(tree.leaves().len()).unwrap(),
    };
    let post = |word: &EpochProof, by: &PrivateKey| {
        let signed = Signed::sign(word, by, "strongroom sharing epoch v1").unwrap().into_text();
        json!({ "signed": signed, "leaves": BASE64.encode(&tree.to_bytes()) })
    };
    let token = site.token(one.id);
    assert_eq!(site.post("/proofs", &token, &post(&word(one.id, 3), &two.key)).await.0, 403, "not its key");
    assert_eq!(site.post("/proofs", &token, &post(&word(two.id, 3), &one.key)).await.0, 403, "not its name");
    assert_eq!(site.post("/proofs", &token, &post(&word(one.id, 4), &one.key)).await.0, 409, "has not come");
    let false_root = EpochProof { root: "00".repeat(32), ..word(one.id, 3) };
    assert_eq!(site.post("/proofs", &token, &post(&false_root, &one.key)).await.0, 400);
    let good = post(&word(one.id, 3), &one.key);
    assert_eq!(site.post("/proofs", &token, &good).await.0, 201);
    assert_eq!(site.post("/proofs", &token, &good).await.0, 201, "the same again");
    assert_eq!(site.post("/proofs", &token, &post(&word(one.id, 2), &one.key)).await.0, 409, "another word");
    let tokens = [Token([7; 16]), Token([8; 16])];
    let asked =
        json!({ "collector": one.id, "epoch": 1, "tokens": tokens.map(|token| HEXLOWER.encode(&token.0)) });
    let (_, proofs) = site.post("/get/proofs", &site.token(two.id), &asked).await;
    let paths = proofs["paths"].as_array().unwrap().iter().zip(&tokens).map(|(path, token)| {
        let bytes = BASE64.decode(path.as_str().unwrap().as_bytes()).unwrap();
        ProofPath::parse(&bytes).unwrap().verify(token, &tree.root(), 1).unwrap()
    });
    let paths: Vec<Proof> = paths.collect();
    assert!(matches!(paths[..], [Proof::Present(_), Proof::Absent]), "{paths:?}");
    // without leaves the exchange makes them itself, and finds what does not fit
    let second = |last, epoch| {
        let word = EpochProof { epoch, first: 1, ..word(one.id, last) };
        let mut post = post(&word, &one.key);
        post["leaves"] = "".into();
        post
    };
    assert_eq!(site.post("/proofs", &token, &second(3, 2)).await.0, 201);
    assert_eq!(site.post("/proofs", &token, &second(2, 3)).await.0, 400, "another root than it says");
    let none = json!({ "collector": two.id, "epoch": 1, "tokens": [] });
    assert_eq!(site.post("/get/proofs", &token, &none).await, (200, json!({ "signed": null, "paths": [] })));
}

#[tokio::test]
async fn a_header_is_wrapped_anew_by_its_own_collector_alone() {
    let (mut one, two) = (Collector::new(1), Collector::new(2));
    let site = Site::new(&[&one, &two], &[], None);
    let signed_by = |key: &PrivateKey, header: &str| {
        let message = rewrap_message(&BASE64.decode(header.as_bytes()).unwrap());
        json!({ "header": header, "signature": BASE64.encode(&key.sign(&message).unwrap()) })
    };
    let body = signed_by(&one.key, &one.header);
    assert_eq!(site.post("/rewrap", &site.token(one.id), &body).await.0, 404, "not here yet");
    let record = one.record(&[7]);
    site.insert(&one, vec![record]).await;
    assert_eq!(site.post("/rewrap", &site.token(one.id), &body).await.0, 204);
    assert_eq!(site.post("/rewrap", &site.token(two.id), &body).await.0, 403);
    // a stolen token: the wraps replaced by what opens nothing
    let stolen = site.token(one.id);
    let mut garbled = BASE64.decode(one.header.as_bytes()).unwrap();
    *garbled.last_mut().unwrap() ^= 1;
    let garbled = BASE64.encode(&garbled);
    for thiefs in [
        signed_by(&two.key, &garbled),
        json!({ "header": garbled, "signature": body["signature"] }),
        json!({ "header": garbled, "signature": "" }),
    ] {
        assert_eq!(site.post("/rewrap", &stolen, &thiefs).await.0, 403);
    }
    let batch = BatchHeader::parse(&BASE64.decode(one.header.as_bytes()).unwrap()).unwrap().batch();
    let kept = site.post("/get/batches", &stolen, &json!({ "batches": [batch] })).await.1;
    assert_eq!(kept["headers"], json!([one.header]));
}

#[tokio::test]
async fn without_a_named_key_the_first_manifests_own_counts_and_from_then_on_no_other() {
    let one = Collector::new(1);
    let (world, authority, thief) = (World::new(), key(), key());
    let is_taken = |text: &SignedText| {
        world.storage.put_note("manifest", &serde_json::to_vec(text).unwrap()).unwrap();
        let (storage, ambient) = (Arc::clone(&world.storage), world.ambient.clone());
        Members::new(nobody(), None, storage, ambient).unwrap().keys_now(one.id).is_ok()
    };
    let own = manifest(&authority, &[&one], &[]);
    let forged = manifest(&thief, &[&one], &[]);
    assert!(!is_taken(&SignedText { signature: forged.signature.clone(), ..own.clone() }), "not its key's");
    assert!(is_taken(&own));
    assert!(!is_taken(&forged));
    assert!(!is_taken(&SignedText { kid: own.kid.clone(), ..forged }), "under the other's name");
    assert!(is_taken(&own));
}

#[tokio::test]
async fn a_token_that_was_ended_is_refused_and_its_bearers_others_are_not() {
    let (authority, one) = (key(), Collector::new(1));
    let (two, three) = (MemberId([2; 16]), MemberId([3; 16]));
    let mut said = said(&authority, &[&one], &[]);
    said.ended = BTreeSet::from([MemberId([5; 16])]);
    said.ended_before = BTreeMap::from([(two, NOW), (three, NOW + 1)]);
    let site = Site::of(authority, &said, None);
    let ask = async |member: MemberId, id: u8| {
        let mut claims = Site::claims(member);
        claims["jti"] = json!(MemberId([id; 16]));
        site.ask("GET", "/sync/heads", &jwt(&site.authority, &site.head(), &claims), "").await.0.as_u16()
    };
    assert_eq!((ask(one.id, 5).await, ask(one.id, 6).await), (401, 200), "logged out; another of its own");
    assert_eq!((ask(two, 6).await, ask(three, 6).await), (200, 401), "made in that second; made before it");
}

#[tokio::test]
async fn nobody_is_let_in_by_a_manifest_by_which_no_collector_may_encrypt() {
    let mut one = Collector::new(1);
    let site = Site::new(&[&one], &[], None);
    let record = one.record(&[7]);
    site.world.clock.advance(Duration::from_secs(899));
    assert_eq!(site.insert(&one, vec![record.clone()]).await.0, 201);
    site.world.clock.advance(Duration::from_secs(2));
    let mut claims = Site::claims(one.id);
    claims["exp"] = json!(NOW + 2_000);
    let token = jwt(&site.authority, &site.head(), &claims);
    let body = serde_json::to_vec(&one.insert(vec![record])).unwrap();
    let request = Request::post("/add/enc-data").header("x-authorization", format!("Bearer {token}"));
    let answer = site.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"), "a collector keeps its records and tries again");
    let said: Value =
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(said["error"], "no_manifest");
}

#[tokio::test]
async fn a_replaced_key_signs_nothing_that_came_after_it() {
    let (authority, mut one) = (key(), Collector::new(1));
    let mut said = said(&authority, &[&one], &[]);
    let replaced = Replaced { key: spki(&one.key), last: 2 };
    said.members[0].signing_keys.insert(0, spki(&key()));
    said.members[0].replaced.push(replaced);
    let site = Site::of(authority, &said, None);
    let early = one.records(2);
    let (status, inserted) = site.insert(&one, early).await;
    assert_eq!((status, &inserted["accepted"]), (201, &json!(2)), "what waited in the spool counts");
    let late = one.record(&[7]);
    let (status, inserted) = site.insert(&one, vec![late]).await;
    assert_eq!((status, &inserted["refused"][0]["error"]), (409, &json!("signature")));
}
