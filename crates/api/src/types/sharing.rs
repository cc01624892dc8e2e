//! The attribute authority of the sharing system, as far as the server's own people keep it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `AddSharingAdmin`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSharingAdminRequest {
    /// The wanted name: a slash becomes two underscores, a space one.
    pub name: String,
    /// Its password, of 12 to 1,024 bytes; of one that is there, the password that it has.
    pub password: String,
}

/// Answer of `AddSharingAdmin`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SharingAdmin {
    /// The registered name.
    pub username: String,
    /// Its id.
    pub id: String,
    /// A token for the attribute authority's own door.
    pub access_token: String,
    /// Seconds that it lives.
    pub expires_in: u64,
}

impl std::fmt::Debug for SharingAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharingAdmin({})", self.username)
    }
}
