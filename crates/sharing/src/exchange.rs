//! What is said to the exchange, and what it says. Records and headers are base64 of what `envelope` makes.

use crate::{BatchId, MemberId, RecordId, SignedText, TokenText};
use serde::{Deserialize, Serialize};

/// The most bytes of an insertion's body.
pub const MAX_INSERT_BYTES: usize = 8 << 20;
/// The most records of an insertion.
pub const MAX_INSERT_RECORDS: usize = 4096;
/// The most records of a page.
pub const MAX_PAGE: u32 = 1000;
/// The most tokens of a query.
pub const MAX_QUERY_TOKENS: usize = 4096;

/// `POST /add/enc-data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Insert {
    /// Headers of batches that the exchange has not seen.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Records, in the order of their sequence.
    pub records: Vec<String>,
}

/// What became of an insertion: 201, or 409 where something was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inserted {
    /// Records that are durable now,
    pub accepted: u64,
    /// and that were already there, the same.
    pub repeated: u64,
    /// Those that were not taken.
    pub refused: Vec<RefusedRecord>,
    /// The next sequence that is expected of this collector.
    pub next: u64,
}

/// A record that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecord {
    /// Its place in the request, from 0.
    pub at: usize,
    /// Which, where that could be read.
    pub id: Option<RecordId>,
    /// `conflict`, `gap`, `malformed`, `signature`, `stranger`, `header`.
    pub error: String,
    /// What was wrong.
    pub message: String,
}

/// A condition on tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Where {
    /// Records that have any of these.
    Any(Vec<TokenText>),
    /// All of these conditions.
    And(Vec<Where>),
    /// Any of these conditions.
    Or(Vec<Where>),
}

/// `POST /query`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// What records must have.
    #[serde(rename = "where")]
    pub condition: Where,
    /// Arrived in this hour or later: hours since 1970.
    #[serde(default)]
    pub since_hour: Option<u32>,
    /// Arrived in this hour or before.
    #[serde(default)]
    pub until_hour: Option<u32>,
    /// Only of these collectors.
    #[serde(default)]
    pub collectors: Option<Vec<MemberId>>,
    /// `search`, or `count`.
    #[serde(default)]
    pub count: bool,
    /// Records a page, at most [`MAX_PAGE`].
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where the last page ended.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// One record that was found: an element of a page, or a line of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The record.
    pub record: String,
    /// Its hour of arrival: hours since 1970.
    pub hour: u32,
}

/// A page; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What was found.
    pub records: Vec<Found>,
    /// For the next page; absent at the end.
    pub cursor: Option<String>,
}

/// The answer to a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Records.
    pub count: u64,
}

/// `POST /get/batches`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskBatches {
    /// Which, at most 1,000.
    pub batches: Vec<BatchId>,
}

/// Its answer, in the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batches {
    /// Headers; absent where the exchange has none.
    pub headers: Vec<Option<String>>,
}

/// A collector's end at the exchange, of `GET /sync/heads`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadAt {
    /// Whose.
    pub collector: MemberId,
    /// Its first record that is still kept,
    pub first: u64,
    /// its last one,
    pub sequence: u64,
    /// and that one's digest, hexadecimal.
    pub digest: String,
}

/// `POST /proofs`: what a collector put into an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostProof {
    /// [`EpochProof`], signed under `strongroom sharing epoch v1`.
    pub signed: SignedText,
    /// The tree's leaves, `envelope::ProofTree` in base64.
    pub leaves: String,
}

/// What a collector says of an epoch when it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochProof {
    /// Whose.
    pub collector: MemberId,
    /// Which epoch.
    pub epoch: u64,
    /// The first sequence in it,
    pub first: u64,
    /// and the last.
    pub last: u64,
    /// The root of the tree over (token, count, digest), hexadecimal.
    pub root: String,
    /// Leaves.
    pub leaves: u64,
}

/// `POST /get/proofs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskProofs {
    /// Whose.
    pub collector: MemberId,
    /// Which epoch.
    pub epoch: u64,
    /// For which tokens.
    pub tokens: Vec<TokenText>,
}

/// Its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofs {
    /// The collector's word; absent while the epoch has not ended or the exchange was given none.
    pub signed: Option<SignedText>,
    /// `envelope::ProofPath` in base64, in the order of the tokens: of presence or of absence.
    pub paths: Vec<String>,
}

/// `POST /rewrap`: a batch's header under a later epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrap {
    /// The header with its new wraps; its fixed part is as it was.
    pub header: String,
    /// The collector's, over `envelope::rewrap_message` of the header's bytes: a token alone replaces nothing.
    pub signature: String,
}
