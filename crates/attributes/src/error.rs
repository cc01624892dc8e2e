//! Why the authority did not do something.

use std::time::Duration;
use strongroom_abe::{AttributeError, PolicyError, UsesError};
use strongroom_blindindex::FormError;
use strongroom_crypto::KeyError;
use strongroom_envelope::EpochError;
use strongroom_gate::{BarrierError, CommitError, Denied, Entry, HashError, TrailError, Verdict};
use strongroom_model::NameError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// No token, or none that is valid.
    #[error("no valid token")]
    Unauthenticated,
    /// Unknown member, wrong password, a proof that does not hold: one answer for all.
    #[error("the name or the proof is not right")]
    Proof,
    /// Too many attempts or values.
    #[error("too many attempts; wait {} s", wait.as_secs().max(1))]
    Throttled {
        /// How long to wait.
        wait: Duration,
    },
    /// There is no such member, group or right.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("it already exists")]
    AlreadyExists,
    /// Of members who administer, or of those who do not, there is no such thing.
    #[error("{0}")]
    NotForThem(&'static str),
    /// Nothing is wrapped to a member who has registered no keys.
    #[error("the member has registered no keys: enrol it first")]
    NotEnrolled,
    /// Keys are registered, and replacing them was not asked for.
    #[error("keys are registered already; say that they are to be replaced")]
    Enrolled,
    /// The two spellings of a new password are not the same.
    #[error("the two passwords are not the same")]
    PasswordsDiffer,
    /// There are as many as there may be.
    #[error("there are already {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Something that was sent is not what it should be.
    #[error("{what} is not {expected}")]
    Malformed {
        /// What.
        what: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The name is none.
    #[error("username: {0}")]
    Name(#[from] NameError),
    /// An attribute is none.
    #[error("attributes: {0}")]
    Attribute(#[from] AttributeError),
    /// An attribute names an epoch, or has no room for one.
    #[error("attributes: {0}")]
    Epoch(#[from] EpochError),
    /// A value that is looked for cannot be.
    #[error("values: {0}")]
    Value(#[from] FormError),
    /// A policy is none.
    #[error("policy: {0}")]
    Policy(#[from] PolicyError),
    /// A key is none.
    #[error("signing_key: {0}")]
    Key(#[from] KeyError),
    /// The password is not acceptable.
    #[error("a password has {min} to {max} bytes")]
    PasswordLength {
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// Not admitted.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Stored data.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
    /// The change was not, or perhaps not, made.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The trail cannot be written.
    #[error(transparent)]
    Trail(#[from] TrailError),
}

impl From<HashError> for AuthorityError {
    fn from(fault: HashError) -> Self {
        match fault {
            HashError::Busy => Self::Denied(Denied::Busy),
            HashError::Length { min, max } => Self::PasswordLength { min, max },
        }
    }
}

impl From<UsesError> for AuthorityError {
    fn from(_: UsesError) -> Self {
        Self::Barrier(BarrierError::corrupt("the number of uses of an attribute"))
    }
}

/// Leaves the entry of what was admitted and could not be done.
pub(crate) async fn fail<T>(mut entry: Entry, fault: AuthorityError) -> Result<T, AuthorityError> {
    entry.note(fault.to_string());
    match fault {
        AuthorityError::NotFound => entry.finish(Verdict::NotFound).await?,
        AuthorityError::Proof
        | AuthorityError::Throttled { .. }
        | AuthorityError::Unauthenticated
        | AuthorityError::Denied(Denied::Busy) => entry.refuse().await?,
        _ => entry.finish(Verdict::Failed).await?,
    }
    Err(fault)
}
