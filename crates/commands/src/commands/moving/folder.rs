//! A storage directory, read whole.

use crate::error::{CliError, MovingError};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use strongroom_convection::storage::{Folder, MAX_FILE_BYTES, MAX_FILES, MAX_FOLDER_BYTES};

/// How deep stores lie: their names have slashes.
const MAX_DEPTH: usize = 16;

/// What was read so far.
#[derive(Default)]
struct Reading {
    folder: Folder,
    files: usize,
    bytes: usize,
}

/// Reads every file.
pub(super) fn read(dir: &Path) -> Result<Folder, CliError> {
    let mut reading = Reading::default();
    reading.enter(dir, dir, "", 0)?;
    Ok(reading.folder)
}

impl Reading {
    fn enter(&mut self, top: &Path, dir: &Path, within: &str, depth: usize) -> Result<(), CliError> {
        if depth > MAX_DEPTH {
            return Err(MovingError::TooMuch(top.to_owned()).into());
        }
        for entry in std::fs::read_dir(dir).map_err(CliError::file(dir))? {
            let entry = entry.map_err(CliError::file(dir))?;
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(|name| format!("{within}{name}")) else {
                return Err(MovingError::Name(path).into());
            };
            let kind = entry.file_type().map_err(CliError::file(&path))?;
            if kind.is_symlink() {
                return Err(MovingError::Link(path).into());
            }
            if kind.is_dir() {
                self.enter(top, &path, &format!("{name}/"), depth + 1)?;
                continue;
            }
            if !kind.is_file() {
                return Err(MovingError::NoFile(path).into());
            }
            let bytes = content(&path)?;
            self.files += 1;
            self.bytes += bytes.len();
            if self.files > MAX_FILES || self.bytes > MAX_FOLDER_BYTES {
                return Err(MovingError::TooMuch(top.to_owned()).into());
            }
            self.folder.add(name, bytes);
        }
        Ok(())
    }
}

/// The bytes of a regular file, opened so that a pipe or a link that takes its place is neither waited for nor followed.
fn content(path: &Path) -> Result<Vec<u8>, CliError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let file = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(file.map_err(std::io::Error::from).map_err(CliError::file(path))?);
    let meta = file.metadata().map_err(CliError::file(path))?;
    if !meta.is_file() {
        return Err(MovingError::NoFile(path.to_owned()).into());
    }
    let limit = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
    if meta.len() > limit {
        return Err(MovingError::TooLarge(path.to_owned()).into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default() + 1);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(CliError::file(path))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(MovingError::TooLarge(path.to_owned()).into());
    }
    Ok(bytes)
}
