//! The command line.
//!
//! **What it is for.** People and scripts at a shell: each command asks the native API one thing and prints the
//! answer, as tables for people or as the server's own JSON for programs.
//!
//! **What it promises.** Secrets are read from a prompt, a file or standard input, never from the command line, and
//! never repeated in an error. A token is kept for its owner's eyes only and goes to no other server. A server is
//! spoken to over TLS that trusts one authority, or over a local socket. The exit code is 0, 1 (refused or failed)
//! or 2 (usage).
//!
//! **What it does not know.** How anything is done: it holds no rule that the server has.
//!
//! **Where to start.** [`names`] says which program it is called as; [`args`] says what may be written; [`commands`] has a function a command; [`client`] asks.

mod args;
mod client;
mod commands;
mod context;
mod error;
mod names;
mod original;
mod output;
mod prompt;
mod state;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use std::process::ExitCode;

/// Does what the command line of this process asks; the exit code is 0, 1 (refused or failed) or 2 (usage).
#[must_use]
pub fn main() -> ExitCode {
    match names::act_by_name() {
        Some(Ok(result)) => return ended(&result, false),
        Some(Err(error)) => return said(&error),
        None => {}
    }
    match parsed() {
        Ok(cli) => ended(&commands::run(&cli.global, cli.command), cli.global.no_color),
        Err(error) => said(&error),
    }
}

fn ended(result: &Result<(), error::CliError>, no_color: bool) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            if code != ExitCode::SUCCESS && !error.is_told() {
                output::failure(error, no_color);
            }
            code
        }
    }
}

/// Reads the command line. Whether help may be coloured is needed before it is read.
fn parsed() -> Result<args::Cli, clap::Error> {
    let plain = std::env::args_os().any(|arg| arg == "--no-color");
    let colour = if plain { clap::ColorChoice::Never } else { clap::ColorChoice::Auto };
    let mut command = args::Cli::command().color(colour);
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    if let Some(part) = torn(&matches) {
        let text = format!("the argument '--output' cannot be used with '--{part}': that is no JSON");
        return Err(command.error(ErrorKind::ArgumentConflict, text));
    }
    args::Cli::from_arg_matches(&matches)
}

/// What is asked for by itself, and by the same command line as JSON. A format that the environment sets gives way.
fn torn(matches: &ArgMatches) -> Option<&'static str> {
    let mut innermost = matches;
    while let Some((_, inner)) = innermost.subcommand() {
        innermost = inner;
    }
    let said = |name: &str| {
        innermost.try_contains_id(name).is_ok()
            && innermost.value_source(name) == Some(ValueSource::CommandLine)
    };
    [("raw", said("raw")), ("field", said("field"))]
        .into_iter()
        .find(|part| part.1 && said("output"))
        .map(|part| part.0)
}

/// Help and version are answers, and end with 0; the rest is usage, and ends with 2.
fn said(error: &clap::Error) -> ExitCode {
    // a reader that went away has seen enough
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
