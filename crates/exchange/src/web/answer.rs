//! From what went wrong to status, word and text: the one place where that is decided.

use crate::find::{AskError, FindError};
use crate::keeper::KeepError;
use crate::members::AccessError;
use crate::storage::StorageError;
use crate::submission::SubmissionError;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use strongroom_sharing::{NDJSON, Refusal};

/// A refusal.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    status: u16,
    error: &'static str,
    message: Cow<'static, str>,
}

impl Refused {
    pub(crate) const NOT_FOUND: Self = Self::of(404, "unknown_path", "there is nothing at this path");
    pub(crate) const METHOD: Self = Self::of(405, "method", "this path does not take this method");
    pub(crate) const UNKNOWN: Self = Self::of(
        401,
        "unauthenticated",
        "a member's token (X-Authorization: Bearer) or certificate is needed",
    );
    pub(crate) const TOO_MANY: Self =
        Self::of(429, "too_many_requests", "too many requests of this member; wait a second");
    pub(crate) const TOO_MUCH_AT_ONCE: Self =
        Self::of(429, "too_many_requests", "this member has as much under way as it may");
    pub(crate) const NO_ADMIN: Self =
        Self::of(403, "admin", "administrators neither insert nor query: use a member's token");
    pub(crate) const ADMIN_ONLY: Self = Self::of(403, "forbidden", "administrators only");
    pub(crate) const BUSY: Self = Self::of(503, "busy", "too much waits already; try again");

    pub(crate) const TOO_SLOW: Self =
        Self::of(408, "timeout", "the body came too slowly: send fewer records at once");

    const fn of(status: u16, error: &'static str, message: &'static str) -> Self {
        Self { status, error, message: Cow::Borrowed(message) }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 400, error: "invalid_request", message: message.into() }
    }

    pub(crate) const fn forbidden(message: &'static str) -> Self {
        Self::of(403, "forbidden", message)
    }

    pub(crate) const fn conflict(message: &'static str) -> Self {
        Self::of(409, "conflict", message)
    }

    pub(crate) const fn missing(message: &'static str) -> Self {
        Self::of(404, "not_found", message)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let refusal = Refusal { error: self.error.to_owned(), message: self.message.into_owned() };
        let mut answer = json(status, &refusal);
        if matches!(self.status, 429 | 503 | 507) {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }
}

impl From<AccessError> for Refused {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unknown => Self::UNKNOWN,
            AccessError::NoManifest => {
                Self { status: 503, error: "no_manifest", message: error.to_string().into() }
            }
        }
    }
}

impl From<KeepError> for Refused {
    fn from(error: KeepError) -> Self {
        let (status, word) = match error {
            KeepError::Full => (507, "disk_full"),
            KeepError::Unavailable => (503, "unavailable"),
            KeepError::Unknown => (503, "unknown"),
            KeepError::Busy => (503, "busy"),
            KeepError::Closed => (503, "stopping"),
        };
        Self { status, error: word, message: error.to_string().into() }
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "the store");
        KeepError::from(&error).into()
    }
}

impl From<FindError> for Refused {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Storage(error) => error.into(),
            FindError::Cancelled => Self::BUSY,
            FindError::TooMuch => Self { status: 422, error: "too_much", message: error.to_string().into() },
        }
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        let word = if error == AskError::Cursor { "cursor" } else { "invalid_request" };
        Self { status: 400, error: word, message: error.to_string().into() }
    }
}

impl From<SubmissionError> for Refused {
    fn from(error: SubmissionError) -> Self {
        let (status, word) = match error {
            SubmissionError::Stranger { .. } => (403, "stranger"),
            _ => (400, "invalid_request"),
        };
        Self { status, error: word, message: error.to_string().into() }
    }
}

/// JSON as an answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    // a wire type is texts and numbers: writing it cannot fail
    let text = serde_json::to_vec(body).unwrap_or_default();
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}

/// A body, as a wire type.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let body = body(request, state).await?;
        read(&body).map(Self)
    }
}

/// A body, whole.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refused> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let (status, error) = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => (413, "too_large"),
            _ => (400, "invalid_request"),
        };
        Refused { status, error, message: rejection.body_text().into() }
    })
}

/// Reads a wire type.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    let invalid = |error| Refused::invalid(format!("the body is not what is expected: {error}"));
    serde_json::from_slice(body).map_err(invalid)
}

/// Whether lines are wanted in place of a page.
pub(crate) fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(','));
    types.any(|one| one.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(NDJSON))
}
