//! Lives: a restored backup begins another, with an incarnation of its own; this is where it came from.

use crate::checkpoint::Checkpoint;
use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Writer};
use strongroom_crypto::sha256_parts;
use strongroom_store::TrailHead;

const FORMAT: u8 = 1;
const LABEL: &[u8] = b"strongroom life v1\0";

/// The beginning of a life: the backup that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The incarnation that made the backup.
    pub before: [u8; 16],
    /// The incarnation that began with the restore.
    pub incarnation: [u8; 16],
    /// The backup.
    pub backup: [u8; 16],
    /// The last entry in the backup: both lives share the trail up to here.
    pub at: TrailHead,
    /// When the backup was made.
    pub made: UnixMillis,
    /// When it was restored.
    pub restored: UnixMillis,
}

impl Life {
    /// As a row's value: `format u8 | before | incarnation | backup | seq u64 | link | made i64 | restored i64 | digest`.
    pub fn encode(&self) -> Vec<u8> {
        let fields = Writer::new()
            .u8(FORMAT)
            .raw(&self.before)
            .raw(&self.incarnation)
            .raw(&self.backup)
            .u64(self.at.seq)
            .raw(&self.at.hash)
            .i64(self.made.0)
            .i64(self.restored.0)
            .finish();
        let digest = sha256_parts(&[LABEL, &fields]);
        Writer::new().raw(&fields).raw(&digest).finish()
    }

    /// From a row's value, if it is one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, digest) = bytes.split_last_chunk::<32>()?;
        let mut reader = Reader::new(fields);
        (reader.u8()? == FORMAT && sha256_parts(&[LABEL, fields]) == *digest).then_some(())?;
        let life = Self {
            before: reader.array()?,
            incarnation: reader.array()?,
            backup: reader.array()?,
            at: TrailHead { seq: reader.u64()?, hash: reader.array()? },
            made: UnixMillis(reader.i64()?),
            restored: UnixMillis(reader.i64()?),
        };
        reader.rest().is_empty().then_some(life)
    }

    /// Whether a checkpoint was signed in the life before this one.
    pub fn follows(&self, checkpoint: &Checkpoint) -> bool {
        self.before == checkpoint.incarnation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life() -> Life {
        Life {
            before: [1; 16],
            incarnation: [2; 16],
            backup: [3; 16],
            at: TrailHead { seq: 9, hash: [4; 32] },
            made: UnixMillis(5),
            restored: UnixMillis(6),
        }
    }

    #[test]
    fn a_life_round_trips() {
        assert_eq!(Life::decode(&life().encode()), Some(life()));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let encoded = life().encode();
        for bit in 0..encoded.len() * 8 {
            let mut damaged = encoded.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Life::decode(&damaged), None, "bit {bit}");
        }
        assert_eq!(Life::decode(&[]), None);
    }
}
