//! The trail.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrailRecord {
    /// Sequence number.
    pub seq: u64,
    /// When, RFC 3339.
    pub time: String,
    /// The request.
    pub request_id: String,
    /// What was asked: `area.verb`.
    pub action: String,
    /// `allowed` or `refused`.
    pub decision: String,
    /// What became of it: `done`, `released`, `not_found`, `refused`, `failed`, `abandoned`.
    pub outcome: String,
    /// Who, by name; absent if nobody proved anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The access key, if one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The token's accessor, if one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What it was about: a store, a secret, a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// More, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Its link, in hexadecimal.
    pub hash: String,
}

/// Answer of `ReadTrail` (query: `from`, `limit`, `tail`, and filters).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrailPage {
    /// The entries, oldest first.
    pub entries: Vec<TrailRecord>,
    /// The trail's last entry.
    pub head: u64,
    /// The first entry that the store holds: older ones moved out into segments.
    pub oldest: u64,
    /// Where to go on: the next entry to look at, with `tail` the entry before which to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Entries of the trail that moved out of the store into a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrailSegment {
    /// The file's path on the server.
    pub path: String,
    /// Its first entry.
    pub first: u64,
    /// Its last entry.
    pub last: u64,
    /// The link of its last entry, in hexadecimal.
    pub hash: String,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// When it was written, RFC 3339.
    pub time: String,
    /// Whether the file is there, in its size.
    pub present: bool,
}

/// Answer of `ListSegments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrailSegments {
    /// The segments, oldest first.
    pub segments: Vec<TrailSegment>,
}

/// A signed checkpoint: keep it elsewhere, and verify against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Format, 1.
    pub format: u32,
    /// The incarnation of the data directory.
    pub incarnation: String,
    /// The last entry covered.
    pub seq: u64,
    /// Its link, in hexadecimal.
    pub hash: String,
    /// When, RFC 3339.
    pub time: String,
    /// The key that signed, Ed25519, in hexadecimal.
    pub public_key: String,
    /// The signature, in hexadecimal.
    pub signature: String,
}

/// Body of `VerifyTrail`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// A checkpoint that was kept elsewhere.
    #[serde(default)]
    pub against: Option<Checkpoint>,
}

/// Answer of `VerifyTrail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerifyReport {
    /// Whether everything holds.
    pub ok: bool,
    /// Entries checked.
    pub entries: u64,
    /// Signed checkpoints checked.
    pub checkpoints: u64,
    /// Segments that moved out, checked.
    #[serde(default)]
    pub segments: u64,
    /// The segment that the first bad entry lies in, if it is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The first entry that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<u64>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The checkpoint that was kept elsewhere was signed before a restore; the trail is common up to this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<u64>,
}
