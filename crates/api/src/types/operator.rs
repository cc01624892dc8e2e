//! The lock, initialisation, rotation.

use serde::{Deserialize, Serialize};
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
    /// When the last complete backup was made, RFC 3339; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<String>,
    /// Room on the disk: `ample`, `reserved` or `exhausted`.
    pub space: String,
    /// What needs an operator's attention.
    pub warnings: Vec<String>,
    /// The present, as the server believes it: RFC 3339.
    #[serde(default)]
    pub time: String,
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
    /// Whether the records of all background jobs open.
    #[serde(default = "yes")]
    pub jobs_ok: bool,
    /// Version of the server.
    pub version: String,
}

/// Answer of `DeepCheck`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckReport {
    /// Whether everything is whole.
    pub ok: bool,
    /// Sealed records that were opened.
    pub records: u64,
    /// What is wrong, each with its place.
    pub findings: Vec<String>,
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

fn yes() -> bool {
    true
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
