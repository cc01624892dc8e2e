//! A batch that is open as far as its reader's attributes reach, and its records.

use strongroom_crypto::Digest;
use strongroom_sharing::{BatchId, MemberId, RecordId};

use crate::field::{self, Associated};
use crate::header::BatchHeader;
use crate::keys::{NONCE, PolicyKey, RecordKey};
use crate::reader::Locked;
use crate::record::{SealedField, SealedRecord};

/// An opened batch: for each policy its key, or why not.
pub struct OpenBatch {
    pub(crate) collector: MemberId,
    pub(crate) batch: BatchId,
    pub(crate) header: Digest,
    pub(crate) policies: Vec<OpenPolicy>,
}

pub(crate) struct OpenPolicy {
    pub(crate) digest: Digest,
    pub(crate) key: Result<PolicyKey, Locked>,
}

/// Why a record is not opened with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is of another batch, or names another header than the batch's.
    #[error("record {id} is of another batch")]
    OtherBatch {
        /// Which record.
        id: RecordId,
    },
}

/// A record as its reader sees it: every field is there, opened or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedRecord {
    /// Which.
    pub id: RecordId,
    /// In the order of their labels.
    pub fields: Vec<OpenedField>,
}

/// One field.
#[derive(Clone, PartialEq, Eq)]
pub enum OpenedField {
    /// The reader may read it.
    Open {
        /// What stands for its name.
        label: [u8; 16],
        /// Its name,
        name: String,
        /// and its value: a JSON text, as its collector wrote it.
        value: String,
        /// The place of its policy in the header.
        policy: u16,
    },
    /// The reader's attributes do not reach it.
    Sealed {
        /// What stands for its name.
        label: [u8; 16],
        /// The place of its policy in the header.
        policy: u16,
        /// Why.
        why: Locked,
    },
    /// The reader has the key, and it does not open: it was moved, changed, or never was what it says.
    Broken {
        /// What stands for its name.
        label: [u8; 16],
        /// The place of its policy in the header.
        policy: u16,
        /// What is wrong.
        why: Broken,
    },
}

/// What is wrong with a field that should open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The batch has no such policy.
    #[error("field names a policy that its batch has not")]
    Policy,
    /// It is not authentic for this record, label and policy.
    #[error("field does not belong to this record")]
    Rejected,
    /// What was sealed is no name and value.
    #[error("field holds no name and value")]
    Form,
}

impl OpenBatch {
    pub(crate) fn new(header: &BatchHeader, policies: Vec<OpenPolicy>) -> Self {
        Self { collector: header.collector, batch: header.batch, header: header.digest, policies }
    }

    /// Which batch.
    pub fn batch(&self) -> BatchId {
        self.batch
    }

    /// Why the fields of each policy stay sealed, in the order of the header; `None` for those that open.
    pub fn locked(&self) -> impl Iterator<Item = Option<Locked>> {
        self.policies.iter().map(|policy| policy.key.as_ref().err().copied())
    }

    /// Whether any field of the batch can be opened.
    pub fn opens_any(&self) -> bool {
        self.policies.iter().any(|policy| policy.key.is_ok())
    }

    /// Whether a record is of this batch.
    pub(crate) fn check(&self, record: &SealedRecord<'_>) -> Result<(), OpenError> {
        let id = record.id();
        let is_of = record.batch() == self.batch
            && *record.header_digest() == self.header
            && id.collector == self.collector;
        if is_of { Ok(()) } else { Err(OpenError::OtherBatch { id }) }
    }

    /// Opens a record's fields. Its signature is for [`SealedRecord::verify`]: it says that the collector wrote what is
    /// opened here.
    pub fn open(&self, record: &SealedRecord<'_>) -> Result<OpenedRecord, OpenError> {
        self.check(record)?;
        let mut keys: Vec<Option<RecordKey>> = Vec::new();
        keys.resize_with(self.policies.len(), || None);
        let mut associated = Associated::new(record.batch(), record.id());
        let open = |field: SealedField<'_>| {
            let (label, policy) = (*field.label, field.policy);
            let place = usize::from(policy);
            let (Some(own), Some(key)) = (self.policies.get(place), keys.get_mut(place)) else {
                return OpenedField::Broken { label, policy, why: Broken::Policy };
            };
            match &own.key {
                Err(why) => OpenedField::Sealed { label, policy, why: *why },
                Ok(batch_key) => {
                    let key = key.get_or_insert_with(|| batch_key.record(record.id()));
                    open_field(field, key, &own.digest, &mut associated)
                }
            }
        };
        Ok(OpenedRecord { id: record.id(), fields: record.fields().map(open).collect() })
    }
}

pub(crate) fn open_field(
    field: SealedField<'_>,
    key: &RecordKey,
    policy_digest: &Digest,
    associated: &mut Associated,
) -> OpenedField {
    let (label, policy) = (*field.label, field.policy);
    let associated = associated.of(&label, policy_digest);
    let Ok(plain) = key.field(&label).open(&NONCE, associated, field.sealed) else {
        return OpenedField::Broken { label, policy, why: Broken::Rejected };
    };
    plain.expose(|plain| match field::read(plain) {
        Some((name, value)) => {
            OpenedField::Open { label, name: name.to_owned(), value: value.to_owned(), policy }
        }
        None => OpenedField::Broken { label, policy, why: Broken::Form },
    })
}

impl OpenedRecord {
    /// The value of a field that is open.
    pub fn value(&self, wanted: &str) -> Option<&str> {
        self.fields.iter().find_map(|field| match field {
            OpenedField::Open { name, value, .. } if name == wanted => Some(value.as_str()),
            _ => None,
        })
    }

    /// Whether every field is open or rightly sealed: none is broken.
    pub fn is_whole(&self) -> bool {
        !self.fields.iter().any(|field| matches!(field, OpenedField::Broken { .. }))
    }
}

impl OpenedField {
    /// What stands for its name.
    pub fn label(&self) -> &[u8; 16] {
        match self {
            Self::Open { label, .. } | Self::Sealed { label, .. } | Self::Broken { label, .. } => label,
        }
    }

    /// The place of its policy in the header.
    pub fn policy(&self) -> u16 {
        match self {
            Self::Open { policy, .. } | Self::Sealed { policy, .. } | Self::Broken { policy, .. } => *policy,
        }
    }
}

/// Names and values are what the record keeps secret: they are not printed.
impl std::fmt::Debug for OpenedField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open { policy, .. } => write!(f, "Open(policy {policy})"),
            Self::Sealed { policy, why, .. } => write!(f, "Sealed(policy {policy}: {why})"),
            Self::Broken { policy, why, .. } => write!(f, "Broken(policy {policy}: {why})"),
        }
    }
}

impl std::fmt::Debug for OpenBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = self.policies.iter().filter(|policy| policy.key.is_ok()).count();
        write!(f, "OpenBatch({}, {open} of {} policies)", self.batch, self.policies.len())
    }
}
