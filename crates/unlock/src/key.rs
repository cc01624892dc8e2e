//! An unlock key: what one person keeps.

use crate::layout::fixed;
use crate::text::{self, KeyTextError};
use crate::{SetId, wrapping::Label};
use strongroom_crypto::{derive_key, sha256_parts};
use strongroom_secret::{SecretArray, SecretBytes};

const PREFIX: &str = "sruk";
const CHECKSUM_DOMAIN: Label = b"sr-unlock-key-v1";
const VERIFIER: Label = b"sr-unlock-verify";
/// `set id | index | secret | checksum`
const TEXT_BYTES: usize = 8 + 1 + 32 + 4;

/// Proves that a presented key is the one that was made, and reveals nothing usable.
pub(crate) type Verifier = [u8; 32];

/// One unlock key: shown once when its set is made, kept by a person, presented to unlock.
pub struct UnlockKey {
    set: SetId,
    index: u8,
    secret: SecretArray<32>,
}

impl UnlockKey {
    /// The version of the keys that this program makes, and the only one that it knows.
    pub const VERSION: u8 = 1;

    pub(crate) fn new(set: SetId, index: u8, secret: SecretArray<32>) -> Self {
        Self { set, index, secret }
    }

    /// Reads a key as a person typed it. Case, white space and dashes do not matter; an empty or overlong input is
    /// malformed; a slip is found by the checksum.
    pub fn parse(text: &[u8]) -> Result<Self, KeyTextError> {
        text::read(PREFIX, TEXT_BYTES, text)?.expose(Self::from_bytes)
    }

    /// The key as text, to be shown once: `sruk1-` and nine groups of eight symbols.
    ///
    /// ```
    /// # use strongroom_ambient::Ambient;
    /// # let ambient = Ambient::system();
    /// # let root = strongroom_keyring::RootKey::filled(|bytes| ambient.entropy.fill(bytes));
    /// let (_, keys) = strongroom_unlock::UnlockSet::generate(&ambient, &root, 1, 1, 1)?;
    /// keys[0].to_text().expose(|text| assert!(text.starts_with(b"sruk1-") && text.len() == 86));
    /// # Ok::<(), strongroom_unlock::SetError>(())
    /// ```
    pub fn to_text(&self) -> SecretBytes {
        self.secret.expose(|secret| {
            let checksum = checksum(self.set, self.index, secret);
            let mut bytes = Vec::with_capacity(TEXT_BYTES);
            for part in [self.set.as_slice(), &[self.index], secret, &checksum] {
                bytes.extend_from_slice(part);
            }
            SecretBytes::new(bytes).expose(|bytes| text::write(PREFIX, bytes))
        })
    }

    /// The version of this key.
    pub fn version(&self) -> u8 {
        Self::VERSION
    }

    /// The set that the key belongs to.
    pub fn set_id(&self) -> SetId {
        self.set
    }

    /// Its number in the set, from 1.
    pub fn index(&self) -> u8 {
        self.index
    }

    pub(crate) fn secret(&self) -> &SecretArray<32> {
        &self.secret
    }

    pub(crate) fn verifier(&self) -> Verifier {
        self.secret
            .expose(|secret| derive_key(secret, &[VERIFIER, &self.set, &[self.index]]).expose(|bytes| *bytes))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, KeyTextError> {
        let malformed = KeyTextError::Malformed;
        let (set, rest) = bytes.split_first_chunk::<8>().ok_or(malformed)?;
        let ([index], rest) = rest.split_first_chunk::<1>().ok_or(malformed)?;
        let (secret, found) = rest.split_first_chunk::<32>().ok_or(malformed)?;
        if !strongroom_secret::bytes_eq(&checksum(*set, *index, secret), found) {
            return Err(KeyTextError::Checksum);
        }
        if *index == 0 {
            return Err(malformed);
        }
        Ok(Self::new(*set, *index, SecretArray::filled(|bytes| *bytes = *secret)))
    }
}

impl std::fmt::Debug for UnlockKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnlockKey")
    }
}

fn checksum(set: SetId, index: u8, secret: &[u8; 32]) -> [u8; 4] {
    fixed(sha256_parts(&[CHECKSUM_DOMAIN, &set, &[index], secret]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(index: u8) -> UnlockKey {
        UnlockKey::new(
            [7; 8],
            index,
            SecretArray::filled(|bytes| *bytes = std::array::from_fn(|i| u8::try_from(i).unwrap())),
        )
    }

    fn text(key: &UnlockKey) -> String {
        key.to_text().expose(|text| String::from_utf8(text.to_vec()).unwrap())
    }

    #[test]
    fn a_key_survives_its_text() {
        let read = UnlockKey::parse(text(&key(255)).as_bytes()).unwrap();
        assert_eq!((read.set_id(), read.index(), read.version()), ([7; 8], 255, 1));
        assert!(bool::from(strongroom_secret::ct_eq(read.secret(), key(255).secret())));
    }

    #[test]
    fn every_single_slip_is_found() {
        let right = text(&key(3));
        for place in 6..right.len() {
            for symbol in "0123456789abcdefghjkmnpqrstvwxyz".chars() {
                if right[place..].starts_with(['-', symbol]) {
                    continue;
                }
                let mut slipped = right.clone();
                slipped.replace_range(place..=place, &symbol.to_string());
                assert_eq!(
                    UnlockKey::parse(slipped.as_bytes()).unwrap_err(),
                    KeyTextError::Checksum,
                    "{place}"
                );
            }
        }
    }

    #[test]
    fn two_symbols_exchanged_are_found() {
        let right: Vec<u8> = text(&key(3)).bytes().filter(|symbol| *symbol != b'-').collect();
        for place in 5..right.len() - 1 {
            let mut slipped = right.clone();
            slipped.swap(place, place + 1);
            if slipped != right {
                assert_eq!(UnlockKey::parse(&slipped).unwrap_err(), KeyTextError::Checksum);
            }
        }
    }

    #[test]
    fn malformed_texts_and_versions_are_told_apart() {
        let right = text(&key(3));
        assert_eq!(UnlockKey::parse(b"").unwrap_err(), KeyTextError::Malformed);
        assert_eq!(UnlockKey::parse(&right.as_bytes()[..85]).unwrap_err(), KeyTextError::Malformed);
        assert_eq!(UnlockKey::parse(text(&key(0)).as_bytes()).unwrap_err(), KeyTextError::Malformed);
        let newer = right.replace("sruk1", "sruk2");
        assert_eq!(UnlockKey::parse(newer.as_bytes()).unwrap_err(), KeyTextError::UnknownVersion);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(UnlockKey::parse(&bytes).is_err());
        }

        /// Of the right alphabet and length, one text in 2^32 has a right checksum.
        #[test]
        fn symbols_by_chance_are_a_slip(symbols in "[0-9a-hjkmnp-tv-z]{72}") {
            let judged = UnlockKey::parse(format!("sruk1-{symbols}").as_bytes());
            prop_assert_eq!(judged.unwrap_err(), KeyTextError::Checksum);
        }
    }

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", key(1)), "UnlockKey");
    }
}
