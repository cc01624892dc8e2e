//! Request and response bodies. Secrets in them are plain text on purpose: this is the wire.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// State of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LockState {
    /// No root key exists yet.
    Uninitialised,
    /// Sealed.
    Locked,
    /// Open for business.
    Unlocked,
}

/// Answer of `Status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusReport {
    /// Version of the server.
    pub version: String,
    /// State of the lock.
    pub state: LockState,
    /// Whether initialisation was confirmed.
    pub confirmed: bool,
    /// Unlock keys that must be presented.
    pub threshold: u8,
    /// Unlock keys in the set.
    pub num_keys: u8,
    /// The set that unlock keys must belong to, in hexadecimal.
    pub set_id: Option<String>,
    /// How far this caller has come.
    pub progress: u8,
    /// Whether a rotation of the root key waits for its confirmation.
    pub rotation_pending: bool,
    /// Auto-unlock providers.
    pub auto_unlock: Vec<String>,
    /// Whether an operator's lock keeps auto-unlock off until a manual unlock.
    pub auto_unlock_held: bool,
    /// Room on the disk: `ample`, `reserved` or `exhausted`.
    pub space: String,
    /// What needs an operator's attention.
    pub warnings: Vec<String>,
}

/// Answer of `/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, `degraded` or `unavailable`.
    pub status: String,
    /// State of the lock.
    pub state: LockState,
    /// Room on the disk: `ample`, `reserved` or `exhausted`.
    pub space: String,
    /// Whether the clock jumped further than is believed.
    pub clock_ok: bool,
    /// Version of the server.
    pub version: String,
}

/// Body of `Init`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InitRequest {
    /// Unlock keys to make, 1 to 255.
    #[serde(default = "five")]
    pub num_keys: u8,
    /// How many of them unlock together.
    #[serde(default = "one")]
    pub threshold: u8,
    /// Root's public key: PEM, Ed25519 or RSA of at least 2048 bits.
    pub public_key: String,
}

fn five() -> u8 {
    5
}

fn one() -> u8 {
    1
}

/// Unlock keys, shown once.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewUnlockKeys {
    /// The set they belong to, in hexadecimal.
    pub set_id: String,
    /// How many of them unlock together.
    pub threshold: u8,
    /// The keys.
    pub unlock_keys: Vec<String>,
    /// Root's access key id (only at initialisation).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// What to know about them.
    pub warnings: Vec<String>,
}

/// Body of `ConfirmInit`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmInitRequest {
    /// The set that is kept.
    pub set_id: String,
}

/// Body of `Unlock`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlockRequest {
    /// One unlock key.
    pub unlock_key: String,
}

/// Answer of `Unlock` and `ConfirmRotateRoot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnlockProgress {
    /// Whether it is done.
    pub done: bool,
    /// Keys presented by this caller.
    pub have: u8,
    /// Keys needed.
    pub need: u8,
}

/// Body of `AddAutoUnlock` and `ConfirmRotateRoot`: a threshold of unlock keys, of the new ones to confirm.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlockKeysRequest {
    /// The keys.
    pub unlock_keys: Vec<String>,
}

/// Answer of `AddAutoUnlock`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AutoUnlockAdded {
    /// The provider.
    pub provider: String,
    /// Where its key is.
    pub place: String,
}

/// Body of `RotateRoot`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateRootRequest {
    /// A threshold of the present unlock keys.
    pub unlock_keys: Vec<String>,
    /// New unlock keys to make; as many as before if absent.
    #[serde(default)]
    pub num_keys: Option<u8>,
    /// New threshold; as before if absent.
    #[serde(default)]
    pub threshold: Option<u8>,
}

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

/// Answer of `LookupToken`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenInfo {
    /// Names the token without being it.
    pub accessor: String,
    /// Whose.
    pub user: String,
    /// The access key it was got with.
    pub access_key_id: String,
    /// Made when, RFC 3339.
    pub created: String,
    /// Until when, RFC 3339.
    pub expires: String,
    /// Seconds left.
    pub ttl_secs: u32,
}

/// A keyset.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeysetInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Terms in it.
    pub terms: u32,
    /// The term that seals new records.
    pub write_term: u32,
    /// Stores attached to it.
    pub stores: Vec<String>,
}

/// Body of `CreateStore`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateStoreRequest {
    /// Its name.
    pub name: String,
    /// Its type; `generic` if absent.
    #[serde(default = "generic", rename = "type")]
    pub store_type: String,
    /// The keyset that seals it; `default` if absent.
    #[serde(default)]
    pub keyset: Option<String>,
}

fn generic() -> String {
    "generic".to_owned()
}

/// A store's metadata block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub store_type: String,
    /// Version of its type.
    pub type_version: u32,
    /// The keyset that seals it.
    pub keyset: String,
    /// Who made it.
    pub creator: String,
    /// Made when, RFC 3339.
    pub created: String,
    /// Last changed when, RFC 3339.
    pub updated: String,
    /// Secrets in it.
    pub secrets: u64,
}

/// Answer of `ListStores`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StoreList {
    /// The stores, by name.
    pub stores: Vec<StoreInfo>,
}

/// Answer of `ListKeysets`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeysetList {
    /// The keysets, by name.
    pub keysets: Vec<KeysetInfo>,
}

/// A field that is there, even if it is `null`: an `Option` alone takes that for absent.
fn borrowed<'de, D: Deserializer<'de>>(input: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(input).map(Some)
}

/// The same, owned.
fn owned<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Box<RawValue>>, D::Error> {
    <Box<RawValue>>::deserialize(input).map(Some)
}

/// Body of `PutSecret` as JSON: `value` (any JSON, kept to the byte) or `bytes` (standard base64), not both.
/// As `application/octet-stream` the body is the value and `cas` goes into the query.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSecretRequest<'a> {
    /// Any JSON, `null` included.
    #[serde(borrow, default, deserialize_with = "borrowed")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub value: Option<&'a RawValue>,
    /// Any bytes, standard base64.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    pub bytes: Option<std::borrow::Cow<'a, str>>,
    /// The version that must be current; 0: the secret must not exist.
    #[serde(default)]
    pub cas: Option<u64>,
}

/// Answer of `PutSecret`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretWritten {
    /// The new version.
    pub version: u64,
    /// Made when, RFC 3339.
    pub created: String,
}

/// Answer of `GetSecret`: `value` or `bytes`, as it was put.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SecretValue {
    /// The JSON, to the byte.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "owned")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub value: Option<Box<RawValue>>,
    /// The bytes, standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// Its version.
    pub version: u64,
    /// When this version was made, RFC 3339.
    pub created: String,
    /// Who made this version.
    pub creator: String,
}

/// One version of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionInfo {
    /// Its number, from 1.
    pub version: u64,
    /// Made when, RFC 3339.
    pub created: String,
    /// Who made it.
    pub creator: String,
    /// Size of the value in bytes.
    pub size: u64,
    /// `json` or `bytes`.
    pub kind: String,
}

/// A secret's metadata block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretMetadata {
    /// Its path.
    pub path: String,
    /// Current version.
    pub version: u64,
    /// Made when, RFC 3339.
    pub created: String,
    /// Who made it.
    pub creator: String,
    /// Last written when, RFC 3339.
    pub updated: String,
    /// Its versions, newest first, at most 1,000.
    pub versions: Vec<VersionInfo>,
}

/// One secret in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretListed {
    /// Its path.
    pub path: String,
}

/// Answer of `ListSecrets` (query: `prefix`, `contains`, `cursor`, `limit`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecretPage {
    /// The secrets, by path.
    pub secrets: Vec<SecretListed>,
    /// Where the next page starts, if there is one; bound to the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

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

/// Answer of `ReadTrail` (query: `from`, `limit`, `tail`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrailPage {
    /// The entries, oldest first.
    pub entries: Vec<TrailRecord>,
    /// The trail's last entry.
    pub head: u64,
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
    /// The first entry that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<u64>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_a_value_and_absent_is_none() {
        let put = |text| serde_json::from_str::<PutSecretRequest<'_>>(text).unwrap();
        assert_eq!(put(r#"{"value":null}"#).value.map(RawValue::get), Some("null"));
        assert!(put(r#"{"bytes":"AA=="}"#).value.is_none());
        let got = |text| serde_json::from_str::<SecretValue>(text).unwrap();
        let null = got(r#"{"value":null,"version":1,"created":"","creator":""}"#);
        assert_eq!(null.value.as_deref().map(RawValue::get), Some("null"));
        assert_eq!(
            serde_json::to_string(&null).unwrap(),
            r#"{"value":null,"version":1,"created":"","creator":""}"#
        );
    }

    #[test]
    fn numbers_beyond_a_double_stay_as_they_are() {
        let put: PutSecretRequest<'_> =
            serde_json::from_str(r#"{"value":[9007199254740993, 1.10]}"#).unwrap();
        assert_eq!(put.value.map(RawValue::get), Some("[9007199254740993, 1.10]"));
    }
}
