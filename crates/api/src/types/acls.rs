//! ACLs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether an ACL allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AclMode {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// What an ACL covers; each kind is named after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AclCovers {
    /// Everything.
    Everything,
    /// Commands: actions by name.
    Commands,
    /// Stores and the secrets in them.
    Stores,
}

/// The rule of an ACL. Patterns are regular expressions that match a whole name, without back-references and
/// look-around; after `glob:` they are globs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AclRule {
    /// Whether it allows or denies.
    pub mode: AclMode,
    /// Letters of `rwmd`: read, write what was not there, modify what is, delete.
    pub access: String,
    /// What it covers.
    pub covers: AclCovers,
    /// Patterns of commands, if it covers commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Patterns of stores, if it covers stores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<String>,
    /// Patterns of secrets in them, if it covers stores; all if absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

/// Body of `CreateAcl`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAclRequest {
    /// Its name.
    pub name: String,
    /// Its rule.
    pub rule: AclRule,
}

/// Body of `UpdateAcl`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAclRequest {
    /// The rule that takes the place of the present one.
    pub rule: AclRule,
    /// The revision that was seen: if it was changed since, it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// An ACL.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AclInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its rule.
    pub rule: AclRule,
    /// Grows by one with each change.
    pub revision: u64,
    /// Made when, RFC 3339.
    pub created: String,
    /// Last changed when, RFC 3339.
    pub updated: String,
    /// Users that it is attached to; absent in a listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// Groups that it is attached to; absent in a listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

/// ACLs in the order of their names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AclList {
    /// The ACLs.
    pub acls: Vec<AclInfo>,
    /// The cursor of the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
