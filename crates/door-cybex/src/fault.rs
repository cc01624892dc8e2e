//! From an engine's error to a refusal: the door's one mapping.

use http::StatusCode;

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
