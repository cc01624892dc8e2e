//! The secrets of a store into a file, a folder, or standard output.

use super::Session;
use crate::args::{ExportArgs, ExportFormat};
use crate::error::{CliError, TransferError, TransferUsageError};
use crate::output;
use crate::state;
use std::collections::HashSet;
use std::io::IsTerminal as _;
use std::path::Path;
use strongroom_import::{Value, env_file, json_file, yaml_file};
use strongroom_secret::SecretBytes;

pub(super) async fn run(session: &Session, args: &ExportArgs) -> Result<(), CliError> {
    may_write(args)?;
    let paths = session.paths(&args.store, args.prefix.as_deref(), false).await?;
    if args.format == ExportFormat::PemDir {
        distinct(&paths)?;
    }
    let values = session.values(&args.store, paths, args.parallel).await?;
    let entries = || values.iter().map(|(path, value)| (path.as_str(), value));
    let file = match args.format {
        ExportFormat::Env => env_file(entries()).map_err(TransferError::from)?,
        ExportFormat::Json => json_file(&entries()),
        ExportFormat::Yaml => yaml_file(&entries()),
        ExportFormat::PemDir => {
            let folder = args.out.as_deref().unwrap_or(Path::new("."));
            values.iter().try_for_each(|(path, value)| keep(&folder.join(path), &content(value)))?;
            return told(session, values.len(), folder);
        }
    };
    let Some(out) = &args.out else { return file.expose(output::bytes) };
    keep(out, &file)?;
    told(session, values.len(), out)
}

/// Refuses before anything was read what would be shown or lost.
fn may_write(args: &ExportArgs) -> Result<(), TransferUsageError> {
    let Some(out) = args.out.as_ref().filter(|_| !args.force) else {
        let shown = args.out.is_none() && !args.force && std::io::stdout().is_terminal();
        return if shown { Err(TransferUsageError::OntoTerminal) } else { Ok(()) };
    };
    let taken = match args.format {
        ExportFormat::PemDir => {
            out.read_dir().map_or_else(|_| out.exists(), |mut files| files.next().is_some())
        }
        _ => out.symlink_metadata().is_ok(),
    };
    if taken { Err(TransferUsageError::Exists(out.clone())) } else { Ok(()) }
}

/// No path may be a folder of another.
fn distinct(paths: &[String]) -> Result<(), CliError> {
    let known: HashSet<&str> = paths.iter().map(String::as_str).collect();
    let folders = paths.iter().flat_map(|path| path.match_indices('/').filter_map(|(at, _)| path.get(..at)));
    for folder in folders {
        if known.contains(folder) {
            return Err(TransferError::FileAndFolder { path: folder.to_owned() }.into());
        }
    }
    Ok(())
}

fn keep(file: &Path, content: &SecretBytes) -> Result<(), CliError> {
    Ok(state::write_private(file, content)?)
}

/// A text as it is, other JSON as it is written, bytes.
fn content(value: &Value) -> SecretBytes {
    let copy = |secret: &SecretBytes| secret.expose(|bytes| SecretBytes::new(bytes.to_vec()));
    match value {
        Value::Json(json) => value.as_text().unwrap_or_else(|| copy(json)),
        Value::Bytes(bytes) => copy(bytes),
    }
}

fn told(session: &Session, count: usize, place: &Path) -> Result<(), CliError> {
    if session.out.json() {
        let told = serde_json::json!({ "exported": count, "out": place });
        return output::line(&told.to_string());
    }
    output::line(&format!("Exported {count} secrets to {}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::distinct;

    #[test]
    fn a_secret_that_is_a_folder_too_cannot_be_a_file() {
        let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        assert!(distinct(&paths(&["a/b", "a/c", "ab"])).is_ok());
        assert!(distinct(&paths(&["a/b/c", "a/b"])).is_err());
    }
}
