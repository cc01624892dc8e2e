//! Copies: what proves them full, and what does not.

use super::world::*;
use crate::*;
use std::path::Path;

fn synced(world: &World, path: &Path) -> (Synced, Vec<Finding>) {
    let folder = CopyFolder::open(path).unwrap();
    let mut watch = Watched::default();
    let signers = world.signers();
    let synced = block_on(sync(&folder, world, &world.exchange, &signers, &mut watch)).unwrap();
    (synced, watch.findings)
}

#[test]
fn a_copy_up_to_the_heads_is_proven_and_is_searched_alike() {
    let world = World::filled();
    let folder = tempfile::tempdir().unwrap();
    let (first, findings) = synced(&world, folder.path());
    assert!(first.is_proven() && findings.is_empty(), "{findings:?}");
    assert_eq!((first.new, first.collectors[&NORTH].last, first.collectors[&SOUTH].last), (9, 6, 3));
    let (again, _) = synced(&world, folder.path());
    assert_eq!((again.new, again.is_proven()), (0, true));
    let copy = CopyFolder::open(folder.path()).unwrap();
    let local = LocalCopy::new(&copy).unwrap();
    for text in
        ["src_ip=203.0.113.7", "port=22 AND src_ip!=203.0.113.7", "under example.org since 2026-11-05"]
    {
        let options = Options { page: 2, ..Options::default() };
        let own = world.search_at(&local, &["ANALYST"], text, options).unwrap();
        assert_eq!(own.ids(), world.search(&["ANALYST"], text, Options::default()).ids(), "{text}");
        assert!(own.findings.is_empty());
    }
    world.seal(SOUTH, 4, &[&[("port", "22", 0)]]);
    let (more, _) = synced(&world, folder.path());
    assert_eq!((more.new, more.is_proven()), (1, true));
}

#[test]
fn records_that_are_withheld_at_the_end_or_between_are_found() {
    let world = World::filled();
    let last = world.exchange.records.borrow().last().unwrap().1.clone();
    *world.exchange.lie.borrow_mut() =
        Some(Box::new(move |records| records.retain(|record| *record != last)));
    let folder = tempfile::tempdir().unwrap();
    let (end, findings) = synced(&world, folder.path());
    assert!(!end.is_proven() && !end.collectors[&NORTH].is_proven && end.collectors[&SOUTH].is_proven);
    assert!(matches!(findings[..], [Finding::Copy { collector: NORTH, sequence: 6, .. }]));
    let second = world.exchange.records.borrow()[1].1.clone();
    *world.exchange.lie.borrow_mut() =
        Some(Box::new(move |records| records.retain(|record| *record != second)));
    let folder = tempfile::tempdir().unwrap();
    let (between, findings) = synced(&world, folder.path());
    assert_eq!(between.collectors[&NORTH].last, 1, "what comes behind a gap is not taken");
    assert!(matches!(findings[0], Finding::Copy { collector: NORTH, sequence: 2, .. }));
    assert!(!between.is_proven());
    let first = world.exchange.records.borrow()[0].1.clone();
    *world.exchange.lie.borrow_mut() =
        Some(Box::new(move |records| records.retain(|record| *record != first)));
    let folder = tempfile::tempdir().unwrap();
    let (begun, findings) = synced(&world, folder.path());
    assert_eq!(begun.collectors[&NORTH].last, 0, "a beginning that is not the first record is none");
    assert!(matches!(findings[0], Finding::Copy { collector: NORTH, sequence: 1, .. }));
}

#[test]
fn records_that_are_changed_or_of_another_history_are_found() {
    let world = World::filled();
    *world.exchange.lie.borrow_mut() = Some(Box::new(|records| {
        if let Some(record) = records.first_mut() {
            let end = record.len() - 1;
            record[end] ^= 1;
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let (changed, findings) = synced(&world, folder.path());
    assert_eq!((changed.new, findings.len()), (0, 4), "{findings:?}");
    *world.exchange.lie.borrow_mut() = None;
    // the exchange keeps a history that the collector has since replaced, and told the authority of
    world.forget_chain(SOUTH);
    world.seal(SOUTH, 4, &[&[("port", "1", 0)], &[("port", "2", 0)], &[("port", "3", 0)]]);
    world.exchange.records.borrow_mut().truncate(9);
    let folder = tempfile::tempdir().unwrap();
    let (other, findings) = synced(&world, folder.path());
    assert!(!other.collectors[&SOUTH].is_proven && other.collectors[&NORTH].is_proven);
    assert!(matches!(findings[..], [Finding::Copy { collector: SOUTH, sequence: 3, .. }]));
}

#[test]
fn a_copy_that_was_cut_or_changed_on_the_disk_is_fetched_again_from_there() {
    let world = World::filled();
    let folder = tempfile::tempdir().unwrap();
    synced(&world, folder.path());
    let path = folder.path().join(format!("{NORTH}.records"));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 10]).unwrap();
    let (cut, findings) = synced(&world, folder.path());
    assert_eq!(
        (cut.new, cut.is_proven(), findings.len()),
        (1, true, 0),
        "an interrupted write is no finding"
    );
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    let mut changed = whole.clone();
    changed[100] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    let (again, findings) = synced(&world, folder.path());
    assert_eq!((again.new, findings.len()), (6, 1));
    assert_eq!(std::fs::read(&path).unwrap(), whole);
}
