//! The file with the number of the server's process, for those who stop it by hand.
//!
//! It is locked for as long as the server lives, so that a number which a dead server left behind, and which another
//! process has now, stands in nobody's way.

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::Pid;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// No process has a number of more digits.
const MAX_BYTES: u64 = 32;

/// Why there is no such file.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// A server lives already.
    #[error("{path} is held by process {pid}", path = path.display())]
    Held {
        /// The file.
        path: PathBuf,
        /// Its number; 0 if it has not written it yet.
        pid: u32,
    },
    /// The system does not let it be read.
    #[error("cannot read {path}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refused.
    #[error("cannot write {path}", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The file, removed at the end unless another server has put its own there.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Writes this process's number, unless another server that lives has written its own.
    ///
    /// # Errors
    /// If one has, or if the file cannot be written.
    pub fn hold(path: &Path) -> Result<Self, PidFileError> {
        let failed = |source| PidFileError::Unwritable { path: path.to_owned(), source };
        let mut options = unlinked();
        options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let mut file = options.open(path).map_err(failed)?;
        let free = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        let pid = number(&mut file);
        if !free || is_another_server(pid) {
            return Err(PidFileError::Held { path: path.to_owned(), pid });
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
            file.sync_all()
        };
        write(&mut file).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let identity = |metadata: io::Result<std::fs::Metadata>| {
            metadata.ok().map(|metadata| (metadata.dev(), metadata.ino()))
        };
        let ours = identity(self.file.metadata());
        if ours.is_some() && ours == identity(self.path.symlink_metadata()) {
            // nothing can be done if even this fails, and the next start does not mind
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Options that lead to no file of others by a link in a folder that they write to.
fn unlinked() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0));
    options
}

/// The number in a file; what is no number is nobody's.
fn number(file: &mut File) -> u32 {
    let mut text = String::new();
    let _ = io::Read::by_ref(file).take(MAX_BYTES).read_to_string(&mut text);
    text.trim().parse().unwrap_or(0)
}

/// The server that holds the file, if one does. It must be a process of the user whose file it is: the folder is the
/// server's, and root, who stops it, must not be led by it to a process of somebody else's.
///
/// # Errors
/// If the file cannot be read.
pub fn holder(path: &Path) -> Result<Option<Pid>, PidFileError> {
    let failed = |source| PidFileError::Unreadable { path: path.to_owned(), source };
    let mut file = unlinked().read(true).open(path).map_err(failed)?;
    if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        return Ok(None);
    }
    let pid = number(&mut file);
    let owner = file.metadata().map_err(failed)?.uid();
    let own = std::fs::metadata(format!("/proc/{pid}")).is_ok_and(|process| process.uid() == owner);
    Ok(i32::try_from(pid).ok().filter(|_| own).and_then(Pid::from_raw))
}

/// Whether a process that locks nothing is a server of the program that this file's name comes from.
fn is_another_server(pid: u32) -> bool {
    if pid == 0 || pid == std::process::id() {
        return false;
    }
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).contains("convection-sm-server")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_held_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pid");
        let held = PidFile::hold(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        let Err(PidFileError::Held { pid, .. }) = PidFile::hold(&path) else { panic!("taken twice") };
        assert_eq!(pid, std::process::id());
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_dead_server_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pid");
        for left in ["4194999\n", "1\n", "no number\n", "", "999999999999999999999999999999999999999999\n"] {
            std::fs::write(&path, left).unwrap();
            drop(PidFile::hold(&path).unwrap());
            assert!(!path.exists(), "{left:?}");
        }
    }

    #[test]
    fn the_holder_is_a_server_that_lives_and_no_process_of_somebody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pid");
        assert!(matches!(holder(&path), Err(PidFileError::Unreadable { .. })));
        std::fs::write(&path, format!("{}\n", std::process::id())).unwrap();
        assert_eq!(holder(&path).unwrap(), None, "nobody holds it: the number may be another's by now");
        let held = PidFile::hold(&path).unwrap();
        let me = i32::try_from(std::process::id()).ok().and_then(Pid::from_raw);
        assert_eq!(holder(&path).unwrap(), me);
        // every process there is, the group of who asks, no process
        for told in ["-1\n", "0\n", "4194999\n", "no number\n"] {
            std::fs::write(&path, told).unwrap();
            assert_eq!(holder(&path).unwrap(), None, "{told:?}");
        }
        if rustix::process::geteuid().is_root() {
            std::fs::write(&path, format!("{}\n", std::process::id())).unwrap();
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
            assert_eq!(holder(&path).unwrap(), None, "a file of nobody's names a process of root's");
        }
        drop(held);
    }

    #[test]
    fn a_link_is_not_followed_and_another_file_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x.pid"), folder.path().join("other"));
        std::fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(matches!(PidFile::hold(&path), Err(PidFileError::Unwritable { .. })));
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
        std::fs::remove_file(&path).unwrap();
        let held = PidFile::hold(&path).unwrap();
        std::fs::rename(&other, &path).unwrap();
        drop(held);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        assert!(PidFile::hold(&folder.path().join("absent/x.pid")).is_err());
    }
}
