//! Stores and secrets: values as they came, versions, listings, index.

use std::sync::Arc;
use strongroom_gate::{CommitError, Denied, Limits, Secret, Store, Verdict};
use strongroom_model::{Action, ValueKind};
use strongroom_secret::SecretBytes;
use strongroom_secrets::{SecretsError, Value};
use strongroom_store::{MemoryStore, Range};
use strongroom_testkit::{Listing, TestWorld, WorldError, WorldOptions, name, value};

async fn world() -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.expect("a store");
    world
}

async fn narrow() -> TestWorld {
    let options = WorldOptions { limits: Limits { indexed_names: 3 }, ..WorldOptions::default() };
    let world = TestWorld::unlocked_with(MemoryStore::new(strongroom_audit::link), options).await;
    world.create_store("web").await.expect("a store");
    world
}

#[tokio::test]
async fn any_json_comes_back_to_the_byte() {
    let world = world().await;
    for json in [
        "null",
        "true",
        "0",
        "-0",
        "9007199254740993",
        "1e400",
        "0.1000000000000000055511151231257827021181583404541015625",
        "\"\"",
        "\"\\u0000\\ud83d\\ude00 \u{1f600}\"",
        "[]",
        "{}",
        "{ \"b\" : 1 ,\n\"a\":[1, 2 ,{}] }",
    ] {
        world.put("web", "value", json).await.unwrap();
        assert_eq!(world.get("web", "value").await.unwrap().as_deref(), Some(json));
    }
}

#[tokio::test]
async fn bytes_come_back_and_so_does_a_mebibyte() {
    let world = world().await;
    let root = world.root_caller().await.unwrap();
    let big: Vec<u8> = (0..1_u32 << 20).map(|n| n.to_le_bytes()[1]).collect();
    for bytes in [Vec::new(), vec![0, 255, 13, 10], big] {
        let value = Value::bytes(SecretBytes::new(bytes.clone()));
        world.put_as(&root, "web", "blob", &value, None).await.unwrap();
        let (_, kind, read) = world.get_bytes("web", "blob", None).await.unwrap().unwrap();
        assert_eq!(kind, ValueKind::Bytes);
        assert!(read == bytes, "{} bytes", bytes.len());
    }
}

#[tokio::test]
async fn versions_count_and_check_and_set_holds() {
    let world = world().await;
    assert_eq!(world.cas("web", "a", "1", 0).await.unwrap(), 1);
    assert_eq!(world.cas("web", "a", "2", 1).await.unwrap(), 2);
    assert_eq!(world.put("web", "a", "3").await.unwrap(), 3);
    for wrong in [0, 1, 2, 4, u64::MAX] {
        let fault = world.cas("web", "a", "9", wrong).await.unwrap_err();
        let WorldError::Secrets(SecretsError::VersionMismatch { present: Some(3), expected }) = fault else {
            panic!("{fault}")
        };
        assert_eq!(expected, wrong);
    }
    let fault = world.cas("web", "new", "9", 1).await.unwrap_err();
    assert!(matches!(
        fault,
        WorldError::Secrets(SecretsError::VersionMismatch { present: Some(0), expected: 1 })
    ));
    for (version, json) in [(1, "1"), (2, "2"), (3, "3")] {
        let (number, _, bytes) = world.get_bytes("web", "a", Some(version)).await.unwrap().unwrap();
        assert_eq!((number, bytes.as_slice()), (version, json.as_bytes()));
    }
    for absent in [0, 4, u64::MAX] {
        assert!(world.get_bytes("web", "a", Some(absent)).await.unwrap().is_none());
    }
    let metadata = world.metadata("web", "a").await.unwrap().unwrap();
    let numbers: Vec<u64> = metadata.versions.iter().map(|version| version.version).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert!(world.metadata("web", "absent").await.unwrap().is_none());
}

#[tokio::test]
async fn versions_go_on_after_a_restart() {
    let world = world().await;
    for _ in 0..3 {
        world.put("web", "a", "1").await.unwrap();
    }
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(world.put("web", "a", "4").await.unwrap(), 4);
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("4"));
}

#[tokio::test]
async fn deleted_and_made_again_it_begins_anew() {
    let world = world().await;
    world.put("web", "a", "1").await.unwrap();
    world.put("web", "a", "2").await.unwrap();
    world.remove("web", "a").await.unwrap();
    assert_eq!(world.get("web", "a").await.unwrap(), None);
    assert!(matches!(world.remove("web", "a").await, Err(WorldError::Secrets(SecretsError::NotFound))));
    assert_eq!(world.put("web", "a", "3").await.unwrap(), 1);
    assert!(world.get_bytes("web", "a", Some(2)).await.unwrap().is_none(), "of the old one nothing is left");
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("3"));
}

async fn listings_agree(world: &TestWorld) {
    let names = ["b/2", "a", "b/1", "b", "c", "b/10", "B", "é", "bé", "z\u{10348}", "z\u{ffee}"];
    for name in names {
        world.put("web", name, "1").await.unwrap();
    }
    let mut all: Vec<String> = names.map(str::to_owned).into();
    all.sort();
    assert_eq!(world.list("web").await.unwrap(), all);
    for prefix in ["", "b", "b/", "b/1", "zz", "c", "é", "z"] {
        for contains in [None, Some("1"), Some("/"), Some("x")] {
            let expected: Vec<&String> = all
                .iter()
                .filter(|name| name.starts_with(prefix) && contains.is_none_or(|text| name.contains(text)))
                .collect();
            for limit in [1, 2, 3, 100] {
                let mut found = Vec::new();
                loop {
                    let after = found.last().cloned();
                    let listing = Listing { prefix, after: after.as_deref(), contains, limit };
                    let page = world.page("web", listing).await.unwrap();
                    assert!(page.names.len() <= limit);
                    found.extend(page.names.to_vec());
                    assert_eq!(page.more, found.len() < expected.len(), "{prefix:?} {contains:?} {limit}");
                    if !page.more {
                        break;
                    }
                }
                assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{prefix:?} {contains:?} {limit}");
            }
        }
    }
    for name in ["b/1", "a", "z\u{ffee}"] {
        world.remove("web", name).await.unwrap();
        all.retain(|other| other != name);
    }
    assert_eq!(world.list("web").await.unwrap(), all);
    assert_eq!(world.read_store("web").await.unwrap().secrets, all.len() as u64);
}

#[tokio::test]
async fn listings_are_in_order_and_page() {
    listings_agree(&world().await).await;
}

#[tokio::test]
async fn beyond_the_index_listings_are_the_same() {
    let world = narrow().await;
    listings_agree(&world).await;
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(world.list("web").await.unwrap().len(), 8);
    assert_eq!(world.put("web", "b", "2").await.unwrap(), 2);
    assert_eq!(world.get("web", "b").await.unwrap().as_deref(), Some("2"));
    assert_eq!(world.get("web", "a").await.unwrap(), None);
}

#[tokio::test]
async fn beyond_the_index_stores_are_the_same() {
    let world = narrow().await;
    for at in 0..6 {
        world.create_store(&format!("s{at}")).await.unwrap();
        world.put(&format!("s{at}"), "a", &at.to_string()).await.unwrap();
    }
    let world = world.reopen();
    world.unlock().await.unwrap();
    for at in 0..6 {
        assert_eq!(world.get(&format!("s{at}"), "a").await.unwrap(), Some(at.to_string()));
    }
    assert_eq!(world.stores().await.unwrap(), ["s0", "s1", "s2", "s3", "s4", "s5", "web"]);
    world.remove_store("s3").await.unwrap();
    assert!(matches!(world.get("s3", "a").await, Err(WorldError::Denied(Denied::NotFound))));
    assert_eq!(world.stores().await.unwrap().len(), 6);
}

#[tokio::test]
async fn names_that_differ_in_case_are_two() {
    let world = world().await;
    world.put("web", "Key", "1").await.unwrap();
    world.put("web", "key", "2").await.unwrap();
    assert_eq!(world.get("web", "Key").await.unwrap().as_deref(), Some("1"));
    assert_eq!(world.get("web", "key").await.unwrap().as_deref(), Some("2"));
    assert_eq!(world.get("web", "KEY").await.unwrap(), None);
    world.create_store("Web").await.unwrap();
    assert_eq!(world.list("Web").await.unwrap(), Vec::<String>::new());
    assert_eq!(world.stores().await.unwrap(), ["Web", "web"]);
}

#[tokio::test]
async fn stores_are_made_once_removed_and_made_again_empty() {
    let world = world().await;
    world.put("web", "a", "1").await.unwrap();
    let fault = world.create_store("web").await.unwrap_err();
    assert!(matches!(fault, WorldError::Secrets(SecretsError::AlreadyExists)), "{fault}");
    assert_eq!(world.keysets().await.unwrap()[0].stores, ["web"]);
    world.remove_store("web").await.unwrap();
    assert_eq!(world.stores().await.unwrap(), Vec::<String>::new());
    assert!(matches!(world.remove_store("web").await, Err(WorldError::Denied(Denied::NotFound))));
    world.create_store("web").await.unwrap();
    assert_eq!(world.list("web").await.unwrap(), Vec::<String>::new());
    assert_eq!(world.get("web", "a").await.unwrap(), None);
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(world.read_store("web").await.unwrap().secrets, 0);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_the_entry_says_so() {
    let world = world().await;
    let from = world.head() + 1;
    assert_eq!(world.get("web", "absent").await.unwrap(), None);
    assert!(matches!(world.get("nowhere", "a").await, Err(WorldError::Denied(Denied::NotFound))));
    assert!(matches!(world.put("nowhere", "a", "1").await, Err(WorldError::Denied(Denied::NotFound))));
    assert!(matches!(world.read_store("nowhere").await, Err(WorldError::Denied(Denied::NotFound))));
    let trail = world.trail(from).await.unwrap();
    let told: Vec<_> = trail.iter().map(|line| (line.action, line.verdict, line.resource.as_str())).collect();
    assert_eq!(
        told,
        [
            (Action::GetSecret, Verdict::NotFound, "web/absent"),
            (Action::GetSecret, Verdict::NotFound, "nowhere/a"),
            (Action::PutSecret, Verdict::NotFound, "nowhere/a"),
            (Action::ReadStore, Verdict::NotFound, "nowhere"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_of_one_secret_lose_no_version() {
    let world = Arc::new(world().await);
    let writers: Vec<_> = (0..64)
        .map(|at| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.put("web", "hot", &at.to_string()).await.unwrap() })
        })
        .collect();
    let mut versions = Vec::new();
    for writer in writers {
        versions.push(writer.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=64).collect::<Vec<u64>>());
    assert_eq!(world.metadata("web", "hot").await.unwrap().unwrap().versions.len(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn makers_and_removers_of_one_name_leave_index_and_store_agreed() {
    for narrow in [false, true] {
        let options = WorldOptions {
            limits: Limits { indexed_names: if narrow { 2 } else { 100 } },
            ..WorldOptions::default()
        };
        let store = strongroom_testkit::Odd::slow(MemoryStore::new(strongroom_audit::link));
        let world = Arc::new(TestWorld::unlocked_with(store, options).await);
        world.create_store("web").await.unwrap();
        let tasks: Vec<_> = (0..48)
            .map(|at| {
                let world = Arc::clone(&world);
                tokio::spawn(async move {
                    let name = format!("name{}", at % 3);
                    for turn in 0..6 {
                        if (at + turn) % 2 == 0 {
                            world.put("web", &name, "1").await.map(drop).unwrap();
                        } else {
                            match world.remove("web", &name).await {
                                Ok(()) | Err(WorldError::Secrets(SecretsError::NotFound)) => {}
                                Err(fault) => panic!("{fault}"),
                            }
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let seen = world.list("web").await.unwrap();
        let again = world.reopen_over(world.store());
        again.unlock().await.unwrap();
        assert_eq!(again.list("web").await.unwrap(), seen);
        for name in seen {
            assert!(world.get("web", &name).await.unwrap().is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_that_come_and_go_under_readers_lose_nothing() {
    let slow = strongroom_testkit::Odd::slow(MemoryStore::new(strongroom_audit::link));
    let world = Arc::new(TestWorld::unlocked_with(slow, WorldOptions::default()).await);
    for round in 0..40 {
        let store = format!("s{round}");
        let maker = {
            let (world, store) = (Arc::clone(&world), store.clone());
            tokio::spawn(async move { world.create_store(&store).await.unwrap() })
        };
        let user = {
            let (world, store) = (Arc::clone(&world), store.clone());
            tokio::spawn(async move {
                loop {
                    match world.put(&store, "a", "1").await {
                        Ok(_) => break,
                        Err(WorldError::Denied(Denied::NotFound)) => tokio::task::yield_now().await,
                        Err(fault) => panic!("{fault}"),
                    }
                }
            })
        };
        maker.await.unwrap();
        user.await.unwrap();
        assert_eq!(world.list(&store).await.unwrap(), ["a"], "round {round}");
    }
}

#[tokio::test]
async fn a_late_removal_does_not_take_a_new_store_of_the_same_name() {
    let world = world().await;
    world.put("web", "old", "1").await.unwrap();
    let caller = world.root_caller().await.unwrap();
    let about = Store { name: name("web") };
    let late = world.gate.admit::<strongroom_secrets::RemoveStore>(&caller, about).await.unwrap();
    world.remove_store("web").await.unwrap();
    world.create_store("web").await.unwrap();
    world.put("web", "new", "2").await.unwrap();
    let fault = strongroom_secrets::remove_store(late).await.unwrap_err();
    assert!(matches!(fault, SecretsError::Commit(CommitError::Changed)), "{fault}");
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(world.list("web").await.unwrap(), ["new"]);
    assert_eq!(world.get("web", "new").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn a_write_into_a_store_that_is_removed_meanwhile_leaves_nothing_behind() {
    let world = world().await;
    world.put("web", "a", "1").await.unwrap();
    let caller = world.root_caller().await.unwrap();
    for path in ["a", "b"] {
        let about = Secret { store: name("web"), path: strongroom_testkit::path(path) };
        let late = world.gate.admit::<strongroom_secrets::PutSecret>(&caller, about).await.unwrap();
        world.remove_store("web").await.unwrap();
        let by = strongroom_model::UserId::default();
        let put = strongroom_secrets::put(late, by, world.gate.now(), &value("2"), None).await;
        assert!(put.is_err(), "{path}");
        let rows = world.store().list(Range::prefix(vec![0x05], 10)).await.unwrap();
        assert_eq!(rows.len(), 0, "{path}: no version without a store");
        world.create_store("web").await.unwrap();
        world.put("web", "a", "1").await.unwrap();
        assert_eq!(world.list("web").await.unwrap(), ["a"]);
        world.remove_store("web").await.unwrap();
        world.create_store("web").await.unwrap();
        world.put("web", "a", "1").await.unwrap();
    }
}
