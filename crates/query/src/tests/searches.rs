//! What is found with an honest exchange.

use super::world::*;
use crate::*;

fn plain() -> Options {
    Options::default()
}

#[test]
fn a_reader_sees_what_its_attributes_open_and_that_the_rest_is_sealed() {
    let world = World::filled();
    let found = world.search(&["ANALYST"], "src_ip=203.0.113.7", plain());
    assert_eq!((found.rows.len(), found.summary.shown, found.summary.sealed_fields), (6, 6, 6));
    assert!(found.findings.is_empty());
    let row = &found.rows[0];
    assert_eq!((&row["src_ip"], &row["port"]), (&"203.0.113.7".into(), &22.into()));
    let sealed: Vec<_> =
        row.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("sealed:")).collect();
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0].1["sealed"], "UNR");
    let both = world.search(&["ANALYST", "UNR"], "src_ip=203.0.113.7", plain());
    assert!(both.rows.iter().all(|row| row["note"] == "for us"));
    assert_eq!(both.summary.sealed_fields, 0);
    let nobody = world.search(&["OTHER"], "src_ip=203.0.113.7", plain());
    assert_eq!((nobody.rows.len(), nobody.summary.sealed_fields), (6, 30));
    assert!(!found.summary.completeness.is_proven());
    assert_eq!(found.summary.completeness.to_string(), "completeness: not proven");
}

#[test]
fn conditions_find_what_they_say() {
    let world = World::filled();
    for (text, count) in [
        ("203.0.113.7", 6),
        ("22", 6),
        ("src_ip=::ffff:203.0.113.7 AND port=22", 3),
        ("src_ip=203.0.113.7 AND (port=22 OR port=23)", 6),
        ("src_ip=203.0.113.7 AND port!=22", 3),
        ("port=22 AND src_ip!=203.0.113.7", 3),
        ("port=22 OR port=23", 9),
        ("in 203.0.113.0/24", 6),
        ("src_ip in 203.0.113.0/24 AND port=23", 3),
        ("under Example.org", 6),
        ("host under example.com", 0),
        ("src_ip=203.0.113.7 day 2026-11-01", 4),
        ("src_ip=203.0.113.7 since 2026-11-02", 2),
        ("src_ip=203.0.113.7 until 2026-11-01", 4),
        ("src_ip=203.0.113.7 since 2026-11-01T10:00:01Z", 2),
        ("src_ip=203.0.113.8", 0),
    ] {
        let found = world.search(&["ANALYST", "UNR"], text, plain());
        assert_eq!(found.rows.len(), count, "{text}");
        assert!(found.findings.is_empty(), "{text}: {:?}", found.findings);
        let counted = world.search(&["ANALYST", "UNR"], text, Options { is_count: true, ..plain() });
        assert_eq!(counted.summary.shown, u64::try_from(count).unwrap(), "{text}");
        let proving = Options { is_proving: true, ..plain() };
        let proven = world.search(&["ANALYST", "UNR"], text, proving);
        assert_eq!(proven.ids(), found.ids(), "{text}");
        assert!(proven.findings.is_empty(), "{text}: {:?}", proven.findings);
    }
}

#[test]
fn what_decides_and_is_sealed_leaves_a_record_in_and_is_told() {
    let world = World::filled();
    let found = world.search(&["UNR"], "src_ip=203.0.113.7 AND port!=22 since 2026-11-08", plain());
    assert_eq!((found.rows.len(), found.summary.undecided), (6, 6));
}

#[test]
fn arrival_narrows_what_is_asked_and_the_records_time_decides() {
    let world = World::filled();
    world.search(&["ANALYST"], "port=22 since 2026-11-01T12:30:00Z", plain());
    world.search(
        &["ANALYST"],
        "port=22 arrived since 2026-11-01 arrived until 2026-11-01T05:00:00Z",
        plain(),
    );
    world.search(&["ANALYST"], "port=22 until 2026-11-01", plain());
    let asked = world.exchange.asked.borrow();
    let hours: Vec<_> = asked.iter().map(|query| (query.since_hour, query.until_hour)).collect();
    let midnight = 20_758 * 24;
    assert_eq!(hours[0], (Some(midnight + 11), None), "an hour for clocks that are apart");
    assert_eq!(hours[1], (Some(midnight), Some(midnight + 5)));
    assert_eq!(hours[2], (None, None), "what happened before may have come at any time");
}

#[test]
fn pages_limits_and_interruptions_end_a_search_where_they_say() {
    let world = World::filled();
    for page in [1, 2, 5, 1000] {
        let found = world.search(&["ANALYST"], "port=22", Options { page, ..plain() });
        assert_eq!((found.rows.len(), found.summary.is_limited), (6, false), "pages of {page}");
    }
    let limited = world.search(&["ANALYST"], "port=22", Options { limit: 4, page: 3, ..plain() });
    assert_eq!((limited.rows.len(), limited.summary.is_limited), (4, true));
    let proving = Options { limit: 1, is_proving: true, page: 1, ..plain() };
    let cut = world.search(&["ANALYST"], "port=22", proving);
    assert!(cut.summary.completeness.is_cut && !cut.summary.completeness.is_proven());
}

#[test]
fn a_proof_says_for_which_epochs_it_holds() {
    let world = World::filled();
    let proving = Options { is_proving: true, ..plain() };
    let found = world.search(&["ANALYST"], "src_ip=203.0.113.7", proving);
    let completeness = &found.summary.completeness;
    let section = |collector, epoch| Section { epoch, collector };
    assert_eq!(completeness.proven, [section(NORTH, 3), section(SOUTH, 3)].into());
    assert_eq!(completeness.open.len(), 2);
    assert!(completeness.open.values().all(|why| *why == Unproven::Present));
    assert_eq!(
        completeness.to_string(),
        "completeness: proven for 2 collectors' epochs that have ended; the present epoch cannot be proven yet"
    );
}

#[test]
fn an_epoch_in_which_a_collector_wrote_nothing_is_settled_by_its_neighbours_and_its_head() {
    let world = World::new(13);
    world.seal(NORTH, 4, &[&[("src_ip", "\"203.0.113.7\"", 0)]]);
    world.end_epoch(NORTH, 4);
    let proving = Options { is_proving: true, ..plain() };
    let found = world.search_in(5, &["ANALYST"], "src_ip=203.0.113.7", proving);
    let section = |collector, epoch| Section { epoch, collector };
    // its first record is in the epoch behind; the other one told nobody of a record
    assert_eq!(found.summary.completeness.proven, [section(NORTH, 3), section(NORTH, 4)].into());
    assert!(found.summary.completeness.is_proven(), "{:?}", found.summary.completeness);
    world.exchange.proofs.borrow_mut().clear();
    let found = world.search_in(5, &["ANALYST"], "src_ip=203.0.113.7", proving);
    assert_eq!(found.summary.completeness.open.len(), 2, "without a word nothing is settled");
}
