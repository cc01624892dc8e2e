//! Challenges, proofs, tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `Challenge`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The access key to prove.
    pub access_key_id: String,
}

/// Answer of `Challenge`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChallengeResponse {
    /// The challenge, a text. Sign [`signed_transcript`]'s bytes with it.
    pub challenge: String,
    /// Until when, RFC 3339.
    pub expires: String,
}

/// The bytes to sign: `strongroom authorize v1`, a zero, the access key id's text, a zero, the challenge's text.
/// Ed25519, or RSA-PSS with SHA-256.
pub fn signed_transcript(access_key_id: &str, challenge: &str) -> Vec<u8> {
    let mut bytes = b"strongroom authorize v1\0".to_vec();
    bytes.extend_from_slice(access_key_id.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(challenge.as_bytes());
    bytes
}

/// Body of `Authorize`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeRequest {
    /// The access key.
    pub access_key_id: String,
    /// The challenge.
    pub challenge: String,
    /// The signature over [`signed_transcript`], standard base64.
    pub signature: String,
    /// Lifetime in seconds; bounded by the server's maximum.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub ttl_secs: Option<u32>,
}

/// A new token.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// The token.
    pub token: String,
    /// Names the token without being it.
    pub accessor: String,
    /// Until when, RFC 3339.
    pub expires: String,
    /// Lifetime in seconds.
    pub ttl_secs: u32,
}

/// Body of `Login`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
    /// Lifetime in seconds; bounded by the server's maximum.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub ttl_secs: Option<u32>,
}

/// How a token was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenWay {
    /// By proof of possession of an access key.
    AccessKey,
    /// With a password.
    Password,
}

/// A token without its text.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenInfo {
    /// Names the token without being it.
    pub accessor: String,
    /// Whose.
    pub user: String,
    /// The access key it was got with; of a password, an id that changes whenever the password does.
    pub access_key_id: String,
    /// How it was got.
    pub way: TokenWay,
    /// Made when, RFC 3339.
    pub created: String,
    /// Until when, RFC 3339.
    pub expires: String,
    /// Seconds left.
    pub ttl_secs: u32,
}

/// Body of `RenewToken`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewTokenRequest {
    /// Lifetime from now in seconds; bounded by the server's maximum since the token was made.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub ttl_secs: Option<u32>,
}

/// Tokens.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// The tokens: one user's by age, everybody's by accessor.
    pub tokens: Vec<TokenInfo>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
