//! Reading: bytes in, items out, each chunk checked before anything in it is believed.

use crate::BackupError;
use crate::frame::{self, CHUNK, CHUNK_BYTES, CHUNK_REST, Counts, MANIFEST, MANIFEST_REST, START_BYTES};
use crate::header::Header;
use crate::items::{self, Decoded};
use std::io::Read;
use strongroom_crypto::{Digest, MacKey};
use strongroom_store::Item;

/// Gives the items of a backup, one by one. Holds one chunk and one item.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    header: Header,
    offset: u64,
    running: Digest,
    counts: Counts,
    waiting: Vec<u8>,
    at: usize,
    manifest: Option<(Vec<u8>, [u8; 32])>,
}

impl<R: Read> Reader<R> {
    /// Reads and checks the header.
    pub fn open(mut source: R) -> Result<Self, BackupError> {
        let (header, offset, running) = Header::read(&mut source)?;
        let (counts, waiting) = (Counts::default(), Vec::new());
        Ok(Self { source, header, offset, running, counts, waiting, at: 0, manifest: None })
    }

    /// Which moment of which store this is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn chunks(&self) -> u64 {
        self.counts.chunks
    }

    /// The next item; none when the manifest has been read and agrees with everything before it.
    pub fn item(&mut self) -> Result<Option<Item>, BackupError> {
        loop {
            match items::decode(self.waiting.get(self.at..).unwrap_or_default()) {
                Decoded::Item(item, length) => {
                    self.at += length;
                    match item {
                        Item::Row(_) => self.counts.rows += 1,
                        Item::Entry(_) => self.counts.entries += 1,
                    }
                    return Ok(Some(item));
                }
                Decoded::Nonsense => return Err(self.damaged("an item of no known kind")),
                Decoded::Partial if self.manifest.is_some() => return self.ended().map(|()| None),
                Decoded::Partial => self.frame()?,
            }
        }
    }

    /// Whether the manifest was made with this key; asked at the end.
    pub fn is_genuine(&self, key: &MacKey) -> bool {
        self.manifest.as_ref().is_some_and(|(fields, mac)| frame::mac_holds(key, fields, mac))
    }

    fn frame(&mut self) -> Result<(), BackupError> {
        let from = self.offset;
        let mut head = self.take(START_BYTES)?;
        let foreign = head.get(1..) != Some(self.header.backup.as_slice());
        match head.first() {
            Some(&CHUNK) => {
                head.extend(self.take(CHUNK_REST)?);
                self.chunk(from, foreign, &head)
            }
            Some(&MANIFEST) => {
                head.extend(self.take(MANIFEST_REST)?);
                self.manifest(from, foreign, &head)
            }
            _ => Err(BackupError::Damaged { offset: from, what: "neither a chunk nor the manifest" }),
        }
    }

    fn chunk(&mut self, from: u64, foreign: bool, head: &[u8]) -> Result<(), BackupError> {
        let damaged = |what| BackupError::Damaged { offset: from, what };
        let mut fields = strongroom_barrier::Reader::new(head.get(START_BYTES..).unwrap_or_default());
        let (index, length) = fields.u64().zip(fields.u32()).ok_or_else(|| damaged("a chunk's head"))?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 || length > CHUNK_BYTES {
            return Err(damaged("a chunk's length"));
        }
        let items = self.take(length)?;
        let digest = self.take(32)?;
        let expected = frame::chunk_digest(head, &items);
        if digest != expected {
            return Err(damaged("a chunk does not match its digest"));
        }
        if foreign {
            return Err(BackupError::Foreign { index, offset: from });
        }
        if index != self.counts.chunks {
            return Err(BackupError::Misplaced { found: index, expected: self.counts.chunks, offset: from });
        }
        self.running = frame::run_on(&self.running, &expected);
        self.counts.chunks += 1;
        self.counts.bytes = self.counts.bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.waiting.drain(..self.at);
        self.at = 0;
        self.waiting.extend(items);
        Ok(())
    }

    fn manifest(&mut self, from: u64, foreign: bool, bytes: &[u8]) -> Result<(), BackupError> {
        let damaged = |what| BackupError::Damaged { offset: from, what };
        let split = |bytes: &[u8]| {
            let (rest, digest) = bytes.split_last_chunk::<32>()?;
            let (fields, mac) = rest.split_last_chunk::<32>()?;
            Some((fields.to_vec(), *mac, *digest))
        };
        let (fields, mac, digest) = split(bytes).ok_or_else(|| damaged("the manifest"))?;
        if frame::manifest_digest(&fields, &mac) != digest {
            return Err(damaged("the manifest does not match its digest"));
        }
        if foreign {
            return Err(BackupError::Foreign { index: self.counts.chunks, offset: from });
        }
        self.manifest = Some((fields, mac));
        let mut more = [0];
        match self.source.read(&mut more).map_err(BackupError::Read)? {
            0 => Ok(()),
            _ => Err(BackupError::Trailing { offset: self.offset }),
        }
    }

    /// Everything has been read: does the manifest say the same?
    fn ended(&self) -> Result<(), BackupError> {
        let left = self.waiting.len() - self.at;
        let expected = frame::manifest_fields(&self.header.backup, &self.counts, &self.running);
        if left > 0 || self.manifest.as_ref().is_none_or(|(fields, _)| *fields != expected) {
            return Err(self.damaged("the manifest counts other chunks or items than there are"));
        }
        Ok(())
    }

    fn damaged(&self, what: &'static str) -> BackupError {
        BackupError::Damaged { offset: self.offset, what }
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::with_capacity(count);
        let wanted = u64::try_from(count).unwrap_or(u64::MAX);
        let read = self.source.by_ref().take(wanted).read_to_end(&mut bytes).map_err(BackupError::Read)?;
        self.offset = self.offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if read == count { Ok(bytes) } else { Err(BackupError::Cut { offset: self.offset }) }
    }
}
