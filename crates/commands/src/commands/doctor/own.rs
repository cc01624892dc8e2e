//! What this user keeps: tokens, private keys, the configuration file.

use crate::context::{self, ConfigFile};
use crate::state::StateFolder;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_server::doctor::Finding;

const CHECK: &str = "client";
/// The state folder is shallow.
const MAX_DEPTH: usize = 4;

pub(super) fn look(found: &mut Vec<Finding>) {
    let before = found.len();
    let mut private = Vec::new();
    if let Ok(state) = StateFolder::of_user() {
        files(&state.folder(""), MAX_DEPTH, &mut private);
    }
    if let Ok(path) = context::config_path() {
        match ConfigFile::read(&path) {
            Ok(config) => private.extend(config.context.into_values().filter_map(|known| known.key_file)),
            Err(fault) => {
                found.push(Finding::fail(CHECK, fault.to_string(), "put the file right, or remove it"));
            }
        }
    }
    for file in private {
        exposed(&file, found);
    }
    if found.len() == before {
        found.push(Finding::ok(CHECK, "this user's tokens and keys are open to nobody else"));
    }
}

fn files(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => files(&path, depth - 1, into),
            Ok(kind) if kind.is_file() => into.push(path),
            _ => {}
        }
    }
}

fn exposed(path: &Path, found: &mut Vec<Finding>) {
    let public = path.extension().is_some_and(|end| end == "pub");
    let Ok(metadata) = std::fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 && !public {
        let about = format!("{} is open to others (mode {mode:04o})", path.display());
        found.push(Finding::fail(CHECK, about, format!("chmod 600 {}", path.display())));
    }
}
