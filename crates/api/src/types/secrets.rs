//! Secrets, with their values.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

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

/// Body of `GenerateSecret`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateSecretRequest<'a> {
    /// What is wanted, as the store's type understands it; what is left open, the store's settings decide.
    #[serde(borrow, default)]
    #[schema(value_type = Option<serde_json::Map<String, serde_json::Value>>)]
    pub parameters: Option<&'a RawValue>,
    /// The version that must be current; 0: the secret must not exist.
    #[serde(default)]
    pub cas: Option<u64>,
}

/// Answer of `GenerateSecret`: never the value, which is read like any other.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecretGenerated {
    /// The new version.
    pub version: u64,
    /// Made when, RFC 3339.
    pub created: String,
    /// What its type says of it: bits of entropy, a fingerprint, an expiry. Absent from the answer to a repetition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<serde_json::Value>,
}

/// Answer of `ReadPublic` (query: `version`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecretPublic {
    /// The public half, as the store's type makes it.
    pub public: serde_json::Value,
    /// Its version.
    pub version: u64,
    /// When this version was made, RFC 3339.
    pub created: String,
}

/// Body of `DeleteSecret`, `UndeleteSecret` and `DestroySecret`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionsRequest {
    /// Which versions, at most 1,000; if none, the newest. `DestroySecret` wants them named.
    #[serde(default)]
    pub versions: Vec<u64>,
}

/// A secret that expires.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ExpiringSecret {
    /// Its store.
    pub store: String,
    /// Its path.
    pub path: String,
    /// Its newest version.
    pub version: u64,
    /// When that one expires, or expired, RFC 3339.
    pub expires: String,
    /// Whether that is past.
    pub expired: bool,
    /// What its type says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<serde_json::Value>,
}

/// Answer of `ListExpiring` (query: `within_secs`, 30 days if absent).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ExpiringList {
    /// What has expired or will, soonest first, at most 10,000.
    pub secrets: Vec<ExpiringSecret>,
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
    /// Size of the value in bytes, also of one that is no longer there.
    pub size: u64,
    /// `json` or `bytes`.
    pub kind: String,
    /// `live`, `deleted` or `destroyed`.
    pub state: String,
    /// Deleted or destroyed when, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Who deleted or destroyed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// What its type says of it: a size, a fingerprint, an expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<serde_json::Value>,
}

/// A secret's metadata block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretMetadata {
    /// Its path.
    pub path: String,
    /// The type of its store.
    #[serde(rename = "type")]
    pub store_type: String,
    /// Current version.
    pub version: u64,
    /// The oldest version that is kept.
    pub oldest: u64,
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
    /// Whether its newest version is deleted or destroyed; such ones are listed on request.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Answer of `ListSecrets` (query: `prefix`, `contains`, `deleted`, `cursor`, `limit`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecretPage {
    /// The secrets, by path.
    pub secrets: Vec<SecretListed>,
    /// Where the next page starts, if there is one; bound to the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
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
