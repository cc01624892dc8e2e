//! The mark that a server keeps of its last backup.

use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Writer};
use strongroom_crypto::sha256_parts;

const FORMAT: u8 = 1;
const LABEL: &[u8] = b"strongroom backup mark v1\0";

/// The last backup: shown in the status, so that a forgotten one is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The backup.
    pub backup: [u8; 16],
    /// When it was made.
    pub made: UnixMillis,
    /// The last entry in it.
    pub seq: u64,
}

impl Mark {
    /// As a row's value: `format u8 | backup 16 | made i64 | seq u64 | digest 32`.
    pub fn encode(&self) -> Vec<u8> {
        let fields = Writer::new().u8(FORMAT).raw(&self.backup).i64(self.made.0).u64(self.seq).finish();
        let digest = sha256_parts(&[LABEL, &fields]);
        Writer::new().raw(&fields).raw(&digest).finish()
    }

    /// From a row's value, if it is one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, digest) = bytes.split_last_chunk::<32>()?;
        let mut reader = Reader::new(fields);
        (reader.u8()? == FORMAT && sha256_parts(&[LABEL, fields]) == *digest).then_some(())?;
        let mark = Self { backup: reader.array()?, made: UnixMillis(reader.i64()?), seq: reader.u64()? };
        reader.rest().is_empty().then_some(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_mark_is_found() {
        let mark = Mark { backup: [1; 16], made: UnixMillis(2), seq: 3 };
        let encoded = mark.encode();
        assert_eq!(Mark::decode(&encoded), Some(mark));
        for bit in 0..encoded.len() * 8 {
            let mut damaged = encoded.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Mark::decode(&damaged), None, "bit {bit}");
        }
    }
}
