//! The secrets folder: what a member keeps, for its own eyes only.
//!
//! Each file is written under another name, made durable and then renamed: it is there as a whole or not at all. A file that
//! others may read, a link, a file that was cut short: each is refused by its name.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_crypto::sha256;
use strongroom_secret::SecretBytes;

/// The largest file in it, in bytes.
const MAX_FILE_BYTES: usize = 16 << 20;
/// Before each file that has no form of its own.
const MAGIC: &[u8; 8] = b"SRMEMB\x00\x01";
/// Magic, length, digest.
const FRAME_BYTES: usize = 8 + 4 + 8;
/// Ends the name of a file that is being written.
const TEMPORARY: &str = ".new";

/// What is wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("{path} can be read by others than its owner: chmod {mode} it", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// What it should have.
        mode: &'static str,
    },
    /// A link, a folder, a device.
    #[error("{path} is no plain {what}", path = path.display())]
    NotPlain {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
    },
    /// Cut short, or changed.
    #[error("{path} is damaged: {what}; remove it, and it is fetched again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The same, of the one file that cannot be fetched again.
    #[error("{path} is damaged: {what}; bring it back from a copy, or enrol anew", path = path.display())]
    DamagedKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Another program works with it.
    #[error("{path} is in use by another program", path = path.display())]
    InUse {
        /// The lock.
        path: PathBuf,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, source }
}

/// The folder. Dropped, it is free for another program.
pub struct SecretsFolder {
    path: PathBuf,
    /// Held while it is open.
    _lock: Option<File>,
}

impl SecretsFolder {
    /// Opens or makes it, for one program alone: a collector, or an enrolment.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let folder = Self::open_shared(path)?;
        let name = folder.path.join(".lock");
        let mut options = fs::OpenOptions::new();
        let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow);
        let lock = options.open(&name).map_err(at(&name))?;
        match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _lock: Some(lock), ..folder }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(FolderError::InUse { path: name }),
            Err(error) => Err(at(&name)(error.into())),
        }
    }

    /// Opens or makes it beside others: queries may run at the same time, for each file appears as a whole.
    pub fn open_shared(path: &Path) -> Result<Self, FolderError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(at(path))?;
        let meta = fs::symlink_metadata(path).map_err(at(path))?;
        // the folder itself may be a mount or a link to one; what it leads to is what is looked at
        let meta = if meta.is_symlink() { fs::metadata(path).map_err(at(path))? } else { meta };
        if !meta.is_dir() {
            return Err(FolderError::NotPlain { path: path.to_owned(), what: "folder" });
        }
        if meta.mode() & 0o077 != 0 {
            return Err(FolderError::Exposed { path: path.to_owned(), mode: "700" });
        }
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path.join(name)).is_ok()
    }

    /// A file in its own form; none if there is none.
    pub fn read_plain(&self, name: &str) -> Result<Option<SecretBytes>, FolderError> {
        let path = self.path.join(name);
        let mut options = fs::OpenOptions::new();
        options.read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        let file = match options.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                return Err(FolderError::NotPlain { path, what: "file" });
            }
            Err(error) => return Err(at(&path)(error)),
        };
        let meta = file.metadata().map_err(at(&path))?;
        if !meta.is_file() {
            return Err(FolderError::NotPlain { path, what: "file" });
        }
        if meta.mode() & 0o077 != 0 {
            return Err(FolderError::Exposed { path, mode: "600" });
        }
        let length = usize::try_from(meta.len()).unwrap_or(usize::MAX);
        if length > MAX_FILE_BYTES {
            return Err(self.damaged(name, "it is too large"));
        }
        let mut bytes = Vec::with_capacity(length + 1);
        let read = file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes);
        let bytes = SecretBytes::new(bytes);
        read.map_err(at(&path))?;
        Ok(Some(bytes))
    }

    /// A file that [`SecretsFolder::write`] wrote; none if there is none.
    pub fn read(&self, name: &str) -> Result<Option<SecretBytes>, FolderError> {
        let Some(file) = self.read_plain(name)? else { return Ok(None) };
        let unframed = file.expose(unframed);
        unframed.map(Some).map_err(|what| self.damaged(name, what))
    }

    /// Writes a file with length and digest; it replaces one of the same name.
    pub fn write(&self, name: &str, content: &SecretBytes) -> Result<(), FolderError> {
        self.write_plain(name, &content.expose(framed))
    }

    /// Writes a file in its own form.
    pub fn write_plain(&self, name: &str, content: &SecretBytes) -> Result<(), FolderError> {
        let path = self.path.join(name);
        // a name of its own, so that two programs that fetch the same key do not write one file
        let temporary = self.path.join(format!("{name}.{}{TEMPORARY}", std::process::id()));
        let written = content.expose(|bytes| write_new(&temporary, bytes));
        let renamed = written.and_then(|()| fs::rename(&temporary, &path));
        if renamed.is_err() {
            // what is left of it would be in the way of the next try; if it cannot be removed, the error says more
            let _ = fs::remove_file(&temporary);
        }
        renamed.and_then(|()| File::open(&self.path)?.sync_all()).map_err(at(&path))
    }

    /// Gives a file another name, for good.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FolderError> {
        let renamed = fs::rename(self.path.join(from), self.path.join(to));
        let synced = renamed.and_then(|()| File::open(&self.path)?.sync_all());
        synced.map_err(at(&self.path.join(to)))
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => Ok(()),
        }
    }

    /// Names of files that begin and end in a way, without both.
    pub fn names(&self, begin: &str, end: &str) -> Result<Vec<String>, FolderError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(at(&self.path))? {
            let entry = entry.map_err(at(&self.path))?;
            let name = entry.file_name();
            let between = name.to_str().and_then(|name| name.strip_prefix(begin)?.strip_suffix(end));
            names.extend(between.map(str::to_owned));
        }
        Ok(names)
    }

    /// Removes what an interrupted writing left behind. Only for who has the folder alone.
    pub fn sweep(&self) -> Result<(), FolderError> {
        for left in self.names("", TEMPORARY)? {
            self.remove(&format!("{left}{TEMPORARY}"))?;
        }
        Ok(())
    }

    /// An error that names a file of the folder.
    pub fn damaged(&self, name: &str, what: &'static str) -> FolderError {
        FolderError::Damaged { path: self.path.join(name), what }
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // left by a program of the same number that was killed
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn framed(content: &[u8]) -> SecretBytes {
    let mut file = Vec::with_capacity(FRAME_BYTES + content.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    let digest = sha256(content);
    file.extend(digest.iter().take(8));
    file.extend_from_slice(content);
    SecretBytes::new(file)
}

fn unframed(file: &[u8]) -> Result<SecretBytes, &'static str> {
    let (magic, rest) = file.split_at_checked(MAGIC.len()).ok_or("it was cut short")?;
    if magic != MAGIC {
        return Err("it is none of this program's");
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or("it was cut short")?;
    let (digest, content) = rest.split_first_chunk::<8>().ok_or("it was cut short")?;
    if usize::try_from(u32::from_be_bytes(*length)) != Ok(content.len()) {
        return Err("it was cut short");
    }
    if sha256(content).get(..8) != Some(digest) {
        return Err("its digest is wrong");
    }
    Ok(SecretBytes::new(content.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn folder() -> (tempfile::TempDir, SecretsFolder) {
        let home = tempfile::tempdir().unwrap();
        let folder = SecretsFolder::open(&home.path().join("secrets")).unwrap();
        (home, folder)
    }

    fn bytes(text: &str) -> SecretBytes {
        SecretBytes::new(text.as_bytes().to_vec())
    }

    #[test]
    fn what_is_written_comes_back_and_is_for_its_owner_alone() {
        let (_home, folder) = folder();
        folder.write("a.key", &bytes("hello")).unwrap();
        folder.write("a.key", &bytes("again")).unwrap();
        folder.read("a.key").unwrap().unwrap().expose(|bytes| assert_eq!(bytes, b"again"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&folder.path().join("a.key"))), (0o700, 0o600));
        assert!(folder.read("b.key").unwrap().is_none());
        assert_eq!(folder.names("", ".key").unwrap(), ["a"]);
    }

    #[test]
    fn the_golden_file_is_read_and_written() {
        let (_home, folder) = folder();
        let golden = include_str!("../../../vectors/member/folder-file-v1.hex").trim_end();
        folder.write("a.key", &bytes("hello")).unwrap();
        let file = fs::read(folder.path().join("a.key")).unwrap();
        assert_eq!(data_encoding::HEXLOWER.encode(&file), golden);
        folder.read("a.key").unwrap().unwrap().expose(|bytes| assert_eq!(bytes, b"hello"));
    }

    #[test]
    fn files_that_were_cut_or_changed_are_told_by_name() {
        let (_home, folder) = folder();
        folder.write("a.key", &bytes("hello")).unwrap();
        let path = folder.path().join("a.key");
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(
                matches!(folder.read("a.key"), Err(FolderError::Damaged { path: named, .. }) if named == path)
            );
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert!(folder.read("a.key").is_err(), "{place}");
        }
    }

    #[test]
    fn links_and_files_that_others_read_are_refused() {
        let (home, folder) = folder();
        folder.write("a.key", &bytes("hello")).unwrap();
        let path = folder.path().join("a.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(folder.read("a.key"), Err(FolderError::Exposed { .. })));
        let elsewhere = home.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(matches!(folder.read("a.key"), Err(FolderError::NotPlain { .. })));
        // a link in the place of a new file is replaced, not followed
        folder.write("a.key", &bytes("new")).unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(SecretsFolder::open_shared(folder.path()), Err(FolderError::Exposed { .. })));
    }

    #[test]
    fn two_programs_cannot_have_it_but_readers_can() {
        let (_home, folder) = folder();
        assert!(matches!(SecretsFolder::open(folder.path()), Err(FolderError::InUse { .. })));
        assert!(SecretsFolder::open_shared(folder.path()).is_ok());
        let path = folder.path().to_owned();
        drop(folder);
        assert!(SecretsFolder::open(&path).is_ok());
    }

    #[test]
    fn a_crash_between_writing_and_renaming_leaves_the_old_file() {
        let (_home, folder) = folder();
        folder.write("a.key", &bytes("old")).unwrap();
        // what a killed program leaves: half of a file under its other name
        fs::write(folder.path().join(format!("a.key.{}{TEMPORARY}", std::process::id())), b"SRME").unwrap();
        fs::write(folder.path().join(format!("a.key.1{TEMPORARY}")), b"SRME").unwrap();
        folder.read("a.key").unwrap().unwrap().expose(|bytes| assert_eq!(bytes, b"old"));
        folder.write("a.key", &bytes("new")).unwrap();
        folder.sweep().unwrap();
        folder.read("a.key").unwrap().unwrap().expose(|bytes| assert_eq!(bytes, b"new"));
        assert_eq!(folder.names("", "").unwrap().len(), 2, "the key and the lock");
    }
}
