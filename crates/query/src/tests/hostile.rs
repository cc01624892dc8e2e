//! What an exchange that lies gets away with: nothing, where this says that it is found.

use super::world::*;
use crate::*;

const QUESTION: &str = "src_ip=203.0.113.7";

fn lying(world: &World, lie: impl Fn(&mut Vec<Vec<u8>>) + 'static) {
    *world.exchange.lie.borrow_mut() = Some(Box::new(lie));
}

fn searched(world: &World) -> Outcome {
    world.search(&["ANALYST"], QUESTION, Options::default())
}

fn proven(world: &World) -> Outcome {
    world.search(&["ANALYST"], QUESTION, Options { is_proving: true, ..Options::default() })
}

#[test]
fn altered_records_are_found_and_the_rest_goes_on() {
    let world = World::filled();
    let length = world.exchange.records.borrow()[0].1.len();
    // everywhere: form, fields, tokens, signature
    for at in (0..length).step_by(7) {
        lying(&world, move |records| records[0][at] ^= 1);
        let found = searched(&world);
        assert_eq!((found.rows.len(), found.summary.broken), (5, 1), "byte {at}");
        let is_told = matches!(
            found.findings[0],
            Finding::Malformed { .. } | Finding::Signature { .. } | Finding::Stranger { .. }
        );
        assert!(is_told && found.findings.len() == 1, "byte {at}: {:?}", found.findings);
    }
    lying(&world, |records| records[0].truncate(100));
    assert!(matches!(searched(&world).findings[0], Finding::Malformed { .. }));
}

#[test]
fn another_record_in_place_of_one_is_found() {
    let world = World::filled();
    let other = world.exchange.records.borrow()[2].1.clone();
    lying(&world, move |records| records[0] = other.clone());
    for found in [searched(&world), proven(&world)] {
        assert_eq!(found.rows.len(), 5);
        assert!(
            matches!(found.findings[0], Finding::NotAsked { id } if id.collector == NORTH && id.sequence == 3)
        );
    }
}

#[test]
fn invented_records_are_found() {
    let world = World::filled();
    let stranger = World::new(12);
    let fields: Plain<'_> = &[("src_ip", "\"203.0.113.7\"", 0)];
    stranger.seal_with(NORTH, 3, &[(fields, world.tokens(NORTH, 3, "src_ip", "203.0.113.7"))]);
    let invented = stranger.exchange.records.borrow()[0].1.clone();
    // another key of the same name
    let mut other = invented.clone();
    other[1..17].fill(7);
    lying(&world, move |records| records.extend([invented.clone(), other.clone()]));
    let found = searched(&world);
    assert_eq!((found.rows.len(), found.summary.broken), (6, 2));
    assert!(matches!(found.findings[0], Finding::Signature { .. } | Finding::Stranger { .. }));
    assert!(matches!(found.findings[1], Finding::Stranger { .. }));
}

#[test]
fn what_comes_again_is_shown_once() {
    let world = World::filled();
    lying(&world, |records| records.extend(records.clone()));
    let found = searched(&world);
    assert_eq!((found.rows.len(), found.summary.repeated), (6, 6));
    assert!(found.findings.is_empty());
    assert!(proven(&world).findings.is_empty(), "and it proves nothing false");
}

#[test]
fn the_order_says_nothing() {
    let world = World::filled();
    let before = searched(&world).ids();
    lying(&world, |records| records.reverse());
    assert_eq!(searched(&world).ids(), before);
    assert_eq!(proven(&world).ids(), before);
}

#[test]
fn what_is_withheld_is_found_by_its_proof_and_not_without() {
    let world = World::filled();
    lying(&world, |records| drop(records.remove(0)));
    let unaware = searched(&world);
    assert_eq!(unaware.rows.len(), 5);
    assert!(unaware.findings.is_empty(), "and so it is said that completeness is not proven");
    assert_eq!(unaware.summary.completeness.to_string(), "completeness: not proven");
    let found = proven(&world);
    let expected = Finding::Withheld { collector: NORTH, epoch: 3, signed: 2, found: 1 };
    assert_eq!(found.findings, [expected]);
    assert!(found.summary.completeness.to_string().contains("1 contradicted"));
}

#[test]
fn a_record_withheld_from_one_half_of_a_condition_is_found() {
    let world = World::filled();
    // the condition is two tokens; only one record has both
    let (hit, other) =
        (world.exchange.records.borrow()[0].1.clone(), world.exchange.records.borrow()[1].1.clone());
    assert_ne!(hit, other);
    lying(&world, move |records| records.retain(|record| *record != hit));
    let proving = Options { is_proving: true, ..Options::default() };
    let found = world.search(&["ANALYST"], "src_ip=203.0.113.7 AND port=22", proving);
    assert!(matches!(found.findings[..], [Finding::Withheld { collector: NORTH, epoch: 3, .. }]));
}

#[test]
fn false_proofs_prove_nothing() {
    let world = World::filled();
    let replace = |proof| world.exchange.proofs.borrow_mut().insert((NORTH, 3), proof);
    let own = world.exchange.proofs.borrow()[&(NORTH, 3)].clone();
    let south = world.exchange.proofs.borrow()[&(SOUTH, 3)].clone();
    for (proof, what) in [
        (south.clone(), "another collector's"),
        ((own.0.clone(), south.1.clone()), "paths of another tree"),
        (
            (
                strongroom_sharing::SignedText { signature: south.0.signature.clone(), ..own.0.clone() },
                own.1.clone(),
            ),
            "another signature",
        ),
    ] {
        replace(proof);
        let found = proven(&world);
        assert!(matches!(found.findings[..], [Finding::Proof { collector: NORTH, epoch: 3, .. }]), "{what}");
        assert_eq!(found.rows.len(), 6, "{what}: records are shown all the same");
        assert!(found.summary.completeness.open.values().any(|why| *why == Unproven::False), "{what}");
    }
    world.exchange.proofs.borrow_mut().remove(&(NORTH, 3));
    let found = proven(&world);
    assert!(found.findings.is_empty());
    assert!(found.summary.completeness.to_string().contains("1 without a proof"));
}

#[test]
fn headers_that_are_withheld_swapped_or_changed_are_found() {
    let world = World::filled();
    let headers = world.exchange.headers.borrow().clone();
    let mut batches = headers.keys().copied();
    let (first, second) = (batches.next().unwrap(), batches.next().unwrap());
    let put = |bytes: Option<Vec<u8>>| {
        let mut own = world.exchange.headers.borrow_mut();
        match bytes {
            Some(bytes) => own.insert(first, bytes),
            None => own.remove(&first),
        };
    };
    assert_eq!(header_of(&headers[&first]).batch(), first);
    for (bytes, why) in [
        (None, "was not given by the exchange"),
        (Some(headers[&second].clone()), "is not the one that the record names"),
        (Some(vec![1, 2, 3]), "cannot be read"),
    ] {
        put(bytes);
        let found = searched(&world);
        assert_eq!((found.rows.len(), found.summary.broken), (4, 2), "{why}");
        assert!(
            found.findings.iter().all(|own| matches!(own, Finding::Header { why: own, .. } if *own == why))
        );
    }
    // the wrapped key at the end
    let mut changed = headers[&first].clone();
    let end = changed.len() - 1;
    changed[end] ^= 1;
    put(Some(changed));
    let found = world.search(&["ANALYST", "UNR"], QUESTION, Options::default());
    assert_eq!((found.rows.len(), found.findings.len()), (6, 2));
    assert!(found.findings.iter().all(|own| matches!(own, Finding::Field { .. })), "{:?}", found.findings);
}

#[test]
fn two_records_of_one_number_are_found() {
    let world = World::filled();
    world.forget_chain(NORTH);
    let fields: Plain<'_> = &[("src_ip", "\"203.0.113.7\"", 0), ("port", "1", 0)];
    world.seal(NORTH, 4, &[fields]);
    let found = searched(&world);
    assert_eq!(found.rows.len(), 6);
    assert!(matches!(found.findings[..], [Finding::Conflict { id }] if id.sequence == 1));
}

#[test]
fn a_poisoned_index_is_told_and_finds_nothing() {
    let world = World::filled();
    let fields: Plain<'_> = &[("src_ip", "\"192.0.2.1\"", 0), ("port", "22", 0)];
    let mut tokens = world.tokens(SOUTH, 4, "src_ip", "203.0.113.7");
    tokens.extend(world.tokens(SOUTH, 4, "port", "22"));
    world.seal_with(SOUTH, 4, &[(fields, tokens)]);
    let found = searched(&world);
    assert_eq!((found.rows.len(), found.summary.poisoned), (6, 1));
    let expected = "its index is poisoned: field src_ip does not have the value that it was found by";
    assert!(found.findings[0].to_string().ends_with(expected));
    let elsewhere = world.search(&["ANALYST"], "src_ip=203.0.113.7 OR port=22", Options::default());
    assert_eq!((elsewhere.rows.len(), elsewhere.summary.poisoned), (10, 1), "its port is what was asked for");
    // who cannot open the field cannot tell
    let blind = world.search(&["OTHER"], QUESTION, Options::default());
    assert_eq!((blind.rows.len(), blind.summary.poisoned), (7, 0));
}

#[test]
fn values_that_are_no_json_and_names_that_come_twice_are_broken_fields() {
    let world = World::filled();
    let bad: Plain<'_> =
        &[("src_ip", "\"203.0.113.7\"", 0), ("a", "{\"x\":1,", 0), ("b", "1 2", 0), ("c", "7", 0)];
    world.seal(SOUTH, 4, &[bad]);
    let found = searched(&world);
    assert_eq!(found.rows.len(), 7);
    assert_eq!(found.findings.len(), 2);
    assert!(found.findings.iter().all(|own| matches!(own, Finding::Field { .. })));
    let row = found.rows.last().unwrap();
    assert_eq!(row["c"], 7);
}

#[test]
fn pages_without_end_end() {
    struct Endless;
    use strongroom_sharing::exchange::*;
    use strongroom_sharing::*;
    impl Exchange for Endless {
        async fn page(&self, _: &Query) -> Result<Page, AskError> {
            Ok(Page { records: Vec::new(), cursor: Some("again".to_owned()) })
        }
        async fn count(&self, _: &Query) -> Result<Count, AskError> {
            Ok(Count { count: u64::MAX })
        }
        async fn batches(&self, _: &[BatchId]) -> Result<Batches, AskError> {
            Ok(Batches { headers: Vec::new() })
        }
        async fn proofs(&self, _: &AskProofs) -> Result<Proofs, AskError> {
            Ok(Proofs { signed: None, paths: Vec::new() })
        }
        async fn heads(&self) -> Result<Vec<HeadAt>, AskError> {
            Ok(Vec::new())
        }
        async fn records(&self, _: MemberId, _: u64) -> Result<Vec<Found>, AskError> {
            Ok(Vec::new())
        }
    }
    let world = World::filled();
    let found = world.search_at(&Endless, &["ANALYST"], QUESTION, Options::default());
    assert!(matches!(found, Err(SearchError::Endless)));
}

#[test]
fn what_a_replaced_key_signed_afterwards_is_found() {
    let world = World::filled();
    let mut manifest = world.manifest(4);
    let north = manifest.members.iter_mut().find(|member| member.id == NORTH).unwrap();
    // another key has taken its place, behind the second record
    let present = crate::tests::world::another_key();
    let old = north.signing_keys[0].clone();
    north.signing_keys.insert(0, present);
    north.replaced.push(strongroom_sharing::authority::Replaced { key: old, last: 2 });
    let whole = searched(&world);
    let of_north = |records: &Vec<(u64, Vec<u8>)>| {
        let ids =
            records.iter().map(|(_, bytes)| strongroom_envelope::SealedRecord::parse(bytes).unwrap().id());
        ids.filter(|id| id.collector == NORTH && id.sequence > 2).collect::<Vec<_>>()
    };
    let late = of_north(&world.exchange.records.borrow());
    let found = world
        .search_with(&world.exchange, &Signers::of(&manifest), &["ANALYST"], QUESTION, Options::default())
        .unwrap();
    assert!(!found.findings.is_empty() && found.rows.len() + found.findings.len() == whole.rows.len());
    for finding in &found.findings {
        assert!(matches!(finding, Finding::Signature { id } if late.contains(id)), "{finding}");
    }
}
