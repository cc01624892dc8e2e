//! The names that the binary acts by: called by one of them, it is that program.
//!
//! A door that brings a protocol brings the names of its programs here, and `strongroom links` makes them.

use crate::args::{ManagerProgram, ServerProgram, SetupProgram};
use crate::commands::programs;
use crate::error::CliError;
use clap::Parser;
use std::ffi::OsString;
use std::path::Path;

/// What came of it, unless its words are none of the program's.
pub(crate) type Acted = Result<Result<(), CliError>, clap::Error>;

/// A name.
pub(crate) struct Name {
    /// What it is called.
    pub(crate) called: &'static str,
    /// What it does, for people.
    pub(crate) does: &'static str,
    act: fn(Vec<OsString>) -> Acted,
}

/// All of them.
pub(crate) const NAMES: &[Name] = &[
    Name {
        called: "convection-secrets-manager",
        does: "initialises and stops the server that the original's configuration describes",
        act: |words| act::<ManagerProgram>(words, programs::manager),
    },
    Name {
        called: "convection-secrets-setup",
        does: "strongroom setup",
        act: |words| act::<SetupProgram>(words, |program| programs::setup(&program)),
    },
    Name {
        called: "convection-sm-server",
        does: "the server, with the original's configuration",
        act: |words| act::<ServerProgram>(words, |program| programs::server(&program)),
    },
];

/// Does what the name says that this process was called by; nothing, if it is none of these.
pub(crate) fn act_by_name() -> Option<Acted> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let called = Path::new(words.first()?).file_name()?.to_owned();
    let name = NAMES.iter().find(|name| called == name.called)?;
    Some((name.act)(words))
}

fn act<P: Parser>(words: Vec<OsString>, run: fn(P) -> Result<(), CliError>) -> Acted {
    P::try_parse_from(words).map(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_program_is_called_by_its_name() {
        for command in [ManagerProgram::command(), SetupProgram::command(), ServerProgram::command()] {
            command.clone().debug_assert();
            assert!(NAMES.iter().any(|name| name.called == command.get_name()), "{}", command.get_name());
        }
    }

    #[test]
    fn the_seeds_lines_are_understood() {
        for line in [
            "convection-sm-server -v -c /etc/convection-secrets service-start",
            "convection-sm-server -c /etc/x -t yaml start",
            "convection-sm-server run",
            "convection-sm-server default_config",
        ] {
            assert!(ServerProgram::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in [
            "convection-secrets-manager initialize --num-keys 3 --public-key /path/to/public.key",
            "convection-secrets-manager -v -c /etc/x initialize --public-key p",
            "convection-secrets-manager --specker_debug stop",
        ] {
            assert!(ManagerProgram::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in ["convection-secrets-setup", "convection-secrets-setup -v -d a.yaml -t yaml"] {
            assert!(SetupProgram::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        assert!(
            ManagerProgram::try_parse_from(["m", "initialize", "--num-keys", "0", "--public-key", "x"])
                .is_err()
        );
    }
}
