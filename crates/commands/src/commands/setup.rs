//! A server set up on this machine: questions, a plan, its steps.
//!
//! Nothing is done before every question is answered and every step has looked at what is there. Each step says whether it
//! is done already, so that a setup that was interrupted goes on where it was and a second one changes nothing.

mod accounts;
mod begun;
mod dialogue;
mod error;
mod files;
mod folders;
mod initialise;
mod machine;
mod plan;
mod ports;
mod reach;
mod recovery;
mod rsa;
mod service;
mod texts;
mod tls;

pub(crate) use error::SetupError;

use crate::args::{Global, SetupArgs};
use crate::error::CliError;
use crate::original::Found;
use crate::{output, prompt};
use plan::{Plan, Site};
use strongroom_convection::answers::Answers;
use strongroom_import::Writing;

/// Asks, looks, does, and prints the answers as a file to keep.
pub(super) fn run(global: &Global, args: &SetupArgs) -> Result<(), CliError> {
    let (given, writing) = match &args.data {
        Some(path) => {
            let found = Found::named(path, args.input_type.writing())?;
            (found.read(Answers::read)?, found.writing)
        }
        None => (Answers::default(), args.input_type.writing().unwrap_or(Writing::Toml)),
    };
    let answers = dialogue::complete(given, args.defaults || args.dry_run && !prompt::somebody_there())?;
    let site = Site::new(answers, args)?;
    let plan = Plan::of(&site);
    if args.dry_run {
        return plan.show(&site, global);
    }
    plan.carry_out(&site, global)?;
    if writing != Writing::Json {
        output::line("\n# The answers, as a file to keep: strongroom setup --data FILE")?;
    }
    output::bytes(site.answers.to_text(writing).as_bytes())
}

#[cfg(test)]
mod tests;
