//! What a rotation in the background costs those who read meanwhile, and how long it takes.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::load::{self, Measured, Shape};
use super::product::Product;
use crate::local::Client;
use crate::{Outcome, clock};

/// A rotation that takes longer than this is given up as a failure.
const LIMIT_MINUTES: u64 = 10;

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rotation {
    /// Reads before it began and after it had ended: the machine may have changed meanwhile.
    pub(super) without: Measured,
    /// Reads while it ran.
    pub(super) during: Measured,
    /// From the command to the retired term.
    pub(super) took: Duration,
    /// Records that it sealed anew.
    pub(super) records: u64,
}

#[derive(Deserialize)]
struct Job {
    id: String,
    status: String,
    rewritten: u64,
}

/// Reads without a rotation, reads until one has ended, and again without.
pub(super) fn run(root: &Path, product: &Product, client: &Client, shape: Shape) -> Outcome<Rotation> {
    let quiet =
        || (0..3).map(|_| load::run(root, product, &product.read, shape)).collect::<Outcome<Vec<_>>>();
    let mut without = quiet()?;
    let began = clock::now();
    let started: Job =
        serde_json::from_str(&client.cli(&["keyset", "rotate", "default", "--output", "json"])?)?;
    let mut rounds = Vec::new();
    let ended = loop {
        rounds.push(load::run(root, product, &product.read, Shape { seconds: 1, ..shape })?);
        let job = job(client, &started.id)?;
        match job.status.as_str() {
            "running" if began.elapsed() < clock::minutes(LIMIT_MINUTES) => {}
            "done" => break job,
            state => return Err(format!("the rotation is {state} after {:?}", began.elapsed()).into()),
        }
    };
    let took = took(began);
    without.extend(quiet()?);
    let (without, during) = (load::median(&without), load::median(&rounds));
    Ok(Rotation { without, during, took, records: ended.rewritten })
}

fn took(began: Instant) -> Duration {
    began.elapsed()
}

fn job(client: &Client, id: &str) -> Outcome<Job> {
    Ok(serde_json::from_str(&client.cli(&["job", "show", id, "--output", "json"])?)?)
}
