//! `cargo xtask demo`: a real server, real certificates, a real `.env`, 100,000 secrets, keys rotated under reads, kill -9
//! in the middle, and a full check.

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
/// What a program would be configured with.
const SETTINGS: &str = "bench/app.env";
/// A value in it that no reader of such files may get wrong.
const TOLD: (&str, &str) = ("SMTP_PASSWORD", "it's #1, \"quoted\" & $plain");

/// What the load prints at its end.
#[derive(Deserialize)]
struct Done {
    done: u64,
    micros: u64,
}

/// A rotation, as its job tells.
#[derive(Deserialize)]
struct Job {
    id: String,
    status: String,
    rewritten: u64,
}

struct Demo {
    root: PathBuf,
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
    let load = root.join("target/release/strongroom-load");
    let mut demo = Demo { root: root.to_owned(), local, load, home };
    demo.local.ready()?;
    say("server started, initialised, unlocked, its newcomer logged in", from);
    for store in ["certs", "app", "load"] {
        demo.local.client.cli(&["store", "create", store])?;
    }
    demo.import()?;
    demo.generate()?;
    demo.read_and_search()?;
    demo.rotate_while_reading()?;
    demo.kill_in_the_middle()?;
    demo.verify()?;
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

impl Demo {
    /// A folder of certificates and a file of settings, by the client.
    fn import(&self) -> Outcome<()> {
        if std::fs::read_dir(CERTIFICATES).map_or(0, Iterator::count) == 0 {
            tools::debian(&["ca-certificates"]);
        }
        let client = &self.local.client;
        let began = clock::now();
        print!("{}", client.cli(&["secret", "import", "certs", CERTIFICATES, "--follow-links"])?);
        say(&format!("the certificates of {CERTIFICATES} imported by the client"), began);
        let (began, settings) = (clock::now(), self.root.join(SETTINGS).display().to_string());
        print!("{}", client.cli(&["secret", "import", "app", &settings, "--dry-run"])?);
        client.cli(&["secret", "import", "app", &settings])?;
        say(&format!("{SETTINGS} imported by the client, after a dry run"), began);
        Ok(())
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

    /// Every secret is read and compared while all of them are sealed anew under a new term.
    fn rotate_while_reading(&self) -> Outcome<()> {
        let began = clock::now();
        let mut job = self.rotate()?;
        let mut reads = 0;
        while job.status == "running" {
            reads += self.check("generated")?.done;
            job = self.job(&job.id)?;
        }
        if job.status != "done" {
            return Err(format!("the rotation is {}", job.status).into());
        }
        say(
            &format!(
                "{} records sealed anew under a new term, {reads} secrets read meanwhile",
                job.rewritten
            ),
            began,
        );
        Ok(())
    }

    fn rotate(&self) -> Outcome<Job> {
        let started = self.local.client.cli(&["keyset", "rotate", "default", "--output", "json"])?;
        Ok(serde_json::from_str(&started)?)
    }

    fn job(&self, id: &str) -> Outcome<Job> {
        Ok(serde_json::from_str(&self.local.client.cli(&["job", "show", id, "--output", "json"])?)?)
    }

    /// Writes and another rotation run, the server is killed, what was acknowledged until then is known.
    fn kill_in_the_middle(&mut self) -> Outcome<()> {
        let mut command = self.load_command("fill", "interrupted", INTERRUPTED_FROM, 10 * GENERATED)?;
        let log = self.home.join("interrupted.log");
        let rotation = self.rotate()?;
        let mut writes = Running::start(&mut command, &log)?;
        std::thread::sleep(BEFORE_THE_KILL);
        let before = self.job(&rotation.id)?;
        self.local.server.kill()?;
        let until = clock::now() + clock::minutes(1);
        while !writes.has_ended() && clock::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let done = done_of(&std::fs::read_to_string(&log)?)?;
        tell("secrets acknowledged before kill -9 ended the server in the middle of writes", &done);
        println!("the rotation was {} after {} records", before.status, before.rewritten);
        let began = clock::now();
        self.local.restart()?;
        self.local.ready()?;
        say("restarted on the same data, unlocked, the token still good", began);
        if done.done == 0 || before.status != "running" {
            return Err("the kill came before any write, or after the rotation".into());
        }
        self.local.client.cli(&["job", "wait", &rotation.id])?;
        say(&format!("the rotation went on by itself: {} records", self.job(&rotation.id)?.rewritten), began);
        Ok(())
    }

    /// Every acknowledged value, from before and from the middle, and the whole trail.
    fn verify(&self) -> Outcome<()> {
        tell("secrets from before the kill compared", &self.check("generated")?);
        tell("secrets from the middle of the kill compared", &self.check("interrupted")?);
        self.verify_imports()?;
        let began = clock::now();
        print!("{}", self.local.client.cli(&["keyset", "list"])?);
        print!("{}", self.local.client.cli(&["audit", "verify"])?);
        say("the whole trail verified", began);
        Ok(())
    }

    fn verify_imports(&self) -> Outcome<()> {
        let client = &self.local.client;
        let began = clock::now();
        let out = self.home.join("certs");
        client.cli(&[
            "secret",
            "export",
            "certs",
            "--format",
            "pem-dir",
            "--out",
            &out.display().to_string(),
        ])?;
        let mut compared = 0;
        for entry in std::fs::read_dir(&out)? {
            let file = entry?.file_name();
            if std::fs::read(out.join(&file))? != std::fs::read(Path::new(CERTIFICATES).join(&file))? {
                return Err(format!("{} came back as another", file.display()).into());
            }
            compared += 1;
        }
        say(&format!("{compared} certificates exported and compared to the byte"), began);
        let print = format!("printf %s \"${}\"", TOLD.0);
        let told = client.cli(&["exec", "--store", "app", "--", "sh", "-c", &print])?;
        if compared == 0 || told.trim_end() != TOLD.1 {
            return Err(format!("{} came to the command as another", TOLD.0).into());
        }
        println!("a command started with the settings of {SETTINGS} in its environment had them right");
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
