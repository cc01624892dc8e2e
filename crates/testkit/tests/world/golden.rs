//! A whole data directory of format 1, written by this version on 2026-11-22, opens for ever: root record, partition,
//! keysets, directory entries, versions, counts, key map, users, credentials, trail, checkpoints.

use std::path::{Path, PathBuf};
use strongroom_store::Store;
use strongroom_store_sqlite::{Options, SqliteStore};
use strongroom_testkit::{TestWorld, WorldOptions};

const KEYS: &str = "keys.txt";
const DATABASE: &str = "strongroom.db";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/data/v1")
}

#[tokio::test]
async fn the_golden_directory_opens_to_what_was_put_into_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(golden().join(DATABASE), dir.path().join(DATABASE)).unwrap();
    let store = SqliteStore::open(dir.path(), Options::TEST, strongroom_audit::link).unwrap();
    let mut world = TestWorld::with(store, WorldOptions { seed: 2, ..WorldOptions::default() });
    let keys = std::fs::read_to_string(golden().join(KEYS)).unwrap();
    let (access_key, unlock_keys) = keys.trim().split_once('\n').unwrap();
    world.access_key = Some(access_key.parse().unwrap());
    world.keys = unlock_keys.lines().take(2).map(str::to_owned).collect();
    world.unlock().await.unwrap();

    assert_eq!(world.stores().await.unwrap(), ["golden", "ключи"]);
    assert_eq!(world.list("golden").await.unwrap(), ["big/number", "deep/er/path", "texts"]);
    let number = world.get("golden", "big/number").await.unwrap();
    assert_eq!(number.as_deref(), Some("{\"n\": 9007199254740993}"));
    assert_eq!(world.get("golden", "texts").await.unwrap().as_deref(), Some("\"third\""));
    assert_eq!(world.metadata("golden", "texts").await.unwrap().unwrap().versions.len(), 3);
    assert_eq!(world.get("ключи", "пароль").await.unwrap().as_deref(), Some("\"секрет\""));
    assert_eq!(world.read_store("golden").await.unwrap().secrets, 3);
    let report = world.verify(None).await.unwrap();
    assert_eq!(report.bad, None);
    assert!(report.checkpoints >= 2);

    // and it goes on from there
    assert_eq!(world.put("golden", "texts", "\"fourth\"").await.unwrap(), 4);

    // its keys can be changed, every one of them
    let values = [("golden", "texts", "\"fourth\""), ("ключи", "пароль", "\"секрет\"")];
    world.rotate_keyset("default").await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    let unlock_keys = world.keys.clone();
    world.rotate_kek(&unlock_keys).await.unwrap();
    let shown = world.rotate_root(&unlock_keys, None, None).await.unwrap();
    world.keep_keys(shown);
    let unlock_keys = world.keys[..2].to_vec();
    world.rotate_all(&unlock_keys).await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    let terms = world.terms_in(&[0x04, 0x05, 0x07, 0x08, 0x09, 0x0a, 0x0f]).await;
    assert!(!terms.contains_key(&1), "{terms:?}");
    let world = world.reopen();
    world.unlock().await.unwrap();
    for (store, path, json) in values {
        assert_eq!(world.get(store, path).await.unwrap().as_deref(), Some(json));
    }
    assert_eq!(world.verify(None).await.unwrap().bad, None);
}

/// Writes a new golden directory where `STRONGROOM_GOLDEN` says: for a new format, never for an old one.
#[tokio::test]
async fn a_golden_directory_can_be_written() {
    let wanted = std::env::var_os("STRONGROOM_GOLDEN").map(PathBuf::from);
    let scratch = tempfile::tempdir().unwrap();
    let dir = wanted.unwrap_or_else(|| scratch.path().join("golden"));
    let store = SqliteStore::open(&dir, Options::TEST, strongroom_audit::link).unwrap();
    let mut world = TestWorld::over(store.clone());
    world.initialise(3, 2).await.unwrap();
    world.unlock().await.unwrap();
    world.create_store("golden").await.unwrap();
    world.create_store("ключи").await.unwrap();
    world.put("golden", "big/number", "{\"n\": 9007199254740993}").await.unwrap();
    for text in ["\"first\"", "\"second\"", "\"third\""] {
        world.put("golden", "texts", text).await.unwrap();
    }
    world.put("golden", "deep/er/path", "[1, [2, [3]]]").await.unwrap();
    world.put("golden", "gone", "null").await.unwrap();
    world.remove("golden", "gone").await.unwrap();
    world.put("ключи", "пароль", "\"секрет\"").await.unwrap();
    world.checkpoint().await.unwrap();
    let lines: Vec<_> = world.access_key.iter().map(ToString::to_string).chain(world.keys.clone()).collect();
    world.lock().await.unwrap();
    store.close().await.unwrap();
    std::fs::write(dir.join(KEYS), lines.join("\n") + "\n").unwrap();
    assert_eq!(lines.len(), 4);
}
