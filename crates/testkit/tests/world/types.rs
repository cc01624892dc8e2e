//! Stores of every type, from the gate down: what is put, generated, shown in public, and what expires.

use std::path::Path;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{KeyMaterial, MaterialKind};
use strongroom_model::{Action, MAX_VALUE_BYTES};
use strongroom_secret::SecretBytes;
use strongroom_secrets::{Change, SecretsError, TypeError, TypeRef, Value};
use strongroom_store::Store as _;
use strongroom_store_sqlite::{Options, SqliteStore};
use strongroom_testkit::{TestWorld, WorldError, WorldOptions, settings};

const DAY: Duration = Duration::from_hours(24);

async fn world(store_type: &str, of_type: &str) -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_typed("s", store_type, settings(0, of_type)).await.unwrap();
    world
}

async fn json(world: &TestWorld, path: &str) -> serde_json::Value {
    serde_json::from_str(&world.get("s", path).await.unwrap().unwrap()).unwrap()
}

async fn put_bytes(world: &TestWorld, path: &str, bytes: &[u8]) -> Result<u64, WorldError> {
    let root = world.root_caller().await.unwrap();
    world.put_as(&root, "s", path, &Value::bytes(SecretBytes::new(bytes.to_vec())), None).await
}

fn refused(result: Result<u64, WorldError>) -> TypeError {
    match result {
        Err(WorldError::Secrets(SecretsError::Type(fault))) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_registered_type_makes_a_store_that_takes_its_examples_and_nothing_too_large() {
    let world = TestWorld::unlocked().await;
    for known in TypeRef::all() {
        let store = world.create_typed(known.name(), known.name(), settings(0, "{}")).await.unwrap();
        assert_eq!((store.store_type, store.type_version), (known, known.version()));
        for (at, example) in known.examples().into_iter().enumerate() {
            world.put(known.name(), &at.to_string(), &example).await.unwrap();
            assert!(world.get(known.name(), &at.to_string()).await.unwrap().is_some());
        }
        let large = Value::bytes(SecretBytes::new(vec![b'x'; MAX_VALUE_BYTES]));
        let root = world.root_caller().await.unwrap();
        let verdict = world.put_as(&root, known.name(), "large", &large, None).await;
        assert_eq!(verdict.is_ok(), known.name() == "generic", "{}", known.name());
    }
    let world = world.reopen();
    world.unlock().await.unwrap();
    for known in TypeRef::all() {
        assert_eq!(world.read_store(known.name()).await.unwrap().store_type, known);
        assert!(world.get(known.name(), "0").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_generated_password_follows_the_store_unless_the_order_says_otherwise() {
    let world = world("user", r#"{"length":40,"alphabet":"hex"}"#).await;
    let (version, facts) = world.generate("s", "app", r#"{"username":"app"}"#).await.unwrap();
    assert_eq!((version, facts.json.as_str()), (1, r#"{"length":40,"entropy_bits":160.0}"#));
    let first = json(&world, "app").await;
    let password = first["password"].as_str().unwrap();
    assert!(password.len() == 40 && password.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // the next one keeps the name; the order wins over the store
    world.generate("s", "app", r#"{"length":8,"alphabet":"digits"}"#).await.unwrap();
    let second = json(&world, "app").await;
    assert_eq!(second["username"], "app");
    assert!(second["password"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()));
    // settings hold over restarts, and change at once
    let world = world.reopen();
    world.unlock().await.unwrap();
    world.generate("s", "app", "{}").await.unwrap();
    assert_eq!(json(&world, "app").await["password"].as_str().unwrap().len(), 40);
    let of_type = Some(settings(0, r#"{"length":null,"alphabet":null}"#).of_type);
    world.configure("s", Change { of_type, ..Change::default() }).await.unwrap();
    world.generate("s", "app", "{}").await.unwrap();
    assert_eq!(json(&world, "app").await["password"].as_str().unwrap().len(), 24);
    let metadata = world.metadata("s", "app").await.unwrap().unwrap();
    assert!(metadata.versions.iter().all(|version| version.facts.contains("entropy_bits")));
    assert!(matches!(
        world.generate("s", "nobody", "{}").await,
        Err(WorldError::Secrets(SecretsError::Type(TypeError::Field { field: "username", .. })))
    ));
}

#[tokio::test]
async fn settings_that_do_not_suit_the_type_are_refused_and_change_nothing() {
    let world = world("user", "{}").await;
    for (store_type, wrong) in
        [("generic", r#"{"length":9}"#), ("user", r#"{"length":2}"#), ("rsa", r#"{"bits":1024}"#)]
    {
        let refused = world.create_typed("new", store_type, settings(0, wrong)).await.unwrap_err();
        assert!(matches!(refused, WorldError::Secrets(SecretsError::Type(_))), "{refused}");
    }
    assert_eq!(world.stores().await.unwrap(), ["s"]);
    let of_type = Some(settings(0, r#"{"characters":"aa"}"#).of_type);
    world.configure("s", Change { of_type, ..Change::default() }).await.unwrap_err();
    assert_eq!(world.read_store("s").await.unwrap().settings, settings(0, "{}"));
}

#[tokio::test]
async fn two_administrators_who_configure_one_store_keep_each_others_settings() {
    let world = world("user", r#"{"length":40}"#).await;
    let change = |of_type: &str| Change { of_type: Some(settings(0, of_type).of_type), ..Change::default() };
    let one = world.configure("s", change(r#"{"alphabet":"hex"}"#));
    let other = world.configure("s", change(r#"{"each":false,"length":null}"#));
    let (one, other) = tokio::join!(one, other);
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let present = world.read_store("s").await.unwrap().settings.of_type;
    assert_eq!(present.as_str(), r#"{"alphabet":"hex","each":false}"#);
}

#[tokio::test]
async fn a_generic_store_generates_nothing_and_shows_nothing() {
    let world = world("generic", "{}").await;
    world.put("s", "a", "1").await.unwrap();
    let fault = world.generate("s", "a", "{}").await.unwrap_err();
    assert!(matches!(fault, WorldError::Secrets(SecretsError::Type(TypeError::NoGenerator))), "{fault}");
    let fault = world.public("s", "a").await.unwrap_err();
    assert!(matches!(fault, WorldError::Secrets(SecretsError::Type(TypeError::NoPublicHalf))), "{fault}");
    assert_eq!(world.metadata("s", "a").await.unwrap().unwrap().versions.len(), 1);
}

#[tokio::test]
async fn an_rsa_key_comes_in_any_form_and_its_public_half_is_a_right_of_its_own() {
    let world = world("rsa", r#"{"bits":2048}"#).await;
    let key = KeyMaterial::generate(MaterialKind::Rsa(2048)).unwrap();
    let pem = key.private_pem().expose(|pem| String::from_utf8(pem.to_vec()).unwrap());
    let der = key.pkcs8().expose(<[u8]>::to_vec);
    put_bytes(&world, "pem", pem.as_bytes()).await.unwrap();
    put_bytes(&world, "der", &der).await.unwrap();
    world.put("s", "json", &serde_json::json!({ "private_key": pem }).to_string()).await.unwrap();
    for path in ["pem", "der", "json"] {
        let public = world.public("s", path).await.unwrap().unwrap();
        let shown: serde_json::Value = serde_json::from_str(public.public.as_str()).unwrap();
        assert_eq!((&shown["public_key"], &shown["bits"]), (&key.public_pem().into(), &2048.into()));
        assert!(!public.public.as_str().contains("PRIVATE"));
        assert_eq!(json(&world, path).await["private_key"], pem);
    }
    let (_, facts) = world.generate("s", "made", "{}").await.unwrap();
    assert!(facts.json.contains("\"bits\":2048") && facts.json.contains("SHA256:"), "{}", facts.json);
    let trail = world.trail(1).await.unwrap();
    let shown = trail.iter().filter(|line| line.action == Action::ReadPublic).count();
    assert_eq!(shown, 3);
    assert!(matches!(refused(put_bytes(&world, "bad", &pem.as_bytes()[..400]).await), TypeError::Key(_)));
    let ec = KeyMaterial::generate(MaterialKind::EcP256).unwrap();
    let ec = ec.pkcs8().expose(<[u8]>::to_vec);
    assert!(matches!(refused(put_bytes(&world, "bad", &ec).await), TypeError::Key(_)));
    assert!(world.metadata("s", "bad").await.unwrap().is_none());
}

#[tokio::test]
async fn what_expires_is_told_soonest_first_and_what_has_expired_too() {
    let world = world("x509", "{}").await;
    world.create_typed("other", "generic", settings(0, "{}")).await.unwrap();
    world.put("other", "a", "1").await.unwrap();
    for (path, days) in [("long", 300), ("soon", 10), ("sooner", 5), ("deleted", 3)] {
        let wanted = format!(r#"{{"common_name":"{path}.example.org","days":{days}}}"#);
        world.generate("s", path, &wanted).await.unwrap();
    }
    world.generate("s", "asked", r#"{"common_name":"asked.example.org","csr":true}"#).await.unwrap();
    world.delete_versions("s", "deleted", &[]).await.unwrap();
    let paths = async |within: Duration| -> Vec<String> {
        let found = world.expiring(within).await.unwrap();
        assert!(found.iter().all(|found| found.store == "s" && found.facts.contains("example.org")));
        found.into_iter().map(|found| found.path).collect()
    };
    assert_eq!(paths(DAY * 4).await, [""; 0]);
    assert_eq!(paths(DAY * 6).await, ["sooner"]);
    assert_eq!(paths(DAY * 30).await, ["sooner", "soon"]);
    assert_eq!(paths(DAY * 400).await, ["sooner", "soon", "long"]);
    for _ in 0..7 {
        world.clock.advance(DAY);
    }
    let found = world.expiring(Duration::ZERO).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].path == "sooner" && found[0].expires < world.gate.now());
    // a new version takes the old one's place in the report
    world.generate("s", "sooner", r#"{"common_name":"sooner.example.org","days":90}"#).await.unwrap();
    assert_eq!(world.expiring(Duration::ZERO).await.unwrap(), []);
    assert!(UnixMillis(0) < world.gate.now());
}

/// Names and secret values of every type, in no file, whatever becomes of the versions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_and_no_value_of_any_type_lies_in_any_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Options::TEST, strongroom_audit::link).unwrap();
    let world = TestWorld::unlocked_with(std::sync::Arc::clone(&store) as _, WorldOptions::default()).await;
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for known in TypeRef::all() {
        let (name, path) = (format!("zanzibar-{}", known.name()), format!("quokka/of-{}", known.name()));
        world.create_typed(&name, known.name(), settings(2, "{}")).await.unwrap();
        for example in known.examples().iter().chain(&known.examples()) {
            world.put(&name, &path, example).await.unwrap();
            let kept = world.get(&name, &path).await.unwrap().unwrap();
            needles.extend(kept.as_bytes().windows(24).step_by(24).map(<[u8]>::to_vec));
        }
        world.metadata(&name, &path).await.unwrap();
        let newest = world.metadata(&name, &path).await.unwrap().unwrap().versions[0].version;
        world.delete_versions(&name, &path, &[]).await.unwrap();
        world.destroy(&name, &path, &[newest]).await.unwrap();
        needles.extend([name.into_bytes(), path.into_bytes()]);
    }
    world.create_typed("zanzibar-set", "user", settings(0, r#"{"characters":"wombxyz"}"#)).await.unwrap();
    needles.extend([b"zanzibar".to_vec(), b"quokka".to_vec(), b"wombxyz".to_vec(), b"characters".to_vec()]);
    // the marks of PEM say nothing, and lines of it are long
    needles.retain(|needle| !needle.starts_with(b"-----") && needle.len() >= 6);
    assert!(needles.len() > 50);
    search(dir.path(), &needles);
    store.close().await.unwrap();
    assert!(search(dir.path(), &needles) > 10_000);
}

fn search(dir: &Path, needles: &[Vec<u8>]) -> usize {
    let mut searched = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let file = entry.unwrap().path();
        if file.is_dir() {
            searched += search(&file, needles);
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for needle in needles {
            let needle = String::from_utf8_lossy(needle);
            assert!(!text.contains(needle.as_ref()), "{needle} lies in {}", file.display());
        }
        searched += bytes.len();
    }
    searched
}
