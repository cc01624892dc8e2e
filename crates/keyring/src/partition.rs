//! Partitions: a KEK wrapped by the root key, and what the KEK keeps.

use crate::{RootKey, WrapError};
use strongroom_ambient::Ambient;
use strongroom_crypto::{MacKey, NONCE_BYTES, Nonce, SealingKey, derive_key};
use strongroom_model::{FolderId, KeysetId, PartitionId};
use strongroom_secret::{SecretBytes, purpose};

/// Format of wrappings written now.
const FORMAT: u8 = 1;

purpose! {
    /// The bytes of a partition's key-encryption key.
    pub struct KekBytes([u8; 32]);
}

purpose! {
    /// The key under which names become row keys.
    pub struct NamesKey([u8; 32]);
}

/// A partition's key-encryption key, with its generation and made ready.
#[derive(Debug)]
pub struct Kek {
    bytes: KekBytes,
    generation: u32,
    ready: SealingKey,
}

impl Kek {
    /// A new random one.
    pub fn generate(ambient: &Ambient, generation: u32) -> Self {
        Self::from_bytes(KekBytes::filled(|bytes| ambient.entropy.fill(bytes)), generation)
    }

    fn from_bytes(bytes: KekBytes, generation: u32) -> Self {
        let ready = bytes.expose(|bytes| derive_key(bytes, &[b"strongroom kek v1"]).expose(SealingKey::new));
        Self { bytes, generation, ready }
    }

    /// Grows by one with each rotation.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn wrapping_key(&self) -> &SealingKey {
        &self.ready
    }
}

/// The folders every partition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folders {
    /// Its stores.
    pub stores: FolderId,
    /// Its users.
    pub users: FolderId,
    /// Its keysets.
    pub keysets: FolderId,
}

/// A partition, unwrapped.
#[derive(Debug)]
pub struct Partition {
    /// Its id.
    pub id: PartitionId,
    /// Its KEK.
    pub kek: Kek,
    /// Its names key.
    pub names: NamesKey,
    /// The keyset of its own records: users, tokens, directories.
    pub system: KeysetId,
    /// The keyset of its trail.
    pub trail: KeysetId,
    /// Its folders.
    pub folders: Folders,
}

const SETTINGS_BYTES: usize = 32 + 5 * 16;

impl Partition {
    /// A new partition: random keys, random ids.
    pub fn generate(ambient: &Ambient, id: PartitionId) -> Self {
        Self {
            id,
            kek: Kek::generate(ambient, 1),
            names: NamesKey::filled(|bytes| ambient.entropy.fill(bytes)),
            system: KeysetId(ambient.random()),
            trail: KeysetId(ambient.random()),
            folders: Folders {
                stores: FolderId(ambient.random()),
                users: FolderId(ambient.random()),
                keysets: FolderId(ambient.random()),
            },
        }
    }

    /// The same partition under a fresh KEK of the next generation.
    #[must_use]
    pub fn with_new_kek(&self, ambient: &Ambient) -> Self {
        Self {
            id: self.id,
            kek: Kek::generate(ambient, self.kek.generation.saturating_add(1)),
            names: NamesKey::filled(|to| self.names.expose(|from| to.copy_from_slice(from))),
            system: self.system,
            trail: self.trail,
            folders: self.folders,
        }
    }

    /// The partition's row: `KEK wrapped by the root key | settings wrapped by the KEK`, each
    /// `format | generation | nonce | ciphertext | tag`.
    pub fn wrap(&self, ambient: &Ambient, root: &RootKey, root_generation: u64) -> Vec<u8> {
        let mut row = root.expose(|bytes| {
            let key = root_wrapping_key(bytes);
            self.kek.bytes.expose(|kek| {
                Wrapping::kek(self.id, root_generation, self.kek.generation).wrap(ambient, &key, kek)
            })
        });
        let mut settings = Vec::with_capacity(SETTINGS_BYTES);
        self.names.expose(|bytes| settings.extend_from_slice(bytes));
        for id in
            [self.system.0, self.trail.0, self.folders.stores.0, self.folders.users.0, self.folders.keysets.0]
        {
            settings.extend_from_slice(&id);
        }
        let wrapping = Wrapping::settings(self.id, self.kek.generation);
        let settings = SecretBytes::new(settings);
        row.extend(settings.expose(|bytes| wrapping.wrap(ambient, self.kek.wrapping_key(), bytes)));
        row
    }

    /// Unwraps a partition's row.
    pub fn unwrap(id: PartitionId, root: &RootKey, row: &[u8]) -> Result<Self, WrapError> {
        let (wrapped_kek, wrapped_settings) =
            row.split_at_checked(Wrapping::HEADER_BYTES + 32 + 16).ok_or(WrapError::Malformed)?;
        // generations stand in the headers and are authenticated with them
        let (root_generation, kek_generation) = Wrapping::generations(wrapped_kek)?;
        let kek = root.expose(|bytes| {
            Wrapping::kek(id, root_generation, kek_generation).unwrap(&root_wrapping_key(bytes), wrapped_kek)
        })?;
        let kek = kek.expose(KekBytes::copied).ok_or(WrapError::Malformed)?;
        let kek = Kek::from_bytes(kek, kek_generation);
        let settings = Wrapping::settings(id, kek_generation).unwrap(kek.wrapping_key(), wrapped_settings)?;
        settings.expose(|bytes| Self::parse(id, kek, bytes)).ok_or(WrapError::Malformed)
    }

    fn parse(id: PartitionId, kek: Kek, bytes: &[u8]) -> Option<Self> {
        let (names, ids) = bytes.split_at_checked(32)?;
        let mut ids = ids.chunks_exact(16).map(|chunk| <[u8; 16]>::try_from(chunk).unwrap_or_default());
        let partition = Self {
            id,
            kek,
            names: NamesKey::copied(names)?,
            system: KeysetId(ids.next()?),
            trail: KeysetId(ids.next()?),
            folders: Folders {
                stores: FolderId(ids.next()?),
                users: FolderId(ids.next()?),
                keysets: FolderId(ids.next()?),
            },
        };
        (bytes.len() == SETTINGS_BYTES).then_some(partition)
    }

    /// The key of the MAC on a backup's manifest: HKDF over the KEK.
    pub fn backup_mac(&self) -> MacKey {
        let derived = self.kek.bytes.expose(|kek| derive_key(kek, &[b"strongroom backup v1"]));
        derived.expose(MacKey::new)
    }

    /// The generation of the KEK in a partition's row.
    pub fn kek_generation_of(row: &[u8]) -> Option<u32> {
        Wrapping::generations(row).ok().map(|(_, kek)| kek)
    }

    /// The names key, made ready.
    pub fn names_mac(&self) -> MacKey {
        self.names.expose(MacKey::new)
    }
}

fn root_wrapping_key(root: &[u8; 32]) -> SealingKey {
    derive_key(root, &[b"strongroom root v1"]).expose(SealingKey::new)
}

/// How a key is wrapped: `format u8 | outer generation u64 | inner generation u32 | nonce | ciphertext | tag`;
/// associated data: everything in the clear, a label, the partition and the keyset.
pub(crate) struct Wrapping {
    label: u8,
    partition: PartitionId,
    keyset: KeysetId,
    outer: u64,
    inner: u32,
}

impl Wrapping {
    pub(crate) const HEADER_BYTES: usize = 1 + 8 + 4 + NONCE_BYTES;

    fn kek(partition: PartitionId, root_generation: u64, kek_generation: u32) -> Self {
        Self {
            label: 1,
            partition,
            keyset: KeysetId::default(),
            outer: root_generation,
            inner: kek_generation,
        }
    }

    fn settings(partition: PartitionId, kek_generation: u32) -> Self {
        Self { label: 2, partition, keyset: KeysetId::default(), outer: u64::from(kek_generation), inner: 0 }
    }

    pub(crate) fn keyset(partition: PartitionId, keyset: KeysetId, kek_generation: u32) -> Self {
        Self { label: 3, partition, keyset, outer: u64::from(kek_generation), inner: 0 }
    }

    pub(crate) fn wrap(&self, ambient: &Ambient, key: &SealingKey, plain: &[u8]) -> Vec<u8> {
        let nonce: Nonce = ambient.random();
        let mut out = self.clear();
        out.extend_from_slice(&nonce);
        key.seal_into(&nonce, &self.associated(), plain, &mut out);
        out
    }

    pub(crate) fn unwrap(&self, key: &SealingKey, wrapped: &[u8]) -> Result<SecretBytes, WrapError> {
        let (clear, rest) = wrapped.split_at_checked(13).ok_or(WrapError::Malformed)?;
        match clear.first() {
            Some(&FORMAT) => {}
            Some(&newer) => return Err(WrapError::NewerFormat(newer)),
            None => return Err(WrapError::Malformed),
        }
        if clear != self.clear() {
            return Err(WrapError::Rejected(strongroom_crypto::Rejected));
        }
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(WrapError::Malformed)?;
        Ok(key.open(nonce, &self.associated(), body)?)
    }

    fn generations(wrapped: &[u8]) -> Result<(u64, u32), WrapError> {
        let parse = || {
            let (outer, rest) = wrapped.get(1..)?.split_first_chunk::<8>()?;
            let (inner, _) = rest.split_first_chunk::<4>()?;
            Some((u64::from_be_bytes(*outer), u32::from_be_bytes(*inner)))
        };
        parse().ok_or(WrapError::Malformed)
    }

    fn clear(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        out.extend_from_slice(&self.outer.to_be_bytes());
        out.extend_from_slice(&self.inner.to_be_bytes());
        out
    }

    fn associated(&self) -> Vec<u8> {
        let mut out = self.clear();
        out.push(self.label);
        out.extend_from_slice(&self.partition.0);
        out.extend_from_slice(&self.keyset.0);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_ambient::{FakeClock, SeededEntropy, UnixMillis};

    fn ambient() -> Ambient {
        Ambient {
            clock: std::sync::Arc::new(FakeClock::at(UnixMillis(0))),
            entropy: std::sync::Arc::new(SeededEntropy::new(4)),
        }
    }

    const ID: PartitionId = PartitionId([1; 16]);

    #[test]
    fn a_partition_opens_with_its_root_key_in_its_place_only() {
        let ambient = ambient();
        let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
        let partition = Partition::generate(&ambient, ID);
        let row = partition.wrap(&ambient, &root, 1);
        let opened = Partition::unwrap(ID, &root, &row).unwrap();
        assert_eq!(opened.folders, partition.folders);
        assert_eq!((opened.system, opened.trail), (partition.system, partition.trail));
        assert!(opened.names.same_as(&partition.names));
        assert!(Partition::unwrap(PartitionId([2; 16]), &root, &row).is_err());
        assert!(Partition::unwrap(ID, &RootKey::filled(|bytes| bytes.fill(1)), &row).is_err());
    }

    #[test]
    fn a_new_kek_keeps_everything_but_the_kek() {
        let ambient = ambient();
        let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
        let before = Partition::generate(&ambient, ID);
        let after = before.with_new_kek(&ambient);
        assert_eq!(after.kek.generation(), 2);
        assert!(!after.kek.bytes.same_as(&before.kek.bytes));
        let opened = Partition::unwrap(ID, &root, &after.wrap(&ambient, &root, 1)).unwrap();
        assert_eq!((opened.folders, opened.system), (before.folders, before.system));
        assert!(opened.names.same_as(&before.names));
    }

    #[test]
    fn every_flipped_bit_of_a_partition_is_found() {
        let ambient = ambient();
        let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
        let row = Partition::generate(&ambient, ID).wrap(&ambient, &root, 1);
        for bit in 0..row.len() * 8 {
            let mut damaged = row.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Partition::unwrap(ID, &root, &damaged).is_err(), "bit {bit}");
        }
    }
}
