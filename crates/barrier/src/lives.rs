//! What a directory entry knows of the versions of its object: the oldest that is kept, and which are deleted.
//!
//! It stands in the entry and not in the versions, so that deleting a large value seals a small record, and so that
//! a version that is missing below the oldest kept one is told from damage.

use crate::payload::{Reader, Writer};
use strongroom_ambient::UnixMillis;
use strongroom_model::UserId;

/// Most versions of an object that may be deleted and not yet destroyed.
pub const MAX_DELETED: usize = 10_000;

/// That a version is deleted: it is there, and nobody may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// The version.
    pub version: u64,
    /// Deleted when.
    pub at: UnixMillis,
    /// Deleted by whom.
    pub by: UserId,
}

/// The lives of an object's versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lives {
    /// The oldest version that is kept, from 1.
    pub oldest: u64,
    /// Whether the newest version cannot be read: deleted or destroyed.
    pub gone: bool,
    deleted: Vec<Deleted>,
}

impl Default for Lives {
    fn default() -> Self {
        Self { oldest: 1, gone: false, deleted: Vec::new() }
    }
}

impl Lives {
    /// Whether and how a version is deleted.
    pub fn deleted(&self, version: u64) -> Option<Deleted> {
        self.deleted.iter().find(|deleted| deleted.version == version).copied()
    }

    /// Marks a version as deleted; false if there are too many.
    pub fn delete(&mut self, deleted: Deleted) -> bool {
        if self.deleted(deleted.version).is_none() {
            if self.deleted.len() >= MAX_DELETED {
                return false;
            }
            self.deleted.push(deleted);
        }
        true
    }

    /// Takes the mark off: a version is undeleted, or destroyed.
    pub fn unmark(&mut self, version: u64) {
        self.deleted.retain(|deleted| deleted.version != version);
    }

    /// Versions below this one are no longer kept.
    pub fn keep_from(&mut self, oldest: u64) {
        self.oldest = self.oldest.max(oldest);
        self.deleted.retain(|deleted| deleted.version >= self.oldest);
    }

    /// `oldest (8) | gone (1) | number of deleted ones (4) | for each: version (8) | when (8) | by whom (16)`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let count = u32::try_from(self.deleted.len()).unwrap_or(u32::MAX);
        let head = Writer::new().u64(self.oldest).u8(u8::from(self.gone)).u32(count);
        let each = |writer: Writer, deleted: &Deleted| {
            writer.u64(deleted.version).i64(deleted.at.0).raw(&deleted.by.0)
        };
        self.deleted.iter().fold(head, each).finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let (oldest, gone, count) = (reader.u64()?, reader.u8()?, reader.u32()?);
        let count = usize::try_from(count).ok().filter(|count| *count <= MAX_DELETED)?;
        let mut lives = Self { oldest, gone: gone == 1, deleted: Vec::with_capacity(count) };
        for _ in 0..count {
            let (version, at) = (reader.u64()?, UnixMillis(reader.i64()?));
            lives.deleted.push(Deleted { version, at, by: UserId(reader.array()?) });
        }
        reader.rest().is_empty().then_some(lives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(version: u64) -> Deleted {
        Deleted { version, at: UnixMillis(7), by: UserId([3; 16]) }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut lives = Lives::default();
        assert_eq!(Lives::decode(&lives.encode()), Some(lives.clone()));
        lives.gone = true;
        assert!(lives.delete(at(4)) && lives.delete(at(9)) && lives.delete(at(4)));
        assert_eq!(Lives::decode(&lives.encode()), Some(lives.clone()));
        for cut in 0..lives.encode().len() {
            assert_eq!(Lives::decode(&lives.encode()[..cut]), None);
        }
        assert_eq!(Lives::decode(&[lives.encode(), vec![0]].concat()), None);
    }

    #[test]
    fn marks_come_and_go_and_are_bounded() {
        let mut lives = Lives::default();
        for version in 1..=MAX_DELETED as u64 {
            assert!(lives.delete(at(version)));
        }
        assert!(!lives.delete(at(1 << 40)));
        lives.unmark(3);
        assert_eq!((lives.deleted(3), lives.deleted(4)), (None, Some(at(4))));
        lives.keep_from(9_999);
        lives.keep_from(5);
        assert_eq!(
            (lives.oldest, lives.deleted(9_998), lives.deleted(9_999)),
            (9_999, None, Some(at(9_999)))
        );
    }
}
