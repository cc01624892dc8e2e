//! Records that were not taken and whose senders could not be told: kept sealed, with the reason, in a file of bounded size.
//!
//! A frame is its length (4 bytes, big endian), a nonce, and a sealed JSON object: source, time, reason, and the record in
//! base64. A frame that was cut off by a kill is the end of the file.

use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use strongroom_ambient::Ambient;
use strongroom_crypto::{NONCE_BYTES, Nonce, SealingKey, derive_key};

/// Most bytes of the file.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Most bytes of one record that are kept.
const MAX_KEPT_BYTES: usize = 64 << 10;
/// What frames are bound to.
const CONTEXT: &[u8] = b"strongroom collector rejected v1";
const MAX_FRAME_BYTES: usize = 256 << 10;

/// One record that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, seconds since 1970.
    pub at: u64,
    /// Where it came from.
    pub source: String,
    /// Why it was not taken.
    pub reason: String,
    /// Its bytes, base64: as much as is kept.
    pub record: String,
    /// How many bytes it had.
    pub bytes: usize,
}

/// The file.
pub struct Rejected {
    key: SealingKey,
    ambient: Ambient,
    path: PathBuf,
    file: Mutex<Option<(File, u64)>>,
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RejectedError {
    /// The system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A frame that does not open.
    #[error("{path} at byte {at}: sealed under another key, or changed", path = path.display())]
    Frame {
        /// The file.
        path: PathBuf,
        /// Where.
        at: usize,
    },
}

impl Rejected {
    /// A file under the spool's key. It is made when the first record is refused.
    pub fn new(folder: &Path, spool_key: &[u8; 32], ambient: Ambient) -> Self {
        let key = derive_key(spool_key, &[CONTEXT]).expose(SealingKey::new);
        Self { key, ambient, path: folder.join("rejected.sealed"), file: Mutex::default() }
    }

    /// Keeps a record, and makes it durable. What goes wrong is told.
    pub fn keep(&self, source: &str, record: &[u8], reason: &str) {
        match self.put(source, record, reason) {
            Ok(true) => {}
            Ok(false) => tracing::error!(
                path = %self.path.display(),
                "the file of rejected records is full: this one is not kept; read it with `strongroom collector rejected`, then remove it"
            ),
            Err(error) => {
                tracing::error!(path = %self.path.display(), %error, "a rejected record is not kept");
            }
        }
    }

    fn put(&self, source: &str, record: &[u8], reason: &str) -> io::Result<bool> {
        let kept = record.get(..record.len().min(MAX_KEPT_BYTES)).unwrap_or_default();
        let at = u64::try_from(self.ambient.now().0 / 1000).unwrap_or_default();
        let record_text = data_encoding::BASE64.encode(kept);
        let (source, reason) = (source.to_owned(), reason.to_owned());
        let entry = Entry { at, source, reason, record: record_text, bytes: record.len() };
        let mut plain = serde_json::to_vec(&entry)?;
        let nonce: Nonce = self.ambient.random();
        let mut frame = vec![0; 4];
        frame.extend_from_slice(&nonce);
        self.key.seal_into(&nonce, CONTEXT, &plain, &mut frame);
        strongroom_secret::wipe(&mut plain);
        let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
        if let Some(head) = frame.first_chunk_mut::<4>() {
            *head = length.to_be_bytes();
        }
        self.append(&frame)
    }

    fn append(&self, frame: &[u8]) -> io::Result<bool> {
        let mut open = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut file, mut size) = match open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        if size + frame.len() as u64 > MAX_FILE_BYTES {
            *open = Some((file, size));
            return Ok(false);
        }
        file.write_all(frame)?;
        file.sync_data()?;
        size += frame.len() as u64;
        *open = Some((file, size));
        Ok(true)
    }

    /// Opens the file behind its last whole frame.
    fn open(&self) -> io::Result<(File, u64)> {
        let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(&self.path)?;
        let whole = whole(&read(&self.path)?);
        file.set_len(whole)?;
        Ok((file, whole))
    }

    /// All that was kept.
    pub fn entries(&self) -> Result<Vec<Entry>, RejectedError> {
        let failed = |source| RejectedError::Io { path: self.path.clone(), source };
        let all = match read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(failed)?,
        };
        let mut entries = Vec::new();
        let mut at = 0;
        while let Some((sealed, end)) = frame(&all, at) {
            let damaged = RejectedError::Frame { path: self.path.clone(), at };
            entries.push(self.opened(sealed).ok_or(damaged)?);
            at = end;
        }
        Ok(entries)
    }

    fn opened(&self, sealed: &[u8]) -> Option<Entry> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let plain = self.key.open(nonce, CONTEXT, sealed).ok()?;
        plain.expose(|plain| serde_json::from_slice(plain).ok())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + MAX_FRAME_BYTES as u64).read_to_end(&mut all)?;
    Ok(all)
}

/// The frame at a place, and where it ends.
fn frame(all: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (length, rest) = all.get(at..)?.split_first_chunk::<4>()?;
    let length =
        usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= MAX_FRAME_BYTES)?;
    Some((rest.get(..length)?, at + 4 + length))
}

fn whole(all: &[u8]) -> u64 {
    let mut at = 0;
    while let Some((_, end)) = frame(all, at) {
        at = end;
    }
    at as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    fn file(folder: &Path, key: u8) -> Rejected {
        Rejected::new(folder, &[key; 32], Ambient::system())
    }

    #[test]
    fn what_was_rejected_is_found_again_and_is_not_in_clear() {
        let folder = tempfile::tempdir().unwrap();
        assert!(file(folder.path(), 1).entries().unwrap().is_empty());
        file(folder.path(), 1).keep("tcp", b"{\"password\":\"hunter2\"", "cut off");
        let again = file(folder.path(), 1);
        again.keep("tcp", &vec![b'x'; 1 << 20], "too long");
        let entries = again.entries().unwrap();
        let told: Vec<(&str, usize)> =
            entries.iter().map(|entry| (entry.reason.as_str(), entry.bytes)).collect();
        assert_eq!(told, [("cut off", 21), ("too long", 1 << 20)]);
        assert_eq!(
            data_encoding::BASE64.decode(entries[0].record.as_bytes()).unwrap(),
            b"{\"password\":\"hunter2\""
        );
        let path = folder.path().join("rejected.sealed");
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_frame_that_was_cut_off_is_the_end_and_a_changed_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejected.sealed");
        file(folder.path(), 1).keep("a", b"1", "x");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [whole.as_slice(), &whole[..20]].concat()).unwrap();
        file(folder.path(), 1).keep("b", b"2", "y");
        assert_eq!(file(folder.path(), 1).entries().unwrap().len(), 2);
        assert!(matches!(file(folder.path(), 2).entries(), Err(RejectedError::Frame { at: 0, .. })));
        let mut changed = std::fs::read(&path).unwrap();
        changed[30] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert!(file(folder.path(), 1).entries().is_err());
    }

    #[test]
    fn the_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let rejected = file(folder.path(), 1);
        rejected.keep("a", b"1", "x");
        rejected.file.lock().unwrap().as_mut().unwrap().1 = MAX_FILE_BYTES;
        rejected.keep("b", b"2", "y");
        assert_eq!(rejected.entries().unwrap().len(), 1);
    }
}
