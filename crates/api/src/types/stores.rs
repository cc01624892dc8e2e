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
