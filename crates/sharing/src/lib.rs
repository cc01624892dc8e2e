//! Ids, paths and wire types of the sharing system: what authority, exchange, collector and query say to each other.
//!
//! **What it is for.** One place for what goes over the wire, so that both ends compile against the same words.
//!
//! **What it promises.** Plain data with bounds named beside it. What it does not know: how anything is done, sealed, signed.

pub mod authority;
pub mod exchange;
mod ids;
mod password;

pub use ids::{BatchId, IdError, MemberId, RecordId, TokenText};
pub use password::{NotTextError, Password};

/// Header with a member's token, `Bearer ...`; `Authorization` belongs to the proxy before the servers.
pub const TOKEN_HEADER: &str = "x-authorization";
/// Media type of a stream of JSON lines.
pub const NDJSON: &str = "application/x-ndjson";

use serde::{Deserialize, Serialize};

/// A document with its Ed25519 signature. `envelope` signs and checks; the payload is the exact JSON that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedText {
    /// The document: base64 of its JSON.
    pub payload: String,
    /// The signing key: the first 16 hexadecimal digits of SHA-256 of its SubjectPublicKeyInfo.
    pub kid: String,
    /// 64 bytes, base64.
    pub signature: String,
}

/// What a server says when it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A stable word.
    pub error: String,
    /// What was wrong and where, for people.
    pub message: String,
}
