//! Frames behind the header: chunks and the manifest. Numbers are big-endian.
//!
//! ```text
//! chunk     'C' | backup 16 | index u64 | length u32 | items | digest 32
//! manifest  'M' | backup 16 | chunks u64 | rows u64 | entries u64 | bytes u64 | running 32 | mac 32 | digest 32
//! ```

use strongroom_crypto::{Digest, MacKey, sha256_parts};

pub(crate) const CHUNK: u8 = b'C';
pub(crate) const MANIFEST: u8 = b'M';

/// Items in a chunk are cut off here.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Tag and backup: what both frames begin with.
pub(crate) const START_BYTES: usize = 1 + 16;
/// Index and length of a chunk.
pub(crate) const CHUNK_REST: usize = 8 + 4;
/// What follows the start of a manifest.
pub(crate) const MANIFEST_REST: usize = 4 * 8 + 3 * 32;

const CHUNK_LABEL: &[u8] = b"strongroom backup chunk v1\0";
const RUNNING_LABEL: &[u8] = b"strongroom backup running v1\0";
const MAC_LABEL: &[u8] = b"strongroom backup mac v1\0";
const MANIFEST_LABEL: &[u8] = b"strongroom backup manifest v1\0";

/// Over one chunk, without its digest.
pub(crate) fn chunk_digest(head: &[u8], items: &[u8]) -> Digest {
    sha256_parts(&[CHUNK_LABEL, head, items])
}

/// Over the header's digest and those of all chunks so far.
pub(crate) fn run_on(running: &Digest, chunk: &Digest) -> Digest {
    sha256_parts(&[RUNNING_LABEL, running, chunk])
}

/// What the manifest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) chunks: u64,
    pub(crate) rows: u64,
    pub(crate) entries: u64,
    /// Of items.
    pub(crate) bytes: u64,
}

/// The manifest, up to its MAC.
pub(crate) fn manifest_fields(backup: &[u8; 16], counts: &Counts, running: &Digest) -> Vec<u8> {
    let mut out = vec![MANIFEST];
    out.extend_from_slice(backup);
    for count in [counts.chunks, counts.rows, counts.entries, counts.bytes] {
        out.extend_from_slice(&count.to_be_bytes());
    }
    out.extend_from_slice(running);
    out
}

pub(crate) fn mac(key: &MacKey, fields: &[u8]) -> Digest {
    key.sign(&[MAC_LABEL, fields])
}

pub(crate) fn mac_holds(key: &MacKey, fields: &[u8], mac: &[u8]) -> bool {
    key.verify(&[MAC_LABEL, fields], mac)
}

/// Over the whole manifest, its MAC included: a flipped bit is found without keys.
pub(crate) fn manifest_digest(fields: &[u8], mac: &[u8]) -> Digest {
    sha256_parts(&[MANIFEST_LABEL, fields, mac])
}
