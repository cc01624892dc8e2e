//! Writing: items in, bytes out.

use crate::frame::{self, CHUNK, CHUNK_BYTES, Counts};
use crate::header::Header;
use crate::items;
use strongroom_crypto::{Digest, MacKey};
use strongroom_store::Item;

/// Frames items as they come. Holds one chunk.
#[derive(Debug)]
pub struct Framer {
    backup: [u8; 16],
    chunk_bytes: usize,
    running: Digest,
    counts: Counts,
    waiting: Vec<u8>,
}

impl Framer {
    /// A framer, and the header that goes first.
    pub fn begin(header: &Header) -> (Self, Vec<u8>) {
        Self::with_chunks(header, CHUNK_BYTES)
    }

    pub(crate) fn with_chunks(header: &Header, chunk_bytes: usize) -> (Self, Vec<u8>) {
        let (bytes, running) = header.encode();
        let (backup, counts) = (header.backup, Counts::default());
        (Self { backup, chunk_bytes, running, counts, waiting: Vec::new() }, bytes)
    }

    /// Takes an item; appends what is ready to `out`.
    pub fn push(&mut self, item: &Item, out: &mut Vec<u8>) {
        match item {
            Item::Row(_) => self.counts.rows += 1,
            Item::Entry(_) => self.counts.entries += 1,
        }
        items::encode(item, &mut self.waiting);
        while self.waiting.len() >= self.chunk_bytes {
            self.cut(self.chunk_bytes, out);
        }
    }

    /// The last chunk and the manifest.
    pub fn finish(mut self, key: &MacKey, out: &mut Vec<u8>) {
        if !self.waiting.is_empty() {
            self.cut(self.waiting.len(), out);
        }
        let fields = frame::manifest_fields(&self.backup, &self.counts, &self.running);
        let mac = frame::mac(key, &fields);
        let digest = frame::manifest_digest(&fields, &mac);
        for part in [fields.as_slice(), &mac, &digest] {
            out.extend_from_slice(part);
        }
    }

    fn cut(&mut self, length: usize, out: &mut Vec<u8>) {
        let items: Vec<u8> = self.waiting.drain(..length).collect();
        let mut head = vec![CHUNK];
        head.extend_from_slice(&self.backup);
        head.extend_from_slice(&self.counts.chunks.to_be_bytes());
        head.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        let digest = frame::chunk_digest(&head, &items);
        for part in [head.as_slice(), &items, &digest] {
            out.extend_from_slice(part);
        }
        self.running = frame::run_on(&self.running, &digest);
        self.counts.chunks += 1;
        self.counts.bytes = self.counts.bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
}
