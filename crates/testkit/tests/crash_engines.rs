//! The world stops at every commit of a mixed workload; what was acknowledged is there, and nothing half done.
#![cfg(test)]

use std::collections::BTreeMap;
use strongroom_store::Fault;
use strongroom_testkit::{TestWorld, WorldError};

/// What was acknowledged, and what was asked for and never answered.
#[derive(Default)]
struct Told {
    /// Newest value and version of each secret.
    secrets: BTreeMap<String, (u64, String)>,
    stores: Vec<String>,
    /// The request whose answer was lost: it holds or it does not.
    open: Option<Asked>,
}

#[derive(Clone, Debug)]
enum Asked {
    Put(String, String),
    Delete(String),
    Create(String),
    Remove(String),
}

fn script() -> Vec<Asked> {
    let mut script = vec![Asked::Create("web".into()), Asked::Create("gone".into())];
    for turn in 0..3 {
        for name in ["a", "b/1", "b/2"] {
            script.push(Asked::Put(name.into(), format!("\"{name} {turn}\"")));
        }
        script.push(Asked::Delete("b/1".into()));
    }
    script.push(Asked::Remove("gone".into()));
    script.push(Asked::Put("c".into(), "1".into()));
    script
}

async fn ask(world: &TestWorld, asked: &Asked) -> Result<u64, WorldError> {
    match asked {
        Asked::Put(name, json) => world.put("web", name, json).await,
        Asked::Delete(name) => world.remove("web", name).await.map(|()| 0),
        Asked::Create(store) => world.create_store(store).await.map(|_| 0),
        Asked::Remove(store) => world.remove_store(store).await.map(|()| 0),
    }
}

impl Told {
    fn take(&mut self, asked: &Asked, version: u64) {
        match asked {
            Asked::Put(name, json) => drop(self.secrets.insert(name.clone(), (version, json.clone()))),
            Asked::Delete(name) => drop(self.secrets.remove(name)),
            Asked::Create(store) => self.stores.push(store.clone()),
            Asked::Remove(store) => self.stores.retain(|other| other != store),
        }
    }
}

/// Runs the script until the world stops; some reads lie between.
async fn run(world: &TestWorld, told: &mut Told) {
    for asked in script() {
        let Ok(version) = ask(world, &asked).await else {
            told.open = Some(asked);
            return;
        };
        told.take(&asked, version);
        if let Some((name, (_, json))) = told.secrets.iter().next() {
            match world.get("web", name).await {
                Ok(found) => assert_eq!(found.as_ref(), Some(json)),
                Err(_) => return,
            }
        }
    }
}

async fn check(world: &TestWorld, told: &Told, when: &str) {
    let mut stores = told.stores.clone();
    let mut secrets = told.secrets.clone();
    let seen = world.stores().await.expect("stores");
    match &told.open {
        Some(Asked::Create(store)) if seen.contains(store) => stores.push(store.clone()),
        Some(Asked::Remove(store)) if !seen.contains(store) => stores.retain(|other| other != store),
        _ => {}
    }
    stores.sort();
    assert_eq!(seen, stores, "{when}");
    if !seen.iter().any(|store| store == "web") {
        return;
    }
    let names = world.list("web").await.expect("names");
    match &told.open {
        Some(Asked::Put(name, json)) => {
            let found = world.get("web", name).await.expect("a read");
            if found.as_ref() == Some(json) {
                let version = secrets.get(name).map_or(1, |(version, _)| version + 1);
                secrets.insert(name.clone(), (version, json.clone()));
            }
        }
        Some(Asked::Delete(name)) if !names.contains(name) => drop(secrets.remove(name)),
        _ => {}
    }
    assert_eq!(names, secrets.keys().cloned().collect::<Vec<_>>(), "{when}");
    for (name, (version, json)) in &secrets {
        let (number, _, bytes) = world.get_bytes("web", name, None).await.expect("a read").expect("a secret");
        assert_eq!((number, bytes.as_slice()), (*version, json.as_bytes()), "{when}: {name}");
        let versions = world.metadata("web", name).await.expect("metadata").expect("a secret").versions;
        assert_eq!(versions.len() as u64, *version, "{when}: {name}");
    }
    assert_eq!(world.read_store("web").await.expect("a store").secrets, secrets.len() as u64, "{when}");
}

async fn prepared() -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.root_caller().await.expect("a token");
    world
}

async fn commits_of_the_script() -> u64 {
    let world = prepared().await;
    let before = world.fault().commits();
    let mut told = Told::default();
    run(&world, &mut told).await;
    assert!(told.open.is_none());
    world.fault().commits() - before
}

#[tokio::test]
async fn the_world_stops_at_every_commit_and_nothing_acknowledged_is_lost() {
    let commits = commits_of_the_script().await;
    assert!(commits > 25, "{commits}");
    for fault in [Fault::StopAfter, Fault::StopBefore] {
        for n in 1..=commits {
            let world = prepared().await;
            let mut told = Told::default();
            world.arm(fault, n);
            run(&world, &mut told).await;
            assert!(world.fault().stopped(), "{fault:?} at {n}");
            let world = world.reopen();
            world.unlock().await.unwrap_or_else(|error| panic!("{fault:?} at {n}: {error}"));
            check(&world, &told, &format!("{fault:?} at {n}")).await;
            assert_eq!(world.verify(None).await.expect("a report").bad, None, "{fault:?} at {n}");
            world.create_store("after").await.expect("and it goes on");
        }
    }
}

#[tokio::test]
async fn an_initialisation_stopped_at_any_commit_is_begun_again_or_holds() {
    for fault in [Fault::StopAfter, Fault::StopBefore, Fault::FailBefore] {
        for n in 1..=4 {
            let mut world = TestWorld::new();
            world.arm(fault, n);
            let shown = world.initialise(2, 1).await;
            if shown.is_ok() {
                let _ = world.unlock().await;
            }
            let unlockable = shown.is_ok();
            let mut world = world.reopen();
            if !unlockable {
                world.initialise(2, 1).await.unwrap_or_else(|error| panic!("{fault:?} at {n}: {error}"));
            }
            world.unlock().await.unwrap_or_else(|error| panic!("{fault:?} at {n}: {error}"));
            world.create_store("web").await.expect("a store");
            assert_eq!(world.verify(None).await.expect("a report").bad, None, "{fault:?} at {n}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_unknown_outcomes_the_running_server_agrees_with_its_store() {
    let commits = commits_of_the_script().await;
    for fault in [Fault::UnknownApplied, Fault::UnknownLost, Fault::FailBefore] {
        for n in 1..=commits {
            let world = prepared().await;
            let mut told = Told::default();
            world.arm(fault, n);
            run(&world, &mut told).await;
            world.settled().await;
            check(&world, &told, &format!("{fault:?} at {n}, running")).await;
            let again = world.reopen_over(world.store());
            again.unlock().await.unwrap_or_else(|error| panic!("{fault:?} at {n}: {error}"));
            check(&again, &told, &format!("{fault:?} at {n}, reopened")).await;
            assert_eq!(again.verify(None).await.expect("a report").bad, None, "{fault:?} at {n}");
        }
    }
}

/// Writes and deletes until the world answers that it does not know, or a number of turns are over.
async fn busy_hands(world: std::sync::Arc<TestWorld>, at: usize) {
    for turn in 0..8 {
        let name = format!("n{}", (at + turn) % 5);
        let outcome = match (at * 7 + turn) % 3 {
            0 => world.remove("web", &name).await,
            _ => world.put("web", &name, "1").await.map(drop),
        };
        if let Err(WorldError::Denied(strongroom_gate::Denied::Busy)) = outcome {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_outcomes_amid_other_work_leave_index_and_store_agreed() {
    for fault in [Fault::UnknownApplied, Fault::UnknownLost, Fault::FailBefore] {
        for n in 1..40 {
            let slow =
                strongroom_testkit::Odd::slow(strongroom_store::MemoryStore::new(strongroom_audit::link));
            let world = TestWorld::unlocked_with(slow, strongroom_testkit::WorldOptions::default()).await;
            let world = std::sync::Arc::new(world);
            world.create_store("web").await.expect("a store");
            world.arm(fault, n);
            let hands: Vec<_> =
                (0..6).map(|at| tokio::spawn(busy_hands(std::sync::Arc::clone(&world), at))).collect();
            for hand in hands {
                hand.await.expect("no panic");
            }
            world.settled().await;
            let seen = world.list("web").await.expect("names");
            let again = world.reopen_over(world.store());
            again.unlock().await.unwrap_or_else(|error| panic!("{fault:?} at {n}: {error}"));
            assert_eq!(again.list("web").await.expect("names"), seen, "{fault:?} at {n}");
            for name in &seen {
                let running = world.get_bytes("web", name, None).await.expect("a read");
                assert_eq!(
                    running,
                    again.get_bytes("web", name, None).await.expect("a read"),
                    "{fault:?} at {n}"
                );
            }
            assert_eq!(again.verify(None).await.expect("a report").bad, None, "{fault:?} at {n}");
        }
    }
}
