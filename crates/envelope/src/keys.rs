//! The keys of a batch: one a policy, from it one a record, from that one a field. Each step is one HKDF-Expand.

use strongroom_abe::SharedKey;
use strongroom_ambient::Ambient;
use strongroom_crypto::{Digest, MacKey, Nonce, SealingKey, sha256_parts};
use strongroom_secret::{SecretArray, bytes_eq};
use strongroom_sharing::RecordId;

use strongroom_abe::Suite;

/// Every key is used once with it, or for one record's field: see `docs/formats/envelope.md`.
pub(crate) const NONCE: Nonce = [0; 12];
/// A key of a batch, sealed.
pub(crate) const WRAPPED_KEY_BYTES: usize = 32 + 16;

/// The key of a batch for one policy.
pub(crate) struct PolicyKey {
    bytes: SecretArray<32>,
    mac: MacKey,
}

/// The key of a record for one policy.
pub(crate) struct RecordKey(MacKey);

impl PolicyKey {
    pub(crate) fn generate(ambient: &Ambient) -> Self {
        Self::new(SecretArray::filled(|bytes| ambient.entropy.fill(bytes)))
    }

    pub(crate) fn new(bytes: SecretArray<32>) -> Self {
        let mac = bytes.expose(MacKey::new);
        Self { bytes, mac }
    }

    /// What the header says of the key without showing it: no second key has the same.
    pub(crate) fn commitment(&self, batch: &[u8; 16], policy: &Digest) -> Digest {
        self.mac.sign(&[b"strongroom-envelope commit", batch, policy, &[1]])
    }

    pub(crate) fn is_committed(&self, batch: &[u8; 16], policy: &Digest, commitment: &Digest) -> bool {
        bytes_eq(&self.commitment(batch, policy), commitment)
    }

    pub(crate) fn record(&self, id: RecordId) -> RecordKey {
        RecordKey(self.mac.derive_mac(&record_context(&id.collector.0, &id.sequence.to_be_bytes())))
    }

    /// The record's key as bytes, to be disclosed.
    pub(crate) fn record_bytes(&self, id: RecordId) -> SecretArray<32> {
        self.mac.derive_bytes(&record_context(&id.collector.0, &id.sequence.to_be_bytes()))
    }

    /// The key under the shared key of an attribute-based header.
    pub(crate) fn wrap(&self, shared: &SharedKey, context: &[u8], out: &mut Vec<u8>) {
        self.bytes.expose(|bytes| wrapping(shared).seal_into(&NONCE, context, bytes, out));
    }

    pub(crate) fn unwrap(shared: &SharedKey, context: &[u8], wrapped: &[u8]) -> Option<Self> {
        let opened = wrapping(shared).open(&NONCE, context, wrapped).ok()?;
        opened.expose(SecretArray::copied).map(Self::new)
    }
}

fn wrapping(shared: &SharedKey) -> SealingKey {
    shared.expose(|shared| MacKey::new(shared).derive_sealing(&[b"strongroom-envelope wrap"]))
}

fn record_context<'a>(collector: &'a [u8; 16], sequence: &'a [u8; 8]) -> [&'a [u8]; 3] {
    [b"strongroom-envelope record", collector, sequence]
}

impl RecordKey {
    pub(crate) fn disclosed(bytes: &[u8; 32]) -> Self {
        Self(MacKey::new(bytes))
    }

    pub(crate) fn field(&self, label: &[u8; 16]) -> SealingKey {
        self.0.derive_sealing(&[b"strongroom-envelope field", label])
    }
}

/// What stands for a policy in what is bound to it.
pub(crate) fn policy_digest(suite: Suite, policy: &str) -> Digest {
    sha256_parts(&[b"strongroom-envelope policy", &[suite_number(suite)], policy.as_bytes()])
}

pub(crate) fn suite_number(suite: Suite) -> u8 {
    match suite {
        Suite::Pairing => 1,
        Suite::PairingAndRights => 2,
    }
}
