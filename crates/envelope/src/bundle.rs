//! What a member is given: its keys of several epochs in one text, which is then wrapped.

use std::collections::BTreeMap;

use strongroom_blindindex::CollectorEpochKey;
use strongroom_secret::SecretBytes;

use strongroom_abe::wire::{Fields, FormatError, put_length, put_short};

/// Longest bundle in bytes.
pub const MAX_BUNDLE_BYTES: usize = 16 << 20;
/// Most epochs in a bundle.
pub const MAX_BUNDLE_EPOCHS: usize = 4096;

/// The keys by which a member opens: of several epochs, and of its rights.
#[derive(Debug, Default)]
pub struct KeyBundle {
    /// `strongroom_abe::MemberKey` in its encoding, by epoch.
    pub epochs: BTreeMap<u64, SecretBytes>,
    /// `strongroom_abe::RightSecrets` in its encoding, of all these epochs.
    pub rights: SecretBytes,
}

/// The keys by which a collector makes tokens.
#[derive(Debug, Default)]
pub struct IndexBundle {
    /// By epoch.
    pub epochs: BTreeMap<u64, CollectorEpochKey>,
}

impl KeyBundle {
    /// The encoding, to be wrapped. A bundle beyond the limits is refused when it is read: ask for fewer epochs.
    pub fn to_bytes(&self) -> SecretBytes {
        let keys: usize = self.epochs.values().map(|key| key.len() + 12).sum();
        let mut out = Vec::with_capacity(7 + keys + self.rights.len());
        out.push(1);
        put_short(&mut out, self.epochs.len());
        for (epoch, key) in &self.epochs {
            out.extend_from_slice(&epoch.to_be_bytes());
            put_length(&mut out, key.len());
            key.expose(|key| out.extend_from_slice(key));
        }
        put_length(&mut out, self.rights.len());
        self.rights.expose(|rights| out.extend_from_slice(rights));
        SecretBytes::new(out)
    }

    /// Reads what [`KeyBundle::to_bytes`] wrote; the keys inside are read when they are used.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, FormatError> {
        bytes.expose(|bytes| {
            let mut fields = Fields::within("key bundle", bytes, MAX_BUNDLE_BYTES)?;
            let mut epochs = BTreeMap::new();
            let count = fields.short()?;
            for _ in 0..fields.count("epochs", count, MAX_BUNDLE_EPOCHS)? {
                let epoch = next_epoch(&mut fields, &epochs)?;
                epochs.insert(epoch, secret(&mut fields)?);
            }
            let rights = secret(&mut fields)?;
            fields.end()?;
            Ok(Self { epochs, rights })
        })
    }
}

impl IndexBundle {
    /// The encoding, to be wrapped.
    pub fn to_bytes(&self) -> SecretBytes {
        let mut out = Vec::with_capacity(3 + self.epochs.len() * 40);
        out.push(1);
        put_short(&mut out, self.epochs.len());
        for (epoch, key) in &self.epochs {
            out.extend_from_slice(&epoch.to_be_bytes());
            key.expose(|key| out.extend_from_slice(key));
        }
        SecretBytes::new(out)
    }

    /// Reads what [`IndexBundle::to_bytes`] wrote.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, FormatError> {
        bytes.expose(|bytes| {
            let mut fields = Fields::within("index bundle", bytes, MAX_BUNDLE_BYTES)?;
            let mut epochs = BTreeMap::new();
            let count = fields.short()?;
            for _ in 0..fields.count("epochs", count, MAX_BUNDLE_EPOCHS)? {
                let epoch = next_epoch(&mut fields, &epochs)?;
                let key = CollectorEpochKey::copied(fields.array::<32>()?);
                epochs.insert(epoch, fields.field("key", key)?);
            }
            fields.end()?;
            Ok(Self { epochs })
        })
    }
}

fn next_epoch<T>(fields: &mut Fields<'_>, epochs: &BTreeMap<u64, T>) -> Result<u64, FormatError> {
    let epoch = fields.long()?;
    let is_next = epochs.last_key_value().is_none_or(|(last, _)| *last < epoch);
    fields.field("order of epochs", is_next.then_some(epoch))
}

fn secret(fields: &mut Fields<'_>) -> Result<SecretBytes, FormatError> {
    let length = fields.length()?;
    Ok(SecretBytes::new(fields.bytes(length)?.to_vec()))
}
