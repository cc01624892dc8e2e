//! Checkpoints: the chain's head, signed with Ed25519.

use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Writer};
use strongroom_crypto::{PrivateKey, PublicKey};
use strongroom_store::TrailHead;

const LABEL: &[u8] = b"strongroom checkpoint v1\0";
const FORMAT: u8 = 1;

/// A signed head of the chain. Keep one elsewhere: it is what a rolled-back directory is found with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The incarnation of the data.
    pub incarnation: [u8; 16],
    /// The last entry covered, and its link.
    pub head: TrailHead,
    /// When it was signed.
    pub time: UnixMillis,
    /// The key that signed: Ed25519, 32 bytes.
    pub public_key: [u8; 32],
    /// The signature, 64 bytes.
    pub signature: Vec<u8>,
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Of an impossible shape.
    #[error("malformed checkpoint")]
    Malformed,
    /// The signature is not its key's.
    #[error("checkpoint's signature does not verify")]
    Signature,
    /// The key cannot sign.
    #[error("checkpoint key is unusable")]
    Key,
}

/// The key that signs checkpoints.
#[derive(Debug)]
pub struct CheckpointKey {
    private: PrivateKey,
    public: [u8; 32],
}

impl CheckpointKey {
    /// From its 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, CheckpointError> {
        let private = PrivateKey::ed25519_from_seed(seed).map_err(|_| CheckpointError::Key)?;
        let public = private.public_key().map_err(|_| CheckpointError::Key)?;
        let public = public.spki().last_chunk::<32>().copied().ok_or(CheckpointError::Key)?;
        Ok(Self { private, public })
    }

    /// The public half.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// Signs a head.
    pub fn sign(
        &self,
        incarnation: [u8; 16],
        head: TrailHead,
        time: UnixMillis,
    ) -> Result<Checkpoint, CheckpointError> {
        let mut checkpoint =
            Checkpoint { incarnation, head, time, public_key: self.public, signature: Vec::new() };
        checkpoint.signature = self.private.sign(&checkpoint.signed()).map_err(|_| CheckpointError::Key)?;
        Ok(checkpoint)
    }
}

impl Checkpoint {
    fn signed(&self) -> Vec<u8> {
        Writer::new().raw(LABEL).raw(&self.fields()).finish()
    }

    fn fields(&self) -> Vec<u8> {
        Writer::new()
            .raw(&self.incarnation)
            .u64(self.head.seq)
            .raw(&self.head.hash)
            .i64(self.time.0)
            .raw(&self.public_key)
            .finish()
    }

    /// Checks the signature against the key it names.
    pub fn check(&self) -> Result<(), CheckpointError> {
        const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let spki = [SPKI.as_slice(), &self.public_key].concat();
        let key = PublicKey::from_spki(&spki).map_err(|_| CheckpointError::Key)?;
        key.verify(&self.signed(), &self.signature).map_err(|_| CheckpointError::Signature)
    }

    /// As a row's value: `format u8 | fields | signature`.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().u8(FORMAT).raw(&self.fields()).bytes(&self.signature).finish()
    }

    /// From a row's value; the signature is not checked.
    pub fn decode(bytes: &[u8]) -> Result<Self, CheckpointError> {
        Self::parse(bytes).ok_or(CheckpointError::Malformed)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FORMAT).then_some(())?;
        let checkpoint = Self {
            incarnation: reader.array()?,
            head: TrailHead { seq: reader.u64()?, hash: reader.array()? },
            time: UnixMillis(reader.i64()?),
            public_key: reader.array()?,
            signature: reader.bytes()?.to_vec(),
        };
        reader.rest().is_empty().then_some(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Checkpoint {
        let key = CheckpointKey::from_seed(&[1; 32]).unwrap();
        key.sign([2; 16], TrailHead { seq: 9, hash: [3; 32] }, UnixMillis(4)).unwrap()
    }

    #[test]
    fn a_checkpoint_round_trips_and_verifies() {
        assert_eq!(signed().check(), Ok(()));
        assert_eq!(Checkpoint::decode(&signed().encode()), Ok(signed()));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let encoded = signed().encode();
        for bit in 0..encoded.len() * 8 {
            let mut damaged = encoded.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let verdict = Checkpoint::decode(&damaged).and_then(|checkpoint| checkpoint.check());
            assert!(verdict.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn another_key_can_sign_only_as_itself() {
        let other = CheckpointKey::from_seed(&[9; 32]).unwrap();
        let mut forged = other.sign([2; 16], signed().head, UnixMillis(4)).unwrap();
        forged.public_key = signed().public_key;
        assert_eq!(forged.check(), Err(CheckpointError::Signature));
    }
}
