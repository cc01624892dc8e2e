//! Jobs among others: given up in the middle of their steps, outdone by a rotation of everything, met by damage.

use std::sync::Arc;
use strongroom_gate::{Bounds, Job, JobState, Server};
use strongroom_model::JobId;
use strongroom_operator::{self as operator, Asked, Stepped};
use strongroom_store::{MemoryStore, Range, SharedStore};
use strongroom_testkit::{Odd, TestWorld, WorldOptions, copy_of, texts};

/// A world over a store that can be told to be odd; each step of a job does little.
async fn world() -> (Arc<Odd>, TestWorld) {
    let odd = Odd::slow(MemoryStore::new(strongroom_audit::link));
    let step = Bounds { records: 2, bytes: 1 << 20, rows: 4 };
    let options = WorldOptions { job_step: Some(step), ..WorldOptions::default() };
    let store: SharedStore = Arc::<Odd>::clone(&odd);
    let world = TestWorld::unlocked_with(store, options).await;
    world.create_keyset("ring").await.expect("a keyset");
    world.create_store_on("web", "ring").await.expect("a store");
    for at in 0..40 {
        world.put("web", &format!("a/{at}"), "1").await.expect("a secret");
    }
    (odd, world)
}

async fn state(world: &TestWorld, id: JobId) -> JobState {
    world.job(id).await.expect("a job")
}

#[tokio::test]
async fn a_job_is_given_up_however_it_got_on_since_that_was_admitted() {
    let (_, world) = world().await;
    let job = world.rotate_keyset("ring").await.unwrap();
    let caller = world.root_caller().await.unwrap();
    let permit = world.gate.admit::<operator::CancelJob>(&caller, Job::new(job)).await.unwrap();
    assert_eq!(world.operator.job_step(job).await.unwrap(), Stepped::More);
    world.operator.cancel_job(permit).await.unwrap();
    assert_eq!(state(&world, job).await, JobState::Cancelled);
}

#[tokio::test]
async fn a_rotation_of_everything_takes_the_place_of_a_job_amid_its_steps() {
    let (_, world) = world().await;
    for at in 0..20 {
        world.create_keyset(&format!("more-{at}")).await.unwrap();
    }
    let job = world.rotate_keyset("ring").await.unwrap();
    let new = texts(&world.rotate_root(&world.keys, None, None).await.unwrap());
    let caller = world.root_caller().await.unwrap();
    let asked = Asked {
        by: caller.principal.as_ref().map(|who| who.user).unwrap_or_default(),
        request: caller.request,
    };
    let permit = world.gate.admit::<operator::RotateAll>(&caller, Server).await.unwrap();
    let keys: Vec<_> =
        new.iter().map(|key| strongroom_secret::SecretBytes::new(key.as_bytes().to_vec())).collect();
    let steps = async {
        let mut steps = 0;
        while world.operator.job_step(job).await.is_ok() {
            steps += 1;
        }
        steps
    };
    let rotation = async {
        tokio::task::yield_now().await;
        world.operator.rotate_all(permit, &keys, asked).await
    };
    let (steps, begun) = tokio::join!(steps, rotation);
    assert_eq!(begun.unwrap().len(), 23, "every keyset but the trail's");
    assert!(steps > 0, "it was at work");
    assert_eq!(state(&world, job).await, JobState::Cancelled);
}

#[tokio::test]
async fn everything_is_rotated_again_however_many_keysets_there_are() {
    let world = TestWorld::unlocked().await;
    for at in 0..200 {
        world.create_keyset(&format!("ring-{at}")).await.unwrap();
    }
    let mut world = world;
    for round in 1..=3 {
        let new = world.rotate_root(&world.keys, None, None).await.unwrap();
        let jobs = world.rotate_all(&texts(&new)).await.unwrap_or_else(|fault| panic!("{round}: {fault}"));
        assert_eq!(jobs.len(), 202, "{round}");
        world.keep_keys(new);
    }
    let jobs = world.jobs().await.unwrap();
    let ended = jobs.iter().filter(|job| job.record.state != JobState::Running).count();
    assert_eq!((jobs.len() - ended, ended), (202, 100 + 202), "the older of those that ended are let go of");
}

#[tokio::test]
async fn a_row_that_the_disk_lost_ends_its_job_and_the_others_go_on() {
    let (odd, world) = world().await;
    world.create_store("other").await.unwrap();
    world.put("other", "a", "1").await.unwrap();
    let id = world.read_store("web").await.unwrap().id;
    let versions = Range::prefix([&[0x05], &id.0[..]].concat(), 100);
    let lost = world.store().list(versions).await.unwrap().swap_remove(7).key;
    odd.damage(lost.clone());
    let (struck, other) =
        (world.rotate_keyset("ring").await.unwrap(), world.rotate_keyset("default").await.unwrap());
    let from = world.head();
    world.operator.finish_jobs().await.unwrap();
    assert_eq!((state(&world, struck).await, state(&world, other).await), (JobState::Failed, JobState::Done));
    assert!(world.head() < from + 100, "it did not fill the trail");
    let jobs = world.jobs().await.unwrap();
    let note = &jobs.iter().find(|job| job.id == struck).unwrap().record.note;
    assert!(note.contains(&format!("{lost:?}")), "{note}");
    let ring = world.keysets().await.unwrap().into_iter().find(|keyset| keyset.name == "ring").unwrap();
    assert_eq!(ring.terms, 2, "the old term stays");
}

#[tokio::test]
async fn a_job_whose_record_is_damaged_is_told_and_the_others_go_on() {
    let (_, world) = world().await;
    let struck = world.rotate_keyset("ring").await.unwrap();
    let other = world.rotate_keyset("default").await.unwrap();
    let before = world.store();
    let store = copy_of(&before, u64::MAX, |mut row| {
        if row.key.as_bytes().ends_with(&struck.0) {
            *row.value.last_mut().unwrap() ^= 1;
        }
        Some(row)
    });
    let world = world.reopen_over(store.await);
    world.unlock().await.unwrap();
    world.operator.jobs_round().await;
    assert_eq!(world.operator.damaged_jobs(), [struck]);
    assert_eq!(world.damaged_jobs().await.unwrap(), [struck]);
    assert!(world.job(struck).await.is_err(), "nobody makes up what it was");
    world.operator.finish_jobs().await.unwrap();
    assert_eq!(state(&world, other).await, JobState::Done);
    let again = world.rotate_keyset("ring").await.expect("the keyset is not held up");
    world.cancel_job(struck).await.unwrap();
    assert!(world.cancel_job(struck).await.is_err(), "it is gone");
    world.operator.jobs_round().await;
    assert_eq!(world.operator.damaged_jobs(), []);
    world.operator.finish_jobs().await.unwrap();
    assert_eq!(state(&world, again).await, JobState::Done);
}
