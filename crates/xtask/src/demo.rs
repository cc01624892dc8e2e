//! `cargo xtask demo`: a real server, real certificates, 100,000 secrets, kill -9 in the middle, and a full check.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::local::Local;
use crate::shell::{self, Running};
use crate::{Outcome, clock, tools};

/// Secrets generated.
const GENERATED: u64 = 100_000;
/// First number of those that the kill interrupts.
const INTERRUPTED_FROM: u64 = 1_000_000;
/// How long writes go on before the kill.
const BEFORE_THE_KILL: Duration = Duration::from_millis(1_500);
/// The most that any one load may take.
const LIMIT_MINUTES: u64 = 5;
/// Where Debian keeps its authorities.
const CERTIFICATES: &str = "/etc/ssl/certs";
/// The most that a secret may hold.
const VALUE_LIMIT: u64 = 1 << 20;

/// What the load prints at its end.
#[derive(Deserialize)]
struct Done {
    done: u64,
    micros: u64,
}

struct Demo {
    local: Local,
    load: PathBuf,
    home: PathBuf,
}

/// Runs it; an error is a broken promise or a machine on which it cannot run.
pub(crate) fn run(root: &Path) -> Outcome<bool> {
    let began = clock::now();
    build(root)?;
    let home = root.join("target/demo");
    let from = clock::now();
    let local = Local::start(&root.join("target/release/strongroom"), &home)?;
    let mut demo = Demo { local, load: root.join("target/release/strongroom-load"), home };
    demo.local.ready()?;
    say("server started, initialised, unlocked, its newcomer logged in", from);
    demo.local.client.cli(&["store", "create", "certs"])?;
    demo.local.client.cli(&["store", "create", "load"])?;
    let certificates = demo.import_certificates()?;
    demo.generate()?;
    demo.read_and_search()?;
    demo.kill_in_the_middle()?;
    demo.verify(&certificates)?;
    say("all of it held", began);
    Ok(true)
}

fn build(root: &Path) -> Outcome<()> {
    let mut command = shell::cargo(root);
    command.args(["build", "--release", "--package", "strongroom-cli", "--package", "strongroom-load"]);
    let ended = shell::run(&mut command, clock::minutes(30))?;
    if ended.is_success() { Ok(()) } else { Err("the release does not build".into()) }
}

fn say(what: &str, since: std::time::Instant) {
    println!("{what}: {:.2} s", since.elapsed().as_secs_f64());
}

/// Files with certificates, each once: many are links to the same.
fn certificate_files() -> Outcome<Vec<PathBuf>> {
    if std::fs::read_dir(CERTIFICATES).map_or(0, Iterator::count) == 0 {
        tools::debian(&["ca-certificates"]);
    }
    let entries = std::fs::read_dir(CERTIFICATES).map_err(|error| format!("{CERTIFICATES}: {error}"))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok()?.path().canonicalize().ok()).collect();
    files
        .retain(|path| std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= VALUE_LIMIT));
    files.sort();
    files.dedup();
    Ok(files)
}

impl Demo {
    /// By the client, a command a certificate, as a person would; the name is the file's.
    fn import_certificates(&self) -> Outcome<Vec<PathBuf>> {
        let began = clock::now();
        let files = certificate_files()?;
        for file in &files {
            let value = format!("@{}", file.display());
            self.local.client.cli(&["secret", "put", "certs", &name_of(file), "--value", &value])?;
        }
        say(&format!("{} certificates of {CERTIFICATES} imported by the client", files.len()), began);
        Ok(files)
    }

    fn generate(&self) -> Outcome<()> {
        let mut command = self.load_command("fill", "generated", 0, GENERATED)?;
        let done = self.finish(command.arg("--progress"))?;
        tell("secrets written durably over 64 connections", &done);
        if done.done == GENERATED { Ok(()) } else { Err("not every secret was acknowledged".into()) }
    }

    fn read_and_search(&self) -> Outcome<()> {
        tell("secrets read back and compared", &self.check("generated")?);
        let began = clock::now();
        let listed = self.local.client.cli(&["secret", "list", "load", "--output", "json"])?.lines().count();
        say(&format!("{listed} names listed by the client"), began);
        let began = clock::now();
        let found =
            self.local.client.cli(&["secret", "search", "load", "4242", "--output", "json"])?.lines().count();
        say(&format!("{found} names found that contain 4242"), began);
        Ok(())
    }

    /// Writes run, the server is killed, what was acknowledged until then is known.
    fn kill_in_the_middle(&mut self) -> Outcome<()> {
        let mut command = self.load_command("fill", "interrupted", INTERRUPTED_FROM, 10 * GENERATED)?;
        let log = self.home.join("interrupted.log");
        let mut writes = Running::start(&mut command, &log)?;
        std::thread::sleep(BEFORE_THE_KILL);
        self.local.server.kill()?;
        let until = clock::now() + clock::minutes(1);
        while !writes.has_ended() && clock::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let done = done_of(&std::fs::read_to_string(&log)?)?;
        tell("secrets acknowledged before kill -9 ended the server in the middle of writes", &done);
        let began = clock::now();
        self.local.restart()?;
        self.local.ready()?;
        say("restarted on the same data, unlocked, the token still good", began);
        if done.done > 0 { Ok(()) } else { Err("the kill came before any write".into()) }
    }

    /// Every acknowledged value, from before and from the middle, and the whole trail.
    fn verify(&self, certificates: &[PathBuf]) -> Outcome<()> {
        tell("secrets from before the kill compared", &self.check("generated")?);
        tell("secrets from the middle of the kill compared", &self.check("interrupted")?);
        let began = clock::now();
        for file in certificates {
            let kept = self.local.client.cli(&["secret", "get", "certs", &name_of(file)])?;
            if kept.trim_end() != std::fs::read_to_string(file)?.trim_end() {
                return Err(format!("{} came back as another", file.display()).into());
            }
        }
        say(&format!("{} certificates compared by the client", certificates.len()), began);
        let began = clock::now();
        print!("{}", self.local.client.cli(&["audit", "verify"])?);
        say("the whole trail verified", began);
        Ok(())
    }

    fn check(&self, folder: &str) -> Outcome<Done> {
        let done = self.finish(self.load_command("check", folder, 0, 0)?.args(["--expect", "\"{v}\""]))?;
        let acknowledged = std::fs::read_to_string(self.acks(folder))?.lines().count() as u64;
        if done.done == acknowledged {
            Ok(done)
        } else {
            Err("not every acknowledged secret is there".into())
        }
    }

    fn acks(&self, folder: &str) -> PathBuf {
        self.home.join(folder).with_extension("acks")
    }

    fn load_command(&self, task: &str, folder: &str, from: u64, count: u64) -> Outcome<Command> {
        let body = self.home.join("body.json");
        std::fs::write(&body, "{\"value\":\"{v}\"}")?;
        let mut command = Command::new(&self.load);
        command.args([task, "--url", &self.local.url, "--connections", "64"]);
        command.arg("--cacert").arg(self.local.client.authority()?).arg("--acks").arg(self.acks(folder));
        command.args(["--header", &format!("Authorization: Bearer {}", self.local.client.token()?)]);
        command.args(["--path", &format!("/api/v1/stores/load/secrets/{folder}/{{n}}")]);
        command.args(["--from", &from.to_string(), "--count", &count.to_string()]);
        if task == "fill" {
            command.arg("--body").arg(body);
        }
        Ok(command)
    }

    /// Runs a load to its end; progress is passed on.
    fn finish(&self, command: &mut Command) -> Outcome<Done> {
        let log = self.home.join("load.log");
        let mut running = Running::start(command, &log)?;
        let until = clock::now() + clock::minutes(LIMIT_MINUTES);
        let mut told = 0;
        loop {
            let ended = running.has_ended();
            let text = std::fs::read_to_string(&log)?;
            let lines: Vec<&str> = text.lines().collect();
            let new = lines.iter().skip(told).filter(|line| line.starts_with("  "));
            new.for_each(|line| println!("{line}"));
            told = lines.len();
            if ended {
                let done = done_of(&text)?;
                return if text.contains("\"trouble\":0") { Ok(done) } else { Err(text.into()) };
            }
            if clock::now() > until {
                return Err(format!("a load took more than {LIMIT_MINUTES} minutes").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn done_of(text: &str) -> Outcome<Done> {
    let line = text.lines().find_map(|line| line.strip_prefix("DONE "));
    let line = line.ok_or_else(|| format!("the load said nothing of use:\n{text}"))?;
    Ok(serde_json::from_str(line)?)
}

fn tell(what: &str, done: &Done) {
    let seconds = Duration::from_micros(done.micros).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of a demo stay far below 2^53")]
    let rate = done.done as f64 / seconds;
    println!("{} {what}: {seconds:.2} s, {rate:.0}/s", done.done);
}
