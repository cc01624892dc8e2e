//! `cargo xtask fuzz-smoke`: every corpus and its mutations on stable; `cargo fuzz` where it can run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shell::{self, Ended};
use crate::test::tally::Tally;
use crate::{Outcome, clock};

/// Seconds for all targets together within `cargo xtask test`.
pub(crate) const SECONDS_IN_TESTS: u64 = 30;
/// Seconds a target under libFuzzer.
const LIBFUZZER_SECONDS: u64 = 5;
/// Minutes that building either may take on a cold machine.
const BUILD_MINUTES: u64 = 15;

/// `fuzz-smoke [--seconds N]`.
pub(crate) fn command(root: &Path, arguments: &[String]) -> Outcome<bool> {
    let seconds = match arguments {
        [] => SECONDS_IN_TESTS,
        [flag, seconds] if flag == "--seconds" => seconds.parse()?,
        _ => return Err("usage: cargo xtask fuzz-smoke [--seconds N]".into()),
    };
    let tally = smoke(root, seconds)?;
    tally.skipped.iter().for_each(|why| println!("skipped: {why}"));
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped.len());
    Ok(tally.failed == 0)
}

/// Both ways of smoking, one check a target.
pub(crate) fn smoke(root: &Path, seconds: u64) -> Outcome<Tally> {
    let mut tally = on_stable(root, seconds)?;
    tally.add(on_nightly(root)?);
    Ok(tally)
}

/// The runner prints a line a target, `target NAME ... ok`, and ends well if all are.
fn on_stable(root: &Path, seconds: u64) -> Outcome<Tally> {
    let log = root.join("target/test-logs/fuzz-smoke.log");
    let mut command = shell::cargo(root);
    command.args(["run", "--quiet", "--package", "strongroom-fuzz-targets", "--bin", "fuzz-smoke", "--"]);
    command.arg(root.join("fuzz/corpus")).arg(seconds.to_string());
    shell::log_to(&mut command, &log)?;
    let ended = shell::run(&mut command, clock::minutes(BUILD_MINUTES) + Duration::from_secs(seconds * 2))?;
    let output = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    println!("{output}");
    let passed = output.lines().filter(|line| line.starts_with("target ") && line.contains("... ok")).count();
    if matches!(ended, Ended::TimedOut) {
        println!("  timed out");
    }
    Ok(Tally { passed, failed: usize::from(!ended.is_success()), skipped: Vec::new() })
}

fn on_nightly(root: &Path) -> Outcome<Tally> {
    if let Some(why) = nightly_lacks() {
        return Ok(Tally::skip(format!("libFuzzer: {why}; the corpora ran on stable")));
    }
    let mut build = Command::new("cargo");
    build.current_dir(root).args(["+nightly", "fuzz", "build"]);
    shell::log_to(&mut build, &root.join("target/test-logs/libfuzzer-build.log"))?;
    match shell::run(&mut build, clock::minutes(BUILD_MINUTES))? {
        Ended::TimedOut => {
            return Ok(Tally::skip(format!("libFuzzer: not built within {BUILD_MINUTES} minutes")));
        }
        ended if !ended.is_success() => return Err("the targets for libFuzzer do not build".into()),
        Ended::Exit(_) => {}
    }
    let mut tally = Tally::default();
    for target in std::fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        let path = target?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let ended = libfuzzer(root, &name)?;
        println!("  libFuzzer {name}: {}", if ended.is_success() { "ok" } else { "FAILED" });
        tally.add(Tally::one(ended.is_success()));
    }
    Ok(tally)
}

fn libfuzzer(root: &Path, name: &str) -> Outcome<Ended> {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["+nightly", "fuzz", "run", name]);
    // new finds go beside the build, not into the committed corpus
    command.arg(root.join("target/fuzz-found").join(name)).arg(root.join("fuzz/corpus").join(name));
    command.args(["--", &format!("-max_total_time={LIBFUZZER_SECONDS}")]);
    std::fs::create_dir_all(root.join("target/fuzz-found").join(name))?;
    shell::log_to(&mut command, &root.join("target/test-logs").join(format!("libfuzzer-{name}.log")))?;
    shell::run(&mut command, clock::minutes(2))
}

/// What is missing of a nightly toolchain with cargo-fuzz.
fn nightly_lacks() -> Option<&'static str> {
    let works = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !works(&["+nightly", "--version"]) {
        return Some("there is no nightly toolchain");
    }
    (!works(&["+nightly", "fuzz", "--version"])).then_some("cargo-fuzz is not installed")
}
