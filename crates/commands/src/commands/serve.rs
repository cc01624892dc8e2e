//! The server itself, its configuration, and a newcomer's server in one command.

mod kms;
mod program;

pub(crate) use kms::KmsConfigError;
pub(super) use kms::kms;

use super::keys;
use crate::args::{ConfigFile, DevArgs, Global};
use crate::context;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::state::{StateError, StateFolder};
use std::path::{Path, PathBuf};
use strongroom_api::NewUnlockKeys;
use strongroom_server::config::Finding;
use strongroom_server::{DevOptions, DevReady, FIRST_SECRET, FIRST_STORE, FirstTime, ServerError};

/// The context that a newcomer's server is written to.
const CONTEXT: &str = "dev";

pub(super) fn server(config: &Path) -> Result<(), CliError> {
    Ok(strongroom_server::run(config)?)
}

pub(super) fn check(global: &Global, file: &ConfigFile) -> Result<(), CliError> {
    let config = file.path();
    let warnings = strongroom_server::check(config).map_err(ServerError::from)?;
    let out = Output::new(global);
    for Finding { place, key, fault } in warnings {
        out.warn(&format!("{}:{place}: {key}: {fault}", config.display()));
    }
    out.done(&format!("{} is good.", config.display()))
}

pub(super) fn dev(args: &DevArgs) -> Result<(), CliError> {
    let config = context::config_path()?;
    let state = StateFolder::of_user()?;
    let options = options(args, &state)?;
    let data = options.data_dir.clone();
    let tell = |ready: DevReady| {
        remember(&config, &state, &ready)
            .and_then(|()| greet(&config, &data, &ready))
            .map_err(ServerError::first)
    };
    Ok(strongroom_server::dev(&options, Box::new(tell))?)
}

/// What opens the data lies apart from it: in the state folder, or beside a directory that was named.
fn options(args: &DevArgs, state: &StateFolder) -> Result<DevOptions, CliError> {
    let (data_dir, state_dir) = if let Some(path) = &args.data {
        let path = std::path::absolute(path).map_err(CliError::file(path))?;
        // of its components, so that a slash at the end makes no difference
        let path: PathBuf = path.components().collect();
        let mut beside = path.clone().into_os_string();
        beside.push(".keys");
        (path, PathBuf::from(beside))
    } else {
        let home = context::xdg("XDG_DATA_HOME", ".local/share").ok_or(StateError::NoHome)?;
        (home.join("dev"), state.folder("dev"))
    };
    Ok(DevOptions { data_dir, state_dir, listen: args.listen, log: args.log.clone() })
}

/// Writes the context, and the token of a first start.
fn remember(config: &Path, state: &StateFolder, ready: &DevReady) -> Result<(), CliError> {
    let update = |known: &mut context::Context| {
        known.address = Some(ready.address.clone());
        known.cacert = Some(ready.authority.clone());
        known.socket = Some(ready.socket.clone());
        known.key_file = Some(ready.key_file.clone());
        if let Some(first) = &ready.first {
            known.access_key_id = Some(first.access_key_id.clone());
        }
    };
    context::update(config, CONTEXT, update)?;
    if let Some(first) = &ready.first {
        state.keep_token(CONTEXT, &first.token)?;
    }
    Ok(())
}

fn greet(config: &Path, data: &Path, ready: &DevReady) -> Result<(), CliError> {
    if let Some(first) = &ready.first {
        show_keys(first)?;
    }
    output::line(&format!("Strongroom serves {}", ready.address))?;
    output::line(&format!("  data     {}", data.display()))?;
    output::line(&format!("  socket   {}", ready.socket.display()))?;
    output::line(&format!("  context  {CONTEXT} in {}", config.display()))?;
    let program = program::as_typed();
    if ready.unlocked {
        output::line(&match ready.first {
            Some(_) => format!("You are logged in for 8 hours; afterwards: {program} login"),
            None => format!("It is unlocked. To log in: {program} login"),
        })?;
        output::line("\nTry, in another terminal:")?;
        output::line(&format!("  {program} secret get {FIRST_STORE} {FIRST_SECRET}"))?;
        output::line(&format!("  {program} secret put {FIRST_STORE} db/password"))?;
        output::line(&format!("  {program} audit tail"))?;
    } else {
        output::line(&format!("It is locked: {program} unlock"))?;
    }
    output::line("\nCtrl-C stops it; the same command goes on where it was.")
}

fn show_keys(first: &FirstTime) -> Result<(), CliError> {
    let mut new = NewUnlockKeys {
        set_id: String::new(),
        threshold: 1,
        unlock_keys: first.unlock_keys.iter().map(keys::key_text).collect(),
        access_key_id: None,
        warnings: Vec::new(),
    };
    let shown = keys::show(&new);
    strongroom_secret::wipe(&mut new.unlock_keys);
    shown
}
