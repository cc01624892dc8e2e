//! `cargo xtask`: the project's own chores: test, tidy, fuzz smoke, bench, demo.
//!
//! **What it is for.** Whatever a person or CI runs beside `cargo` itself, in one place and in the language of the
//! rest. `cargo xtask test` is all of CI.
//!
//! **What it promises.** A stage that could not run says so and is counted; nothing is skipped in silence. It depends
//! on no crate of the house, so that it builds and reports whatever state they are in.
//!
//! **What it does not know.** What the code means: it proves the shape of it (`tidy`), and runs what tests it.
//!
//! **Where to start.** [`main`], then [`test::run`] and [`tidy::run`].

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for a terminal: its output is its product"
)]

mod acceptance;
mod bench;
mod clock;
mod demo;
mod fuzz;
mod local;
mod shell;
mod test;
mod tidy;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;

/// Errors are told to a person and end the chore: a message is all that is needed of them.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--install] [--only STAGE]... [--package NAME]...
                                       everything that CI runs; --install fetches what it needs
  tidy                                 dependency arrows, permits, I/O, attributes, sizes, documents
  fuzz-smoke [--seconds N]             every corpus and its mutations, on stable
  bench [--quick] [--ours-only|--theirs-only]
                                       Strongroom and OpenBao side by side; wrk, one table
  bench --only convection [--quick] [--ours-only|--theirs-only]
                                       the convection door and the original's server side by side
  bench --only sharing [--quick]       attribute-based encryption, envelopes, tokens, collector to exchange, queries
  acceptance [--records N] [--seed N] [--kills N]
                                       the sharing system against a plain-text oracle: 1,000,000 records and threat data
  demo                                 a real server, 100,000 secrets, kill -9, and a full check";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) =
        arguments.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    match run(command, rest) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &str, arguments: &[String]) -> Outcome<bool> {
    match command {
        "test" => test::run(&root(), arguments),
        "tidy" => tidy::run(&root()),
        "bench" => bench::run(&root(), arguments),
        "acceptance" => acceptance::run(&root(), arguments),
        "demo" => demo::run(&root()),
        "fuzz-smoke" => fuzz::command(&root(), arguments),
        _ => Err(USAGE.into()),
    }
}

/// The root of the repository: two above this crate.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or(here.clone(), PathBuf::from)
}
