//! Segments: the front of the trail, moved out of the store into a file that is never changed again.
//!
//! Format: `docs/formats/segments.md`.

mod dir;
mod reader;
mod writer;

pub use dir::SegmentDir;
pub use reader::SegmentReader;
pub use writer::SegmentWriter;

use std::path::{Path, PathBuf};
use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Writer};
use strongroom_store::TrailHead;

const MAGIC: &[u8; 27] = b"strongroom trail segment 1\n";
const ROW_FORMAT: u8 = 1;
const BUFFER_BYTES: usize = 256 << 10;

/// What is wrong with a segment's file.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The system refused.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not there.
    #[error("segment {name} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// It is not what was written.
    #[error("segment {name} is damaged")]
    Damaged {
        /// Its name.
        name: String,
    },
}

/// What the store keeps of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The incarnation that wrote it.
    pub incarnation: [u8; 16],
    /// Its first entry.
    pub first: u64,
    /// The link before the first entry.
    pub previous: [u8; 32],
    /// Its last entry, and the link of it.
    pub last: TrailHead,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// Bytes of the file.
    pub bytes: u64,
    /// When it was written.
    pub time: UnixMillis,
}

impl Segment {
    /// Its file's name: made of its numbers, so that no stored text becomes part of a path.
    pub fn name(&self) -> String {
        name(&self.incarnation, self.first, self.last.seq)
    }

    /// As a row's value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new()
            .u8(ROW_FORMAT)
            .raw(&self.incarnation)
            .u64(self.first)
            .raw(&self.previous)
            .u64(self.last.seq)
            .raw(&self.last.hash)
            .raw(&self.digest)
            .u64(self.bytes)
            .i64(self.time.0)
            .finish()
    }

    /// From a row's value.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == ROW_FORMAT).then_some(())?;
        let segment = Self {
            incarnation: reader.array()?,
            first: reader.u64()?,
            previous: reader.array()?,
            last: TrailHead { seq: reader.u64()?, hash: reader.array()? },
            digest: reader.array()?,
            bytes: reader.u64()?,
            time: UnixMillis(reader.i64()?),
        };
        let sane = segment.first > 0 && segment.first <= segment.last.seq;
        (reader.rest().is_empty() && sane).then_some(segment)
    }
}

fn name(incarnation: &[u8; 16], first: u64, last: u64) -> String {
    use std::fmt::Write as _;
    let mut name = String::from("trail-");
    for byte in incarnation.iter().take(4) {
        // writing to a string does not fail
        let _ = write!(name, "{byte:02x}");
    }
    let _ = write!(name, "-{first:020}-{last:020}.segment");
    name
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SegmentError {
    let path = path.to_owned();
    move |source| SegmentError::Io { action, path, source }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
