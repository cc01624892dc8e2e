//! Strongroom against itself: with people and rules in force, and while a keyset is rotated.

use super::load::{self, Measured, Shape};
use super::product::{Product, Request};
use super::table::Pair;
use super::{Bench, HOT, Pick, VALUE_BYTES, ours, rotation};
use crate::Outcome;

/// The most that people and rules may cost.
const PEOPLE: f64 = 1.15;
/// The most that reads may cost while a rotation runs.
const ROTATION: f64 = 1.2;
/// A rotation of 100,000 records takes at most so long.
const ROTATION_SECONDS: f64 = 120.0;

/// Measures both.
pub(super) fn measure(bench: &Bench<'_>) -> Outcome<Vec<Pair>> {
    let Some(bare) = bench.product("Strongroom") else { return Ok(Vec::new()) };
    let mut pairs = rotated(bench, bare)?;
    println!("starting Strongroom with people");
    let binary = bench.root.join("target/release/strongroom");
    let peopled = ours::start_peopled(&binary, &bench.home.join("people"), &"v".repeat(VALUE_BYTES))?;
    pairs.extend(peopled_pairs(bench, bare, &peopled)?);
    Ok(pairs)
}

fn rotated(bench: &Bench<'_>, bare: &Product) -> Outcome<Vec<Pair>> {
    let Some(client) = &bare.client else { return Ok(Vec::new()) };
    let shape = Shape { connections: 64, seconds: bench.plan.seconds, from: 0, round: HOT };
    println!("rotation of a keyset under reads");
    let rotation = rotation::run(bench.root, bare, client, shape)?;
    let records = load::precise(rotation.records);
    let per_100_000 = rotation.took.as_secs_f64() * 100_000.0 / records.max(1.0);
    let name = format!("reads/s while a keyset's {records:.0} records are sealed anew");
    Ok(vec![
        Pair {
            name,
            unit: "reads/s",
            without: rotation.without.rate,
            with: rotation.during.rate,
            most: ROTATION,
            more_is_better: true,
        },
        Pair {
            name: format!("rotation under reads ({:.1} s), of 100,000 records", rotation.took.as_secs_f64()),
            unit: "s, limit and figure",
            without: ROTATION_SECONDS,
            with: per_100_000,
            most: 1.0,
            more_is_better: false,
        },
    ])
}

/// What is measured with and without people: name, request, connections, names that go round, unit, figure.
type Row = (&'static str, Pick, u32, u64, &'static str, fn(&Measured) -> f64, bool);

const ROWS: [Row; 7] = [
    ("token lookup", |p| &p.lookup, 64, HOT, "us CPU", |m| m.cpu_micros, false),
    ("token lookup", |p| &p.lookup, 1, HOT, "us p50", |m| m.p50_micros, false),
    ("secret read, 1 KiB", |p| &p.read, 64, HOT, "us CPU", |m| m.cpu_micros, false),
    ("secret read, 1 KiB", |p| &p.read, 1, HOT, "us p50", |m| m.p50_micros, false),
    ("durable write, 1 KiB, new names", |p| &p.write, 64, 0, "writes/s", |m| m.rate, true),
    ("durable write, 1 KiB, new names", |p| &p.write, 1, 0, "us p50", |m| m.p50_micros, false),
    ("list of all names", |p| &p.list, 1, 1, "us p50", |m| m.p50_micros, false),
];

fn peopled_pairs(bench: &Bench<'_>, bare: &Product, peopled: &Product) -> Outcome<Vec<Pair>> {
    load::fill(bench.root, peopled, &peopled.fill_hot, HOT)?;
    for request in [&peopled.fill_list, &peopled.fill_more] {
        load::fill(bench.root, peopled, request, bench.plan.names)?;
    }
    ROWS.into_iter().enumerate().map(|(at, row)| pair(bench, bare, peopled, at as u64, row)).collect()
}

fn pair(bench: &Bench<'_>, bare: &Product, peopled: &Product, at: u64, row: Row) -> Outcome<Pair> {
    let (name, pick, connections, round, unit, figure, more_is_better) = row;
    println!("{name}, {connections} connections, without and with people");
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for turn in 0..bench.plan.rounds as u64 {
        // a write makes new names in every round, beyond those of the rounds beside OpenBao
        let from = if round == 0 { 100_000_000_000 + (10 * at + turn) * 10_000_000 } else { 0 };
        let shape = Shape { connections, seconds: bench.plan.seconds, from, round };
        let ask = |product: &Product| {
            let request: &Request = pick(product);
            load::run(bench.root, product, request, shape)
        };
        without.push(ask(bare)?);
        with.push(ask(peopled)?);
    }
    let (without, with) = (figure(&load::median(&without)), figure(&load::median(&with)));
    let name = format!("{name}, {connections} connections, 100 users, 50 groups, 500 ACLs");
    Ok(Pair { name, unit, without, with, most: PEOPLE, more_is_better })
}
