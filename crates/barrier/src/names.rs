//! Names at rest: a keyed hash as the row's key, the name itself sealed and padded in the entry.

use crate::lives::Lives;
use crate::payload::{Reader, Writer};
use strongroom_crypto::MacKey;
use strongroom_model::FolderId;

/// Names are padded to a multiple of so many bytes.
const PAD_BYTES: usize = 32;
const LOCKS: usize = 1_024;

/// The hash under which a name's entry lies: HMAC-SHA-256 over folder id and name, cut to 128 bits.
pub(crate) fn hash(names: &MacKey, folder: FolderId, name: &str) -> [u8; 16] {
    let mac = names.sign(&[&folder.0, name.as_bytes()]);
    let mut hash = [0; 16];
    for (to, from) in hash.iter_mut().zip(mac) {
        *to = from;
    }
    hash
}

/// An entry with the lives of its object's versions, beside its name; `0` in the same place is an entry without.
const WITH_LIVES: u8 = 1;

/// `layout (1) | length (3) | name | zeros to a multiple of 32 | of layout 1: length (4), lives | payload`.
pub(crate) fn pad(name: &str, lives: &Lives, payload: &[u8]) -> Vec<u8> {
    let padding = vec![0; name.len().next_multiple_of(PAD_BYTES) - name.len()];
    let plain = Writer::new().bytes(name.as_bytes()).raw(&padding);
    if *lives == Lives::default() {
        return plain.raw(payload).finish();
    }
    let mut plain = plain.bytes(&lives.encode()).raw(payload).finish();
    // a name has at most 1,024 bytes, so the first byte of its length is free
    if let Some(layout) = plain.first_mut() {
        *layout = WITH_LIVES;
    }
    plain
}

/// The name, lives and payload of an opened entry.
pub(crate) fn unpad(plain: &[u8]) -> Option<(&str, Lives, &[u8])> {
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let [layout, length @ ..] = length;
    let length = length.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
    let (name, rest) = rest.split_at_checked(length)?;
    let (zeros, rest) = rest.split_at_checked(length.next_multiple_of(PAD_BYTES) - length)?;
    zeros.iter().all(|byte| *byte == 0).then_some(())?;
    let name = std::str::from_utf8(name).ok()?;
    let mut reader = Reader::new(rest);
    let lives = match *layout {
        0 => Lives::default(),
        WITH_LIVES => Lives::decode(reader.bytes()?)?,
        _ => return None,
    };
    Some((name, lives, reader.rest()))
}

/// Locks by name: who writes under a name holds its lock, so that writers of one name follow each other and
/// writers of different names share a group.
pub struct NameLocks(Box<[tokio::sync::Mutex<()>]>);

impl NameLocks {
    pub(crate) fn new() -> Self {
        Self((0..LOCKS).map(|_| tokio::sync::Mutex::new(())).collect())
    }

    /// The lock of a name's hash.
    pub async fn lock(&self, hash: &[u8; 16]) -> tokio::sync::MutexGuard<'_, ()> {
        let [a, b, ..] = *hash;
        let at = usize::from(u16::from_be_bytes([a, b])) % LOCKS;
        match self.0.get(at) {
            Some(lock) => lock.lock().await,
            None => unreachable!("an index below the number of locks"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_hides_lengths_and_comes_off() {
        for length in [1, 31, 32, 33, 255] {
            let name = "n".repeat(length);
            let padded = pad(&name, &Lives::default(), b"payload");
            assert_eq!((padded.len() - 4 - 7) % PAD_BYTES, 0);
            assert_eq!(unpad(&padded), Some((name.as_str(), Lives::default(), b"payload".as_slice())));
            let mut lives = Lives::default();
            lives.keep_from(7);
            assert_eq!(
                unpad(&pad(&name, &lives, b"payload")),
                Some((name.as_str(), lives, b"payload".as_slice()))
            );
        }
        let bare = |name: &str| pad(name, &Lives::default(), b"").len();
        assert_eq!(bare("a"), bare(&"b".repeat(32)));
        assert_eq!(unpad(&[0, 0, 0, 9, 1]), None);
    }

    #[test]
    fn a_name_has_another_hash_in_another_folder() {
        let key = MacKey::new(&[1; 32]);
        assert_ne!(hash(&key, FolderId([1; 16]), "web"), hash(&key, FolderId([2; 16]), "web"));
        assert_ne!(hash(&key, FolderId([1; 16]), "web"), hash(&key, FolderId([1; 16]), "Web"));
    }
}
