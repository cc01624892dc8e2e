//! The header: what the backup is of.
//!
//! ```text
//! magic 8 | format u16 | length u32 | version's length u8 | version | data format u32 | backup 16 | incarnation 16
//!         | made i64 | revision i64 | trail's seq u64 | trail's link 32 | about u64 | digest 32
//! ```
//!
//! `length` counts everything, the digest included. Magic, format, length, version and digest keep their places in
//! every format to come, so that a newer one can be refused by name.

use crate::BackupError;
use std::io::Read;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{Digest, sha256_parts};
use strongroom_store::{Revision, TrailHead};

/// The form of backups that is written here, and the newest that is read.
pub const FORMAT: u16 = 1;

/// What a backup holds: 1 was before there were backups, 2 has the tables 0x01 to 0x18. It grows with every table, so
/// that no server restores what it would not heed.
pub const DATA_FORMAT: u32 = 2;

/// The greatest table of [`DATA_FORMAT`].
pub(crate) const LAST_TABLE: u8 = 0x18;

const MAGIC: &[u8; 8] = b"SRBACKUP";
const LABEL: &[u8] = b"strongroom backup header v1\0";
const PREFIX_BYTES: usize = 8 + 2 + 4;
const FIXED_BYTES: usize = 4 + 16 + 16 + 8 + 8 + 8 + 32 + 8;
const MAX_BYTES: usize = 64 << 10;

/// Which moment of which store a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The version of the server that made it.
    pub version: String,
    /// The format of what it holds.
    pub data_format: u32,
    /// Names this backup.
    pub backup: [u8; 16],
    /// The life of the data directory that it was made of.
    pub incarnation: [u8; 16],
    /// When it was made.
    pub made: UnixMillis,
    /// The last commit in it.
    pub revision: Revision,
    /// The last entry of the trail in it.
    pub trail: TrailHead,
    /// Its size in bytes, roughly.
    pub about_bytes: u64,
}

impl Header {
    /// Its bytes, and their digest.
    pub(crate) fn encode(&self) -> (Vec<u8>, Digest) {
        let version: &[u8] = self.version.as_bytes().get(..255).unwrap_or(self.version.as_bytes());
        let length = PREFIX_BYTES + 1 + version.len() + FIXED_BYTES + 32;
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_be_bytes());
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        out.push(u8::try_from(version.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(version);
        out.extend_from_slice(&self.data_format.to_be_bytes());
        out.extend_from_slice(&self.backup);
        out.extend_from_slice(&self.incarnation);
        out.extend_from_slice(&self.made.0.to_be_bytes());
        out.extend_from_slice(&self.revision.0.to_be_bytes());
        out.extend_from_slice(&self.trail.seq.to_be_bytes());
        out.extend_from_slice(&self.trail.hash);
        out.extend_from_slice(&self.about_bytes.to_be_bytes());
        let digest = sha256_parts(&[LABEL, &out]);
        out.extend_from_slice(&digest);
        (out, digest)
    }

    /// Reads a header; gives its length in bytes and its digest as well.
    pub(crate) fn read(source: &mut impl Read) -> Result<(Self, u64, Digest), BackupError> {
        let mut bytes = Vec::with_capacity(512);
        take(source, &mut bytes, PREFIX_BYTES)?;
        if !bytes.starts_with(MAGIC) {
            return Err(BackupError::NotABackup);
        }
        let (format, length) = prefix(&bytes).ok_or(BackupError::NotABackup)?;
        if !(PREFIX_BYTES + 1 + 32..=MAX_BYTES).contains(&length) {
            return Err(BackupError::Damaged { offset: 10, what: "the header's length" });
        }
        take(source, &mut bytes, length - PREFIX_BYTES)?;
        let damaged = BackupError::Damaged { offset: 0, what: "the header" };
        let Some((fields, digest)) = bytes.split_last_chunk::<32>() else { return Err(damaged) };
        // the digest holds in every format: a flipped bit is no newer format
        if sha256_parts(&[LABEL, fields]) != *digest {
            return Err(damaged);
        }
        let Some((version, rest)) = version(fields) else { return Err(damaged) };
        if format > FORMAT {
            return Err(BackupError::NewerFormat { found: format, version, supported: FORMAT });
        }
        let Some(header) = Self::parse(version, rest).filter(|_| format > 0) else { return Err(damaged) };
        if header.data_format > DATA_FORMAT {
            let (found, version) = (header.data_format, header.version);
            return Err(BackupError::NewerData { found, version, supported: DATA_FORMAT });
        }
        Ok((header, u64::try_from(bytes.len()).unwrap_or(u64::MAX), *digest))
    }

    fn parse(version: String, rest: &[u8]) -> Option<Self> {
        let mut rest = strongroom_barrier::Reader::new(rest);
        let header = Self {
            version,
            data_format: rest.u32()?,
            backup: rest.array()?,
            incarnation: rest.array()?,
            made: UnixMillis(rest.i64()?),
            revision: Revision(rest.i64()?),
            trail: TrailHead { seq: rest.u64()?, hash: rest.array()? },
            about_bytes: rest.u64()?,
        };
        rest.rest().is_empty().then_some(header)
    }
}

fn prefix(bytes: &[u8]) -> Option<(u16, usize)> {
    let mut reader = strongroom_barrier::Reader::new(bytes.get(MAGIC.len()..)?);
    let format = u16::from_be_bytes(reader.array()?);
    Some((format, usize::try_from(reader.u32()?).ok()?))
}

fn version(fields: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = fields.get(PREFIX_BYTES..)?.split_first()?;
    let (version, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(version).ok()?.to_owned(), rest))
}

/// Appends exactly so many bytes.
fn take(source: &mut impl Read, into: &mut Vec<u8>, count: usize) -> Result<(), BackupError> {
    let wanted = u64::try_from(count).unwrap_or(u64::MAX);
    let read = source.by_ref().take(wanted).read_to_end(into).map_err(BackupError::Read)?;
    if read == count {
        return Ok(());
    }
    let offset = u64::try_from(into.len()).unwrap_or(u64::MAX);
    // too short to tell, unless it began as one
    let begun = into.starts_with(MAGIC) || (!into.is_empty() && MAGIC.starts_with(into));
    Err(if begun { BackupError::Cut { offset } } else { BackupError::NotABackup })
}
