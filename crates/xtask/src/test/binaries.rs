//! Builds every test once, and runs the executables of a stage.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use super::tally::Tally;
use crate::shell::{self, Ended};
use crate::{Outcome, clock};

/// One executable that holds tests.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    /// `crate` for unit tests, `crate/file` for an integration test.
    pub(crate) name: String,
    /// The stage it belongs to.
    pub(crate) stage: &'static str,
    executable: PathBuf,
    folder: PathBuf,
}

/// Of cargo's messages, what is used here.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    target: Target,
    #[serde(default)]
    profile: Profile,
}

#[derive(Deserialize, Default)]
struct Target {
    kind: Vec<String>,
    name: String,
}

#[derive(Deserialize, Default)]
struct Profile {
    test: bool,
}

/// Stages named by the first word of an integration test's file; any other is `integration`.
const BY_FIRST_WORD: &[&str] = &["property", "crash", "e2e"];

/// The stage of a target.
fn stage_of(kind: &str, name: &str) -> &'static str {
    let first = name.split('_').next().unwrap_or_default();
    match kind {
        "test" => BY_FIRST_WORD.iter().find(|stage| **stage == first).copied().unwrap_or("integration"),
        _ => "unit",
    }
}

/// Builds all test executables of the crates in scope. `None` if something does not compile; cargo has said what.
pub(crate) fn build(root: &Path, scope: &[String]) -> Outcome<Option<Vec<Binary>>> {
    let mut command = shell::cargo(root);
    command.arg("test").args(scope).args(["--lib", "--bins", "--tests", "--no-run"]);
    command.args(["--message-format=json-render-diagnostics"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(Some(text.lines().filter_map(parse).collect()))
}

fn parse(line: &str) -> Option<Binary> {
    let message: Message = serde_json::from_str(line).ok()?;
    let executable = message.executable.filter(|_| message.profile.test)?;
    let folder = message.manifest_path.parent()?.to_owned();
    let kind = message.target.kind.first()?.as_str();
    let crate_name = folder.file_name()?.to_str()?;
    let stage = stage_of(kind, &message.target.name);
    let name =
        if kind == "test" { format!("{crate_name}/{}", message.target.name) } else { crate_name.to_owned() };
    Some(Binary { name, stage, executable, folder })
}

/// Runs the executables of a stage, all within `limit`.
pub(crate) fn run_stage(root: &Path, binaries: &[Binary], stage: &str, limit: Duration) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let until = clock::now() + limit;
    for binary in binaries.iter().filter(|binary| binary.stage == stage) {
        let left = until.saturating_duration_since(clock::now());
        tally.add(run(root, binary, left)?);
    }
    Ok(tally)
}

fn run(root: &Path, binary: &Binary, limit: Duration) -> Outcome<Tally> {
    let log = root.join("target/test-logs").join(format!("{}.log", binary.name.replace('/', "-")));
    let mut command = Command::new(&binary.executable);
    command.arg("--show-output").current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
    shell::log_to(&mut command, &log)?;
    let began = clock::now();
    let ended = shell::run(&mut command, limit)?;
    let output = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    let mut tally = Tally::of_output(&binary.name, &output);
    if !ended.is_success() {
        println!("{output}");
        // a crash or a time-out leaves no closing line
        tally.failed = tally.failed.max(1);
    }
    if tally != Tally::default() {
        report(binary, &ended, &tally, began.elapsed());
    }
    Ok(tally)
}

fn report(binary: &Binary, ended: &Ended, tally: &Tally, took: Duration) {
    let end = match ended {
        Ended::TimedOut => ", TIMED OUT",
        Ended::Exit(status) if !status.success() => ", FAILED",
        Ended::Exit(_) => "",
    };
    let (passed, failed, seconds) = (tally.passed, tally.failed, took.as_secs_f64());
    println!("  {:<40} {passed:>4} passed {failed:>3} failed  {seconds:>6.1} s{end}", binary.name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integration_test_belongs_to_a_stage_by_its_name() {
        assert_eq!(stage_of("lib", "crash_anything"), "unit");
        assert_eq!(stage_of("test", "crash_every_write"), "crash");
        assert_eq!(stage_of("test", "property_rotation"), "property");
        assert_eq!(stage_of("test", "e2e_dev"), "e2e");
        assert_eq!(stage_of("test", "crash"), "crash");
        assert_eq!(stage_of("test", "golden"), "integration");
        assert_eq!(stage_of("test", "crashes"), "integration");
    }

    #[test]
    fn only_test_executables_are_taken_from_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/r/crates/store/Cargo.toml",
            "target":{"kind":["test"],"name":"crash_nth"},"profile":{"test":true},"executable":"/r/t/x"}"#;
        let binary = parse(line).unwrap();
        assert_eq!((binary.name.as_str(), binary.stage), ("store/crash_nth", "crash"));
        assert!(parse(&line.replace("true", "false")).is_none());
        assert!(parse(r#"{"reason":"build-finished","success":true}"#).is_none());
    }
}
