//! The front of the trail moves out into segments: nothing is lost, nothing stands twice, what changes is named.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_gate::{Fault as Bad, Keep, Segment, SegmentDir, StoreError, Trail};
use strongroom_model::Action;
use strongroom_operator::{self as operator, Archive, OperatorError};
use strongroom_store::{Fault, MemoryStore, SharedStore};
use strongroom_testkit::{Odd, TestWorld, WorldOptions};

const KEPT: u64 = 100;

fn keep() -> Keep {
    Keep { entries: Some(KEPT), age: None, segment_entries: 50, segment_age: Duration::from_hours(24) }
}

async fn world_with(dir: &Path, keep: Keep) -> TestWorld {
    let archive = Some(Archive { dir: SegmentDir::at(dir), keep });
    let options = WorldOptions { archive, ..WorldOptions::default() };
    let world = TestWorld::unlocked_with(MemoryStore::new(strongroom_audit::link), options).await;
    world.create_store("web").await.unwrap();
    world
}

/// Grows the trail to at least so many entries.
async fn grow(world: &TestWorld, to: u64) {
    while world.head() < to {
        world.put("web", "a", "1").await.unwrap();
    }
}

async fn move_all(world: &TestWorld) -> Vec<Segment> {
    let mut moved = Vec::new();
    while let Some(segment) = world.operator.archive_chore(None).await.unwrap() {
        moved.push(segment);
    }
    moved
}

async fn oldest(world: &TestWorld) -> u64 {
    world.store().entries(0, 1).await.unwrap()[0].seq
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn what_is_old_moves_out_and_the_whole_trail_still_holds() {
    let dir = tempfile::tempdir().unwrap();
    let world = world_with(dir.path(), keep()).await;
    let early = world.checkpoint().await.unwrap();
    grow(&world, 260).await;
    let before = world.store().entries(1, 150).await.unwrap();
    let moved = move_all(&world).await;
    let ranges: Vec<_> = moved.iter().map(|segment| (segment.first, segment.last.seq)).collect();
    assert_eq!(ranges, [(1, 50), (51, 100), (101, 150)]);
    assert_eq!(oldest(&world).await, 151);
    let mut kept = Vec::new();
    for segment in &moved {
        kept.extend(SegmentDir::at(dir.path()).open(segment).unwrap().page(1_000).unwrap());
    }
    assert_eq!(kept, before, "bodies and links as they were");
    let late = world.checkpoint().await.unwrap();
    for against in [None, Some(&early), Some(&late)] {
        let report = world.verify(against).await.unwrap();
        assert_eq!((report.bad, report.segments, report.segment), (None, 3, None));
        assert!(report.entries > 260, "{}", report.entries);
    }
    let trail = world.trail(151).await.unwrap();
    let archived = trail.iter().filter(|line| line.action == Action::ArchiveTrail);
    assert_eq!(archived.count(), 3, "one entry a segment");
    let world = world.reopen();
    world.unlock().await.unwrap();
    assert_eq!(world.verify(Some(&early)).await.unwrap().bad, None, "after a restart, too");
}

#[tokio::test]
async fn the_young_and_the_last_stay() {
    let dir = tempfile::tempdir().unwrap();
    let age = Duration::from_hours(24);
    let keep =
        Keep { entries: None, age: Some(age), segment_entries: 1_000, segment_age: Duration::from_hours(1) };
    let world = world_with(dir.path(), keep).await;
    grow(&world, 150).await;
    let first = world.head();
    assert!(move_all(&world).await.is_empty(), "everything is young");
    world.clock.advance(age);
    grow(&world, 300).await;
    assert!(move_all(&world).await.is_empty(), "it waits for a full segment");
    world.clock.advance(Duration::from_hours(1));
    let moved = move_all(&world).await;
    assert_eq!(moved.len(), 1);
    assert!(moved[0].last.seq <= first, "{} and {first}", moved[0].last.seq);
    assert!(moved[0].last.seq + 2 >= first, "all that is old: {} and {first}", moved[0].last.seq);
    world.clock.advance(age * 30);
    move_all(&world).await;
    assert!(oldest(&world).await + KEPT <= world.head() + 2, "the last hundred always stay");
    assert_eq!(world.verify(None).await.unwrap().bad, None);
}

#[tokio::test]
async fn what_was_not_exported_stays() {
    let dir = tempfile::tempdir().unwrap();
    let world = world_with(dir.path(), keep()).await;
    grow(&world, 260).await;
    assert_eq!(world.operator.archive_chore(Some(49)).await.unwrap(), None);
    let moved = world.operator.archive_chore(Some(50)).await.unwrap().unwrap();
    assert_eq!((moved.first, moved.last.seq), (1, 50));
    assert_eq!(world.operator.archive_chore(Some(50)).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_at_any_write_loses_nothing_and_doubles_nothing() {
    for fault in Fault::ALL {
        let dir = tempfile::tempdir().unwrap();
        let mut world = world_with(dir.path(), keep()).await;
        grow(&world, 160).await;
        let all = world.store().entries(1, 1_000).await.unwrap();
        world.arm(fault, 1);
        world.operator.archive_chore(None).await.unwrap_err();
        world = world.reopen();
        world.unlock().await.unwrap();
        let moved = move_all(&world).await;
        let applied = matches!(fault, Fault::UnknownApplied | Fault::StopAfter);
        assert_eq!(moved.is_empty(), applied, "{fault:?}");
        assert_eq!(files(dir.path()).len(), 1, "{fault:?}: the same file, taken up again");
        let report = world.verify(None).await.unwrap();
        assert_eq!((report.bad, report.segments), (None, 1), "{fault:?}");
        let kept = world.store().entries(0, 1_000).await.unwrap();
        assert_eq!(kept[..110], all[50..160], "{fault:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_died_after_its_file_was_whole_is_taken_up_with_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let long = Keep { segment_entries: 1_000, segment_age: Duration::from_secs(1), ..keep() };
    let world = world_with(dir.path(), long).await;
    grow(&world, 160).await;
    world.clock.advance(Duration::from_secs(5));
    world.arm(Fault::StopBefore, 1);
    world.operator.archive_chore(None).await.unwrap_err();
    let left = files(dir.path());
    std::fs::write(dir.path().join("trail-being-written.new"), b"half a file").unwrap();
    let world = world.reopen();
    world.unlock().await.unwrap();
    grow(&world, 400).await;
    world.clock.advance(Duration::from_secs(5));
    let moved = move_all(&world).await;
    assert_eq!(files(dir.path())[0], left[0]);
    assert_eq!(files(dir.path()).len(), moved.len(), "no file is left over: {moved:?}");
    assert_eq!(world.verify(None).await.unwrap().bad, None);
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_leaves_everything_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"in the way").unwrap();
    let world = world_with(&file.join("below"), keep()).await;
    grow(&world, 200).await;
    world.operator.archive_chore(None).await.unwrap_err();
    assert_eq!(oldest(&world).await, 1);
    let from = world.head();
    let told = &world.trail(from).await.unwrap()[0];
    assert_eq!((told.action, told.verdict.name()), (Action::ArchiveTrail, "failed"));
}

#[tokio::test]
async fn a_missing_or_changed_segment_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let world = world_with(dir.path(), keep()).await;
    grow(&world, 260).await;
    let moved = move_all(&world).await;
    let paths = files(dir.path());
    let whole = std::fs::read(&paths[1]).unwrap();
    let verdict = async || {
        let report = world.verify(None).await.unwrap();
        report.bad.map(|(seq, fault)| (seq, fault, report.segment.unwrap_or_default()))
    };
    for (at, place) in [(40, "the head"), (whole.len() / 2, "an entry"), (whole.len() - 3, "the checkpoint")]
    {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&paths[1], &flipped).unwrap();
        let (seq, fault, name) = verdict().await.expect(place);
        assert!((51..=101).contains(&seq), "{place}: {seq}");
        assert!(matches!(fault, Bad::SegmentDamaged | Bad::Link | Bad::Body), "{place}: {fault}");
        assert_eq!(name, moved[1].name(), "{place}");
    }
    std::fs::write(&paths[1], &whole[..whole.len() / 2]).unwrap();
    assert_eq!(verdict().await.unwrap().2, moved[1].name());
    std::fs::copy(&paths[0], &paths[1]).unwrap();
    assert_eq!(
        verdict().await,
        Some((51, Bad::SegmentDamaged, moved[1].name())),
        "another segment's content"
    );
    std::fs::remove_file(&paths[1]).unwrap();
    assert_eq!(verdict().await, Some((51, Bad::SegmentMissing, moved[1].name())));
    std::fs::write(&paths[1], &whole).unwrap();
    assert_eq!(verdict().await, None, "put back, all is well");
}

#[tokio::test]
async fn a_front_that_is_cut_off_without_a_segment_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let world = world_with(dir.path(), keep()).await;
    grow(&world, 260).await;
    let cut = world.reopen_over(Odd::edited(world.store(), |entries| {
        entries.into_iter().filter(|entry| entry.seq > 150).collect()
    }));
    cut.unlock().await.unwrap();
    assert_eq!(cut.verify(None).await.unwrap().bad, Some((1, Bad::Order)));
}

#[tokio::test]
async fn what_moves_out_while_the_trail_is_verified_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let world = world_with(dir.path(), keep()).await;
    grow(&world, 260).await;
    let before = world.store().entries(1, 70).await.unwrap();
    move_all(&world).await;
    for seen in [0, 50, 70] {
        // the segments were listed, and so many entries read, before they moved out
        let early = before.get(..seen).unwrap().to_vec();
        let asked = AtomicBool::new(seen == 0);
        let odd = Odd::edited(world.store(), move |entries| {
            if asked.swap(true, Ordering::Relaxed) { entries } else { early.clone() }
        });
        odd.blind_once(0x16);
        let segments = SegmentDir::at(dir.path());
        let store: SharedStore = odd;
        let proof = strongroom_audit::Proof { segments: Some(&segments), ..Default::default() };
        let report = strongroom_audit::verify(&store, proof).await.unwrap();
        assert_eq!((report.bad, report.segment), (None, None), "{seen}");
        assert_eq!(report.entries, world.head(), "{seen}");
    }
}

#[tokio::test]
async fn an_export_whose_entries_move_out_before_it_has_come_to_them_ends_and_has_no_hole() {
    let dir = tempfile::tempdir().unwrap();
    let world = world_with(dir.path(), keep()).await;
    grow(&world, 1_300).await;
    let caller = world.root_caller().await.unwrap();
    let begin = async || {
        let permit = world.gate.admit::<operator::ReadTrail>(&caller, Trail).await.unwrap();
        world.gate.release(world.operator.export_trail(permit, 1).await.unwrap()).await.unwrap()
    };
    let mut export = begin().await;
    assert_eq!(export.next().await.unwrap().len(), 1_000);
    move_all(&world).await;
    assert!(oldest(&world).await > 1_001);
    let fault = export.next().await.unwrap_err();
    assert!(matches!(fault, OperatorError::Store(StoreError::Busy)), "{fault}");
    let mut export = begin().await;
    let lines = export.next().await.unwrap();
    assert_eq!(lines[0].seq, oldest(&world).await, "it begins with what is there");
    assert!(export.next().await.unwrap().is_empty());
}
