//! Keysets, jobs, unlock keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `CreateKeyset`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKeysetRequest {
    /// Its name.
    pub name: String,
}

/// Answer of `CreateKeyset`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeysetCreated {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What has become of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// It has work to do.
    Running,
    /// It has done everything.
    Done,
    /// Somebody gave it up, or another took its place.
    Cancelled,
    /// Something that it met keeps it from coming to its end.
    Failed,
}

/// A background job: it seals everything of a keyset anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobInfo {
    /// Its id.
    pub id: String,
    /// What has become of it.
    pub status: JobStatus,
    /// The keyset's name; empty for the partition's own.
    pub keyset: String,
    /// The term under which everything is sealed anew.
    pub term: u32,
    /// Passes over the records so far; the last one changes nothing, and proves it.
    pub pass: u32,
    /// Records that this pass has seen.
    pub seen: u64,
    /// Records that a pass sees, roughly.
    pub total: u64,
    /// Records sealed anew so far.
    pub rewritten: u64,
    /// Records that cannot be opened, in this pass.
    pub damaged: u64,
    /// Who began it.
    pub by: String,
    /// The request that began it: its entry in the trail.
    pub request: String,
    /// Begun when, RFC 3339.
    pub started: String,
    /// When it last got on, RFC 3339.
    pub updated: String,
    /// What it waits for, though it could go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// What to know about it.
    pub note: String,
}

/// Answer of `ListJobs`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JobList {
    /// The jobs, oldest first; of those that have ended the last hundred.
    pub jobs: Vec<JobInfo>,
    /// Jobs whose records do not open: they are left out, and can only be given up.
    #[serde(default)]
    pub damaged: Vec<String>,
}

/// Answer of `RotateAll`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JobsBegun {
    /// The jobs that seal everything anew, one a keyset.
    pub jobs: Vec<String>,
}

/// A set of unlock keys, without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnlockKeySetInfo {
    /// Its id, in hexadecimal: it stands in each of its keys.
    pub set_id: String,
    /// Whether it opens the server now; else it waits to be confirmed.
    pub current: bool,
    /// How many of its keys unlock together.
    pub threshold: u8,
    /// The generation of the root key that it opens.
    pub root_generation: u64,
    /// Made when, RFC 3339; absent of a set from before that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// The numbers of its keys; revoked ones are gone. Of each the server keeps a verifier, and no key.
    pub keys: Vec<u8>,
}

/// Answer of `ListUnlockKeys`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UnlockKeyList {
    /// The sets, the current one first.
    pub sets: Vec<UnlockKeySetInfo>,
}
