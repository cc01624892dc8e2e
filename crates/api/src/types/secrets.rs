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
