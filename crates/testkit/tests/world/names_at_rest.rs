//! Nothing below the barrier sees a name or a value: the files of a data directory are searched for them.

use std::path::Path;
use strongroom_secret::SecretBytes;
use strongroom_secrets::Value;
use strongroom_store_sqlite::{Options, SqliteStore};
use strongroom_testkit::{TestWorld, WorldError, WorldOptions};

const STORE: &str = "zaphodbeeblebrox-store";
const SECRET: &str = "trillianmcmillan/password-of-it";
const GONE: &str = "slartibartfast-who-is-deleted";
const VALUE: &str = "\"hunter2-the-value-of-marvin\"";
const BYTES: &[u8] = b"vogon-poetry-as-bytes-\x01\x02";

fn needles() -> Vec<(String, Vec<u8>)> {
    let mut needles = Vec::new();
    let texts = [STORE, SECRET, "trillianmcmillan", "password-of-it", GONE, VALUE, "hunter2", "vogon-poetry"];
    for text in texts {
        needles.push((text.to_owned(), text.as_bytes().to_vec()));
        needles
            .push((format!("{text} in UTF-16 LE"), text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        needles
            .push((format!("{text} in UTF-16 BE"), text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
        needles.push((
            format!("{text} in hexadecimal"),
            text.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        ));
    }
    needles
}

fn search(dir: &Path, when: &str) -> usize {
    let mut searched = 0;
    for file in std::fs::read_dir(dir).expect("a directory") {
        let file = file.expect("an entry").path();
        if file.is_dir() {
            searched += search(&file, when);
            continue;
        }
        let bytes = std::fs::read(&file).expect("a file");
        for (what, needle) in needles() {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{what} lies in {} {when}", file.display());
        }
        searched += bytes.len();
    }
    searched
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_names_nor_values_lie_in_any_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Options::TEST, strongroom_audit::link).unwrap();
    let closing = std::sync::Arc::clone(&store);
    let world = TestWorld::unlocked_with(store, WorldOptions::default()).await;
    world.create_store(STORE).await.unwrap();
    world.put(STORE, SECRET, VALUE).await.unwrap();
    world.put(STORE, GONE, VALUE).await.unwrap();
    world.remove(STORE, GONE).await.unwrap();
    let root = world.root_caller().await.unwrap();
    world.put_as(&root, STORE, "blob", &Value::bytes(SecretBytes::new(BYTES.to_vec())), None).await.unwrap();
    assert_eq!(world.get(STORE, SECRET).await.unwrap().as_deref(), Some(VALUE));
    world.get(STORE, "trillianmcmillan/absent").await.unwrap();
    assert!(matches!(world.get("zaphodbeeblebrox-store-absent", "a").await, Err(WorldError::Denied(_))));
    world.list(STORE).await.unwrap();
    world.checkpoint().await.unwrap();
    assert!(search(dir.path(), "while open") > 10_000);
    world.lock().await.unwrap();
    search(dir.path(), "after locking");
    strongroom_store::Store::close(&*closing).await.unwrap();
    assert!(search(dir.path(), "after closing") > 10_000);
}

#[tokio::test]
async fn what_is_sought_would_be_found() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plain"), format!("before {SECRET} after")).unwrap();
    let found = std::panic::catch_unwind(|| search(dir.path(), "in plain sight"));
    assert!(found.is_err());
}
