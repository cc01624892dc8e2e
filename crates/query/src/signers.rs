//! Whose signature is whose: the keys of the authority's manifest.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use strongroom_envelope::{MemberKeys, SealedRecord, Signed, SignedError};
use strongroom_sharing::authority::Manifest;
use strongroom_sharing::{MemberId, SignedText};

/// The signing keys of all members. Keys that a member had before stay, for the records of then.
#[derive(Debug, Default)]
pub struct Signers {
    keys: HashMap<MemberId, MemberKeys>,
    epoch: u64,
}

impl Signers {
    /// Those of a manifest, which its reader has checked. A key that is none checks nothing.
    pub fn of(manifest: &Manifest) -> Self {
        let keys = manifest.members.iter().map(|member| (member.id, MemberKeys::of(member)));
        Self { keys: keys.collect(), epoch: manifest.epoch }
    }

    /// The present epoch, which no collector can have ended.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether a member is known.
    pub fn knows(&self, member: MemberId) -> bool {
        self.keys.contains_key(&member)
    }

    /// Whether a record is signed by its collector.
    pub fn signed(&self, record: &SealedRecord<'_>) -> bool {
        self.keys.get(&record.id().collector).is_some_and(|keys| keys.signed(record))
    }

    /// A document that a member signed, and the last record that it speaks of.
    pub fn document<T: DeserializeOwned>(
        &self,
        member: MemberId,
        text: &SignedText,
        context: &str,
        last_record: impl Fn(&T) -> u64,
    ) -> Result<T, SignedError> {
        let keys = self.keys.get(&member).ok_or(SignedError::OtherKey)?;
        keys.document(&Signed::<T>::from(text.clone()), context, last_record)
    }
}
