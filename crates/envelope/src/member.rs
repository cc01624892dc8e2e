//! Whose signature is whose: a member's keys, the present one and those that it took the place of.

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use strongroom_crypto::PublicKey;
use strongroom_sharing::authority::MemberOf;

use crate::record::SealedRecord;
use crate::signed::{Signed, SignedError};

/// A key, and the last record that it counts for.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    key: PublicKey,
    last: u64,
}

/// The keys that a member's signatures are checked with. One that was replaced counts for what was signed before: records
/// up to the one that was the last then, and words about no later ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MemberKeys(Vec<Held>);

impl MemberKeys {
    /// Those of a member as the authority's manifest has it. A key that is none checks nothing.
    pub fn of(member: &MemberOf) -> Self {
        let last = |text: &String, is_present: bool| {
            let replaced = member.replaced.iter().find(|replaced| !is_present && replaced.key == *text);
            // of what was replaced before this was written down nothing is known
            replaced.map_or(u64::MAX, |replaced| replaced.last)
        };
        let held = |(place, text): (usize, &String)| {
            let key = PublicKey::from_spki(&BASE64.decode(text.as_bytes()).ok()?).ok()?;
            Some(Held { key, last: last(text, place == 0) })
        };
        Self(member.signing_keys.iter().enumerate().filter_map(held).collect())
    }

    /// Of a member that has one key, and had none before.
    pub fn present(key: PublicKey) -> Self {
        Self(vec![Held { key, last: u64::MAX }])
    }

    /// The keys that count for a record.
    pub fn for_record(&self, sequence: u64) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().filter(move |held| sequence <= held.last).map(|held| &held.key)
    }

    /// The present key: for what is of no record.
    pub fn now(&self) -> Option<&PublicKey> {
        self.0.first().map(|held| &held.key)
    }

    /// Whether a record is signed by a key that counts for it.
    pub fn signed(&self, record: &SealedRecord<'_>) -> bool {
        self.for_record(record.id().sequence).any(|key| record.verify(key).is_ok())
    }

    /// A document that the member signed, with a key that counts for the last record that it speaks of.
    ///
    /// # Errors
    /// If it is not the member's.
    pub fn document<T: DeserializeOwned>(
        &self,
        signed: &Signed<T>,
        context: &str,
        last_record: impl Fn(&T) -> u64,
    ) -> Result<T, SignedError> {
        let mut last = SignedError::OtherKey;
        for held in &self.0 {
            match signed.verify(&held.key, context) {
                Ok(document) if last_record(&document) <= held.last => return Ok(document),
                Ok(_) => last = SignedError::Replaced,
                // of the key that it names, not of those that it does not
                Err(SignedError::OtherKey) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_crypto::PrivateKey;
    use strongroom_sharing::MemberId;
    use strongroom_sharing::authority::{Head, Replaced};

    const CONTEXT: &str = "strongroom sharing head v1";

    fn key(seed: u8) -> (PrivateKey, PublicKey, String) {
        let key = PrivateKey::ed25519_from_seed(&[seed; 32]).unwrap();
        let public = key.public_key().unwrap();
        let text = BASE64.encode(public.spki());
        (key, public, text)
    }

    fn member(keys: &[&String], replaced: &[(&String, u64)]) -> MemberOf {
        MemberOf {
            id: MemberId([1; 16]),
            signing_keys: keys.iter().map(|key| (*key).clone()).collect(),
            active: true,
            replaced: replaced
                .iter()
                .map(|(key, last)| Replaced { key: (*key).clone(), last: *last })
                .collect(),
        }
    }

    #[test]
    fn a_replaced_key_counts_up_to_where_it_was_replaced() {
        let ((_, now, present), (_, old, replaced), (_, older, unknown)) = (key(1), key(2), key(3));
        let keys = MemberKeys::of(&member(&[&present, &replaced, &unknown], &[(&replaced, 7)]));
        assert_eq!(keys.for_record(7).collect::<Vec<_>>(), [&now, &old, &older]);
        assert_eq!(keys.for_record(8).collect::<Vec<_>>(), [&now, &older]);
        assert_eq!(keys.now(), Some(&now));
        // one that is present again is not one that was replaced
        let again = MemberKeys::of(&member(&[&replaced, &present], &[(&replaced, 7), (&present, 9)]));
        assert_eq!(again.for_record(10).collect::<Vec<_>>(), [&old]);
        assert_eq!(MemberKeys::of(&member(&[&"AAAA".to_owned()], &[])).now(), None);
    }

    #[test]
    fn a_word_about_later_records_does_not_count_by_a_replaced_key() {
        let ((_, _, present), (old, _, replaced)) = (key(1), key(2));
        let keys = MemberKeys::of(&member(&[&present, &replaced], &[(&replaced, 7)]));
        let said = |sequence| {
            let head = Head { collector: MemberId([1; 16]), sequence, digest: "00".repeat(32), at: 1 };
            let signed = Signed::sign(&head, &old, CONTEXT).unwrap();
            keys.document(&signed, CONTEXT, |head| head.sequence).map(|head| head.sequence)
        };
        assert_eq!(said(7), Ok(7));
        assert_eq!(said(8), Err(SignedError::Replaced));
    }
}
