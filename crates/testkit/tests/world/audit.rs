//! The trail: one entry an operation, and nothing given up without it; tampering is found.

use strongroom_gate::{Decision, Fault as Bad, Secret, Verdict};
use strongroom_model::Action;
use strongroom_secrets::{GetSecret, PutSecret};
use strongroom_store::{Fault, TrailEntry};
use strongroom_testkit::{Listing, Odd, TestWorld, WorldError, copy_of, name, path, value};

#[tokio::test]
async fn every_operation_leaves_exactly_its_entry() {
    let world = TestWorld::with_a_secret().await;
    let from = world.head() + 1;
    world.create_store("two").await.unwrap();
    world.read_store("two").await.unwrap();
    world.stores().await.unwrap();
    world.keysets().await.unwrap();
    world.put("two", "x", "1").await.unwrap();
    world.get("two", "x").await.unwrap();
    world.metadata("two", "x").await.unwrap();
    world.page("two", Listing::default()).await.unwrap();
    world.cas("two", "x", "1", 7).await.unwrap_err();
    world.remove("two", "x").await.unwrap();
    world.remove("two", "x").await.unwrap_err();
    world.create_store("two").await.unwrap_err();
    world.remove_store("two").await.unwrap();
    world.verify(None).await.unwrap();
    world.checkpoint().await.unwrap();
    let new = world.rotate_root(&world.keys, None, None).await.unwrap();
    world.cancel_rotate_root().await.unwrap();
    world.accept_clock().await.unwrap();
    drop(new);
    let trail = world.trail(from).await.unwrap();
    let told: Vec<_> = trail.iter().map(|line| (line.action, line.verdict, line.resource.as_str())).collect();
    let expected = [
        (Action::CreateStore, Verdict::Done, "two"),
        (Action::ReadStore, Verdict::Released, "two"),
        (Action::ListStores, Verdict::Released, ""),
        (Action::ListKeysets, Verdict::Released, ""),
        (Action::PutSecret, Verdict::Done, "two/x"),
        (Action::GetSecret, Verdict::Released, "two/x"),
        (Action::ReadMetadata, Verdict::Released, "two/x"),
        (Action::ListSecrets, Verdict::Released, "two"),
        (Action::PutSecret, Verdict::Failed, "two/x"),
        (Action::RemoveSecret, Verdict::Done, "two/x"),
        (Action::RemoveSecret, Verdict::NotFound, "two/x"),
        (Action::CreateStore, Verdict::Failed, "two"),
        (Action::RemoveStore, Verdict::Done, "two"),
        (Action::VerifyTrail, Verdict::Released, "trail"),
        (Action::Checkpoint, Verdict::Done, "trail"),
        (Action::RotateRoot, Verdict::Done, ""),
        (Action::CancelRotateRoot, Verdict::Done, ""),
        (Action::AcceptClock, Verdict::Done, ""),
    ];
    assert_eq!(told, expected);
    for line in &trail {
        assert_eq!(line.decision, Decision::Allowed, "{line:?}");
        assert_eq!(line.user.as_deref(), Some("root"), "{line:?}");
        assert_eq!(line.rule, "root may do anything", "{line:?}");
        assert_eq!(line.origin, "192.0.2.1", "{line:?}");
    }
}

#[tokio::test]
async fn the_first_entries_are_of_initialising_and_unlocking_and_name_nobody() {
    let world = TestWorld::unlocked().await;
    let trail = world.trail(1).await.unwrap();
    let told: Vec<_> =
        trail.iter().take(3).map(|line| (line.action, line.verdict, line.origin.as_str())).collect();
    assert_eq!(
        told,
        [
            (Action::Initialise, Verdict::Done, "local:1000"),
            (Action::Unlock, Verdict::Done, "local:1000"),
            (Action::Checkpoint, Verdict::Done, "server"),
        ]
    );
    assert!(trail.iter().take(3).all(|line| line.user.is_none() && line.decision == Decision::Allowed));
}

#[tokio::test]
async fn signing_in_and_out_leaves_entries() {
    let world = TestWorld::unlocked().await;
    let from = world.head() + 1;
    let token = world.authorize(None).await.unwrap();
    // a second challenge within the interval is only counted: nobody may fill the trail by asking
    let challenge = world.challenge("nobody").await.unwrap();
    world.prove("nobody", &challenge, b"no signature", None).await.unwrap_err();
    world.deauth(&token).await.unwrap();
    let trail = world.trail(from).await.unwrap();
    let told: Vec<_> =
        trail.iter().map(|line| (line.action, line.verdict, line.user.as_deref())).take(4).collect();
    assert_eq!(
        told,
        [
            (Action::Challenge, Verdict::Released, None),
            (Action::Authorize, Verdict::Done, None),
            (Action::Authorize, Verdict::Refused, None),
            (Action::Deauth, Verdict::Done, Some("root")),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_whose_entry_cannot_be_written_gives_nothing_up() {
    for fault in Fault::ALL {
        let world = TestWorld::with_a_secret().await;
        let caller = world.root_caller().await.unwrap();
        let about = Secret { store: name("web"), path: path("a") };
        let permit = world.gate.admit::<GetSecret>(&caller, about).await.unwrap();
        let held = strongroom_secrets::read(permit, None).await.unwrap();
        world.arm(fault, 1);
        assert!(world.gate.release(held).await.is_err(), "{fault:?}");
        world.fault().reset();
        world.settled().await;
        assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"), "{fault:?}: and it goes on");
    }
}

#[tokio::test]
async fn a_stopped_store_refuses_before_anything_is_done() {
    let world = TestWorld::with_a_secret().await;
    let caller = world.root_caller().await.unwrap();
    world.arm(Fault::StopBefore, 1);
    let _ = world.get("web", "a").await;
    let fault = world.put_as(&caller, "web", "b", &value("1"), None).await.unwrap_err();
    assert!(matches!(fault, WorldError::Denied(strongroom_gate::Denied::Trail)), "{fault}");
}

#[tokio::test]
async fn a_permit_dropped_unspent_leaves_an_abandoned_entry() {
    let world = TestWorld::with_a_secret().await;
    let caller = world.root_caller().await.unwrap();
    let from = world.head() + 1;
    let about = Secret { store: name("web"), path: path("a") };
    drop(world.gate.admit::<GetSecret>(&caller, about.clone()).await.unwrap());
    let held =
        strongroom_secrets::read(world.gate.admit::<GetSecret>(&caller, about.clone()).await.unwrap(), None);
    drop(held.await.unwrap());
    let (view, entry) = world.gate.admit::<PutSecret>(&caller, about).await.unwrap().open();
    drop((view, entry));
    let trail = world.trail(from).await.unwrap();
    let told: Vec<_> = trail.iter().map(|line| (line.action, line.verdict)).collect();
    assert_eq!(
        told,
        [
            (Action::GetSecret, Verdict::Abandoned),
            (Action::GetSecret, Verdict::Abandoned),
            (Action::PutSecret, Verdict::Abandoned),
        ]
    );
}

#[tokio::test]
async fn a_write_that_failed_leaves_a_failed_entry_and_no_effect() {
    let world = TestWorld::with_a_secret().await;
    world.root_caller().await.unwrap();
    let from = world.head() + 1;
    world.arm(Fault::FailBefore, 1);
    world.put("web", "a", "2").await.unwrap_err();
    assert_eq!(world.get("web", "a").await.unwrap().as_deref(), Some("1"));
    let trail = world.trail(from).await.unwrap();
    assert_eq!((trail[0].action, trail[0].verdict), (Action::PutSecret, Verdict::Failed));
    assert_eq!((trail[1].action, trail[1].verdict), (Action::GetSecret, Verdict::Released));
}

/// Verifies a trail that a thief edited, with the server's own keys.
async fn verdict_of(
    world: &TestWorld,
    edit: impl Fn(Vec<TrailEntry>) -> Vec<TrailEntry> + Send + Sync + 'static,
) -> Option<(u64, Bad)> {
    let edited = world.reopen_over(Odd::edited(world.store(), edit));
    edited.unlock().await.expect("it unlocks");
    edited.verify(None).await.expect("a report").bad
}

#[tokio::test]
async fn an_untouched_trail_holds() {
    let world = TestWorld::with_a_secret().await;
    world.checkpoint().await.unwrap();
    let report = world.verify(None).await.unwrap();
    assert_eq!(report.bad, None);
    assert!(report.entries >= 7 && report.checkpoints >= 2, "{report:?}");
    assert_eq!(verdict_of(&world, |entries| entries).await, None);
}

#[tokio::test]
async fn an_edited_entry_is_named() {
    let world = TestWorld::with_a_secret().await;
    for at in 0..6_usize {
        let seq = at as u64 + 1;
        let body = verdict_of(&world, move |mut entries| {
            let last = entries[at].body.len() - 1;
            entries[at].body[last] ^= 1;
            entries
        });
        assert_eq!(body.await, Some((seq, Bad::Link)));
        let verdict = verdict_of(&world, move |mut entries| {
            entries[at].verdict ^= 1;
            entries
        });
        assert_eq!(verdict.await, Some((seq, Bad::Link)));
        let hash = verdict_of(&world, move |mut entries| {
            entries[at].hash[0] ^= 1;
            entries
        });
        assert_eq!(hash.await, Some((seq, Bad::Link)));
    }
}

#[tokio::test]
async fn a_removed_entry_and_two_that_changed_places_are_named() {
    let world = TestWorld::with_a_secret().await;
    let removed = verdict_of(&world, |mut entries| {
        entries.remove(3);
        entries
    });
    assert_eq!(removed.await, Some((4, Bad::Order)));
    let closed_up = verdict_of(&world, |mut entries| {
        entries.remove(3);
        for (at, entry) in entries.iter_mut().enumerate() {
            entry.seq = at as u64 + 1;
        }
        entries
    });
    assert_eq!(closed_up.await, Some((4, Bad::Link)));
    let swapped = verdict_of(&world, |mut entries| {
        entries.swap(2, 4);
        entries
    });
    assert_eq!(swapped.await, Some((3, Bad::Order)));
    let renumbered = verdict_of(&world, |mut entries| {
        entries.swap(2, 4);
        entries[2].seq = 3;
        entries[4].seq = 5;
        entries
    });
    assert_eq!(renumbered.await, Some((3, Bad::Link)));
}

#[tokio::test]
async fn a_chain_made_anew_over_edited_entries_differs_from_its_checkpoints() {
    let world = TestWorld::with_a_secret().await;
    world.checkpoint().await.unwrap();
    let relinked = verdict_of(&world, |mut entries| {
        entries[2].verdict = Verdict::Abandoned.code();
        let mut previous = [0; 32];
        for entry in &mut entries {
            entry.hash = strongroom_audit::link(&previous, entry.seq, entry.verdict, &entry.body);
            previous = entry.hash;
        }
        entries
    });
    let (seq, fault) = relinked.await.unwrap();
    assert_eq!(fault, Bad::Checkpoint);
    assert!(seq >= 3, "the first signed entry at or after the edit: {seq}");
}

#[tokio::test]
async fn an_entry_of_another_server_does_not_open() {
    let (world, other) = (
        TestWorld::with_a_secret().await,
        TestWorld::unlocked_with(
            strongroom_store::MemoryStore::new(strongroom_audit::link),
            strongroom_testkit::WorldOptions { seed: 9, ..Default::default() },
        )
        .await,
    );
    other.create_store("web").await.unwrap();
    let foreign = other.store().entries(other.head(), 1).await.unwrap().remove(0);
    let store = copy_of(&world.store(), u64::MAX, Some).await;
    let slot = strongroom_store::Store::reserve(&*store).unwrap();
    let txn = strongroom_store::Txn::entry_only(foreign.body, foreign.verdict);
    strongroom_store::Store::commit(&*store, slot, txn).await.unwrap();
    let seq = strongroom_store::Store::trail_head(&*store).seq;
    let world = world.reopen_over(store);
    world.unlock().await.unwrap();
    assert_eq!(world.verify(None).await.unwrap().bad, Some((seq, Bad::Body)));
}

#[tokio::test]
async fn a_cut_tail_is_found_by_the_checkpoints_kept_inside() {
    let world = TestWorld::with_a_secret().await;
    let checkpoint = world.checkpoint().await.unwrap();
    let last = checkpoint.head.seq - 2;
    let cut = world.reopen_over(copy_of(&world.store(), last, Some).await);
    cut.unlock().await.unwrap();
    let (seq, fault) = cut.verify(None).await.unwrap().bad.unwrap();
    assert!(seq > last, "{seq}");
    assert!(matches!(fault, Bad::Cut | Bad::Checkpoint), "{fault}");
}

#[tokio::test]
async fn a_rolled_back_directory_is_found_against_an_outside_checkpoint_only() {
    let world = TestWorld::with_a_secret().await;
    let older = copy_of(&world.store(), u64::MAX, Some).await;
    for at in 0..20 {
        world.put("web", "a", &at.to_string()).await.unwrap();
    }
    let outside = world.checkpoint().await.unwrap();
    assert_eq!(world.verify(Some(&outside)).await.unwrap().bad, None);
    let back = world.reopen_over(older);
    back.unlock().await.unwrap();
    assert_eq!(back.verify(None).await.unwrap().bad, None, "from inside it cannot be seen");
    let (_, fault) = back.verify(Some(&outside)).await.unwrap().bad.unwrap();
    assert_eq!(fault, Bad::Cut);
    for at in 0..40 {
        back.put("web", "a", &at.to_string()).await.unwrap();
    }
    let (seq, fault) = back.verify(Some(&outside)).await.unwrap().bad.unwrap();
    assert_eq!((seq, fault), (outside.head.seq, Bad::Checkpoint), "grown past it, it still differs");
}

#[tokio::test]
async fn foreign_and_forged_checkpoints_are_refused() {
    let world = TestWorld::with_a_secret().await;
    let other = TestWorld::unlocked_with(
        strongroom_store::MemoryStore::new(strongroom_audit::link),
        strongroom_testkit::WorldOptions { seed: 9, ..Default::default() },
    )
    .await;
    let foreign = other.checkpoint().await.unwrap();
    let (_, fault) = world.verify(Some(&foreign)).await.unwrap().bad.unwrap();
    assert_eq!(fault, Bad::Foreign);
    let mut forged = world.checkpoint().await.unwrap();
    forged.head.hash[0] ^= 1;
    let (_, fault) = world.verify(Some(&forged)).await.unwrap().bad.unwrap();
    assert_eq!(fault, Bad::Signature);
    for alteration in ["forged", "foreign", "cut"] {
        let (forged, foreign) = (forged.encode(), foreign.encode());
        let below = world.store();
        let store = copy_of(&below, u64::MAX, |mut row| {
            if row.key.as_bytes()[0] == 0x0d {
                row.value = match alteration {
                    "forged" => forged.clone(),
                    "foreign" => foreign.clone(),
                    _ => row.value[..9].to_vec(),
                };
            }
            Some(row)
        });
        let altered = world.reopen_over(store.await);
        altered.unlock().await.unwrap();
        let (_, fault) = altered.verify(None).await.unwrap().bad.unwrap();
        let expected = if alteration == "foreign" { Bad::Foreign } else { Bad::Signature };
        assert_eq!(fault, expected, "{alteration}");
    }
}
