//! A command with secrets in its environment, and nowhere else.
//!
//! Without `--mask` this program becomes the command: its terminal, its signals and its exit code are the command's, and
//! nothing of the secrets stays behind. With it, this program stays between the command and the reader.

mod child;
mod mask;
mod patterns;

use super::Session;
use crate::args::ExecArgs;
use crate::error::{CliError, TransferError, TransferUsageError};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use strongroom_import::{EnvError, Value, env_name, env_text};
use strongroom_secret::SecretBytes;

/// Requests at once.
const PARALLEL: u8 = 16;
/// What begins like this is this program's own.
const OWN: &str = "STRONGROOM_";
/// What decides how programs are found and loaded: only who runs the command may set it, by name.
const DECISIVE: &[&str] = &[
    "PATH",
    "IFS",
    "ENV",
    "BASH_ENV",
    "SHELLOPTS",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PERL5LIB",
    "PERL5OPT",
    "RUBYOPT",
    "NODE_OPTIONS",
    "JAVA_TOOL_OPTIONS",
    "GCONV_PATH",
];

/// A variable: its secret's path, and its text.
pub(super) struct Variable {
    path: String,
    text: SecretBytes,
}

/// Variables by their names.
type Variables = BTreeMap<String, Variable>;

pub(super) async fn run(session: &Session, args: &ExecArgs) -> Result<(), CliError> {
    let values = values(session, args).await?;
    let variables = named(args, &values)?;
    drop(values);
    let (program, arguments) = args.command.split_first().ok_or(TransferUsageError::NoCommand)?;
    let mut command = Command::new(program);
    command.args(arguments);
    if !args.keep_own {
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(OWN.as_bytes()) {
                command.env_remove(name);
            }
        }
    }
    for (name, variable) in &variables {
        variable.text.expose(|text| {
            use std::os::unix::ffi::OsStrExt as _;
            command.env(name, OsStr::from_bytes(text));
        });
    }
    if args.mask {
        return child::masked(session.out, command, variables);
    }
    // returns only if it fails
    Err(not_started(program)(command.exec()))
}

fn not_started(program: &OsStr) -> impl FnOnce(std::io::Error) -> CliError {
    let command = program.to_string_lossy().into_owned();
    move |source| TransferError::Command { command, source }.into()
}

/// The secrets that are asked for; one that is named must be there.
async fn values(session: &Session, args: &ExecArgs) -> Result<Vec<(String, Value)>, CliError> {
    let mut paths = if args.only_mapped {
        Vec::new()
    } else {
        session.paths(&args.store, args.prefix.as_deref(), false).await?
    };
    for (_, path) in &args.map {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    let values = session.values(&args.store, paths, PARALLEL).await?;
    let missing = args.map.iter().find(|(_, path)| !values.iter().any(|(found, _)| found == path));
    match missing {
        Some((_, path)) => {
            Err(TransferError::NoSecret { store: args.store.clone(), path: path.clone() }.into())
        }
        None => Ok(values),
    }
}

/// Each secret's name and text; no two may have the same name.
fn named(args: &ExecArgs, values: &[(String, Value)]) -> Result<Variables, CliError> {
    let mut variables = Variables::new();
    for (path, value) in values {
        let mapped = args.map.iter().filter(|(_, mapped)| mapped == path).map(|(name, _)| name.clone());
        let mut names: Vec<String> = mapped.collect();
        if names.is_empty() {
            names.push(by_path(args, path)?);
        }
        for name in names {
            let variable =
                Variable { path: path.clone(), text: env_text(path, value).map_err(TransferError::from)? };
            if let Some(first) = variables.insert(name.clone(), variable) {
                let collision = EnvError::Collision { name, first: first.path, second: path.clone() };
                return Err(TransferError::from(collision).into());
            }
        }
    }
    Ok(variables)
}

fn by_path(args: &ExecArgs, path: &str) -> Result<String, CliError> {
    let prefix = args.prefix.as_deref().filter(|_| args.strip_prefix);
    let rest = prefix.and_then(|prefix| path.strip_prefix(prefix)).unwrap_or(path).trim_start_matches('/');
    let name = env_name(if rest.is_empty() { path } else { rest }).map_err(TransferError::from)?;
    if DECISIVE.contains(&name.as_str()) || name.starts_with("LD_") || name.starts_with(OWN) {
        return Err(TransferUsageError::DecisiveName { path: path.to_owned(), name }.into());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn args(more: &[&str]) -> ExecArgs {
        let words = ["strongroom", "exec", "--store", "web"].iter().chain(more).chain(&["--", "true"]);
        match Cli::try_parse_from(words).unwrap().command {
            Command::Exec(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn names(more: &[&str], paths: &[&str]) -> Result<Vec<String>, String> {
        let values: Vec<_> = paths.iter().map(|path| ((*path).to_owned(), Value::text(path))).collect();
        let variables = named(&args(more), &values).map_err(|error| error.to_string())?;
        Ok(variables.into_keys().collect())
    }

    #[test]
    fn secrets_are_named_after_their_paths() {
        assert_eq!(names(&[], &["db/password", "k"]).unwrap(), ["DB_PASSWORD", "K"]);
        let strip = ["--prefix", "db", "--strip-prefix"];
        assert_eq!(names(&strip, &["db/password"]).unwrap(), ["PASSWORD"]);
        let map = ["--map", "A=db/x", "--map", "B=db/x"];
        assert_eq!(names(&map, &["db/x", "db/y"]).unwrap(), ["A", "B", "DB_Y"]);
    }

    #[test]
    fn two_secrets_of_one_name_are_refused() {
        assert_eq!(names(&[], &["a/b", "a-b"]).unwrap_err(), "a/b and a-b would both be A_B");
        assert_eq!(names(&["--map", "C=a-b"], &["a/b", "a-b"]).unwrap(), ["A_B", "C"]);
        assert!(names(&["--map", "A_B=x"], &["a/b", "x"]).is_err());
    }

    #[test]
    fn a_store_does_not_decide_how_programs_run() {
        for path in ["path", "ld/preload", "strongroom/addr", "bash-env"] {
            assert!(names(&[], &[path]).unwrap_err().contains("--map"), "{path}");
        }
        assert_eq!(names(&["--map", "PATH=path"], &["path"]).unwrap(), ["PATH"]);
    }
}
