//! `strongroom-acceptance BINARY HOME [--records N] [--seed N] [--kills N] [--collect N] [--data DIR]`: what `cargo xtask acceptance` runs.

#![expect(clippy::print_stderr, reason = "a program for a terminal")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use strongroom_acceptance::{Fault, Outcome, Plan, run};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match plan(&words).and_then(|plan| run(&plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("acceptance: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn plan(words: &[String]) -> Outcome<Plan> {
    let [binary, home, options @ ..] = words else {
        return Err(Fault::new(
            "usage: strongroom-acceptance BINARY HOME [--records N] [--seed N] [--kills N] [--collect N] [--data DIR]",
        ));
    };
    let mut plan = Plan {
        binary: PathBuf::from(binary),
        home: PathBuf::from(home),
        records: 1_000_000,
        seed: 20_261_122,
        kills: 12,
        most_found: 100_000,
        limit: Duration::from_hours(1),
        only_collects: false,
        data: None,
    };
    for pair in options.chunks(2) {
        let [name, value] = pair else { return Err(Fault::new("an option without its number")) };
        if name == "--data" {
            plan.data = Some(PathBuf::from(value));
            continue;
        }
        let number: u64 = value.parse()?;
        match name.as_str() {
            "--records" => plan.records = number,
            "--seed" => plan.seed = number,
            "--kills" => plan.kills = number,
            "--collect" => (plan.records, plan.only_collects) = (number, true),
            _ => return Err(Fault::new(format!("{name}: unknown"))),
        }
    }
    Ok(plan)
}
