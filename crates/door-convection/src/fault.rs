//! From an engine's error to a failure that the client knows how to show: the door's one mapping.

use strongroom_gate::{BarrierError, CommitError, Denied, StoreError, TrailError};
use strongroom_identity::IdentityError;
use strongroom_operator::OperatorError;
use strongroom_secrets::SecretsError;

/// A failure about to be answered: its messages, the first of which is what the client's user sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) Vec<String>);

impl Fault {
    /// Nothing is said but that it failed: what was to be ended is not there.
    pub(crate) fn soft() -> Self {
        Self(Vec::new())
    }

    /// One line.
    pub(crate) fn said(line: impl Into<String>) -> Self {
        Self(vec![line.into()])
    }

    /// A failure of a kind, with its text.
    pub(crate) fn exception(kind: &str, text: impl Into<String>) -> Self {
        Self(vec!["Exception".to_owned(), kind.to_owned(), text.into()])
    }

    /// Something that is not there, or is there already. The text stands in quotes, as this kind always does.
    pub(crate) fn key(text: &str) -> Self {
        Self::exception("KeyError", quoted(text))
    }

    /// A field that must be there and is not.
    pub(crate) fn missing(field: &str) -> Self {
        Self::key(field)
    }

    /// A value that cannot be.
    pub(crate) fn value(text: &str) -> Self {
        Self::exception("ValueError", text)
    }

    /// A request that is larger than any may be.
    pub(crate) fn too_large() -> Self {
        Self::value(&crate::scan::Flaw::Large.to_string())
    }

    /// A request in no encoding that is known.
    pub(crate) fn not_utf8() -> Self {
        Self::malformed("the request is not UTF-8")
    }

    /// A request that cannot be read.
    pub(crate) fn malformed(text: &str) -> Self {
        Self::exception("JSONDecodeError", text)
    }

    /// A command that needs a token, and no data at all.
    pub(crate) fn no_data() -> Self {
        Self(vec!["Authorization Required".to_owned(), "Received No Data".to_owned()])
    }

    /// A field of the credential that is not there.
    pub(crate) fn no_credential(field: &str) -> Self {
        Self::said(format!("Authorization Required KeyError - {}", quoted(field)))
    }

    /// A token that does not look like one.
    pub(crate) fn no_token() -> Self {
        Self::said("Authorization Required InvalidAuthTokenError - Invalid Authentication Token")
    }

    /// Whoever asks too often waits.
    pub(crate) fn paced() -> Self {
        Self::exception("TimeoutError", "too many requests; wait a second")
    }

    /// It took too long; what was begun goes on.
    pub(crate) fn late() -> Self {
        Self::exception("TimeoutError", "it took too long")
    }

    /// Nobody is asked while the server is locked.
    pub(crate) fn locked() -> Self {
        Self::said("Authorization Required SystemLockedWarning - ")
    }

    /// Who may not initialise.
    pub(crate) fn no_installer() -> Self {
        let told = "initialize takes the server's own user or root on its socket, or the field install_token";
        Self(vec!["Permission Denied".to_owned(), told.to_owned()])
    }

    /// The rules of the caller do not allow it.
    pub(crate) fn refused() -> Self {
        Self::said("Auth Token valid, but ACL denies access to specified resource")
    }

    /// Something that cannot be: logged with its reason, answered without.
    pub(crate) fn internal(reason: &str) -> Self {
        tracing::error!(reason, "internal fault");
        Self::exception("SystemError", "the server has a fault of its own; its log says more")
    }

    fn corrupt(place: &str) -> Self {
        tracing::error!(place, "stored data is corrupt");
        Self::exception("SystemError", format!("stored data is corrupt: {place}"))
    }

    fn busy() -> Self {
        Self::exception("TimeoutError", "the server is busy; try again")
    }
}

/// A text in the quotes that Python puts around one.
pub(crate) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        if c == quote || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(quote);
    out
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Locked => Self::locked(),
            Denied::Refused { .. } => Self::refused(),
            Denied::NotFound => Self::key("not found"),
            Denied::Busy => Self::busy(),
            Denied::Full => Self::exception("OSError", "the disk is full"),
            Denied::Trail => Self::exception("OSError", "the audit trail cannot be written"),
            Denied::Corrupt { place } => Self::corrupt(&place),
            Denied::Store(reason) => Self::internal(&reason),
            Denied::Repeated(_) | Denied::Reused => Self::internal("a request without a name was repeated"),
        }
    }
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
        Denied::Trail.into()
    }
}

impl From<CommitError> for Fault {
    fn from(fault: CommitError) -> Self {
        match fault {
            CommitError::Changed => {
                Self::exception("RuntimeError", "it was changed meanwhile; look and try again")
            }
            CommitError::Busy => Self::busy(),
            CommitError::Refused { .. } => Self::refused(),
            CommitError::Full => Denied::Full.into(),
            CommitError::TooLarge => Self::value("it is too large"),
            CommitError::Corrupt => Self::corrupt("a counter"),
            CommitError::Failed => Self::internal("the store failed before the commit"),
            CommitError::Unknown => Self::exception(
                "TimeoutError",
                "whether it was done is not known; look before you do it again",
            ),
        }
    }
}

impl From<IdentityError> for Fault {
    fn from(fault: IdentityError) -> Self {
        use IdentityError as I;
        match fault {
            I::Unauthenticated => Self::said("Authorization Required (Already Deauthed)"),
            I::Proof | I::Password => Self::said("Authorization Failed"),
            I::Throttled { .. } | I::NeedsProof | I::OnlyProtected => {
                Self::exception("PermissionError", fault.to_string())
            }
            I::NotFound => Self::key("not found"),
            I::AlreadyExists => Self::key("it already exists"),
            I::Protected { .. } => Self::exception("ProtectedUserError", fault.to_string()),
            I::Limit { .. } | I::Attached { .. } | I::Revision { .. } => {
                Self::exception("RuntimeError", fault.to_string())
            }
            I::PublicKey(_) | I::PasswordLength { .. } | I::Acl(_) => Self::value(&fault.to_string()),
            I::Denied(fault) => fault.into(),
            I::Barrier(fault) => fault.into(),
            I::Commit(fault) => fault.into(),
            I::Trail(fault) => fault.into(),
        }
    }
}

impl From<SecretsError> for Fault {
    fn from(fault: SecretsError) -> Self {
        use SecretsError as S;
        match fault {
            S::NotFound | S::Deleted { .. } | S::Destroyed { .. } => Self::key("not found"),
            S::AlreadyExists => Self::key("it already exists"),
            S::Busy => Self::busy(),
            S::Worker => Self::internal(&fault.to_string()),
            S::Barrier(fault) => fault.into(),
            S::Commit(fault) => fault.into(),
            S::Trail(fault) => fault.into(),
            fault => Self::value(&fault.to_string()),
        }
    }
}

impl From<OperatorError> for Fault {
    fn from(fault: OperatorError) -> Self {
        use OperatorError as O;
        match fault {
            O::Denied(fault) => fault.into(),
            O::Barrier(fault) => fault.into(),
            O::Store(fault) => fault.into(),
            O::Commit(fault) => fault.into(),
            O::Trail(fault) => fault.into(),
            O::Record(_) => Self::corrupt(&fault.to_string()),
            O::Checkpoint(_) | O::Archive(_) | O::Auto(_) | O::AutoKey(_) => {
                Self::internal(&fault.to_string())
            }
            O::NotInitialised => Self::exception("SystemNotInitializedError", fault.to_string()),
            O::AlreadyInitialised => Self::exception("SystemAlreadyInitializedError", fault.to_string()),
            O::AlreadyUnlocked => Self::exception("SystemUnlockedWarning", fault.to_string()),
            O::KeyText { .. } | O::WrongKey { .. } | O::RepeatedKey { .. } | O::ForeignKey { .. } => {
                Self::exception("InvalidUnlockKeyError", fault.to_string())
            }
            O::AlreadyExists => Self::key("it already exists"),
            fault => Self::exception("RuntimeError", fault.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_thing_is_told_in_quotes() {
        assert_eq!(Fault::key("Group g1 exists").0, ["Exception", "KeyError", "'Group g1 exists'"]);
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("a\\'\""), "'a\\\\\\'\"'");
    }

    #[test]
    fn the_shapes_that_the_client_knows_stand() {
        assert_eq!(Fault::from(Denied::Locked).0, ["Authorization Required SystemLockedWarning - "]);
        assert_eq!(
            Fault::from(IdentityError::Unauthenticated).0,
            ["Authorization Required (Already Deauthed)"]
        );
        let refused =
            Denied::Refused { action: "secret.get", resource: "web/a".to_owned(), rule: "none".into() };
        assert_eq!(Fault::from(refused).0, ["Auth Token valid, but ACL denies access to specified resource"]);
        assert!(Fault::soft().0.is_empty());
    }
}
