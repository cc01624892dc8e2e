//! Contexts: which servers this user speaks to. No server is asked.

use crate::args::{ContextCommand, Global, SetContextArgs};
use crate::context::{self, ConfigFile, ContextError};
use crate::error::CliError;
use crate::output::{self, Output};
use crate::state::StateFolder;
use serde_json::json;
use std::path::{Path, PathBuf};

/// One function a command.
pub(super) fn run(global: &Global, command: ContextCommand) -> Result<(), CliError> {
    let path = context::config_path()?;
    let out = Output::new(global);
    match command {
        ContextCommand::List => list(out, &path),
        ContextCommand::Use { name } => switch(out, &path, &name),
        ContextCommand::Set(args) => set(out, &path, args),
        ContextCommand::Remove { name } => remove(out, &path, &name),
    }
}

fn list(out: Output, path: &Path) -> Result<(), CliError> {
    let file = ConfigFile::read(path)?;
    if out.json() {
        return output::line(&json!({ "current": file.current, "contexts": file.context }).to_string());
    }
    let shown = |path: Option<PathBuf>| path.map(|path| path.display().to_string()).unwrap_or_default();
    let rows = file.context.into_iter().map(|(name, context)| {
        let star = if file.current.as_ref() == Some(&name) { "*" } else { "" };
        let address =
            context.address.or_else(|| context.socket.map(|socket| format!("unix:{}", socket.display())));
        vec![star.to_owned(), name, address.unwrap_or_default(), shown(context.cacert)]
    });
    out.table(&["", "NAME", "ADDRESS", "AUTHORITY"], rows)
}

fn switch(out: Output, path: &Path, name: &str) -> Result<(), CliError> {
    let mut file = known(path, name)?;
    file.current = Some(name.to_owned());
    file.write(path)?;
    out.done(&format!("{name} is the current context."))
}

fn set(out: Output, path: &Path, args: SetContextArgs) -> Result<(), CliError> {
    let SetContextArgs { name, server, authority, socket, access_key_id, key } = args;
    let whole = |path: Option<PathBuf>| {
        path.map(|path| std::path::absolute(&path).map_err(CliError::file(&path))).transpose()
    };
    let (authority, socket, key) = (whole(authority)?, whole(socket)?, whole(key)?);
    context::update(path, &name, |context| {
        context.address = server.map(|server| server.to_string()).or(context.address.take());
        context.cacert = authority.or(context.cacert.take());
        context.socket = socket.or(context.socket.take());
        context.access_key_id = access_key_id.or(context.access_key_id.take());
        context.key_file = key.or(context.key_file.take());
    })?;
    out.done(&format!("{name} is set, and the current context."))
}

fn remove(out: Output, path: &Path, name: &str) -> Result<(), CliError> {
    let mut file = known(path, name)?;
    file.context.remove(name);
    if file.current.as_deref() == Some(name) {
        file.current = None;
    }
    StateFolder::of_user()?.forget_token(name)?;
    file.write(path)?;
    out.done(&format!("Removed context {name}."))
}

/// The file, if it has a context of this name.
fn known(path: &Path, name: &str) -> Result<ConfigFile, ContextError> {
    let file = ConfigFile::read(path)?;
    if file.context.contains_key(name) {
        return Ok(file);
    }
    Err(ContextError::Unknown { path: path.to_owned(), name: name.to_owned() })
}
