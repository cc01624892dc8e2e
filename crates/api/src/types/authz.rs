//! Why somebody may do something, and who may.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `ExplainSelf` and `Explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainReport {
    /// The action that was asked about.
    pub action: String,
    /// Upon what: `STORE`, `STORE/PATH`, or nothing.
    pub resource: String,
    /// For each kind of access: of an action that makes or changes, by what is there, both.
    pub answers: Vec<ExplainAnswer>,
}

/// A decision and what bears on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainAnswer {
    /// The access: `r`, `w`, `m` or `d`.
    pub access: String,
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rule that decides.
    pub rule: String,
    /// The rules that match or nearly do.
    pub candidates: Vec<ExplainCandidate>,
}

/// A rule that bears on a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainCandidate {
    /// The rule.
    pub rule: String,
    /// `allow` or `deny`.
    pub mode: String,
    /// Whether it decides, matches, or why it does not.
    pub bearing: String,
}

/// Answer of `WhoCan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoCanReport {
    /// The action that was asked about.
    pub action: String,
    /// Upon what: `STORE`, `STORE/PATH`, or nothing.
    pub resource: String,
    /// For each kind of access: of an action that makes or changes, by what is there, both.
    pub answers: Vec<WhoCanAnswer>,
}

/// Who has one kind of access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoCanAnswer {
    /// The access: `r`, `w`, `m` or `d`.
    pub access: String,
    /// The users, by name.
    pub users: Vec<AbleUser>,
}

/// A user who may, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AbleUser {
    /// The user's name.
    pub user: String,
    /// The rule that allows it.
    pub rule: String,
}
