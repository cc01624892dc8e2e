//! From an engine's error to a refusal: the door's one mapping.

use http::StatusCode;
use strongroom_attributes::AuthorityError;
use strongroom_gate::{BarrierError, CommitError, Denied, TrailError};

/// A refusal about to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    /// The stable word.
    pub(crate) error: &'static str,
    pub(crate) message: String,
    /// Seconds after which it may be asked again.
    pub(crate) retry_after: Option<u64>,
}

impl Fault {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, error, message: message.into(), retry_after: None }
    }

    fn again_in(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// What was sent cannot be understood.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// More than this was sent.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("a body here has at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// The path is none.
    pub(crate) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_path", "there is no such path")
    }

    /// The path takes other methods.
    pub(crate) fn other_method(allowed: &str) -> Self {
        let message = format!("this path takes {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// The original had it.
    pub(crate) fn gone(instead: &str) -> Self {
        Self::new(StatusCode::GONE, "gone", instead)
    }

    /// The server holds no key in the open.
    pub(crate) fn locked() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "locked", "the authority is locked").again_in(5)
    }

    /// Something that cannot be: logged with its reason, answered without.
    pub(crate) fn internal(reason: &str) -> Self {
        tracing::error!(reason, "internal fault");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong here; the log says what",
        )
    }
}

impl Fault {
    /// Who asks has proved nothing.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "no valid token: log in, and send it in X-Authorization",
        )
    }

    /// The rules do not allow it. What upon is what the caller said, and not repeated.
    fn refused(action: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "refused", format!("{action} is not allowed"))
    }

    fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too much is asked for at once").again_in(1)
    }

    fn no_trail() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "trail_unavailable", "the audit trail cannot be written")
            .again_in(1)
    }

    fn full() -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", "the disk is full")
    }

    fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "not found")
    }

    fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    fn corrupt(place: &str) -> Self {
        tracing::error!(place, "stored data is corrupt");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "corrupt", format!("stored data is corrupt: {place}"))
    }

    /// Perhaps it was done.
    fn unknown() -> Self {
        let message = "whether it was done is not known: look before you ask again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", message).again_in(1)
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Locked => Self::locked(),
            Denied::Refused { action, .. } => Self::refused(action),
            Denied::NotFound => Self::not_found(),
            Denied::Busy => Self::busy(),
            Denied::Full => Self::full(),
            Denied::Trail => Self::no_trail(),
            Denied::Corrupt { place } => Self::corrupt(&place),
            Denied::Store(reason) => Self::internal(&reason),
            Denied::Repeated(_) | Denied::Reused => Self::conflict("this request was already made"),
        }
    }
}

impl From<BarrierError> for Fault {
    fn from(fault: BarrierError) -> Self {
        Denied::from(fault).into()
    }
}

impl From<TrailError> for Fault {
    fn from(_: TrailError) -> Self {
        Self::no_trail()
    }
}

impl From<CommitError> for Fault {
    fn from(fault: CommitError) -> Self {
        match fault {
            CommitError::Changed => Self::conflict("it was changed meanwhile; look and try again"),
            CommitError::Busy => Self::busy(),
            CommitError::Refused { action, .. } => Self::refused(action),
            CommitError::Full => Self::full(),
            CommitError::TooLarge => Self::invalid("more is asked for than can be written at once"),
            CommitError::Corrupt => Self::corrupt("a counter"),
            CommitError::Failed => Self::internal("the store failed before the commit"),
            CommitError::Unknown => Self::unknown(),
        }
    }
}

impl From<AuthorityError> for Fault {
    fn from(fault: AuthorityError) -> Self {
        use AuthorityError as A;
        let said = |status, error| Self::new(status, error, fault.to_string());
        match fault {
            A::Unauthenticated => Self::unauthenticated(),
            A::Proof => said(StatusCode::UNAUTHORIZED, "login"),
            A::Throttled { wait } => {
                said(StatusCode::TOO_MANY_REQUESTS, "too_many_requests").again_in(wait.as_secs().max(1))
            }
            A::NotFound => Self::not_found(),
            A::AlreadyExists => said(StatusCode::CONFLICT, "already_exists"),
            A::NotForThem(_) => said(StatusCode::FORBIDDEN, "refused"),
            A::NotEnrolled => said(StatusCode::CONFLICT, "not_enrolled"),
            A::Enrolled => said(StatusCode::CONFLICT, "enrolled"),
            A::Limit { .. } => said(StatusCode::CONFLICT, "limit"),
            A::PasswordsDiffer
            | A::Malformed { .. }
            | A::Name(_)
            | A::Attribute(_)
            | A::Policy(_)
            | A::Epoch(_)
            | A::Value(_)
            | A::Key(_)
            | A::PasswordLength { .. } => Self::invalid(fault.to_string()),
            A::Denied(fault) => fault.into(),
            A::Barrier(fault) => fault.into(),
            A::Commit(fault) => fault.into(),
            A::Trail(fault) => fault.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use strongroom_model::Action;

    fn status(fault: AuthorityError) -> (u16, &'static str) {
        let fault = Fault::from(fault);
        (fault.status.as_u16(), fault.error)
    }

    #[test]
    fn statuses_are_the_originals_where_it_had_any() {
        assert_eq!(status(AuthorityError::Proof), (401, "login"));
        assert_eq!(status(AuthorityError::Unauthenticated), (401, "unauthenticated"));
        assert_eq!(status(AuthorityError::AlreadyExists), (409, "already_exists"));
        assert_eq!(status(Denied::Locked.into()), (503, "locked"));
        let refused = Denied::Refused {
            action: Action::SharingCreateUser.name(),
            resource: "somebody".to_owned(),
            rule: "deny by default".into(),
        };
        let fault = Fault::from(AuthorityError::Denied(refused));
        assert_eq!(fault.status, StatusCode::FORBIDDEN);
        assert!(!fault.message.contains("somebody") && !fault.message.contains("default"), "{fault:?}");
    }

    #[test]
    fn whoever_has_to_wait_is_told_how_long() {
        let throttled = |wait| Fault::from(AuthorityError::Throttled { wait: Duration::from_secs(wait) });
        assert_eq!((throttled(7).status.as_u16(), throttled(7).retry_after), (429, Some(7)));
        assert_eq!(throttled(0).retry_after, Some(1));
        assert!(Fault::locked().retry_after.is_some());
    }
}
