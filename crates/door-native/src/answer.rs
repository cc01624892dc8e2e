//! Answers: JSON, nothing, problems.

use crate::fault::Fault;
use axum::body::Body;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use serde::Serialize;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_api::{Code, Endpoint, Problem, REQUEST_ID_HEADER};
use strongroom_model::RequestId;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A body of a media type.
pub(crate) fn raw(status: StatusCode, media_type: HeaderValue, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    answer.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    answer
}

/// A value as JSON, 200.
pub(crate) fn json(value: &impl Serialize) -> Result<Response<Body>, Fault> {
    json_with(StatusCode::OK, value)
}

/// A value as JSON.
pub(crate) fn json_with(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Fault> {
    let text = serde_json::to_vec(value).map_err(|fault| Fault::internal(&fault.to_string()))?;
    Ok(raw(status, JSON, text))
}

/// A JSON text that is ready.
pub(crate) fn json_text(text: Vec<u8>) -> Response<Body> {
    raw(StatusCode::OK, JSON, text)
}

/// Nothing to say, 204.
pub(crate) fn nothing() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// A problem (RFC 9457).
pub(crate) fn problem(fault: &Fault, request: Option<RequestId>) -> Response<Body> {
    let mut problem = Problem::new(fault.code, fault.detail.clone());
    problem.request_id = request.map(|id| id.to_string());
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = serde_json::to_vec(&problem).unwrap_or_default();
    let mut answer = raw(status, PROBLEM, text);
    if let Some(seconds) = fault.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(id) = request {
        name(&mut answer, id);
    }
    answer
}

/// The last line of an answer in lines that began well and cannot be given to its end.
pub(crate) fn last_line(fault: &Fault) -> Result<Bytes, std::io::Error> {
    let mut line = serde_json::to_vec(&Problem::new(fault.code, fault.detail.clone()))?;
    line.push(b'\n');
    Ok(line.into())
}

/// Says which request is answered.
pub(crate) fn name(answer: &mut Response<Body>, request: RequestId) {
    if let Ok(value) = HeaderValue::from_str(&request.to_string()) {
        answer.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
}

/// The endpoint does not take this method, but these (RFC 9110, section 15.5.6).
pub(crate) fn other_method(allowed: &str) -> Response<Body> {
    let mut answer = problem(&Code::MethodNotAllowed.into(), None);
    if let Ok(value) = HeaderValue::from_str(allowed) {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

/// A moment as RFC 3339, to the millisecond.
pub(crate) fn time(moment: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(moment.0).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// What a type says of a version; nothing if it says nothing.
pub(crate) fn facts(json: &str) -> Option<serde_json::Value> {
    serde_json::from_str(json).ok()
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes out of hexadecimal, 128 at most.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) || text.len() > 256 {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Counts answers, a counter an endpoint and class of status, and how long they took.
pub(crate) struct Meters(Vec<Meter>);

struct Meter {
    answers: [Counter; 3],
    took: Histogram,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let of = |endpoint: &Endpoint| {
            Meter {
            answers: ["2xx", "4xx", "5xx"].map(
                |class| counter!("strongroom_requests_total", "endpoint" => endpoint.name(), "status" => class),
            ),
            took: histogram!("strongroom_request_duration_seconds", "endpoint" => endpoint.name()),
        }
        };
        Self(Endpoint::ALL.iter().map(of).collect())
    }

    pub(crate) fn count(&self, endpoint: Endpoint, status: StatusCode, took: Duration) {
        let class = match status.as_u16() {
            400..500 => 1,
            500.. => 2,
            _ => 0,
        };
        let Some(meter) = self.0.get(endpoint as usize) else { return };
        meter.took.record(took);
        if let Some(counter) = meter.answers.get(class) {
            counter.increment(1);
        }
    }
}
