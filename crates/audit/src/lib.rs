//! The trail: what was asked, by whom, what was decided and what became of it.
//!
//! **What it is for.** [`Record`] is one entry before and after sealing; [`link`] chains entries; [`Checkpoint`]
//! signs the chain's head; a [`Segment`] is the trail's front, moved out into a file; [`verify`] checks all of it.
//!
//! **What it promises.** An entry shows its request id and its verdict, everything else is sealed under the trail's
//! keyset; while locked, when there is no key, entries carry no names. The chain hashes ciphertext: it is checked
//! without keys. An entry that was edited, removed, reordered or cut is found, and the first bad one named; a whole
//! directory rolled back, and a tail cut after the last signed checkpoint, only against a checkpoint kept elsewhere.
//!
//! **What it does not know.** When entries are written: the gate decides, the store's writer numbers them.

mod checkpoint;
mod life;
mod record;
mod segment;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, CheckpointKey};
pub use life::Life;
pub use record::{Decision, EntryError, Record, Verdict, Who};
pub use segment::{Segment, SegmentDir, SegmentError, SegmentReader, SegmentWriter};
pub use verify::{Fault, Proof, Report, segments, verify};

use strongroom_crypto::sha256_parts;

/// An entry's link: SHA-256 over a label, the link before, sequence number, verdict, length and body.
pub fn link(previous: &[u8; 32], seq: u64, verdict: u8, body: &[u8]) -> [u8; 32] {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    sha256_parts(&[b"strongroom trail v1\0", previous, &seq.to_be_bytes(), &[verdict], &length, body])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_link_depends_on_everything() {
        let base = super::link(&[0; 32], 1, 1, b"body");
        assert_ne!(base, super::link(&[1; 32], 1, 1, b"body"));
        assert_ne!(base, super::link(&[0; 32], 2, 1, b"body"));
        assert_ne!(base, super::link(&[0; 32], 1, 2, b"body"));
        assert_ne!(base, super::link(&[0; 32], 1, 1, b"bodY"));
    }

    /// `vectors/audit/link-v1.hex`: computed independently with Python's hashlib.
    #[test]
    fn golden_link_holds() {
        let golden = include_str!("../../../vectors/audit/link-v1.hex").trim();
        let link = super::link(&[7; 32], 258, 3, b"golden body");
        assert_eq!(data_encoding::HEXLOWER.encode(&link), golden);
    }
}
