//! One open batch: the collector's end.

use strongroom_abe::EncapsulateError;
use strongroom_ambient::Ambient;
use strongroom_blindindex::Token;
use strongroom_crypto::{Digest, PrivateKey, TAG_BYTES, sha256};
use strongroom_sharing::{BatchId, MemberId, RecordId};

use crate::chain::Chain;
use crate::field::{self, Associated};
use crate::header::{BatchHeader, MAX_HEADER_BYTES, PolicyOf};
use crate::keys::{NONCE, PolicyKey, RecordKey};
use crate::policies::PolicySet;
use crate::record::{MAX_FIELDS, MAX_RECORD_BYTES, MAX_TOKENS, SIGNATURE_BYTES, signed_message};
use strongroom_abe::wire::{put_length, put_short};

/// Most records of a batch: who discloses or loses a batch's key loses no more.
pub const MAX_BATCH_RECORDS: u64 = 1 << 20;

/// A field before it is sealed.
#[derive(Clone, Copy)]
pub struct PlainField<'a> {
    /// What stands for its name: [`strongroom_blindindex::CollectorEpochKey::field_label`].
    pub label: [u8; 16],
    /// Its name.
    pub name: &'a str,
    /// Its value: a JSON text.
    pub value: &'a [u8],
    /// The place of its policy in the [`PolicySet`].
    pub policy: u16,
}

/// Why a record is not sealed. Nothing of it was written, and the chain stands where it stood.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A field is for a policy that the batch has not.
    #[error("field {at} names policy {policy}, the batch has {has}")]
    Policy {
        /// The field, from 0.
        at: usize,
        /// What it names.
        policy: u16,
        /// How many there are.
        has: usize,
    },
    /// More fields than a record may have.
    #[error("record has {found} fields, allowed are {MAX_FIELDS}")]
    TooManyFields {
        /// How many.
        found: usize,
    },
    /// More tokens than a record may have.
    #[error("record has {found} tokens, allowed are {MAX_TOKENS}")]
    TooManyTokens {
        /// How many.
        found: usize,
    },
    /// Sealed it would be longer than a record may be.
    #[error("record is longer than {MAX_RECORD_BYTES} bytes when sealed")]
    TooLong,
    /// A value is not UTF-8.
    #[error("value of field {at} is no text")]
    NotText {
        /// The field, from 0.
        at: usize,
    },
    /// Two fields have one label: one name twice.
    #[error("two fields have one label")]
    RepeatedLabel,
    /// The chain is another collector's.
    #[error("chain and batch are of different collectors")]
    OtherCollector,
    /// The batch is full: begin another.
    #[error("batch has {MAX_BATCH_RECORDS} records")]
    Full,
    /// A key could not be wrapped.
    #[error(transparent)]
    Wrap(#[from] EncapsulateError),
    /// The header would be longer than one may be.
    #[error("header of the batch has {bytes} bytes, allowed are {MAX_HEADER_BYTES}")]
    LongHeader {
        /// Its length.
        bytes: usize,
    },
    /// The key does not sign records: it is not Ed25519.
    #[error("the signing key is not Ed25519")]
    Signature,
}

/// One open batch. Its keys live as long as it does, and nowhere else.
pub struct Batch {
    collector: MemberId,
    id: BatchId,
    header: Digest,
    policies: Vec<Own>,
    records: u64,
    /// Room to work in.
    scratch: Scratch,
}

struct Own {
    digest: Digest,
    key: PolicyKey,
}

#[derive(Default)]
struct Scratch {
    order: Vec<usize>,
    tokens: Vec<[u8; 16]>,
    keys: Vec<Option<RecordKey>>,
}

impl Batch {
    /// Begins a batch: a new key for each policy, wrapped for whoever satisfies it in the set's epoch.
    pub fn begin(
        ambient: &Ambient,
        collector: MemberId,
        set: &PolicySet,
    ) -> Result<(Self, BatchHeader), SealError> {
        let batch = BatchId(ambient.random());
        let own =
            |entry: &crate::policies::Entry| Own { digest: entry.digest, key: PolicyKey::generate(ambient) };
        let policies: Vec<Own> = set.entries().iter().map(own).collect();
        let fixed = set.entries().iter().zip(&policies);
        let fixed = fixed.map(|(entry, own)| PolicyOf::of(entry, batch, &own.key)).collect();
        let mut header = BatchHeader::new(*set.authority(), collector, batch, fixed);
        for (place, (entry, own)) in set.entries().iter().zip(&policies).enumerate() {
            let wrap = header.wrap(ambient, place, set, entry, &own.key)?;
            header.wraps.push(wrap);
        }
        let bytes = header.to_bytes().len();
        if bytes > MAX_HEADER_BYTES {
            return Err(SealError::LongHeader { bytes });
        }
        let digest = *header.digest();
        let scratch = Scratch::default();
        Ok((Self { collector, id: batch, header: digest, policies, records: 0, scratch }, header))
    }

    /// Which batch.
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Seals a record, appends it to `out`, and moves the chain on. The order of fields and tokens is the record's own, so
    /// that it tells nothing; a token that comes twice is there once.
    pub fn seal(
        &mut self,
        chain: &mut Chain,
        signer: &PrivateKey,
        fields: &[PlainField<'_>],
        tokens: &[Token],
        out: &mut Vec<u8>,
    ) -> Result<RecordId, SealError> {
        self.check(chain, fields, tokens)?;
        let start = out.len();
        let sealed = self.write(chain, signer, fields, out, start);
        if sealed.is_err() {
            out.truncate(start);
        }
        let digest = sealed?;
        let id = chain.next_id();
        chain.advance(digest);
        self.records += 1;
        Ok(id)
    }

    /// What can be refused before anything is written; brings fields and tokens into order.
    fn check(&mut self, chain: &Chain, fields: &[PlainField<'_>], tokens: &[Token]) -> Result<(), SealError> {
        if chain.collector() != self.collector {
            return Err(SealError::OtherCollector);
        }
        if self.records >= MAX_BATCH_RECORDS {
            return Err(SealError::Full);
        }
        if fields.len() > MAX_FIELDS {
            return Err(SealError::TooManyFields { found: fields.len() });
        }
        for (at, field) in fields.iter().enumerate() {
            if usize::from(field.policy) >= self.policies.len() {
                return Err(SealError::Policy { at, policy: field.policy, has: self.policies.len() });
            }
            if std::str::from_utf8(field.value).is_err() {
                return Err(SealError::NotText { at });
            }
        }
        let length: usize = fields.iter().map(|field| field.name.len() + field.value.len()).sum();
        if length > MAX_RECORD_BYTES || fields.iter().any(|field| field.name.len() > usize::from(u16::MAX)) {
            return Err(SealError::TooLong);
        }
        self.scratch.sort(fields, tokens)
    }

    fn write(
        &mut self,
        chain: &Chain,
        signer: &PrivateKey,
        fields: &[PlainField<'_>],
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<Digest, SealError> {
        let id = chain.next_id();
        out.push(1);
        out.extend_from_slice(&id.collector.0);
        out.extend_from_slice(&id.sequence.to_be_bytes());
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.header);
        out.extend_from_slice(chain.previous());
        put_short(out, fields.len());
        self.write_fields(id, fields, out);
        put_short(out, self.scratch.tokens.len());
        out.extend_from_slice(self.scratch.tokens.as_flattened());
        let own = out.get(start..).unwrap_or_default();
        if own.len() + SIGNATURE_BYTES > MAX_RECORD_BYTES {
            return Err(SealError::TooLong);
        }
        let digest = sha256(own);
        let signature = signer.sign(&signed_message(&digest)).map_err(|_| SealError::Signature)?;
        if signature.len() != SIGNATURE_BYTES {
            return Err(SealError::Signature);
        }
        out.extend_from_slice(&signature);
        Ok(digest)
    }

    fn write_fields(&mut self, id: RecordId, fields: &[PlainField<'_>], out: &mut Vec<u8>) {
        let Scratch { order, keys, .. } = &mut self.scratch;
        keys.clear();
        keys.resize_with(self.policies.len(), || None);
        let mut associated = Associated::new(self.id, id);
        for field in order.iter().filter_map(|place| fields.get(*place)) {
            let place = usize::from(field.policy);
            let (Some(own), Some(key)) = (self.policies.get(place), keys.get_mut(place)) else { continue };
            let key = key.get_or_insert_with(|| own.key.record(id)).field(&field.label);
            out.extend_from_slice(&field.label);
            out.push(u8::try_from(field.policy).unwrap_or(u8::MAX));
            put_length(out, field::padded(field.name, field.value) + TAG_BYTES);
            let start = out.len();
            field::write(field.name, field.value, out);
            key.seal_from(&NONCE, associated.of(&field.label, &own.digest), start, out);
        }
        keys.clear();
    }
}

impl Scratch {
    fn sort(&mut self, fields: &[PlainField<'_>], tokens: &[Token]) -> Result<(), SealError> {
        let label = |place: &usize| fields.get(*place).map(|field| field.label);
        self.order.clear();
        self.order.extend(0..fields.len());
        self.order.sort_unstable_by_key(label);
        let is_repeated = |pair: &[usize]| matches!(pair, [one, other] if label(one) == label(other));
        if self.order.windows(2).any(is_repeated) {
            return Err(SealError::RepeatedLabel);
        }
        self.tokens.clear();
        self.tokens.extend(tokens.iter().map(|token| token.0));
        self.tokens.sort_unstable();
        self.tokens.dedup();
        let found = self.tokens.len();
        if found > MAX_TOKENS { Err(SealError::TooManyTokens { found }) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({}, {} records)", self.id, self.records)
    }
}
