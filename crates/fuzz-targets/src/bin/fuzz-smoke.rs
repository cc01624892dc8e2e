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
    let good = TARGETS.iter().filter(|(name, target)| smoke(&corpus, name, *target, share)).count();
    println!("{good} of {} targets held", TARGETS.len());
    if good == TARGETS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one target. Whether it held.
fn smoke(corpus: &Path, name: &str, target: Target, share: Duration) -> bool {
    let inputs = match read(&corpus.join(name)) {
        Ok(inputs) if !inputs.is_empty() => inputs,
        _ => {
            println!("target {name:<18} FAILED: no corpus");
            return false;
        }
    };
    let accepted = inputs.iter().filter(|input| holds(target, input) == Some(true)).count();
    let broken = inputs.iter().find(|input| holds(target, input).is_none()).cloned();
    let (mutations, broken) =
        broken.map_or_else(|| mutations(name, target, &inputs, share), |input| (0, Some(input)));
    let end = match (&broken, accepted) {
        (Some(input), _) => format!("FAILED on {}", keep(name, input)),
        (None, 0) => "FAILED: its corpus has no input that it accepts".to_owned(),
        (None, _) => "ok".to_owned(),
    };
    println!(
        "target {name:<18} {:>3} inputs, {accepted:>3} accepted, {mutations:>6} mutations ... {end}",
        inputs.len()
    );
    end == "ok"
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

/// Writes an input down, so that it can be run again and joined to the corpus.
fn keep(name: &str, input: &[u8]) -> String {
    let path = Path::new(FOUND).join(name).with_extension("bin");
    let written = std::fs::create_dir_all(FOUND).and_then(|()| std::fs::write(&path, input));
    if written.is_ok() { path.display().to_string() } else { format!("{input:02x?}") }
}
