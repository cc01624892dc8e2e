//! One record's keys, to be shown to somebody who has no attributes: a court, a partner, the public.

use strongroom_crypto::Digest;
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::{BatchId, MemberId, RecordId};

use crate::field::Associated;
use crate::header::BatchHeader;
use crate::keys::RecordKey;
use crate::open::{OpenBatch, OpenError, OpenedField, OpenedRecord, open_field};
use crate::policies::MAX_POLICIES;
use crate::reader::Locked;
use crate::record::SealedRecord;
use strongroom_abe::wire::{Fields, FormatError, put_short};

const WHAT: &str = "disclosure";

/// What opens one record, and nothing else of its batch.
pub struct Disclosure {
    id: RecordId,
    batch: BatchId,
    header: Digest,
    keys: Vec<(u8, SecretArray<32>)>,
}

/// Why a record cannot be disclosed or is not opened by a disclosure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscloseError {
    /// The record is not of the opened batch.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No field of it is open to who would disclose it.
    #[error("no field of the record is open to this reader")]
    Nothing,
    /// The disclosure, the record and the header are not of one record.
    #[error("disclosure is of another record")]
    OtherRecord,
}

impl OpenBatch {
    /// The keys of one record, for those of its policies that are open here and used there.
    pub fn disclose(&self, record: &SealedRecord<'_>) -> Result<Disclosure, DiscloseError> {
        self.check(record)?;
        let id = record.id();
        let is_used = |place: usize| record.fields().any(|field| usize::from(field.policy) == place);
        let places = self.policies.iter().enumerate().filter(|(place, _)| is_used(*place));
        let keys = places.filter_map(|(place, policy)| {
            let key = policy.key.as_ref().ok()?.record_bytes(id);
            Some((u8::try_from(place).ok()?, key))
        });
        let keys: Vec<_> = keys.collect();
        if keys.is_empty() {
            return Err(DiscloseError::Nothing);
        }
        Ok(Disclosure { id, batch: self.batch, header: self.header, keys })
    }
}

impl Disclosure {
    /// Of which record.
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// Opens the record that it is of. The header says the policies; its wraps play no part.
    pub fn open(
        &self,
        header: &BatchHeader,
        record: &SealedRecord<'_>,
    ) -> Result<OpenedRecord, DiscloseError> {
        let is_of = self.id == record.id()
            && self.batch == record.batch()
            && self.header == *record.header_digest()
            && self.header == *header.digest();
        if !is_of {
            return Err(DiscloseError::OtherRecord);
        }
        let mut associated = Associated::new(self.batch, self.id);
        let fields = record.fields().map(|field| {
            let (label, policy) = (*field.label, field.policy);
            let own = self.keys.iter().find(|(place, _)| u16::from(*place) == policy);
            match own.zip(header.policies.get(usize::from(policy))) {
                None => OpenedField::Sealed { label, policy, why: Locked::NotSatisfied },
                Some(((_, key), of)) => {
                    let key = key.expose(RecordKey::disclosed);
                    open_field(field, &key, &of.digest, &mut associated)
                }
            }
        });
        Ok(OpenedRecord { id: self.id, fields: fields.collect() })
    }

    /// For a file: whoever has it reads the record.
    pub fn to_bytes(&self) -> SecretBytes {
        let mut out = Vec::with_capacity(75 + self.keys.len() * 33);
        out.push(1);
        out.extend_from_slice(&self.id.collector.0);
        out.extend_from_slice(&self.id.sequence.to_be_bytes());
        out.extend_from_slice(&self.batch.0);
        out.extend_from_slice(&self.header);
        put_short(&mut out, self.keys.len());
        for (place, key) in &self.keys {
            out.push(*place);
            key.expose(|key| out.extend_from_slice(key));
        }
        SecretBytes::new(out)
    }

    /// Reads what [`Disclosure::to_bytes`] wrote.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, FormatError> {
        bytes.expose(|bytes| {
            let mut fields = Fields::of(WHAT, bytes)?;
            let collector = MemberId(*fields.array()?);
            let id = RecordId { collector, sequence: fields.long()? };
            let (batch, header) = (BatchId(*fields.array()?), *fields.array()?);
            let count = fields.short()?;
            fields.count("keys", count, MAX_POLICIES)?;
            let mut keys: Vec<(u8, SecretArray<32>)> = Vec::with_capacity(count);
            for _ in 0..count {
                let place = fields.byte()?;
                let is_next =
                    keys.last().is_none_or(|(last, _)| *last < place) && usize::from(place) < MAX_POLICIES;
                fields.field("order of keys", is_next.then_some(()))?;
                let key = SecretArray::copied(fields.array::<32>()?);
                keys.push((place, fields.field("key", key)?));
            }
            fields.end()?;
            Ok(Self { id, batch, header, keys })
        })
    }
}

impl std::fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Disclosure({})", self.id)
    }
}
