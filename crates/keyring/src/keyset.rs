//! Keysets: named keyrings of terms, wrapped whole by their partition's KEK.

use crate::WrapError;
use crate::partition::{Kek, Wrapping};
use strongroom_ambient::Ambient;
use strongroom_model::{KeysetId, PartitionId};
use strongroom_secret::purpose;

purpose! {
    /// The key of one term: sealing keys are derived from it.
    pub struct TermKey([u8; 32]);
}

/// A term of a keyset: a number and its key.
#[derive(Debug)]
pub struct Term {
    /// From 1, never used again.
    pub number: u32,
    /// Its key.
    pub key: TermKey,
}

/// A keyring: the terms that can still be opened, and the one that seals.
#[derive(Debug)]
pub struct Keyset {
    id: KeysetId,
    terms: Vec<Term>,
    write_term: u32,
}

const TERM_BYTES: usize = 4 + 32;
/// Most terms that a keyset holds at a time.
const MAX_TERMS: usize = 1_000;

impl Keyset {
    /// A new keyset with one term.
    pub fn generate(ambient: &Ambient, id: KeysetId) -> Self {
        let key = TermKey::filled(|bytes| ambient.entropy.fill(bytes));
        Self { id, terms: vec![Term { number: 1, key }], write_term: 1 }
    }

    /// Its id.
    pub fn id(&self) -> KeysetId {
        self.id
    }

    /// Its terms, oldest first.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The term that seals new records.
    pub fn write_term(&self) -> u32 {
        self.write_term
    }

    /// The same keyset with one more term, which seals from now on; `None` if it is full.
    pub fn with_new_term(&self, ambient: &Ambient) -> Option<Self> {
        let newest = self.terms.iter().map(|term| term.number).max().unwrap_or(0);
        let number = newest.checked_add(1).filter(|_| self.terms.len() < MAX_TERMS)?;
        let mut terms = self.copied_from(0);
        terms.push(Term { number, key: TermKey::filled(|bytes| ambient.entropy.fill(bytes)) });
        Some(Self { id: self.id, terms, write_term: number })
    }

    /// The same keyset without the terms before `oldest`. The term that seals always stays.
    #[must_use]
    pub fn without_terms_before(&self, oldest: u32) -> Self {
        let oldest = oldest.min(self.write_term);
        Self { id: self.id, terms: self.copied_from(oldest), write_term: self.write_term }
    }

    fn copied_from(&self, oldest: u32) -> Vec<Term> {
        let kept = self.terms.iter().filter(|term| term.number >= oldest);
        kept.map(|term| {
            let key = TermKey::filled(|to| term.key.expose(|from| to.copy_from_slice(from)));
            Term { number: term.number, key }
        })
        .collect()
    }

    /// The generation of the KEK that wraps a row of a keyset.
    pub fn kek_generation_of(wrapped: &[u8]) -> Option<u32> {
        let (outer, _) = wrapped.get(1..)?.split_first_chunk::<8>()?;
        u32::try_from(u64::from_be_bytes(*outer)).ok()
    }

    /// Wraps the whole keyset: `format | KEK generation | nonce | ciphertext | tag`.
    pub fn wrap(&self, ambient: &Ambient, partition: PartitionId, kek: &Kek) -> Vec<u8> {
        let mut body = Vec::with_capacity(8 + self.terms.len() * TERM_BYTES);
        body.extend_from_slice(&self.write_term.to_be_bytes());
        body.extend_from_slice(&u32::try_from(self.terms.len()).unwrap_or(u32::MAX).to_be_bytes());
        for term in &self.terms {
            body.extend_from_slice(&term.number.to_be_bytes());
            term.key.expose(|bytes| body.extend_from_slice(bytes));
        }
        let plain = strongroom_secret::SecretBytes::new(body);
        let wrapping = Wrapping::keyset(partition, self.id, kek.generation());
        plain.expose(|bytes| wrapping.wrap(ambient, kek.wrapping_key(), bytes))
    }

    /// Unwraps a keyset; the id and partition must be those it was wrapped for.
    pub fn unwrap(
        partition: PartitionId,
        id: KeysetId,
        kek: &Kek,
        wrapped: &[u8],
    ) -> Result<Self, WrapError> {
        let wrapping = Wrapping::keyset(partition, id, kek.generation());
        let plain = wrapping.unwrap(kek.wrapping_key(), wrapped)?;
        plain.expose(|bytes| Self::parse(id, bytes)).ok_or(WrapError::Malformed)
    }

    fn parse(id: KeysetId, bytes: &[u8]) -> Option<Self> {
        let (write_term, rest) = bytes.split_first_chunk::<4>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
        if count == 0 || count > MAX_TERMS || rest.len() != count * TERM_BYTES {
            return None;
        }
        let mut terms = Vec::with_capacity(count);
        for chunk in rest.chunks_exact(TERM_BYTES) {
            let (number, key) = chunk.split_first_chunk::<4>()?;
            terms.push(Term { number: u32::from_be_bytes(*number), key: TermKey::copied(key)? });
        }
        let write_term = u32::from_be_bytes(*write_term);
        terms.iter().any(|term| term.number == write_term).then_some(Self { id, terms, write_term })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use strongroom_ambient::{FakeClock, SeededEntropy, UnixMillis};

    /// A keyset with fixed keys.
    pub(crate) fn keyset(terms: u32) -> Keyset {
        let term = |number: u32| Term {
            number,
            key: TermKey::filled(|bytes| bytes.fill(u8::try_from(number).unwrap())),
        };
        Keyset { id: KeysetId([5; 16]), terms: (1..=terms).map(term).collect(), write_term: terms }
    }

    fn ambient() -> Ambient {
        Ambient {
            clock: std::sync::Arc::new(FakeClock::at(UnixMillis(0))),
            entropy: std::sync::Arc::new(SeededEntropy::new(3)),
        }
    }

    const PARTITION: PartitionId = PartitionId([1; 16]);

    #[test]
    fn a_wrapped_keyset_opens_with_its_kek_and_in_its_place_only() {
        let ambient = ambient();
        let kek = Kek::generate(&ambient, 1);
        let wrapped = keyset(3).wrap(&ambient, PARTITION, &kek);
        let open = |partition, id, kek: &Kek| Keyset::unwrap(partition, id, kek, &wrapped);
        let opened = open(PARTITION, KeysetId([5; 16]), &kek).unwrap();
        assert_eq!((opened.terms().len(), opened.write_term()), (3, 3));
        assert!(opened.terms()[1].key.same_as(&keyset(3).terms()[1].key));
        assert!(open(PartitionId([2; 16]), KeysetId([5; 16]), &kek).is_err());
        assert!(open(PARTITION, KeysetId([6; 16]), &kek).is_err());
        assert!(open(PARTITION, KeysetId([5; 16]), &Kek::generate(&ambient, 1)).is_err());
    }

    #[test]
    fn a_new_term_seals_and_the_old_ones_stay_until_they_are_retired() {
        let ambient = ambient();
        let grown = keyset(2).with_new_term(&ambient).unwrap();
        assert_eq!((grown.terms().len(), grown.write_term()), (3, 3));
        assert!(grown.terms()[0].key.same_as(&keyset(2).terms()[0].key));
        let numbers = |keyset: &Keyset| keyset.terms().iter().map(|term| term.number).collect::<Vec<_>>();
        assert_eq!(numbers(&grown.without_terms_before(3)), [3]);
        assert_eq!(numbers(&grown.without_terms_before(2)), [2, 3]);
        assert_eq!(numbers(&grown.without_terms_before(9)), [3], "the term that seals stays");
        let next = grown.without_terms_before(3).with_new_term(&ambient).unwrap();
        assert_eq!(numbers(&next), [3, 4], "a number is never used again");
        let kek = Kek::generate(&ambient, 7);
        assert_eq!(Keyset::kek_generation_of(&next.wrap(&ambient, PARTITION, &kek)), Some(7));
    }

    #[test]
    fn every_flipped_bit_of_a_wrapped_keyset_is_found() {
        let ambient = ambient();
        let kek = Kek::generate(&ambient, 1);
        let wrapped = keyset(1).wrap(&ambient, PARTITION, &kek);
        for bit in 0..wrapped.len() * 8 {
            let mut damaged = wrapped.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Keyset::unwrap(PARTITION, KeysetId([5; 16]), &kek, &damaged).is_err(), "bit {bit}");
        }
    }
}
