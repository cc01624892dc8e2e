//! What can be wrong with a policy file.

/// A fault, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {place}: {fault}")]
pub struct PolicyFileError {
    /// The line of the configuration; 0 where it is missing as a whole.
    pub line: u64,
    /// The section.
    pub place: &'static str,
    /// What is wrong.
    pub fault: PolicyFault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// No default.
    #[error("abe_pol is missing: it says who may read the fields that no rule names")]
    NoDefault,
    /// Too many rules.
    #[error("more than {max} rules", max = super::MAX_RULES)]
    TooManyRules,
    /// Too many different policies.
    #[error("more than {max} different policies", max = super::MAX_POLICIES)]
    TooManyPolicies,
    /// A policy that cannot be read.
    #[error(transparent)]
    Policy(#[from] strongroom_abe::PolicyError),
    /// An epoch in a policy.
    #[error("{attribute}: @ is the authority's, for epochs")]
    Epoch {
        /// The attribute.
        attribute: String,
    },
    /// Attributes that no member has.
    #[error("no member has {attributes}: the policy {policy} may be misspelt")]
    UnknownAttributes {
        /// Which, parted by commas.
        attributes: String,
        /// The policy.
        policy: String,
    },
    /// A pattern that cannot be read.
    #[error("pattern {pattern:?}: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        why: String,
    },
    /// A key that the section has not.
    #[error("{key:?} is not known here; known are {known}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What there is.
        known: &'static str,
    },
    /// Something else is expected.
    #[error("expected {wanted}")]
    Expected {
        /// What.
        wanted: &'static str,
    },
    /// Networks that cannot be.
    #[error(transparent)]
    Networks(#[from] strongroom_blindindex::NetworksError),
    /// An address that nothing can be bound to.
    #[error(transparent)]
    Bind(#[from] crate::settings::BindError),
    /// Both a policy and none.
    #[error("remove and abe_pol do not go together")]
    RemovedAndEncrypted,
}

pub(super) fn at(line: u64, place: &'static str, fault: PolicyFault) -> PolicyFileError {
    PolicyFileError { line, place, fault }
}
