//! Stores and keysets.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// So many versions of a secret are kept; all if 0 or absent.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0, maximum = 4_294_967_295_i64)]
    pub keep_versions: u32,
    /// Whether every write has to name the version it expects.
    #[serde(default)]
    pub cas_required: bool,
    /// Settings of the type: `ListStoreTypes` tells which.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// Body of `ConfigureStore`: what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureStoreRequest {
    /// So many versions of a secret are kept from its next write on; all if 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub keep_versions: Option<u32>,
    /// Whether every write has to name the version it expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cas_required: Option<bool>,
    /// Settings of the type to change: one that is `null` is unset, those that are not named stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A setting of a type.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StoreSetting {
    /// Its name.
    pub name: String,
    /// What it means.
    pub about: String,
}

/// A type of store.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StoreTypeInfo {
    /// Its name.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// The version that new stores get.
    pub version: u32,
    /// What its secrets are.
    pub about: String,
    /// Its settings.
    pub settings: Vec<StoreSetting>,
}

/// Answer of `ListStoreTypes`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StoreTypeList {
    /// The types.
    pub types: Vec<StoreTypeInfo>,
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
    /// Versions of them, deleted and destroyed ones included; not in a listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<u64>,
    /// So many versions of a secret are kept; all if 0.
    pub keep_versions: u64,
    /// Whether every write has to name the version it expects.
    pub cas_required: bool,
    /// Settings of the type.
    pub settings: serde_json::Map<String, serde_json::Value>,
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
