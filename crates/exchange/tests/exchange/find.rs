//! Questions beside a plain search through everything.

use super::world::{Collector, World};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strongroom_exchange::find::{self, Ask, AskError, FindError};
use strongroom_sharing::exchange::{Query, Where};
use strongroom_sharing::{MemberId, TokenText};

fn any(tokens: &[u8]) -> Where {
    Where::Any(tokens.iter().map(|token| TokenText([*token; 16])).collect())
}

fn query(condition: Where) -> Query {
    Query {
        condition,
        since_hour: None,
        until_hour: None,
        collectors: None,
        count: false,
        limit: Some(3),
        cursor: None,
    }
}

fn meets(condition: &Where, tokens: &BTreeSet<u8>) -> bool {
    match condition {
        Where::Any(any) => any.iter().any(|token| tokens.contains(&token.0[0])),
        Where::And(all) => all.iter().all(|one| meets(one, tokens)),
        Where::Or(any) => any.iter().any(|one| meets(one, tokens)),
    }
}

/// Every page of a question, as arrivals.
fn all_pages(world: &World, mut query: Query) -> Vec<u64> {
    let (standing, gone) = (world.keeper.standing(), AtomicBool::new(false));
    let mut found = Vec::new();
    loop {
        let page = find::page(&*world.storage, &standing, &Ask::of(&query).unwrap(), &gone).unwrap();
        assert!(page.records.len() <= 3);
        found.extend(page.records.iter().map(|row| row.arrival));
        match page.cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return found,
        }
    }
}

/// Sixty records of two collectors in five hours, and their tokens.
async fn filled(world: &World) -> Vec<(MemberId, u32, BTreeSet<u8>)> {
    let mut collectors = [Collector::new(1), Collector::new(2)];
    let mut kept = Vec::new();
    for round in 0..30_u8 {
        for collector in &mut collectors {
            let all = [round % 3, 10 + round % 5, 20 + round % 7, 30 + collector.id.0[0], 40 + round / 10];
            let tokens: BTreeSet<u8> = all.into();
            let record = collector.record(&all);
            assert_eq!(world.insert(collector, vec![record]).await.accepted, 1);
            let hour = world.keeper.standing().hours.last().unwrap().hour;
            kept.push((collector.id, hour, tokens));
        }
        if round % 6 == 5 {
            world.clock.advance(Duration::from_hours(1));
        }
    }
    kept
}

#[tokio::test]
async fn every_condition_finds_what_a_search_through_everything_finds_newest_first() {
    let world = World::new();
    let kept = filled(&world).await;
    let conditions = [
        any(&[1]),
        any(&[99]),
        any(&[]),
        any(&[0, 1, 2]),
        Where::And(vec![any(&[1]), any(&[12])]),
        Where::And(vec![any(&[40]), any(&[0, 1, 2]), any(&[31])]),
        Where::And(vec![any(&[40]), any(&[42])]),
        Where::Or(vec![any(&[14]), Where::And(vec![any(&[0]), any(&[20, 21]), any(&[32])])]),
        Where::And(vec![Where::Or(vec![any(&[0]), any(&[11])]), Where::Or(vec![any(&[23]), any(&[41])])]),
    ];
    let hours: Vec<u32> = kept.iter().map(|(_, hour, _)| *hour).collect();
    let ranges =
        [(None, None), (Some(hours[20]), None), (None, Some(hours[30])), (Some(hours[14]), Some(hours[40]))];
    for condition in conditions {
        for (since, until) in ranges {
            for collectors in [None, Some(vec![MemberId([2; 16])]), Some(vec![MemberId([3; 16])])] {
                let expected: Vec<u64> = (1..)
                    .zip(&kept)
                    .filter(|(_, (collector, hour, tokens))| {
                        meets(&condition, tokens)
                            && since.is_none_or(|since| *hour >= since)
                            && until.is_none_or(|until| *hour <= until)
                            && collectors.as_ref().is_none_or(|wanted| wanted.contains(collector))
                    })
                    .map(|(arrival, _)| arrival)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .collect();
                let asked = Query {
                    since_hour: since,
                    until_hour: until,
                    collectors: collectors.clone(),
                    ..query(condition.clone())
                };
                let count = Ask::of(&asked).unwrap();
                let counted =
                    find::count(&*world.storage, &world.keeper.standing(), &count, &AtomicBool::new(false));
                assert_eq!(counted.unwrap(), u64::try_from(expected.len()).unwrap());
                assert_eq!(all_pages(&world, asked), expected, "{condition:?} {since:?} {until:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_question_alone() {
    let world = World::new();
    filled(&world).await;
    let (standing, gone) = (world.keeper.standing(), AtomicBool::new(false));
    let page = find::page(&*world.storage, &standing, &Ask::of(&query(any(&[1]))).unwrap(), &gone).unwrap();
    let cursor = page.cursor.unwrap();
    let with = |condition, cursor: &str| Query { cursor: Some(cursor.to_owned()), ..query(condition) };
    assert!(Ask::of(&with(any(&[1]), &cursor)).is_ok());
    assert!(
        Ask::of(&Query { limit: Some(9), ..with(any(&[1]), &cursor) }).is_ok(),
        "pages may differ in size"
    );
    assert_eq!(Ask::of(&with(any(&[2]), &cursor)).unwrap_err(), AskError::Cursor);
    let elsewhere = Query { since_hour: Some(1), ..with(any(&[1]), &cursor) };
    assert_eq!(Ask::of(&elsewhere).unwrap_err(), AskError::Cursor);
    for bad in ["", "x", "AAAA", &cursor[1..]] {
        assert_eq!(Ask::of(&with(any(&[1]), bad)).unwrap_err(), AskError::Cursor, "{bad}");
    }
}

#[test]
fn questions_are_bounded() {
    let deep = (0..20).fold(any(&[1]), |inner, _| Where::And(vec![inner]));
    assert_eq!(Ask::of(&query(deep)).unwrap_err(), AskError::Conditions);
    assert_eq!(Ask::of(&query(Where::Or(vec![any(&[]); 2_000]))).unwrap_err(), AskError::Conditions);
    assert_eq!(Ask::of(&query(Where::And(Vec::new()))).unwrap_err(), AskError::Empty);
    let many = Where::Any(vec![TokenText([1; 16]); 4_097]);
    assert_eq!(Ask::of(&query(many)).unwrap_err(), AskError::Tokens);
    for limit in [0, 1_001] {
        assert_eq!(Ask::of(&Query { limit: Some(limit), ..query(any(&[1])) }).unwrap_err(), AskError::Limit);
    }
}

#[tokio::test]
async fn a_question_ends_when_whoever_asked_has_gone() {
    let world = World::new();
    filled(&world).await;
    let ask = Ask::of(&query(any(&[1]))).unwrap();
    let found = find::page(&*world.storage, &world.keeper.standing(), &ask, &AtomicBool::new(true));
    assert!(matches!(found, Err(FindError::Cancelled)));
}
