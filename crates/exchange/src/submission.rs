//! What a member sends, read and checked as far as that goes without the store: on many threads at once.

use crate::storage::{DigestBytes, TokenBytes};
use data_encoding::BASE64;
use std::collections::HashMap;
use strongroom_envelope::{BatchHeader, MemberKeys, SealedRecord};
use strongroom_sharing::exchange::{Insert, MAX_INSERT_RECORDS};
use strongroom_sharing::{BatchId, MemberId, RecordId};

/// An insertion whose records have passed every check that needs no store.
#[derive(Debug, Default)]
pub struct Submission {
    /// Who sends it.
    pub collector: Option<MemberId>,
    /// Headers, by batch.
    pub headers: HashMap<BatchId, Header>,
    /// Records, in the order of the request.
    pub records: Vec<Result<Submitted, Fault>>,
}

/// A batch's header.
#[derive(Debug)]
pub struct Header {
    /// Of its fixed part.
    pub digest: DigestBytes,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A record whose signature is its collector's.
#[derive(Debug)]
pub struct Submitted {
    /// Which.
    pub id: RecordId,
    /// The digest of the one before.
    pub previous: DigestBytes,
    /// Its own.
    pub digest: DigestBytes,
    /// Its batch.
    pub batch: BatchId,
    /// The digest of its batch's header.
    pub header: DigestBytes,
    /// Its tokens.
    pub tokens: Vec<TokenBytes>,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Why a record is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which, where that could be read.
    pub id: Option<RecordId>,
    /// What is wrong.
    pub kind: FaultKind,
    /// In words.
    pub message: String,
}

/// What is wrong with a record; each has its word on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It contradicts what is kept.
    Conflict,
    /// Others come before it.
    Gap,
    /// It is no record.
    Malformed,
    /// It is not signed by its collector.
    Signature,
    /// It is another member's.
    Stranger,
    /// Its batch has no header here.
    Header,
}

impl FaultKind {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Gap => "gap",
            Self::Malformed => "malformed",
            Self::Signature => "signature",
            Self::Stranger => "stranger",
            Self::Header => "header",
        }
    }
}

/// An insertion that is refused whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// Too many records or headers.
    #[error("at most {MAX_INSERT_RECORDS} records and as many headers at once")]
    TooMany,
    /// No record.
    #[error("no record")]
    Empty,
    /// A header that is none.
    #[error("header {at} cannot be read: {reason}")]
    Header {
        /// Its place in the request, from 0.
        at: usize,
        /// Why.
        reason: String,
    },
    /// A header of another member's batch.
    #[error("header {at} is of another member's batch")]
    Stranger {
        /// Its place in the request, from 0.
        at: usize,
    },
}

impl Submission {
    /// Reads and checks what `member` sends; `keys` are the ones it signs with. Takes CPU: about 50 us a record.
    ///
    /// # Errors
    /// Where it is refused whole.
    pub fn read(insert: &Insert, member: MemberId, keys: &MemberKeys) -> Result<Self, SubmissionError> {
        if insert.records.len() > MAX_INSERT_RECORDS || insert.headers.len() > MAX_INSERT_RECORDS {
            return Err(SubmissionError::TooMany);
        }
        if insert.records.is_empty() {
            return Err(SubmissionError::Empty);
        }
        let mut headers = HashMap::new();
        for (at, text) in insert.headers.iter().enumerate() {
            let (id, header) = read_header(at, text, member)?;
            headers.insert(id, header);
        }
        let records = insert.records.iter().map(|text| read_record(text, member, keys)).collect();
        Ok(Self { collector: Some(member), headers, records })
    }

    /// Whether a record is not signed by a key that is known.
    pub fn is_unsigned(&self) -> bool {
        let mut faults = self.records.iter().filter_map(|record| record.as_ref().err());
        faults.any(|fault| fault.kind == FaultKind::Signature)
    }

    /// How much memory it holds, about.
    pub fn weight(&self) -> usize {
        let headers = self.headers.values().map(|header| header.bytes.len());
        let records =
            self.records.iter().flatten().map(|record| record.bytes.len() + record.tokens.len() * 64);
        headers.chain(records).sum()
    }
}

fn read_header(at: usize, text: &str, member: MemberId) -> Result<(BatchId, Header), SubmissionError> {
    let unreadable = |reason: String| SubmissionError::Header { at, reason };
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| unreadable("it is no base64".to_owned()))?;
    let header = BatchHeader::parse(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if header.collector() != member {
        return Err(SubmissionError::Stranger { at });
    }
    Ok((header.batch(), Header { digest: *header.digest(), bytes }))
}

fn read_record(text: &str, member: MemberId, keys: &MemberKeys) -> Result<Submitted, Fault> {
    let fault = |id, kind, message: &str| Fault { id, kind, message: message.to_owned() };
    let malformed = |message: &str| fault(None, FaultKind::Malformed, message);
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| malformed("it is no base64"))?;
    let record = SealedRecord::parse(&bytes).map_err(|error| malformed(&error.to_string()))?;
    let id = record.id();
    if id.collector != member {
        // nothing of others is told, not even whether it is there
        return Err(fault(Some(id), FaultKind::Stranger, "it is another member's; members send their own"));
    }
    if !keys.signed(&record) {
        return Err(fault(Some(id), FaultKind::Signature, "it is not signed by a key of its collector"));
    }
    let submitted = Submitted {
        id,
        previous: *record.previous(),
        digest: record.digest(),
        batch: record.batch(),
        header: *record.header_digest(),
        tokens: record.tokens().map(|token| token.0).collect(),
        bytes: Vec::new(),
    };
    Ok(Submitted { bytes, ..submitted })
}
