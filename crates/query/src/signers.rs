//! Whose signature is whose: the keys of the authority's manifest.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use strongroom_crypto::PublicKey;
use strongroom_envelope::{SealedRecord, Signed, SignedError};
use strongroom_sharing::authority::Manifest;
use strongroom_sharing::{MemberId, SignedText};

/// The signing keys of all members. Keys that a member had before stay: its old records are signed with them.
#[derive(Debug, Default)]
pub struct Signers {
    keys: HashMap<MemberId, Vec<PublicKey>>,
    epoch: u64,
}

impl Signers {
    /// Those of a manifest, which its reader has checked. A key that is none checks nothing.
    pub fn of(manifest: &Manifest) -> Self {
        let key = |text: &String| PublicKey::from_spki(&BASE64.decode(text.as_bytes()).ok()?).ok();
        let all = manifest.members.iter();
        let keys =
            all.map(|member| (member.id, member.signing_keys.iter().filter_map(key).collect())).collect();
        Self { keys, epoch: manifest.epoch }
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
        let keys = self.keys.get(&record.id().collector);
        keys.is_some_and(|keys| keys.iter().any(|key| record.verify(key).is_ok()))
    }

    /// A document that a member signed.
    pub fn document<T: DeserializeOwned>(
        &self,
        member: MemberId,
        text: &SignedText,
        context: &str,
    ) -> Result<T, SignedError> {
        let signed = Signed::<T>::from(text.clone());
        let keys = self.keys.get(&member).map(Vec::as_slice).unwrap_or_default();
        let mut last = SignedError::OtherKey;
        for key in keys {
            match signed.verify(key, context) {
                Ok(document) => return Ok(document),
                // of the key that it names, not of those that it does not
                Err(SignedError::OtherKey) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
