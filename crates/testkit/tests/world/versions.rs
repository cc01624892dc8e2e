//! The lives of versions: deleted, undeleted, destroyed, no longer kept; races and crashes included.

use std::num::NonZeroU64;
use std::sync::Arc;
use strongroom_gate::Limits;
use strongroom_secrets::{Change, Found, SecretsError, Settings, State};
use strongroom_store::{Change as RowChange, Fault, MemoryStore, Range, Txn};
use strongroom_testkit::{TestWorld, WorldError, WorldOptions, settings};

async fn world(keep: u64) -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_typed("web", "generic", settings(keep, "{}")).await.unwrap();
    world
}

async fn put(world: &TestWorld, path: &str, versions: std::ops::RangeInclusive<u64>) {
    for version in versions {
        assert_eq!(world.put("web", path, &version.to_string()).await.unwrap(), version);
    }
}

/// The states of all versions, newest first: `l`, `d`, `x`.
async fn states(world: &TestWorld, path: &str) -> String {
    let metadata = world.metadata("web", path).await.unwrap().unwrap();
    let letter = |state: &State| match state {
        State::Live => 'l',
        State::Deleted { .. } => 'd',
        State::Destroyed { .. } => 'x',
    };
    metadata.versions.iter().map(|version| letter(&version.state)).collect()
}

async fn reads(world: &TestWorld, path: &str, version: Option<u64>) -> String {
    match world.find("web", path, version).await.unwrap() {
        Found::Absent => "absent".to_owned(),
        Found::Deleted { version, .. } => format!("deleted {version}"),
        Found::Destroyed { version, .. } => format!("destroyed {version}"),
        Found::Live(live) => live.value.bytes.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn fault(result: Result<(), WorldError>) -> SecretsError {
    match result {
        Err(WorldError::Secrets(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn deleted_versions_come_back_and_the_others_never_left() {
    let world = world(0).await;
    put(&world, "a", 1..=3).await;
    world.delete_versions("web", "a", &[]).await.unwrap();
    world.delete_versions("web", "a", &[1, 1]).await.unwrap();
    assert_eq!(reads(&world, "a", None).await, "deleted 3");
    assert_eq!(reads(&world, "a", Some(3)).await, "deleted 3");
    assert_eq!(reads(&world, "a", Some(2)).await, "2");
    assert_eq!(
        (states(&world, "a").await, reads(&world, "a", Some(1)).await),
        ("dld".into(), "deleted 1".into())
    );
    // what is known of it in memory is known after a restart
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(
        (states(&world, "a").await, reads(&world, "a", None).await),
        ("dld".into(), "deleted 3".into())
    );
    world.undelete("web", "a", &[1]).await.unwrap();
    assert_eq!(
        (states(&world, "a").await, reads(&world, "a", None).await),
        ("dll".into(), "deleted 3".into())
    );
    world.undelete("web", "a", &[]).await.unwrap();
    assert_eq!((states(&world, "a").await, reads(&world, "a", None).await), ("lll".into(), "3".into()));
    world.undelete("web", "a", &[2]).await.unwrap();
    world.delete_versions("web", "a", &[]).await.unwrap();
    put(&world, "a", 4..=4).await;
    assert_eq!((states(&world, "a").await, reads(&world, "a", None).await), ("ldll".into(), "4".into()));
}

#[tokio::test]
async fn what_was_destroyed_is_gone_for_good() {
    let world = world(0).await;
    world.put("web", "a", "\"find me in the rows\"").await.unwrap();
    put(&world, "a", 2..=3).await;
    world.delete_versions("web", "a", &[1]).await.unwrap();
    world.destroy("web", "a", &[1, 3]).await.unwrap();
    assert_eq!(states(&world, "a").await, "xlx");
    assert_eq!(reads(&world, "a", None).await, "destroyed 3");
    assert_eq!(reads(&world, "a", Some(1)).await, "destroyed 1");
    let metadata = world.metadata("web", "a").await.unwrap().unwrap();
    assert_eq!(metadata.versions.last().map(|version| version.size), Some(21), "what is left knows its size");
    for version in [1, 3] {
        assert!(
            matches!(fault(world.undelete("web", "a", &[version]).await), SecretsError::Destroyed { version: v } if v == version)
        );
        assert!(matches!(
            fault(world.delete_versions("web", "a", &[version]).await),
            SecretsError::Destroyed { .. }
        ));
    }
    world.destroy("web", "a", &[1]).await.unwrap();
    put(&world, "a", 4..=4).await;
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!((states(&world, "a").await, reads(&world, "a", None).await), ("lxlx".into(), "4".into()));
}

#[tokio::test]
async fn a_list_of_versions_that_cannot_all_be_changed_changes_none() {
    let world = world(0).await;
    put(&world, "a", 1..=2).await;
    assert!(matches!(fault(world.delete_versions("web", "a", &[1, 3]).await), SecretsError::NotFound));
    assert!(matches!(fault(world.destroy("web", "a", &[1, 0]).await), SecretsError::NotFound));
    assert!(matches!(fault(world.destroy("web", "a", &[]).await), SecretsError::NoVersionNamed));
    assert!(matches!(fault(world.destroy("web", "a", &[1; 1_001]).await), SecretsError::TooManyNamed));
    assert!(matches!(fault(world.delete_versions("web", "b", &[]).await), SecretsError::NotFound));
    assert!(matches!(fault(world.undelete("web", "b", &[1]).await), SecretsError::NotFound));
    assert_eq!(states(&world, "a").await, "ll");
}

#[tokio::test]
async fn the_oldest_beyond_the_kept_ones_go_with_the_write() {
    let world = world(3).await;
    put(&world, "a", 1..=2).await;
    world.delete_versions("web", "a", &[1, 2]).await.unwrap();
    put(&world, "a", 3..=7).await;
    assert_eq!(states(&world, "a").await, "lll");
    for (version, read) in [(4, "absent"), (5, "5"), (7, "7"), (8, "absent"), (0, "absent")] {
        assert_eq!(reads(&world, "a", Some(version)).await, read, "version {version}");
    }
    assert_eq!(world.metadata("web", "a").await.unwrap().unwrap().oldest, 5);
    assert_eq!(world.read_store("web").await.unwrap().versions, Some(3));
    assert!(matches!(fault(world.undelete("web", "a", &[1]).await), SecretsError::NotFound));
    // fewer are kept from the next write on, more do not bring any back
    let change = |keep| Change { keep: Some(NonZeroU64::new(keep)), ..Change::default() };
    world.configure("web", change(1)).await.unwrap();
    assert_eq!(states(&world, "a").await, "lll");
    put(&world, "a", 8..=8).await;
    assert_eq!(states(&world, "a").await, "l");
    world.configure("web", change(0)).await.unwrap();
    put(&world, "a", 9..=12).await;
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!((states(&world, "a").await, reads(&world, "a", Some(8)).await), ("lllll".into(), "8".into()));
}

#[tokio::test]
async fn a_version_that_a_thief_took_out_is_told_from_one_that_is_no_longer_kept() {
    let world = world(3).await;
    put(&world, "a", 1..=5).await;
    let versions = world.store().list(Range::prefix(vec![0x05], 100)).await.unwrap();
    assert_eq!(versions.len(), 3);
    let middle = versions[1].key.clone();
    let store = world.store();
    let taken = Txn { changes: vec![RowChange::Delete(middle)], ..Txn::default() };
    store.commit(store.reserve().unwrap(), taken).await.unwrap();
    assert_eq!(reads(&world, "a", Some(1)).await, "absent");
    let read = world.find("web", "a", Some(4)).await.unwrap_err();
    assert!(read.to_string().contains("corrupt"), "{read}");
    assert!(world.metadata("web", "a").await.unwrap_err().to_string().contains("corrupt"));
}

#[tokio::test]
async fn deleted_names_are_listed_on_request_and_marked() {
    for limits in [Limits::default(), Limits { indexed_names: 2 }] {
        let options = WorldOptions { limits, ..WorldOptions::default() };
        let world = TestWorld::unlocked_with(MemoryStore::new(strongroom_audit::link), options).await;
        world.create_store("web").await.unwrap();
        for name in ["a", "b", "c", "d"] {
            put(&world, name, 1..=2).await;
        }
        world.delete_versions("web", "b", &[]).await.unwrap();
        world.delete_versions("web", "c", &[1]).await.unwrap();
        world.destroy("web", "d", &[2]).await.unwrap();
        assert_eq!(world.list("web").await.unwrap(), ["a", "c"]);
        let page = world.list_with_gone("web").await.unwrap();
        assert_eq!(page.names.to_vec(), ["a", "b", "c", "d"]);
        assert_eq!([0, 1, 2, 3].map(|at| page.names.is_gone(at)), [false, true, false, true]);
        put(&world, "d", 3..=3).await;
        world.undelete("web", "b", &[]).await.unwrap();
        assert_eq!(world.list("web").await.unwrap(), ["a", "b", "c", "d"]);
        world.remove("web", "a").await.unwrap();
        assert_eq!(world.list_with_gone("web").await.unwrap().names.to_vec(), ["b", "c", "d"]);
    }
}

#[tokio::test]
async fn a_store_may_want_every_write_to_name_its_version() {
    let world = TestWorld::unlocked().await;
    let strict = Settings { cas_required: true, ..Settings::default() };
    world.create_typed("web", "generic", strict).await.unwrap();
    let refused = world.put("web", "a", "1").await.unwrap_err();
    assert!(
        matches!(refused, WorldError::Secrets(SecretsError::VersionRequired { present: Some(0) })),
        "{refused}"
    );
    assert_eq!(world.cas("web", "a", "1", 0).await.unwrap(), 1);
    world.configure("web", Change { cas_required: Some(false), ..Change::default() }).await.unwrap();
    put(&world, "a", 2..=2).await;
    let world = world.reopen();
    world.unlock().await.unwrap();
    put(&world, "a", 3..=3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_expect_one_version_one_writes_and_no_more_are_kept_than_are_wanted() {
    let world = Arc::new(world(2).await);
    world.put("web", "a", "0").await.unwrap();
    let mut written = 0;
    for round in 1..=5_u64 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.cas("web", "a", &round.to_string(), round).await.is_ok() })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            won += u64::from(task.await.unwrap());
        }
        assert_eq!(won, 1, "round {round}");
        written += won;
    }
    // and with nobody expecting anything, all of them do
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.put("web", "a", "7").await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(states(&world, "a").await, "ll");
    let metadata = world.metadata("web", "a").await.unwrap().unwrap();
    assert_eq!(metadata.versions[0].version, 1 + written + 16);
}

/// Steps of a life; each is acknowledged or not, and after a restart it has wholly happened or not at all.
async fn step(world: &TestWorld, at: usize) -> Result<(), WorldError> {
    match at {
        0..=4 | 8 => world.put("web", "a", "1").await.map(drop),
        5 => world.delete_versions("web", "a", &[]).await,
        6 => world.destroy("web", "a", &[4]).await,
        7 => world.undelete("web", "a", &[]).await,
        _ => world.remove("web", "a").await,
    }
}

/// What there is after so many steps.
const AFTER: [&str; 11] = ["-", "l", "ll", "ll", "ll", "ll", "dl", "dx", "lx", "ll", "-"];

#[tokio::test]
async fn a_crash_at_any_write_leaves_a_whole_step_or_none() {
    for fault in [Fault::StopBefore, Fault::StopAfter] {
        for n in 1..=10 {
            let world = world(2).await;
            world.root_caller().await.unwrap();
            world.arm(fault, n);
            let mut done = 0;
            while done < 10 && step(&world, done).await.is_ok() {
                done += 1;
            }
            let world = world.reopen();
            world.unlock().await.unwrap();
            let found = match world.metadata("web", "a").await.unwrap() {
                Some(_) => states(&world, "a").await,
                None => "-".to_owned(),
            };
            let next = AFTER.get(done + 1).copied().unwrap_or("-");
            assert!(found == AFTER[done] || found == next, "{fault:?} {n}: {done} steps done, {found} found");
            assert_eq!(world.list_with_gone("web").await.unwrap().names.is_empty(), found == "-");
            world.verify(None).await.unwrap();
        }
    }
}
