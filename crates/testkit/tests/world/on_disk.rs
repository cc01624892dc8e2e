//! The engines over the embedded store: many at once, closed, and opened again from its files.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use strongroom_store::{Range, Store};
use strongroom_store_sqlite::{Options, SqliteStore};
use strongroom_testkit::{TestWorld, WorldOptions, settings};

fn open(dir: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(dir, Options::TEST, strongroom_audit::link).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_wrote_at_once_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let world = TestWorld::unlocked_with(Arc::<SqliteStore>::clone(&store), WorldOptions::default()).await;
    let world = Arc::new(world);
    world.create_store("web").await.unwrap();
    let tasks: Vec<_> = (0..64_u32)
        .map(|at| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let own = format!("own/{at:02}");
                for turn in 0..4 {
                    world.put("web", &own, &turn.to_string()).await.unwrap();
                    world.put("web", "shared", &at.to_string()).await.unwrap();
                    assert_eq!(world.get("web", &own).await.unwrap(), Some(turn.to_string()));
                }
                if at % 4 == 0 {
                    world.remove("web", &own).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let names = world.list("web").await.unwrap();
    assert_eq!(names.len(), 48 + 1);
    let shared = world.get_bytes("web", "shared", None).await.unwrap().unwrap();
    assert_eq!(shared.0, 256, "no version is lost");
    let outside = world.checkpoint().await.unwrap();
    store.close().await.unwrap();
    drop(store);

    let again = world.reopen_over(open(dir.path()));
    drop(world);
    again.unlock().await.unwrap();
    assert_eq!(again.list("web").await.unwrap(), names);
    assert_eq!(again.get_bytes("web", "shared", None).await.unwrap().unwrap(), shared);
    assert_eq!(again.read_store("web").await.unwrap().secrets, 49);
    let report = again.verify(Some(&outside)).await.unwrap();
    assert_eq!(report.bad, None);
    assert!(report.entries > 64 * 12, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn makers_and_removers_over_a_small_index_agree_with_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let limits = strongroom_gate::Limits { indexed_names: 4 };
    let options = WorldOptions { limits, ..WorldOptions::default() };
    let world = Arc::new(TestWorld::unlocked_with(Arc::<SqliteStore>::clone(&store), options).await);
    world.create_store("web").await.unwrap();
    let tasks: Vec<_> = (0..16_usize)
        .map(|at| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for turn in 0..8 {
                    let name = format!("n{}", (at + turn) % 6);
                    if (at + turn) % 3 == 0 {
                        let _ = world.remove("web", &name).await;
                    } else {
                        world.put("web", &name, "1").await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let names = world.list("web").await.unwrap();
    assert_eq!(world.read_store("web").await.unwrap().secrets, names.len() as u64);
    store.close().await.unwrap();
    drop(store);
    let again = world.reopen_over(open(dir.path()));
    again.unlock().await.unwrap();
    assert_eq!(again.list("web").await.unwrap(), names);
}

/// Sealed versions as they lie in the store.
async fn versions(world: &TestWorld) -> Vec<Vec<u8>> {
    let rows = world.store().list(Range::prefix(vec![0x05], usize::MAX)).await.unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

/// Pieces of records, wherever a page may begin, that the files of a closed store still hold.
fn found_in(dir: &Path, records: &[&Vec<u8>]) -> usize {
    let files = std::fs::read_dir(dir).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let bytes: Vec<u8> = files.flatten().collect();
    let pieces = records.iter().flat_map(|record| record.chunks(900).filter_map(|chunk| chunk.get(20..44)));
    let known: HashSet<&[u8]> = pieces.collect();
    bytes.windows(24).filter(|window| known.contains(window)).count()
}

async fn closed(dir: &Path, world: TestWorld, store: Arc<SqliteStore>) -> (TestWorld, Arc<SqliteStore>) {
    store.close().await.unwrap();
    drop(store);
    let store = open(dir);
    let again = world.reopen_over(Arc::<SqliteStore>::clone(&store));
    again.unlock().await.unwrap();
    (again, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_was_destroyed_removed_no_longer_kept_or_sealed_anew_no_byte_stays_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let world = TestWorld::unlocked_with(Arc::<SqliteStore>::clone(&store), WorldOptions::default()).await;
    world.create_typed("web", "generic", settings(0, "{}")).await.unwrap();
    world.create_typed("short", "generic", settings(1, "{}")).await.unwrap();
    let long = format!("\"{}\"", "x".repeat(60_000));
    for path in ["destroyed", "removed", "kept"] {
        world.put("web", path, &long).await.unwrap();
        world.put("web", path, "\"a short value\"").await.unwrap();
    }
    world.put("short", "a", &long).await.unwrap();
    let before = versions(&world).await;
    world.destroy("web", "destroyed", &[1, 2]).await.unwrap();
    world.remove("web", "removed").await.unwrap();
    world.put("short", "a", "1").await.unwrap();
    let (world, store) = closed(dir.path(), world, store).await;
    let after = versions(&world).await;
    let (kept, gone): (Vec<_>, Vec<_>) = before.iter().partition(|record| after.contains(record));
    assert_eq!((kept.len(), gone.len()), (2, 5));
    assert!(found_in(dir.path(), &kept) > 50, "what is kept is found");
    assert_eq!(found_in(dir.path(), &gone), 0);

    world.rotate_keyset("default").await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    let (world, _store) = closed(dir.path(), world, store).await;
    assert_eq!(found_in(dir.path(), &kept), 0, "of the retired term");
    assert_eq!(world.get("web", "kept").await.unwrap().as_deref(), Some("\"a short value\""));
}
