//! Backups of a whole server, and the lives that begin with them.

use std::time::Duration;
use strongroom_backup::{BackupError, KeysError, verify};
use strongroom_gate::{BackupFault, Denied, Fault as TrailFault, Space, Verdict};
use strongroom_identity::IdentityError;
use strongroom_model::{Action, Caller, Repeat};
use strongroom_operator::OperatorError;
use strongroom_secret::SecretBytes;
use strongroom_store::{Fault, MemoryStore, Range, SharedStore};
use strongroom_testkit::{TestWorld, WorldError, WorldOptions, value};

async fn world() -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    for n in 0..40 {
        world.put("web", &format!("secret/{n}"), &n.to_string()).await.unwrap();
    }
    world
}

async fn named(world: &TestWorld) -> Caller {
    let mut caller = world.root_caller().await.unwrap();
    caller.repeat = Some(Repeat { digest: [1; 32], named: true });
    caller
}

fn judge(bytes: &[u8], keys: &[SecretBytes]) -> Result<bool, BackupError> {
    verify(bytes, Some(keys), &mut |_| {}).map(|report| report.genuine)
}

#[tokio::test]
async fn a_restored_backup_has_every_value_and_a_trail_that_goes_on() {
    let world = world().await;
    let backup = world.backup().await.unwrap();
    assert!(judge(&backup, &world.key_texts()).unwrap());
    world.put("web", "secret/1", "\"later\"").await.unwrap();
    let restored = world.restored(&backup).unwrap();
    restored.unlock().await.unwrap();
    for n in 0..40 {
        assert_eq!(restored.get("web", &format!("secret/{n}")).await.unwrap(), Some(n.to_string()));
    }
    let report = restored.verify(None).await.unwrap();
    assert_eq!(report.bad, None);
    restored.put("web", "secret/1", "\"here\"").await.unwrap();
    assert_eq!(world.get("web", "secret/1").await.unwrap().as_deref(), Some("\"later\""));
}

#[tokio::test]
async fn the_new_life_begins_with_its_entry_and_another_incarnation() {
    let world = world().await;
    let before = world.checkpoint().await.unwrap();
    let backup = world.backup().await.unwrap();
    let last = verify(backup.as_slice(), None, &mut |_| {}).unwrap().header.trail.seq;
    let restored = world.restored(&backup).unwrap();
    assert_eq!(restored.head(), last + 1);
    restored.unlock().await.unwrap();
    let trail = restored.trail(last + 1).await.unwrap();
    let told: Vec<_> = trail.iter().take(3).map(|line| (line.action, line.verdict)).collect();
    let expected = [
        (Action::Restore, Verdict::Done),
        (Action::Unlock, Verdict::Done),
        (Action::Checkpoint, Verdict::Done),
    ];
    assert_eq!(told, expected);
    assert_eq!(trail[0].rule, format!("restored from a backup of entry {last}"));
    assert_ne!(restored.checkpoint().await.unwrap().incarnation, before.incarnation);
}

#[tokio::test]
async fn checkpoints_of_the_life_before_hold_as_far_as_it_is_shared() {
    let world = world().await;
    let early = world.checkpoint().await.unwrap();
    let backup = world.backup().await.unwrap();
    let late = world.checkpoint().await.unwrap();
    let restored = world.restored(&backup).unwrap();
    restored.unlock().await.unwrap();
    let last = verify(backup.as_slice(), None, &mut |_| {}).unwrap().header.trail.seq;
    let report = restored.verify(Some(&early)).await.unwrap();
    assert_eq!((report.bad, report.restored_at), (None, Some(last)));
    let report = restored.verify(Some(&late)).await.unwrap();
    assert_eq!(report.bad.map(|(_, fault)| fault), Some(TrailFault::Outlived));
    // a second restore, and a checkpoint from two lives before
    let again = restored.backup().await.unwrap();
    let third = restored.restored(&again).unwrap();
    third.unlock().await.unwrap();
    assert_eq!(third.verify(Some(&early)).await.unwrap().bad, None);
    let own = third.checkpoint().await.unwrap();
    let report = third.verify(Some(&own)).await.unwrap();
    assert_eq!((report.bad, report.restored_at), (None, None));
    let stranger = TestWorld::unlocked_with(
        MemoryStore::new(strongroom_audit::link),
        WorldOptions { seed: 99, ..WorldOptions::default() },
    )
    .await;
    let foreign = stranger.checkpoint().await.unwrap();
    let report = third.verify(Some(&foreign)).await.unwrap();
    assert_eq!(report.bad.map(|(_, fault)| fault), Some(TrailFault::Foreign));
}

#[tokio::test]
async fn tokens_and_outcomes_of_the_life_before_are_void() {
    let world = world().await;
    let token = world.authorize(None).await.unwrap();
    let caller = named(&world).await;
    world.put_as(&caller, "web", "once", &value("1"), None).await.unwrap();
    let backup = world.backup().await.unwrap();
    let restored = world.restored(&backup).unwrap();
    for table in [0x0b, 0x0c] {
        let rows = restored.store().list(Range::prefix(vec![table], 10)).await.unwrap();
        assert!(rows.is_empty(), "table {table:#x}");
        assert!(!world.store().list(Range::prefix(vec![table], 10)).await.unwrap().is_empty());
    }
    restored.unlock().await.unwrap();
    let mut stranger = restored.stranger();
    let refused = restored.identity.authenticate(&mut stranger, &token).await;
    assert!(matches!(refused, Err(IdentityError::Unauthenticated)), "{refused:?}");
    restored.authorize(None).await.expect("access keys hold");
    let caller = Caller { request: caller.request, ..named(&restored).await };
    let again = restored.put_as(&caller, "web", "once", &value("1"), None).await.unwrap();
    assert_eq!(again, 2, "what was answered in another life is not answered here");
}

#[tokio::test]
async fn time_does_not_run_behind_the_backup() {
    let world = world().await;
    world.clock.advance(Duration::from_hours(10));
    let backup = world.backup().await.unwrap();
    let made = world.gate.now();
    world.clock.set_wall(strongroom_testkit::START);
    let restored = world.restored(&backup).unwrap();
    restored.unlock().await.unwrap();
    assert!(restored.gate.now() >= made, "{:?}", restored.gate.now());
}

#[tokio::test]
async fn the_unlock_keys_of_then_open_the_backup_of_then() {
    let mut world = world().await;
    let old_keys = world.keys.clone();
    let backup = world.backup().await.unwrap();
    let new = world.rotate_root(&old_keys, None, None).await.unwrap();
    world.keep_keys(new);
    world.confirm_rotate_root(&world.keys).await.unwrap();
    let new_keys = world.key_texts();
    let fault = judge(&backup, &new_keys).unwrap_err();
    assert!(matches!(fault, BackupError::Keys(KeysError::OtherSet { index: 1 })), "{fault}");
    let old: Vec<_> = old_keys.iter().map(|key| SecretBytes::new(key.clone().into_bytes())).collect();
    assert!(judge(&backup, &old).unwrap());
    let restored = world.restored(&backup).unwrap();
    restored.unlock_with(&world.keys).await.unwrap_err();
    restored.unlock_with(&old_keys).await.unwrap();
    assert_eq!(restored.get("web", "secret/7").await.unwrap().as_deref(), Some("7"));
    assert!(judge(&world.backup().await.unwrap(), &new_keys).unwrap(), "and the new ones that of now");
}

#[tokio::test]
async fn its_beginning_and_its_end_are_in_the_trail() {
    let world = world().await;
    assert_eq!(world.operator.status(world.stranger().origin).await.unwrap().last_backup, None);
    let from = world.head() + 1;
    world.backup().await.unwrap();
    let made = world.operator.status(world.stranger().origin).await.unwrap().last_backup;
    assert_eq!(made, Some(strongroom_testkit::START));
    let mut broken = world.begin_backup().await.unwrap();
    broken.next().await.unwrap().expect("a first piece");
    drop(broken);
    let trail = world.trail(from).await.unwrap();
    let told: Vec<_> = trail
        .iter()
        .filter(|line| line.action == Action::CreateBackup)
        .map(|line| {
            (line.verdict, line.user.as_deref(), line.note.split(' ').skip(2).collect::<Vec<_>>().join(" "))
        })
        .collect();
    let seqs: Vec<u64> = trail.iter().map(|line| line.seq).collect();
    assert_eq!(told.len(), 4, "{told:?} {seqs:?}");
    assert_eq!((told[0].0, told[0].1), (Verdict::Released, Some("root")));
    assert_eq!((told[1].0, told[1].1), (Verdict::Done, None));
    assert!(told[1].2.contains("complete: "), "{told:?}");
    assert_eq!(told[2].0, Verdict::Released);
    assert_eq!(told[3].0, Verdict::Abandoned);
    assert!(told[3].2.ends_with("broke off"), "{told:?}");
}

#[tokio::test]
async fn without_its_last_entry_a_backup_has_no_end() {
    let world = world().await;
    let mut stream = world.begin_backup().await.unwrap();
    let mut bytes = stream.next().await.unwrap().unwrap();
    world.arm(Fault::FailBefore, 1);
    let fault = loop {
        match stream.next().await {
            Ok(Some(piece)) => bytes.extend(piece),
            Ok(None) => panic!("it has ended"),
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, BackupFault::Commit(_)), "{fault}");
    assert!(matches!(verify(bytes.as_slice(), None, &mut |_| {}), Err(BackupError::Cut { .. })));
    assert_eq!(world.operator.status(world.stranger().origin).await.unwrap().last_backup, None);
}

#[tokio::test]
async fn locked_there_is_no_backup_and_nobody_else_may_take_one() {
    let world = world().await;
    world.lock().await.unwrap();
    let caller = world.stranger();
    let locked =
        world.gate.admit::<strongroom_operator::CreateBackup>(&caller, strongroom_gate::Server).await;
    assert!(matches!(locked, Err(Denied::Locked)));
    world.unlock().await.unwrap();
    let refused =
        world.gate.admit::<strongroom_operator::CreateBackup>(&caller, strongroom_gate::Server).await;
    assert!(matches!(refused, Err(Denied::Refused { .. })));
}

#[tokio::test]
async fn a_full_disk_can_be_backed_up_until_its_last_floor() {
    let store = MemoryStore::new(strongroom_audit::link);
    let below: SharedStore = std::sync::Arc::<MemoryStore>::clone(&store);
    let world = TestWorld::unlocked_with(below, WorldOptions::default()).await;
    world.create_store("web").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    store.set_space(Space::Reserved);
    let backup = world.backup().await.unwrap();
    assert!(judge(&backup, &world.key_texts()).unwrap());
    let mut stream = world.begin_backup().await.unwrap();
    stream.next().await.unwrap();
    store.set_space(Space::Exhausted);
    assert!(matches!(stream.next().await, Err(BackupFault::Full)));
}

#[tokio::test]
async fn sampled_bits_of_a_whole_backup_are_found() {
    let world = world().await;
    let backup = world.backup().await.unwrap();
    let bits = backup.len() * 8;
    for at in 0..400 {
        // steps that share no factor with anything in the layout
        let bit = (at * 104_729) % bits;
        let mut damaged = backup.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(damaged.as_slice(), None, &mut |_| {}).is_err(), "bit {bit}");
        assert!(world.restore(&damaged).is_err(), "bit {bit}");
    }
}

#[tokio::test]
async fn a_lock_that_could_not_end_its_tokens_ends_them_at_the_next_unlock() {
    for fault in [Fault::FailBefore, Fault::UnknownLost] {
        let world = TestWorld::unlocked().await;
        let caller = world.root_caller().await.unwrap();
        let token = world.token().unwrap();
        let permit =
            world.gate.admit::<strongroom_operator::Lock>(&caller, strongroom_gate::Server).await.unwrap();
        // the first commit is the checkpoint's, the second the lock's
        world.arm(fault, 2);
        let failed = world.operator.lock(permit).await.unwrap_err();
        assert!(matches!(failed, OperatorError::Commit(_)), "{failed}");
        assert!(!world.gate.is_unlocked());
        world.settled().await;
        world.unlock().await.unwrap();
        let mut stranger = world.stranger();
        let refused = world.identity.authenticate(&mut stranger, &token).await;
        assert!(matches!(refused, Err(IdentityError::Unauthenticated)), "{fault:?}: {refused:?}");
        assert!(matches!(world.lock().await, Ok(())), "with a token of its own");
        assert!(!matches!(world.get("web", "a").await, Err(WorldError::Trail(_))));
    }
}

#[tokio::test]
async fn a_lock_that_could_not_end_its_tokens_ends_them_though_the_process_does() {
    for fault in [Fault::FailBefore, Fault::UnknownLost] {
        let world = TestWorld::unlocked().await;
        let caller = world.root_caller().await.unwrap();
        let token = world.token().unwrap();
        let permit =
            world.gate.admit::<strongroom_operator::Lock>(&caller, strongroom_gate::Server).await.unwrap();
        world.arm(fault, 2);
        world.operator.lock(permit).await.unwrap_err();
        world.settled().await;
        world.operator.settle_lock().await.unwrap();
        let head = world.head();
        world.operator.settle_lock().await.unwrap();
        assert_eq!(world.head(), head, "once is enough");
        let world = world.reopen();
        world.unlock().await.unwrap();
        let mut stranger = world.stranger();
        let refused = world.identity.authenticate(&mut stranger, &token).await;
        assert!(matches!(refused, Err(IdentityError::Unauthenticated)), "{fault:?}: {refused:?}");
    }
}
