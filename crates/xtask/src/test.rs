//! `cargo xtask test`: every stage in order, each timed, nothing skipped in silence.

mod binaries;
mod stages;
pub(crate) mod tally;

use std::path::Path;
use std::time::Duration;

use tally::{Row, Tally};

use crate::{Outcome, clock};

/// What a person asked for.
struct Request {
    install: bool,
    /// Empty: all.
    only: Vec<String>,
    /// Crates to which clippy and tests are limited; empty: all.
    packages: Vec<String>,
}

impl Request {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut request = Self { install: false, only: Vec::new(), packages: Vec::new() };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--install" => request.install = true,
                "--only" => request.only.push(rest.next().ok_or("--only needs a stage")?.clone()),
                "--package" | "-p" => {
                    request.packages.push(rest.next().ok_or("--package needs a name")?.clone());
                }
                other => return Err(format!("unknown argument {other}").into()),
            }
        }
        let unknown = request.only.iter().find(|name| !stages::ALL.iter().any(|stage| stage.name == **name));
        match unknown {
            Some(name) => Err(format!("no stage {name}; there are: {}", names()).into()),
            None => Ok(request),
        }
    }

    fn wants(&self, stage: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == stage)
    }
}

fn names() -> String {
    stages::ALL.iter().map(|stage| stage.name).collect::<Vec<_>>().join(" ")
}

/// Runs the stages, prints the summary. Whether all passed.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome<bool> {
    let request = Request::parse(arguments)?;
    let mut bench = stages::Bench::new(root, request.install, &request.packages);
    let mut rows = Vec::new();
    for stage in stages::ALL.iter().filter(|stage| request.wants(stage.name)) {
        rows.push(timed(stage, &mut bench));
    }
    Ok(tally::print(&rows))
}

fn timed(stage: &stages::Stage, bench: &mut stages::Bench<'_>) -> Row {
    println!("== {}", stage.name);
    let began = clock::now();
    let tally = (stage.run)(bench).unwrap_or_else(|error| {
        println!("  {error}");
        Tally::one(false)
    });
    Row { stage: stage.name, took: began.elapsed().max(Duration::from_millis(1)), tally }
}
