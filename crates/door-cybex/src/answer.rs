//! Answers: JSON, refusals, and the one that is neither.

use crate::fault::Fault;
use crate::route::Verb;
use axum::body::Body;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use metrics::counter;
use serde::Serialize;
use strongroom_sharing::Refusal;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn raw(status: StatusCode, media_type: HeaderValue, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    answer.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    answer
}

/// Somebody is there.
pub(crate) fn up() -> Response<Body> {
    raw(StatusCode::OK, TEXT, "up\n")
}

/// A value as JSON, 200.
pub(crate) fn json(value: &impl Serialize) -> Result<Response<Body>, Fault> {
    with_status(StatusCode::OK, value)
}

/// A value as JSON, 201.
pub(crate) fn created(value: &impl Serialize) -> Result<Response<Body>, Fault> {
    with_status(StatusCode::CREATED, value)
}

fn with_status(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Fault> {
    let text = serde_json::to_vec(value).map_err(|fault| Fault::internal(&fault.to_string()))?;
    Ok(raw(status, JSON, text))
}

/// It was done; there is nothing to say but that.
pub(crate) fn done(result: &'static str) -> Result<Response<Body>, Fault> {
    json(&Done { result })
}

/// The same, 201.
pub(crate) fn made(result: &'static str) -> Result<Response<Body>, Fault> {
    created(&Done { result })
}

#[derive(Serialize)]
struct Done {
    result: &'static str,
}

/// What was wrong.
pub(crate) fn refusal(fault: &Fault) -> Response<Body> {
    let said = Refusal { error: fault.error.to_owned(), message: fault.message.clone() };
    let mut answer = raw(fault.status, JSON, serde_json::to_vec(&said).unwrap_or_default());
    if fault.status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = fault.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// The path does not take this method, but these (RFC 9110, section 15.5.6).
pub(crate) fn other_method(allowed: &str) -> Response<Body> {
    let mut answer = refusal(&Fault::other_method(allowed));
    if let Ok(value) = HeaderValue::from_str(allowed) {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

/// Counts an answer by verb and class of status.
pub(crate) fn count(verb: Verb, status: StatusCode) {
    let class = match status.as_u16() {
        400..500 => "4xx",
        500.. => "5xx",
        _ => "2xx",
    };
    counter!("strongroom_sharing_requests_total", "verb" => verb.name(), "status" => class).increment(1);
}
