//! A set of unlock keys, as the server keeps it: verifiers and wrappings, safe at rest.

use crate::key::Verifier;
use crate::layout::{Reader, fixed};
use crate::wrapping::{self, Label, Wrapping};
use crate::{RecordError, SetId, UnlockKey, shamir};
use strongroom_ambient::Ambient;
use strongroom_crypto::Rejected;
use strongroom_keyring::RootKey;
use strongroom_secret::{SecretArray, bytes_eq};

const WRAP: Label = b"sr-unlock-wrap-1";
/// The index under which the one wrapping of a shared key is made; keys count from 1.
const SHARED: u8 = 0;

/// Why a set cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// A set without a key would lock the server for ever.
    #[error("a set needs at least one unlock key")]
    NoKeys,
    /// The threshold is zero or above the number of keys.
    #[error("a threshold of {threshold} is not possible with {keys} unlock keys")]
    Threshold {
        /// Keys asked for to unlock.
        threshold: u8,
        /// Keys asked for in all.
        keys: u8,
    },
}

/// Why a key cannot be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// Shares cannot be revoked one by one: the others still combine with a copy of it. Rotate the root key.
    #[error("a key of a set with a threshold cannot be revoked by itself; rotate the root key instead")]
    Shared,
    /// Without its last key the server could never be unlocked again.
    #[error("the last unlock key cannot be revoked")]
    LastKey,
    /// The set has no key of this index.
    #[error("the set has no unlock key {index}")]
    UnknownKey {
        /// The index asked for.
        index: u8,
    },
}

/// What the server keeps of one unlock key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeptKey {
    index: u8,
    verifier: Verifier,
    /// Of the root key; with threshold 1 only.
    wrapping: Option<Wrapping>,
}

/// A set of unlock keys as the server keeps it. It opens nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockSet {
    id: SetId,
    root_generation: u64,
    threshold: u8,
    /// At least one, at most 255, by ascending index.
    keys: Vec<KeptKey>,
    /// Of the root key, under the shared wrapping key; with a threshold above 1 only.
    shared: Option<Wrapping>,
}

impl UnlockSet {
    /// Makes `keys` unlock keys of which any `threshold` open this root key.
    pub fn generate(
        ambient: &Ambient,
        root: &RootKey,
        root_generation: u64,
        keys: u8,
        threshold: u8,
    ) -> Result<(Self, Vec<UnlockKey>), SetError> {
        if keys == 0 {
            return Err(SetError::NoKeys);
        }
        if threshold == 0 || threshold > keys {
            return Err(SetError::Threshold { threshold, keys });
        }
        let mut set = Self {
            id: ambient.random(),
            root_generation,
            threshold,
            keys: Vec::with_capacity(keys.into()),
            shared: None,
        };
        let made = if threshold == 1 {
            set.make_single(ambient, keys)
        } else {
            set.make_shared(ambient, root, keys)?
        };
        for key in &made {
            let wrapping = (threshold == 1).then(|| set.wrap(ambient, key.index(), key.secret(), root));
            set.keys.push(KeptKey { index: key.index(), verifier: key.verifier(), wrapping });
        }
        Ok((set, made))
    }

    /// The set's id, printed in each of its keys.
    pub fn id(&self) -> SetId {
        self.id
    }

    /// The generation of the root key that the set opens.
    pub fn root_generation(&self) -> u64 {
        self.root_generation
    }

    /// How many keys unlock.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// How many keys there are; revoked ones are gone.
    pub fn key_count(&self) -> u8 {
        u8::try_from(self.keys.len()).unwrap_or(u8::MAX)
    }

    /// The indices of the keys that there are, ascending.
    pub fn indices(&self) -> impl Iterator<Item = u8> + '_ {
        self.keys.iter().map(|key| key.index)
    }

    /// Revokes one key of a set with threshold 1: its wrapping is gone, the others open as before. Who keeps an old
    /// copy of the set and the key can still open the root key of then: if the key is in wrong hands, rotate.
    pub fn revoke(&mut self, index: u8) -> Result<(), RevokeError> {
        if self.threshold > 1 {
            return Err(RevokeError::Shared);
        }
        if !self.indices().any(|known| known == index) {
            return Err(RevokeError::UnknownKey { index });
        }
        if self.keys.len() == 1 {
            return Err(RevokeError::LastKey);
        }
        self.keys.retain(|key| key.index != index);
        Ok(())
    }

    /// Whether this very key is one of the set's, in constant time.
    pub(crate) fn knows(&self, key: &UnlockKey) -> bool {
        self.kept(key.index()).is_some_and(|kept| bytes_eq(&kept.verifier, &key.verifier()))
    }

    /// Opens the root key with one key of a set with threshold 1.
    pub(crate) fn open_single(&self, key: &UnlockKey) -> Result<RootKey, Rejected> {
        let wrapping = self.kept(key.index()).and_then(|kept| kept.wrapping.as_ref());
        self.open(key.index(), key.secret(), wrapping)
    }

    /// Opens the root key with enough shares of a set with a threshold above 1.
    pub(crate) fn open_shared(&self, shares: &[shamir::Share]) -> Result<RootKey, Rejected> {
        let combined = shamir::combine(shares).map_err(|_| Rejected)?;
        let secret = combined.expose(SecretArray::copied).ok_or(Rejected)?;
        self.open(SHARED, &secret, self.shared.as_ref())
    }

    fn kept(&self, index: u8) -> Option<&KeptKey> {
        self.keys.iter().find(|key| key.index == index)
    }

    fn make_single(&self, ambient: &Ambient, keys: u8) -> Vec<UnlockKey> {
        let fresh = || SecretArray::filled(|bytes| ambient.entropy.fill(bytes));
        (1..=keys).map(|index| UnlockKey::new(self.id, index, fresh())).collect()
    }

    fn make_shared(
        &mut self,
        ambient: &Ambient,
        root: &RootKey,
        keys: u8,
    ) -> Result<Vec<UnlockKey>, SetError> {
        let secret = SecretArray::<32>::filled(|bytes| ambient.entropy.fill(bytes));
        self.shared = Some(self.wrap(ambient, SHARED, &secret, root));
        let impossible = SetError::Threshold { threshold: self.threshold, keys };
        let shares = secret
            .expose(|bytes| shamir::split(ambient, bytes, keys, self.threshold))
            .map_err(|_| impossible)?;
        let key = |share: shamir::Share| {
            Some(UnlockKey::new(self.id, share.x, share.y.expose(SecretArray::copied)?))
        };
        shares.into_iter().map(key).collect::<Option<_>>().ok_or(impossible)
    }

    fn wrap(&self, ambient: &Ambient, index: u8, secret: &SecretArray<32>, root: &RootKey) -> Wrapping {
        secret.expose(|secret| wrapping::wrap(ambient, secret, WRAP, &self.context(index), root))
    }

    fn open(
        &self,
        index: u8,
        secret: &SecretArray<32>,
        wrapping: Option<&Wrapping>,
    ) -> Result<RootKey, Rejected> {
        let wrapping = wrapping.ok_or(Rejected)?;
        secret.expose(|secret| wrapping::unwrap(secret, WRAP, &self.context(index), wrapping))
    }

    /// What a wrapping is bound to: `set id | index | threshold | root generation`.
    fn context(&self, index: u8) -> [u8; 18] {
        fixed(self.id.into_iter().chain([index, self.threshold]).chain(self.root_generation.to_be_bytes()))
    }

    /// Appends `set id | root generation | threshold | count | keys | shared wrapping`.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.root_generation.to_be_bytes());
        out.extend_from_slice(&[self.threshold, self.key_count()]);
        for key in &self.keys {
            out.push(key.index);
            out.extend_from_slice(&key.verifier);
            out.extend(key.wrapping.iter().flatten());
        }
        out.extend(self.shared.iter().flatten());
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        let id = reader.array("set id")?;
        let root_generation = u64::from_be_bytes(reader.array("root generation")?);
        let threshold = reader.byte("threshold", |threshold| threshold > 0)?;
        let count = reader.byte("number of keys", |count| count >= threshold)?;
        let mut keys = Vec::with_capacity(count.into());
        let mut last = 0;
        for _ in 0..count {
            last = reader.byte("index of a key", |index| index > last)?;
            let verifier = reader.array("verifier")?;
            let wrapping = if threshold == 1 { Some(reader.array("wrapping")?) } else { None };
            keys.push(KeptKey { index: last, verifier, wrapping });
        }
        let shared = if threshold > 1 { Some(reader.array("shared wrapping")?) } else { None };
        Ok(Self { id, root_generation, threshold, keys, shared })
    }
}

#[cfg(test)]
mod tests;
