//! `fuzz-smoke CORPUS SECONDS`: every target, its corpus, then mutations of it, the same on every run.
//!
//! A target's share of the seconds bounds its mutations, and so does a count; the corpus runs whole. A line a target
//! says how it went. An input that breaks a promise is written beside the build and named.

#![expect(clippy::print_stdout, reason = "a tool for a terminal: its output is its product")]

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use strongroom_fuzz_targets::mutate::{Random, mutate};
use strongroom_fuzz_targets::{TARGETS, Target};

/// The most mutations of one target.
const MUTATIONS: usize = 200_000;
/// Where inputs that break a promise go.
const FOUND: &str = "target/fuzz-found";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let corpus = arguments.next().map_or_else(|| PathBuf::from("fuzz/corpus"), PathBuf::from);
    let seconds = arguments.next().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(30);
    let share = Duration::from_secs(seconds) / u32::try_from(TARGETS.len()).unwrap_or(1).max(1);
    let smoke = Smoke { corpus, found: PathBuf::from(FOUND), share };
    let good = TARGETS.iter().filter(|(name, target)| smoke.run(name, *target)).count();
    println!("{good} of {} targets held", TARGETS.len());
    if good == TARGETS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where inputs come from and go to, and how long a target may take.
struct Smoke {
    corpus: PathBuf,
    found: PathBuf,
    share: Duration,
}

impl Smoke {
    /// Runs one target. Whether it held.
    fn run(&self, name: &str, target: Target) -> bool {
        let inputs = read(&self.corpus.join(name)).unwrap_or_default();
        let verdicts: Vec<Option<bool>> = inputs.iter().map(|input| holds(target, input)).collect();
        let accepted = verdicts.iter().filter(|verdict| **verdict == Some(true)).count();
        let broken = inputs.iter().zip(&verdicts).find(|(_, verdict)| verdict.is_none());
        let (mutations, broken) = match broken {
            Some((input, _)) => (0, Some(input.clone())),
            None => mutations(name, target, &inputs, self.share),
        };
        let end = match (&broken, accepted) {
            (Some(input), _) => format!("FAILED on {}", self.keep(name, input)),
            (None, 0) => "FAILED: its corpus has no input that it accepts".to_owned(),
            (None, _) => "ok".to_owned(),
        };
        let count = inputs.len();
        println!(
            "target {name:<18} {count:>3} inputs, {accepted:>3} accepted, {mutations:>6} mutations ... {end}"
        );
        end == "ok"
    }

    /// Writes an input down, so that it can be run again and joined to the corpus.
    fn keep(&self, name: &str, input: &[u8]) -> String {
        let path = self.found.join(name).with_extension("bin");
        let written = std::fs::create_dir_all(&self.found).and_then(|()| std::fs::write(&path, input));
        if written.is_ok() { path.display().to_string() } else { format!("{input:02x?}") }
    }
}

/// Every file, in the order of names.
fn read(folder: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths.iter().map(std::fs::read).collect()
}

/// Whether the input was accepted; `None` if a promise was broken.
fn holds(target: Target, input: &[u8]) -> Option<bool> {
    panic::catch_unwind(AssertUnwindSafe(|| target(input))).ok()
}

/// Runs mutations for as long as the share lasts: how many, and the first that broke a promise.
#[expect(clippy::disallowed_methods, reason = "a tool that runs for people, in real time")]
fn mutations(name: &str, target: Target, inputs: &[Vec<u8>], share: Duration) -> (usize, Option<Vec<u8>>) {
    let seed = name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let mut random = Random::new(seed);
    let began = Instant::now();
    for count in 0..MUTATIONS {
        if began.elapsed() >= share {
            return (count, None);
        }
        let pick = |random: &mut Random| {
            inputs.get(random.below(inputs.len())).map(Vec::as_slice).unwrap_or_default()
        };
        let (one, other) = (pick(&mut random), pick(&mut random));
        let input = mutate(&mut random, one, other);
        if holds(target, &input).is_none() {
            return (count, Some(input));
        }
    }
    (MUTATIONS, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smoke(input: &[u8]) -> (tempfile::TempDir, Smoke) {
        let folder = tempfile::tempdir().unwrap();
        let (corpus, found) = (folder.path().join("corpus"), folder.path().join("found"));
        std::fs::create_dir_all(corpus.join("it")).unwrap();
        std::fs::write(corpus.join("it/one"), input).unwrap();
        (folder, Smoke { corpus, found, share: Duration::from_secs(20) })
    }

    #[test]
    fn a_broken_promise_is_found_by_mutation_and_kept() {
        let (_folder, smoke) = smoke(b"an input");
        assert!(!smoke.run("it", |input| {
            assert!(input.len() < 40, "longer than promised");
            true
        }));
        assert!(std::fs::read(smoke.found.join("it.bin")).unwrap().len() >= 40);
    }

    #[test]
    fn a_corpus_that_breaks_a_promise_or_is_never_accepted_fails() {
        let (_folder, smoke) = smoke(b"an input");
        assert!(!smoke.run("it", |input| input.is_empty() || panic!("at once")));
        assert!(!Smoke { share: Duration::ZERO, ..smoke }.run("it", |_| false));
    }

    #[test]
    fn a_target_that_holds_passes_and_one_without_corpus_fails() {
        let (_folder, smoke) = smoke(b"an input");
        let smoke = Smoke { share: Duration::from_millis(10), ..smoke };
        assert!(smoke.run("it", |_| true));
        assert!(!smoke.run("other", |_| true));
    }
}
