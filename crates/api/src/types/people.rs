//! Users and groups, access keys and passwords.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserInfo {
    /// The user's id.
    pub id: String,
    /// The user's name.
    pub name: String,
    /// Whether credentials and tokens hold.
    pub enabled: bool,
    /// Whether it is `root` or `recovery`: never removed, disabled or left without an access key.
    pub protected: bool,
    /// Made when, RFC 3339.
    pub created: String,
    /// Groups that the user is in.
    pub groups: Vec<String>,
    /// ACLs attached to the user; those of groups not among them.
    pub acls: Vec<String>,
    /// Ids of access keys.
    pub access_keys: Vec<String>,
    /// Whether there is a password.
    pub password: bool,
    /// Tokens that hold.
    pub tokens: u32,
}

/// Body of `CreateUser`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUserRequest {
    /// The user's name.
    pub name: String,
    /// A first access key's public half: PEM, or a line as OpenSSH writes it. Ed25519, or RSA of 2048 bits or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The access key's id, if another system gave it one: 32 hexadecimal digits. A new one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// A password of 12 to 1,024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Answer of `CreateUser`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserCreated {
    /// The user.
    pub user: UserInfo,
    /// The first access key's id, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
}

/// Users in the order of their names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserList {
    /// The users.
    pub users: Vec<UserInfo>,
    /// The cursor of the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Body of `UpdateUser`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUserRequest {
    /// Whether credentials and tokens hold. Disabling ends every token at once.
    pub enabled: bool,
}

/// Body of `AddAccessKey`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAccessKeyRequest {
    /// The public half: PEM, or a line as OpenSSH writes it. Ed25519, or RSA of 2048 bits or more.
    pub public_key: String,
    /// Its id, if another system gave it one: 32 hexadecimal digits. A new one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Body of `AddOwnAccessKey`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOwnAccessKeyRequest {
    /// The public half: PEM, or a line as OpenSSH writes it. Ed25519, or RSA of 2048 bits or more.
    pub public_key: String,
    /// The present password; not needed with a token that an access key got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<String>,
}

/// An access key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessKeyInfo {
    /// Its id.
    pub id: String,
    /// `ed25519` or `rsa-pss-sha256`.
    pub kind: String,
    /// SHA-256 of its `SubjectPublicKeyInfo`, hexadecimal.
    pub fingerprint: String,
    /// Made when, RFC 3339.
    pub created: String,
}

/// A user's access keys, the oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessKeyList {
    /// The keys.
    pub access_keys: Vec<AccessKeyInfo>,
}

/// Body of `SetPassword`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPasswordRequest {
    /// The new password, 12 to 1,024 bytes.
    pub password: String,
}

/// Body of `SetOwnPassword`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOwnPasswordRequest {
    /// The new password, 12 to 1,024 bytes.
    pub password: String,
    /// The present one; not needed with a token that an access key got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<String>,
}

/// A group.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GroupInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Made when, RFC 3339.
    pub created: String,
    /// How many members it has.
    pub size: u32,
    /// Names of its members; absent in a listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
    /// ACLs attached to it.
    pub acls: Vec<String>,
}

/// Body of `CreateGroup`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGroupRequest {
    /// Its name.
    pub name: String,
}

/// Groups in the order of their names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GroupList {
    /// The groups.
    pub groups: Vec<GroupInfo>,
    /// The cursor of the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
