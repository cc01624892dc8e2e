//! From an engine's error to a problem: the door's one mapping.

use strongroom_api::Code;
use strongroom_gate::{BarrierError, CommitError, Denied, StoreError, TrailError};
use strongroom_identity::IdentityError;
use strongroom_model::Action;
use strongroom_operator::OperatorError;
use strongroom_secrets::{SecretsError, TypeError};

/// A problem about to be answered.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) detail: Option<String>,
    /// Seconds after which it may be asked again.
    pub(crate) retry_after: Option<u64>,
}

impl Fault {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..code.into() }
    }

    /// Something that cannot be: logged with its reason, answered without.
    pub(crate) fn internal(reason: &str) -> Self {
        tracing::error!(reason, "internal fault");
        Code::Internal.into()
    }

    fn corrupt(place: &str) -> Self {
        tracing::error!(place, "stored data is corrupt");
        Self::new(Code::Corrupt, place)
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        let wait =
            matches!(code, Code::Busy | Code::TooManyRequests | Code::TrailUnavailable | Code::Unknown);
        Self { code, detail: None, retry_after: wait.then_some(1) }
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Locked => Code::Locked.into(),
            Denied::Refused { action, resource, .. } => refused(action, &resource),
            Denied::NotFound => Code::NotFound.into(),
            Denied::Busy => Code::Busy.into(),
            Denied::Full => Code::StorageFull.into(),
            Denied::Trail => Code::TrailUnavailable.into(),
            Denied::Corrupt { place } => Self::corrupt(&place),
            Denied::Store(reason) => Self::internal(&reason),
            Denied::Repeated(_) => Self::new(Code::Conflict, "this request was already done"),
            Denied::Reused => Code::RequestReused.into(),
        }
    }
}

/// A refusal names the action and what it was asked upon, as the caller named it; the rule tells `explain`, to those who
/// have come in.
fn refused(action: &str, resource: &str) -> Fault {
    let upon = if resource.is_empty() { String::new() } else { format!(" on '{resource}'") };
    let hint = if comes_in(action) { "" } else { "; 'strongroom explain' tells which rule decided" };
    Fault::new(Code::Refused, format!("{action}{upon} is not allowed{hint}"))
}

/// Whether an action is asked for by people who have no token yet.
fn comes_in(action: &str) -> bool {
    let ways = [Action::Challenge, Action::Authorize, Action::Login, Action::Unlock, Action::Initialise];
    ways.iter().any(|way| way.name() == action)
}

impl From<BarrierError> for Fault {
    fn from(fault: BarrierError) -> Self {
        Denied::from(fault).into()
    }
}

impl From<StoreError> for Fault {
    fn from(fault: StoreError) -> Self {
        BarrierError::from(fault).into()
    }
}

impl From<TrailError> for Fault {
    fn from(_: TrailError) -> Self {
        Code::TrailUnavailable.into()
    }
}

impl From<CommitError> for Fault {
    fn from(fault: CommitError) -> Self {
        match fault {
            CommitError::Changed => Self::new(Code::Conflict, "it was changed meanwhile; look and try again"),
            CommitError::Busy => Code::Busy.into(),
            CommitError::Refused { action, resource, .. } => refused(action, &resource),
            CommitError::Full => Code::StorageFull.into(),
            CommitError::TooLarge => Code::TooLarge.into(),
            CommitError::Corrupt => Self::corrupt("a counter"),
            CommitError::Failed => Self::internal("the store failed before the commit"),
            CommitError::Unknown => Code::Unknown.into(),
        }
    }
}

impl From<IdentityError> for Fault {
    fn from(fault: IdentityError) -> Self {
        use IdentityError as I;
        let said = |code| Self::new(code, fault.to_string());
        match fault {
            I::Unauthenticated => Code::Unauthenticated.into(),
            I::Proof | I::Password => said(Code::Unauthenticated),
            I::Throttled { wait } => {
                Self { retry_after: Some(wait.as_secs().max(1)), ..said(Code::TooManyRequests) }
            }
            I::NotFound => Code::NotFound.into(),
            I::AlreadyExists => Code::AlreadyExists.into(),
            I::Protected { .. } => said(Code::ProtectedUser),
            I::OnlyProtected | I::NeedsProof => said(Code::Refused),
            I::Limit { .. } | I::Attached { .. } => said(Code::Conflict),
            I::PublicKey(_) => said(Code::InvalidKey),
            I::PasswordLength { .. } => said(Code::InvalidRequest),
            I::Acl(_) => said(Code::InvalidAcl),
            I::Revision { .. } => said(Code::VersionMismatch),
            I::Denied(fault) => fault.into(),
            I::Barrier(fault) => fault.into(),
            I::Commit(fault) => fault.into(),
            I::Trail(fault) => fault.into(),
        }
    }
}

impl From<SecretsError> for Fault {
    fn from(fault: SecretsError) -> Self {
        match fault {
            SecretsError::NotFound => Code::NotFound.into(),
            SecretsError::AlreadyExists => Code::AlreadyExists.into(),
            SecretsError::VersionMismatch { .. } => Self::new(Code::VersionMismatch, fault.to_string()),
            SecretsError::VersionRequired { .. } => Self::new(Code::VersionRequired, fault.to_string()),
            SecretsError::Deleted { .. } => Self::new(Code::Deleted, fault.to_string()),
            SecretsError::Destroyed { .. } => Self::new(Code::Destroyed, fault.to_string()),
            SecretsError::NoVersionNamed | SecretsError::TooManyNamed => {
                Self::new(Code::InvalidRequest, fault.to_string())
            }
            SecretsError::Type(TypeError::TooLarge) => Self::new(Code::TooLarge, fault.to_string()),
            SecretsError::Type(_) => Self::new(Code::InvalidSecret, fault.to_string()),
            SecretsError::Versions | SecretsError::TooManyDeleted => {
                Self::new(Code::Conflict, fault.to_string())
            }
            SecretsError::Busy => Self::new(Code::Busy, fault.to_string()),
            SecretsError::Worker => Self::internal(&fault.to_string()),
            SecretsError::Barrier(fault) => fault.into(),
            SecretsError::Commit(fault) => fault.into(),
            SecretsError::Trail(fault) => fault.into(),
        }
    }
}

impl From<OperatorError> for Fault {
    fn from(fault: OperatorError) -> Self {
        use OperatorError as O;
        let code = match &fault {
            O::NotInitialised => Code::NotInitialised,
            O::AlreadyInitialised => Code::AlreadyInitialised,
            O::AlreadyExists => Code::AlreadyExists,
            O::TooManyKeysets
            | O::KeysetInUse
            | O::JobAtWork { .. }
            | O::TooManyTerms
            | O::JobEnded
            | O::Revoke(_)
            | O::AlreadyUnlocked
            | O::NothingPending
            | O::NoAutoUnlock => Code::Conflict,
            O::RevokedKeyPresented | O::Set(_) | O::TooFewKeys { .. } | O::Limit(_) => Code::InvalidRequest,
            O::PublicKey(_) | O::KeyText { .. } => Code::InvalidKey,
            O::WrongKey { .. } => Code::WrongUnlockKey,
            O::RepeatedKey { .. } => Code::RepeatedUnlockKey,
            O::ForeignKey { .. } => Code::ForeignUnlockKey,
            O::Right(_) => Code::Refused,
            O::Auto(_) | O::AutoKey(_) => {
                tracing::error!(%fault, "auto-unlock failed");
                Code::Conflict
            }
            O::Record(_) => return Self::corrupt(&fault.to_string()),
            O::Checkpoint(_) | O::Archive(_) => return Self::internal(&fault.to_string()),
            O::Denied(_) | O::Barrier(_) | O::Store(_) | O::Commit(_) | O::Trail(_) => Code::Internal,
        };
        match fault {
            O::Denied(fault) => fault.into(),
            O::Barrier(fault) => fault.into(),
            O::Store(fault) => fault.into(),
            O::Commit(fault) => fault.into(),
            O::Trail(fault) => fault.into(),
            fault => Self::new(code, fault.to_string()),
        }
    }
}
