//! Keysets and their rotation: new terms, jobs that seal anew, retirement, and what interrupts it.

use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_gate::{Bounds, Denied, JobState};
use strongroom_operator::{OperatorError, Stepped};
use strongroom_secrets::SecretsError;
use strongroom_store::{Fault, MemoryStore, Space};
use strongroom_testkit::{Odd, TestWorld, WorldError, WorldOptions};

/// Entries, versions, counts: what a store's keyset seals.
const FOLDERS: [u8; 3] = [0x04, 0x05, 0x08];
/// Jobs take small steps, so that there are many.
fn small_steps() -> WorldOptions {
    let step = Bounds { records: 3, bytes: 1 << 20, rows: 8 };
    WorldOptions { job_step: Some(step), ..WorldOptions::default() }
}

/// A store under a keyset of its own, with secrets of several versions.
async fn filled(world: &TestWorld, secrets: usize) -> BTreeMap<String, String> {
    world.create_keyset("ring").await.expect("a keyset");
    world.create_store_on("web", "ring").await.expect("a store");
    let mut model = BTreeMap::new();
    for at in 0..secrets {
        let name = format!("dir/{at}");
        for version in 0..=(at % 3) {
            let json = format!("\"{at}-{version}\"");
            world.put("web", &name, &json).await.expect("a version");
            model.insert(name.clone(), json);
        }
    }
    model
}

async fn check(world: &TestWorld, model: &BTreeMap<String, String>, when: &str) {
    let names: Vec<String> = model.keys().cloned().collect();
    assert_eq!(world.list("web").await.expect("names"), names, "{when}");
    for (name, json) in model {
        let found = world.get("web", name).await.expect("a read");
        assert_eq!(found.as_ref(), Some(json), "{when}: {name}");
    }
    assert_eq!(world.read_store("web").await.expect("a store").secrets, model.len() as u64, "{when}");
}

/// Terms of the keyset `ring`, and the one that seals.
async fn terms(world: &TestWorld) -> (usize, u32) {
    let keysets = world.keysets().await.expect("keysets");
    let ring = keysets.into_iter().find(|keyset| keyset.name == "ring").expect("the keyset");
    (ring.terms, ring.write_term)
}

/// How many rows of the store's folder are sealed under each term.
async fn sealed(world: &TestWorld) -> BTreeMap<u32, usize> {
    let id = world.read_store("web").await.expect("a store").id;
    let rows = world.store().list(strongroom_store::Range::prefix(Vec::new(), usize::MAX)).await;
    let mut found = BTreeMap::new();
    for row in rows.expect("rows") {
        let key = row.key.as_bytes();
        if FOLDERS.contains(&key[0]) && key[1..17] == id.0 {
            let record = if key[0] == 0x04 { &row.value[16..] } else { &row.value[..] };
            let term = u32::from_be_bytes(record[1..5].try_into().expect("four bytes"));
            *found.entry(term).or_insert(0) += 1;
        }
    }
    found
}

#[tokio::test]
async fn a_new_term_seals_at_once_and_the_old_one_goes_when_nothing_needs_it() {
    let world = TestWorld::unlocked().await;
    let mut model = filled(&world, 30).await;
    let before = sealed(&world).await;
    assert_eq!(before.keys().collect::<Vec<_>>(), [&1]);
    let job = world.rotate_keyset("ring").await.unwrap();
    assert_eq!(terms(&world).await, (2, 2));
    world.put("web", "new", "1").await.unwrap();
    model.insert("new".to_owned(), "1".to_owned());
    assert_eq!(sealed(&world).await[&2], 3, "entry, version and count of what was just written");
    check(&world, &model, "with two terms").await;
    assert_eq!(world.job(job).await.unwrap(), JobState::Running);

    world.operator.finish_jobs().await.unwrap();
    assert_eq!(world.job(job).await.unwrap(), JobState::Done);
    assert_eq!(terms(&world).await, (1, 2));
    assert_eq!(sealed(&world).await.keys().collect::<Vec<_>>(), [&2], "no record of the old term is left");
    check(&world, &model, "afterwards").await;
    assert_eq!(world.metadata("web", "dir/2").await.unwrap().unwrap().versions.len(), 3);

    let world = world.reopen();
    world.unlock().await.unwrap();
    check(&world, &model, "reopened").await;
    world.put("web", "new", "2").await.unwrap();
    assert_eq!(world.verify(None).await.unwrap().bad, None);
}

#[tokio::test]
async fn several_stores_share_a_keyset_and_others_are_left_alone() {
    let world = TestWorld::unlocked().await;
    let model = filled(&world, 5).await;
    world.create_store_on("second", "ring").await.unwrap();
    world.put("second", "a", "1").await.unwrap();
    world.create_store("other").await.unwrap();
    world.put("other", "a", "1").await.unwrap();
    let before = world.terms_in(&FOLDERS).await[&1];
    world.rotate_keyset("ring").await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    let after = world.terms_in(&FOLDERS).await;
    let moved = sealed(&world).await[&2] + 3;
    assert_eq!((after[&1], after[&2]), (before - moved, moved), "two stores moved, one did not");
    check(&world, &model, "afterwards").await;
    assert_eq!(world.get("second", "a").await.unwrap().as_deref(), Some("1"));
    assert_eq!(world.get("other", "a").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn one_rotation_of_a_keyset_at_a_time_and_the_second_names_the_first() {
    let world = TestWorld::unlocked().await;
    filled(&world, 3).await;
    let first = world.rotate_keyset("ring").await.unwrap();
    let fault = world.rotate_keyset("ring").await.unwrap_err();
    assert!(
        matches!(fault, WorldError::Operator(OperatorError::JobAtWork { job }) if job == first),
        "{fault}"
    );
    world.rotate_keyset("default").await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    assert_eq!(terms(&world).await, (1, 2));
    world.rotate_keyset("ring").await.unwrap();
    assert_eq!(terms(&world).await, (2, 3));
    let fault = world.rotate_keyset("nothing").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::NotFound)), "{fault}");
}

#[tokio::test]
async fn a_job_given_up_leaves_both_terms_and_the_next_rotation_takes_up_the_rest() {
    let world = TestWorld::unlocked().await;
    let model = filled(&world, 400).await;
    let job = world.rotate_keyset("ring").await.unwrap();
    assert_eq!(world.operator.job_step(job).await.unwrap(), Stepped::More);
    world.cancel_job(job).await.unwrap();
    assert_eq!(world.job(job).await.unwrap(), JobState::Cancelled);
    let half = sealed(&world).await;
    assert!(half[&1] > 0 && half[&2] > 0, "{half:?}");
    check(&world, &model, "given up in the middle").await;
    let fault = world.cancel_job(job).await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::JobEnded)), "{fault}");
    let fault = world.operator.job_step(job).await.unwrap_err();
    assert!(matches!(fault, OperatorError::JobEnded), "{fault}");
    assert_eq!(terms(&world).await, (2, 2));

    world.rotate_keyset("ring").await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    assert_eq!(terms(&world).await, (1, 3));
    assert_eq!(sealed(&world).await.keys().collect::<Vec<_>>(), [&3]);
    check(&world, &model, "after the next").await;
}

#[tokio::test]
async fn a_keyset_goes_only_when_nothing_uses_it() {
    let world = TestWorld::unlocked().await;
    filled(&world, 2).await;
    let fault = world.remove_keyset("ring").await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::KeysetInUse)), "{fault}");
    world.rotate_keyset("ring").await.unwrap();
    world.remove_store("web").await.unwrap();
    let fault = world.remove_keyset("ring").await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::JobAtWork { .. })), "{fault}");
    world.operator.finish_jobs().await.unwrap();
    world.remove_keyset("ring").await.unwrap();
    let fault = world.create_store_on("web", "ring").await.unwrap_err();
    assert!(matches!(fault, WorldError::Secrets(SecretsError::NotFound)), "{fault}");
    let fault = world.remove_keyset("ring").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::NotFound)), "{fault}");
    // no name is special
    world.remove_keyset("default").await.unwrap();
    assert!(world.create_store("web").await.is_err());
    world.create_keyset("default").await.unwrap();
    world.create_store("web").await.unwrap();
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(world.keysets().await.unwrap().len(), 1);
}

#[tokio::test]
async fn names_that_were_paths_elsewhere_are_names_here() {
    let world = TestWorld::unlocked().await;
    world.create_keyset("ring").await.unwrap();
    let fault = world.create_keyset("ring").await.unwrap_err();
    assert!(matches!(fault, WorldError::Operator(OperatorError::AlreadyExists)), "{fault}");
    for hostile in ["/root.key", "../outside", "secrets/web", "", ".", "..", "a\0b"] {
        assert!(strongroom_model::Name::new(hostile).is_err(), "{hostile:?}");
    }
    // what is left is a name like any other, and sealed
    for odd in ["root.key", "auth.db", "ROTATED_ring", "web"] {
        world.create_keyset(odd).await.unwrap();
        world.create_store_on(odd, odd).await.unwrap();
        world.put(odd, "secrets/web", "1").await.unwrap();
        world.put(odd, "root.key", "2").await.unwrap();
    }
    let world = world.reopen();
    world.unlock().await.unwrap();
    for odd in ["root.key", "auth.db", "ROTATED_ring", "web"] {
        assert_eq!(world.get(odd, "secrets/web").await.unwrap().as_deref(), Some("1"));
    }
    for row in world.store().list(strongroom_store::Range::prefix(Vec::new(), usize::MAX)).await.unwrap() {
        let value = row.value.windows(8).any(|bytes| bytes == b"root.key" || bytes == b"ROTATED_");
        assert!(!value, "a name lies open in row {:?}", row.key);
    }
}

/// Rotates with something going wrong at the `n`th commit; then goes on as a restarted or a running server would.
async fn rotated_with(fault: Fault, n: u64) -> bool {
    let store = MemoryStore::new(strongroom_audit::link);
    let world = TestWorld::unlocked_with(store, small_steps()).await;
    let model = filled(&world, 6).await;
    world.arm(fault, n);
    let when = format!("{fault:?} at {n}");
    let begun = world.rotate_keyset("ring").await;
    let finished = world.operator.finish_jobs().await;
    let struck = !world.fault().armed();
    assert!(!struck || begun.is_err() || finished.is_err(), "{when}: went unnoticed");
    world.settled().await;
    let world = if world.fault().stopped() {
        let world = world.reopen();
        world.unlock().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
        world
    } else {
        world.fault().reset();
        world
    };
    check(&world, &model, &when).await;
    world.put("web", "dir/0", "\"anew\"").await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
    world.operator.finish_jobs().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
    if terms(&world).await.1 == 1 {
        world.rotate_keyset("ring").await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
        world.operator.finish_jobs().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
    }
    assert_eq!(terms(&world).await, (1, 2), "{when}");
    assert_eq!(sealed(&world).await.keys().collect::<Vec<_>>(), [&2], "{when}");
    let mut model = model;
    model.insert("dir/0".to_owned(), "\"anew\"".to_owned());
    let again = world.reopen_over(world.store());
    again.unlock().await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
    check(&again, &model, &when).await;
    assert_eq!(again.verify(None).await.expect("a report").bad, None, "{when}");
    struck
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_at_any_commit_of_a_rotation_it_comes_to_its_end() {
    for fault in Fault::ALL {
        let mut struck = 0;
        while rotated_with(fault, struck + 1).await {
            struck += 1;
        }
        assert!(struck >= 8, "{fault:?}: only {struck} commits were struck");
    }
}

#[tokio::test]
async fn a_full_disk_makes_the_job_wait_and_it_goes_on_by_itself() {
    let store = MemoryStore::new(strongroom_audit::link);
    let world = TestWorld::unlocked_with(store.clone(), WorldOptions::default()).await;
    let model = filled(&world, 300).await;
    let job = world.rotate_keyset("ring").await.unwrap();
    world.operator.job_step(job).await.unwrap();
    store.set_space(Space::Reserved);
    let fault = world.operator.job_step(job).await.unwrap_err();
    assert!(matches!(fault, OperatorError::Denied(Denied::Full)), "{fault}");
    let fault = world.rotate_keyset("default").await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(Denied::Full)), "{fault}");
    check(&world, &model, "full").await;
    assert_eq!(world.job(job).await.unwrap(), JobState::Running);
    store.set_space(Space::Ample);
    world.operator.finish_jobs().await.unwrap();
    assert_eq!(terms(&world).await, (1, 2));
    check(&world, &model, "afterwards").await;
}

#[tokio::test(start_paused = true)]
async fn the_runner_paces_itself_says_what_it_waits_for_and_stops_at_a_lock() {
    let store = MemoryStore::new(strongroom_audit::link);
    let world = Arc::new(TestWorld::unlocked_with(store.clone(), WorldOptions::default()).await);
    let model = filled(&world, 300).await;
    let operator = Arc::clone(&world.operator);
    let runner = tokio::spawn(async move {
        loop {
            let rest = operator.jobs_round().await;
            let _ = tokio::time::timeout(rest, operator.job_bell()).await;
        }
    });
    store.set_space(Space::Ample);
    world.lock().await.unwrap();
    world.unlock().await.unwrap();
    store.set_space(Space::Ample);
    let job = world.rotate_keyset("ring").await.unwrap();
    store.set_space(Space::Reserved);
    let entries = world.head();
    let waits = loop {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let jobs = world.jobs().await.unwrap();
        if let Some(why) = jobs.into_iter().find(|found| found.id == job).and_then(|found| found.waits_for) {
            break why;
        }
    };
    assert_eq!(waits, "the disk is full");
    assert!(world.head() < entries + 100, "waiting does not fill the reserve");
    store.set_space(Space::Ample);
    while world.job(job).await.unwrap() == JobState::Running {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(world.job(job).await.unwrap(), JobState::Done);
    check(&world, &model, "afterwards").await;
    runner.abort();
}

#[tokio::test]
async fn a_record_that_cannot_be_opened_keeps_its_term_and_is_named() {
    let world = TestWorld::unlocked().await;
    filled(&world, 4).await;
    let id = world.read_store("web").await.unwrap().id;
    let mut damaged = None;
    let copy = strongroom_testkit::copy_of(&world.store(), u64::MAX, |mut row| {
        let key = row.key.as_bytes();
        if damaged.is_none() && key[0] == 0x05 && key[1..17] == id.0 {
            damaged = Some(format!("{:?}", row.key));
            *row.value.last_mut().expect("a tag") ^= 1;
        }
        Some(row)
    })
    .await;
    let world = world.reopen_over(copy);
    world.unlock().await.unwrap();
    let job = world.rotate_keyset("ring").await.unwrap();
    world.operator.finish_jobs().await.unwrap();
    let found = world.jobs().await.unwrap().into_iter().find(|found| found.id == job).unwrap();
    assert_eq!((found.record.state, found.record.damaged), (JobState::Failed, 1));
    assert!(found.record.note.contains(&damaged.unwrap()), "{}", found.record.note);
    assert_eq!(terms(&world).await, (2, 2), "the old term stays: something is sealed under it");
    assert_eq!(sealed(&world).await[&1], 1);
}

/// Writers, deleters and readers amid a rotation, each step of each in the hands of the scheduler.
async fn hand(world: Arc<TestWorld>, at: usize) {
    for turn in 0..12 {
        let name = format!("hot/{}", (at + turn) % 4);
        match (at * 5 + turn) % 4 {
            0 => {
                let deleted = world.remove("web", &name).await;
                let gone = matches!(deleted, Err(WorldError::Secrets(SecretsError::NotFound)));
                assert!(deleted.is_ok() || gone, "{deleted:?}");
            }
            1 => drop(world.get("web", &name).await.expect("a read amid a rotation")),
            _ => drop(world.put("web", &name, &format!("\"{at}-{turn}\"")).await.expect("a write")),
        }
    }
}

#[tokio::test]
async fn writers_deleters_and_readers_notice_nothing_of_rotations() {
    for seed in 0..12 {
        let slow = Odd::slow(MemoryStore::new(strongroom_audit::link));
        let options = WorldOptions { seed, ..WorldOptions::default() };
        let world = Arc::new(TestWorld::unlocked_with(slow, options).await);
        let model = filled(&world, 6).await;
        let hands: Vec<_> = (0..5).map(|at| tokio::spawn(hand(Arc::clone(&world), at))).collect();
        for _ in 0..3 {
            world.rotate_keyset("ring").await.expect("a rotation");
            world.operator.finish_jobs().await.expect("a job");
            for _ in 0..seed {
                tokio::task::yield_now().await;
            }
        }
        for hand in hands {
            hand.await.expect("no hand was hurt");
        }
        assert_eq!(terms(&world).await, (1, 4), "{seed}");
        assert_eq!(sealed(&world).await.keys().collect::<Vec<_>>(), [&4], "{seed}");
        for (name, json) in &model {
            assert_eq!(world.get("web", name).await.unwrap().as_ref(), Some(json), "{seed}: {name}");
        }
        let again = world.reopen_over(world.store());
        again.unlock().await.unwrap();
        assert_eq!(again.list("web").await.unwrap(), world.list("web").await.unwrap(), "{seed}");
    }
}

#[tokio::test]
async fn a_reader_that_slept_through_a_whole_rotation_still_reads() {
    for table in FOLDERS {
        let slow = Odd::slow(MemoryStore::new(strongroom_audit::link));
        let world = Arc::new(TestWorld::unlocked_with(slow.clone(), small_steps()).await);
        filled(&world, 3).await;
        world.root_caller().await.unwrap();
        let hold = slow.hold_reader_of(table);
        let reader = Arc::clone(&world);
        let reading = tokio::spawn(async move {
            match table {
                0x04 => reader.get_bytes("web", "dir/2", Some(2)).await.unwrap().unwrap().2,
                0x05 => reader.get("web", "dir/2").await.unwrap().unwrap().into_bytes(),
                _ => reader.read_store("web").await.unwrap().secrets.to_string().into_bytes(),
            }
        });
        hold.reached().await;
        world.rotate_keyset("ring").await.unwrap();
        world.operator.finish_jobs().await.unwrap();
        assert_eq!(terms(&world).await, (1, 2), "what the reader holds in its hands opens no more");
        hold.go();
        let expected = match table {
            0x04 => "\"2-1\"",
            0x05 => "\"2-2\"",
            _ => "3",
        };
        assert_eq!(String::from_utf8(reading.await.unwrap()).unwrap(), expected, "table {table}");
    }
}
