//! Records: `format u8 | term u32 | nonce 12 | ciphertext | tag 16`, big endian.

use crate::keyset::Keyset;
use strongroom_ambient::Ambient;
use strongroom_crypto::{NONCE_BYTES, Nonce, Rejected, SealingKey, TAG_BYTES, derive_key};
use strongroom_model::{FolderId, KeysetId, ObjectId, PartitionId};
use strongroom_secret::SecretBytes;

/// Format of records written now.
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 1 + 4 + NONCE_BYTES;
const CONTEXT: &[u8] = b"strongroom record v1";

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// What a record is. Numbers are part of the format: added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $name = $code,)*
        }
    };
}

kinds! {
    /// A version of a secret.
    SecretVersion = 1;
    /// A directory entry: a name and what it names.
    Entry = 2;
    /// A store's metadata.
    Store = 3;
    /// Which keyset a store is attached to.
    KeyMap = 4;
    /// How many entries a folder has.
    Count = 5;
    /// A user.
    User = 6;
    /// A credential.
    Credential = 7;
    /// A token.
    Token = 8;
    /// An entry of the trail.
    Trail = 9;
    /// The key that signs checkpoints.
    CheckpointKey = 10;
    /// The outcome of a request, for its repetition.
    Outcome = 11;
    /// The clock's high-water mark.
    Clock = 12;
    /// A long job.
    Job = 13;
    /// A group.
    Group = 16;
    /// An ACL.
    Acl = 17;
    /// A password's hash.
    Password = 18;
    /// A record of the attribute authority.
    Sharing = 19;
}

/// Where records of a sealer lie: the part of their associated data that they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The partition.
    pub partition: PartitionId,
    /// The store or other folder; zeros for what lies in no folder.
    pub folder: FolderId,
    /// The kind.
    pub kind: Kind,
}

/// A record did not open: it is damaged, or it is not the record of this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Too short.
    #[error("record is too short")]
    Malformed,
    /// An unknown format.
    #[error("record has unknown format {0}")]
    Format(u8),
    /// A term that the keyset does not have.
    #[error("record names term {0}, which its keyset does not have")]
    Term(u32),
    /// Authentication failed.
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

/// Seals and opens the records of one place. Keys are derived once, when it is made.
#[derive(Debug)]
pub struct Sealer {
    place: Place,
    keyset: KeysetId,
    write_term: u32,
    keys: Vec<(u32, SealingKey)>,
}

impl Sealer {
    /// Derives the sealing keys of a place, one a term (HKDF over term, partition, folder, kind).
    pub fn new(keyset: &Keyset, place: Place) -> Self {
        let keys = keyset
            .terms()
            .iter()
            .map(|term| {
                let kind = [place.kind as u8];
                let context: [&[u8]; 4] = [CONTEXT, &place.partition.0, &place.folder.0, &kind];
                let derived = term.key.expose(|bytes| derive_key(bytes, &context));
                (term.number, derived.expose(SealingKey::new))
            })
            .collect();
        Self { place, keyset: keyset.id(), write_term: keyset.write_term(), keys }
    }

    /// Seals under the write term, with a fresh nonce.
    pub fn seal(&self, ambient: &Ambient, object: &ObjectId, version: u64, plaintext: &[u8]) -> Vec<u8> {
        let mut record = Vec::with_capacity(HEADER_BYTES + plaintext.len() + TAG_BYTES);
        self.seal_into(ambient, object, version, plaintext, &mut record);
        record
    }

    /// Seals as [`Self::seal`] does, appending to a buffer.
    pub fn seal_into(
        &self,
        ambient: &Ambient,
        object: &ObjectId,
        version: u64,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) {
        let Some((term, key)) = self.key(self.write_term) else {
            unreachable!("a keyset has its write term");
        };
        let nonce: Nonce = ambient.random();
        out.push(FORMAT);
        out.extend_from_slice(&term.to_be_bytes());
        out.extend_from_slice(&nonce);
        key.seal_into(&nonce, &self.associated(term, object, version), plaintext, out);
    }

    /// Opens a record of this place.
    pub fn open(&self, object: &ObjectId, version: u64, record: &[u8]) -> Result<SecretBytes, OpenError> {
        let (header, body) = record.split_at_checked(HEADER_BYTES).ok_or(OpenError::Malformed)?;
        let (format, term, nonce) = parse_header(header).ok_or(OpenError::Malformed)?;
        if format != FORMAT {
            return Err(OpenError::Format(format));
        }
        let (_, key) = self.key(term).ok_or(OpenError::Term(term))?;
        Ok(key.open(&nonce, &self.associated(term, object, version), body)?)
    }

    /// The term a record was sealed under, for a rewriter.
    pub fn term_of(record: &[u8]) -> Option<u32> {
        parse_header(record.get(..HEADER_BYTES)?).map(|(_, term, _)| term)
    }

    fn key(&self, term: u32) -> Option<(u32, &SealingKey)> {
        self.keys.iter().find(|(number, _)| *number == term).map(|(number, key)| (*number, key))
    }

    /// Fixed width: format, kind, partition, folder, object, version, keyset, term.
    fn associated(&self, term: u32, object: &ObjectId, version: u64) -> [u8; 78] {
        let mut out = [0; 78];
        let fields: [&[u8]; 8] = [
            &[FORMAT],
            &[self.place.kind as u8],
            &self.place.partition.0,
            &self.place.folder.0,
            &object.0,
            &version.to_be_bytes(),
            &self.keyset.0,
            &term.to_be_bytes(),
        ];
        for (to, from) in out.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        out
    }
}

fn parse_header(header: &[u8]) -> Option<(u8, u32, Nonce)> {
    let (format, rest) = header.split_first()?;
    let (term, nonce) = rest.split_first_chunk::<4>()?;
    Some((*format, u32::from_be_bytes(*term), nonce.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyset::tests::keyset;
    use strongroom_ambient::{FakeClock, SeededEntropy, UnixMillis};

    fn ambient(seed: u64) -> Ambient {
        Ambient {
            clock: std::sync::Arc::new(FakeClock::at(UnixMillis(0))),
            entropy: std::sync::Arc::new(SeededEntropy::new(seed)),
        }
    }

    fn place() -> Place {
        Place { partition: PartitionId([1; 16]), folder: FolderId([2; 16]), kind: Kind::SecretVersion }
    }

    const OBJECT: ObjectId = ObjectId([3; 16]);

    #[test]
    fn a_record_opens_only_in_its_own_place() {
        let sealer = Sealer::new(&keyset(2), place());
        let record = sealer.seal(&ambient(1), &OBJECT, 7, b"value");
        sealer.open(&OBJECT, 7, &record).unwrap().expose(|bytes| assert_eq!(bytes, b"value"));
        assert!(sealer.open(&OBJECT, 8, &record).is_err(), "version");
        assert!(sealer.open(&ObjectId([4; 16]), 7, &record).is_err(), "object");
        for other in [
            Place { partition: PartitionId([9; 16]), ..place() },
            Place { folder: FolderId([9; 16]), ..place() },
            Place { kind: Kind::Entry, ..place() },
        ] {
            assert!(Sealer::new(&keyset(2), other).open(&OBJECT, 7, &record).is_err(), "{other:?}");
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let sealer = Sealer::new(&keyset(1), place());
        let record = sealer.seal(&ambient(1), &OBJECT, 1, b"value");
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer.open(&OBJECT, 1, &damaged).is_err(), "bit {bit}");
        }
        for length in 0..record.len() {
            assert!(sealer.open(&OBJECT, 1, &record[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn records_of_older_terms_open_and_new_ones_use_the_write_term() {
        let old = Sealer::new(&keyset(1), place()).seal(&ambient(1), &OBJECT, 1, b"value");
        let sealer = Sealer::new(&keyset(2), place());
        assert!(sealer.open(&OBJECT, 1, &old).is_ok());
        assert_eq!(Sealer::term_of(&old), Some(1));
        assert_eq!(Sealer::term_of(&sealer.seal(&ambient(1), &OBJECT, 1, b"value")), Some(2));
        let newer = sealer.seal(&ambient(1), &OBJECT, 1, b"value");
        assert_eq!(
            Sealer::new(&keyset(1), place()).open(&OBJECT, 1, &newer).unwrap_err(),
            OpenError::Term(2)
        );
    }

    #[test]
    fn equal_values_make_different_records() {
        let sealer = Sealer::new(&keyset(1), place());
        let ambient = ambient(1);
        assert_ne!(sealer.seal(&ambient, &OBJECT, 1, b"v"), sealer.seal(&ambient, &OBJECT, 1, b"v"));
    }

    /// `vectors/keyring/record-v1.hex`: written by this code on 2026-11-22, opened for ever.
    #[test]
    fn golden_record_opens() {
        let sealer = Sealer::new(&keyset(1), place());
        let golden = include_str!("../../../vectors/keyring/record-v1.hex").trim();
        let record = sealer.seal(&ambient(42), &OBJECT, 7, b"golden");
        assert_eq!(data_encoding::HEXLOWER.encode(&record), golden);
        sealer.open(&OBJECT, 7, &record).unwrap().expose(|bytes| assert_eq!(bytes, b"golden"));
    }
}
