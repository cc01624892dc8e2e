//! What can go wrong with people.

use std::time::Duration;
use strongroom_crypto::KeyError;
use strongroom_gate::{AclError, BarrierError, CommitError, Denied, Entry, HashError, TrailError, Verdict};

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No token, or none that is valid.
    #[error("no valid token")]
    Unauthenticated,
    /// The proof of possession does not hold: unknown key, wrong signature, spent or expired challenge.
    #[error("the proof of possession does not hold")]
    Proof,
    /// No such user, or not that user's password.
    #[error("the user or the password is not right")]
    Password,
    /// Too many attempts.
    #[error("too many failed attempts; wait {} s", wait.as_secs().max(1))]
    Throttled {
        /// How long to wait.
        wait: Duration,
    },
    /// It was removed meanwhile, or is not that user's.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("it already exists")]
    AlreadyExists,
    /// One of the users who are never lost would lose something.
    #[error("{user} is a protected user and {what}")]
    Protected {
        /// Who.
        user: String,
        /// What must not be.
        what: &'static str,
    },
    /// Only a protected user may do that to one.
    #[error("only root or recovery may do this to a protected user")]
    OnlyProtected,
    /// There are as many as there may be.
    #[error("there are already {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The public key is not acceptable.
    #[error("public key: {0}")]
    PublicKey(#[from] KeyError),
    /// The password is not acceptable.
    #[error("a password has {min} to {max} bytes")]
    PasswordLength {
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// Neither the old password nor an access key was shown.
    #[error("this takes the present password, or a token that an access key got")]
    NeedsProof,
    /// It was changed meanwhile.
    #[error("it was changed meanwhile: its revision is {present}, expected was {expected}")]
    Revision {
        /// The revision there is.
        present: u64,
        /// The one expected.
        expected: u64,
    },
    /// The ACL is attached to somebody.
    #[error(
        "the ACL is attached to {users} users and {groups} groups; detach it there, or force its removal"
    )]
    Attached {
        /// Users.
        users: usize,
        /// Groups.
        groups: usize,
    },
    /// The ACL is none.
    #[error(transparent)]
    Acl(#[from] AclError),
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

impl From<HashError> for IdentityError {
    fn from(fault: HashError) -> Self {
        match fault {
            HashError::Busy => Self::Denied(Denied::Busy),
            HashError::Length { min, max } => Self::PasswordLength { min, max },
        }
    }
}

/// Leaves the entry of what was admitted and could not be done.
pub(crate) async fn fail<T>(mut entry: Entry, fault: IdentityError) -> Result<T, IdentityError> {
    entry.note(fault.to_string());
    match fault {
        IdentityError::OnlyProtected => entry.refuse().await?,
        _ => entry.finish(Verdict::Failed).await?,
    }
    Err(fault)
}
