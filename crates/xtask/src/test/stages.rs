//! The stages, in their order.

use std::path::Path;
use std::process::Command;

use super::binaries::{self, Binary};
use super::tally::Tally;
use crate::shell::{self, Ended};
use crate::{Outcome, clock, fuzz, tidy, tools};

/// One stage.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Bench<'_>) -> Outcome<Tally>,
}

/// Every stage.
pub(crate) const ALL: &[Stage] = &[
    Stage { name: "tools", run: |bench| Ok(tools::check(bench.root, bench.install)) },
    Stage { name: "fmt", run: fmt },
    Stage { name: "clippy", run: clippy },
    Stage { name: "tidy", run: |bench| tidy::run(bench.root).map(Tally::one) },
    Stage { name: "deny", run: deny },
    Stage { name: "unit", run: |bench| bench.tests("unit", 15) },
    Stage { name: "integration", run: |bench| bench.tests("integration", 15) },
    Stage { name: "doc", run: doc },
    Stage { name: "property", run: |bench| bench.tests("property", 8) },
    Stage { name: "crash", run: |bench| bench.tests("crash", 8) },
    Stage { name: "e2e", run: |bench| bench.tests("e2e", 40) },
    Stage { name: "release", run: release },
    Stage { name: "fuzz-smoke", run: |bench| fuzz::smoke(bench.root, fuzz::SECONDS_IN_TESTS) },
];

/// The most that the one binary may weigh.
const BINARY_LIMIT_MB: f64 = 25.0;

/// What stages share: the tests are built once.
pub(crate) struct Bench<'a> {
    root: &'a Path,
    install: bool,
    /// `--workspace`, or `--package NAME` for each that was asked for.
    scope: Vec<String>,
    built: Option<Vec<Binary>>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(root: &'a Path, install: bool, packages: &[String]) -> Self {
        let limited = packages.iter().map(|name| format!("--package={name}"));
        let scope = if packages.is_empty() { vec!["--workspace".into()] } else { limited.collect() };
        Self { root, install, scope, built: None }
    }

    /// One cargo command is one check.
    fn cargo(&self, arguments: &[&str], minutes: u64) -> Outcome<Tally> {
        one(shell::cargo(self.root).args(arguments), minutes)
    }

    /// Runs the tests of a stage, building all of them first if no stage has yet.
    fn tests(&mut self, stage: &str, minutes: u64) -> Outcome<Tally> {
        if self.built.is_none() {
            self.built = binaries::build(self.root, &self.scope)?;
        }
        let Some(built) = &self.built else {
            return Err("the tests do not compile".into());
        };
        let tally = binaries::run_stage(self.root, built, stage, clock::minutes(minutes))?;
        let is_empty = tally == Tally::default();
        Ok(if is_empty { Tally::skip(format!("stage {stage} has no tests")) } else { tally })
    }
}

fn one(command: &mut Command, minutes: u64) -> Outcome<Tally> {
    let ended = shell::run(command, clock::minutes(minutes))?;
    if matches!(ended, Ended::TimedOut) {
        println!("  timed out after {minutes} minutes");
    }
    Ok(Tally::one(ended.is_success()))
}

/// Files of types of store are found by the build of their crate, and not by rustfmt: they are named.
fn fmt(bench: &mut Bench<'_>) -> Outcome<Tally> {
    let mut command = shell::cargo(bench.root);
    command.args(["fmt", "--all", "--check", "--"]);
    // files that a build script finds, and no `mod` names
    for entry in std::fs::read_dir(bench.root.join("crates/secrets/src/types"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            command.arg(path);
        }
    }
    one(&mut command, 5)
}

fn clippy(bench: &mut Bench<'_>) -> Outcome<Tally> {
    let mut command = shell::cargo(bench.root);
    command.arg("clippy").args(&bench.scope).args(["--all-targets", "--", "--deny", "warnings"]);
    one(&mut command, 20)
}

fn deny(bench: &mut Bench<'_>) -> Outcome<Tally> {
    let Some(program) = tools::cargo_deny(bench.root) else {
        return Ok(Tally::skip("cargo-deny is missing: bans, licences and sources unchecked"));
    };
    let mut command = Command::new(program);
    one(command.current_dir(bench.root).args(["check", "bans", "licenses", "sources"]), 5)
}

/// Examples in the documentation, which cargo alone knows to run.
fn doc(bench: &mut Bench<'_>) -> Outcome<Tally> {
    let log = bench.root.join("target/test-logs/doc.log");
    let mut command = shell::cargo(bench.root);
    command.arg("test").args(&bench.scope).arg("--doc");
    shell::log_to(&mut command, &log)?;
    let ended = shell::run(&mut command, clock::minutes(15))?;
    let output = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    let mut tally = Tally::of_output("doc", &output);
    if !ended.is_success() {
        println!("{output}");
        tally.failed = tally.failed.max(1);
    }
    println!("  {} examples passed", tally.passed);
    Ok(tally)
}

/// The binary that people get, and its weight.
fn release(bench: &mut Bench<'_>) -> Outcome<Tally> {
    let mut tally = bench.cargo(&["build", "--release", "--package", "strongroom-cli"], 25)?;
    let weight = std::fs::metadata(bench.root.join("target/release/strongroom")).map(|file| file.len());
    if let Ok(bytes) = weight {
        let megabytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6;
        println!("  strongroom: {megabytes:.1} MB, at most {BINARY_LIMIT_MB}");
        tally.add(Tally::one(megabytes <= BINARY_LIMIT_MB));
    }
    Ok(tally)
}
