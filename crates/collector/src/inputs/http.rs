//! HTTP: `POST` of an object, an array, lines, a STIX bundle or MISP events. 202 when all of it is durable, 400 with the
//! line and the reason, 503 while the spool is full. Pages of web sites are refused: a browser says where it comes from.

use super::line::{Shape, incoming, shape, string};
use super::listen::Connection;
use super::stix::elements;
use super::{Place, misp, stix};
use crate::intake::SinkError;
use crate::record::{Incoming, RecordError};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, ORIGIN, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Incoming as Body};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::time::Duration;
use strongroom_model::{JsonFault, JsonLimits, scan_json};

/// Largest body.
const MAX_BODY_BYTES: usize = 8 << 20;
/// Most records of one body.
const MAX_RECORDS: usize = 16_384;
/// Most reasons of one answer.
const MAX_REASONS: usize = 20;
/// For the head of a request, and for a connection on which nothing is asked.
const HEAD: Duration = Duration::from_secs(30);
/// For its body.
const BODY: Duration = Duration::from_mins(1);

const DOCUMENT: JsonLimits = JsonLimits { bytes: MAX_BODY_BYTES, depth: 40 };

type Answer = Response<Full<Bytes>>;

/// Serves one connection.
pub(super) async fn serve(connection: Connection, place: Place) {
    let mut stop = place.stop.clone();
    let name = place.name.clone();
    let service = service_fn(move |request| {
        let place = place.clone();
        async move { Ok::<_, Infallible>(answer(request, &place).await) }
    });
    let mut http = http1::Builder::new();
    // who has said all it has to say may close its half
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 << 10).half_close(true);
    let connection = http.serve_connection(TokioIo::new(connection.stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.wait() => {
            // the request under way is answered, and no other taken
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(input = %name, %error, "a connection ended badly");
    }
}

async fn answer(request: Request<Body>, place: &Place) -> Answer {
    let is_root = matches!(request.uri().path(), "/" | "/records" | "/stix" | "/misp");
    match *request.method() {
        _ if !is_root => refusal(StatusCode::NOT_FOUND, "not_found", "records go to /, /stix or /misp"),
        Method::GET | Method::HEAD if request.uri().path() == "/" => text("up\n"),
        Method::POST if request.headers().contains_key(ORIGIN) => {
            refusal(StatusCode::FORBIDDEN, "origin", "pages of web sites send nothing here")
        }
        Method::POST => take(request, place).await,
        _ => {
            let mut refused = refusal(StatusCode::METHOD_NOT_ALLOWED, "method", "POST sends records");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            refused
        }
    }
}

async fn take(request: Request<Body>, place: &Place) -> Answer {
    let path = request.uri().path().to_owned();
    let too_large =
        || refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "a body has at most 8388608 bytes");
    if request.body().size_hint().lower() > MAX_BODY_BYTES as u64 {
        return too_large();
    }
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect();
    let body = match tokio::time::timeout(BODY, body).await {
        Err(_) => {
            return refusal(StatusCode::REQUEST_TIMEOUT, "slow", "the body did not come within 60 seconds");
        }
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return too_large(),
        Ok(Err(_)) => return refusal(StatusCode::BAD_REQUEST, "cut", "the body ends too early"),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let parsed = match path.as_str() {
        "/stix" => stix::records(&body).map(numbered),
        "/misp" => misp::records(&body).map(numbered),
        _ => records(&body),
    };
    match parsed {
        Ok(records) if records.len() > MAX_RECORDS => {
            refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_many", "a body has at most 16384 records")
        }
        Ok(records) => offer(records, place).await,
        Err(error) => refusal(StatusCode::BAD_REQUEST, "malformed", &error.to_string()),
    }
}

/// Records with their lines, or their places in an array, from 1.
type Numbered = Vec<(usize, Incoming)>;

fn numbered(records: Vec<Incoming>) -> Numbered {
    records.into_iter().enumerate().map(|(at, record)| (at + 1, record)).collect()
}

/// An object over one or many lines, an array of objects, or lines of objects.
fn records(body: &[u8]) -> Result<Numbered, RecordError> {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(body.len());
    if body.get(start) == Some(&b'[') {
        scan_json(body, DOCUMENT)?;
        let of = |place: std::ops::Range<usize>| incoming(body.get(place).unwrap_or_default().to_vec());
        return Ok(numbered(elements(body, start).map(of).collect()));
    }
    match scan_json(body, DOCUMENT) {
        Ok(_) => return Ok(vec![(1, incoming(body.trim_ascii().to_vec()))]),
        Err(error) if error.fault == JsonFault::Trailing => {}
        // one line, or one object over many: its own fault says most
        Err(error) if !has_whole_line(body) => return Err(error.into()),
        Err(_) => {}
    }
    let lines = body.split(|byte| *byte == b'\n').enumerate();
    let lines = lines.map(|(at, line)| (at + 1, line.trim_ascii())).filter(|(_, line)| !line.is_empty());
    Ok(lines.map(|(at, line)| (at, incoming(line.to_vec()))).collect())
}

fn has_whole_line(body: &[u8]) -> bool {
    let mut lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.next().is_some_and(|line| shape(line) == Shape::Whole)
}

async fn offer(records: Numbered, place: &Place) -> Answer {
    let (lines, records): (Vec<usize>, Vec<Incoming>) = records.into_iter().unzip();
    if records.is_empty() {
        return refusal(StatusCode::BAD_REQUEST, "empty", "there is no record in the body");
    }
    let mut taken = 0;
    let mut reasons = Vec::new();
    let mut records = records.into_iter();
    let mut lines = lines.into_iter();
    loop {
        let group: Vec<Incoming> = records.by_ref().take(crate::intake::MAX_GROUP).collect();
        if group.is_empty() {
            break;
        }
        match place.intake.offer(group).await {
            Ok(outcomes) => {
                for (outcome, line) in outcomes.into_iter().zip(lines.by_ref()) {
                    match outcome {
                        Ok(()) => taken += 1,
                        Err(error) => reasons.push((line, error)),
                    }
                }
            }
            Err(error) => return busy(&error, taken),
        }
    }
    if reasons.is_empty() {
        done(StatusCode::ACCEPTED, taken, &reasons)
    } else {
        done(StatusCode::BAD_REQUEST, taken, &reasons)
    }
}

/// Nothing more can be taken now; what was, is durable.
fn busy(error: &SinkError, taken: usize) -> Answer {
    let message = format!("{error}; {taken} records of the body were taken");
    let mut refused = refusal(StatusCode::SERVICE_UNAVAILABLE, "busy", &message);
    refused.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    refused
}

/// How many records are durable, and which are not taken and why.
fn done(status: StatusCode, taken: usize, reasons: &[(usize, RecordError)]) -> Answer {
    let mut json = format!("{{\"accepted\":{taken},\"refused\":[").into_bytes();
    for (number, (line, error)) in reasons.iter().take(MAX_REASONS).enumerate() {
        if number > 0 {
            json.push(b',');
        }
        json.extend_from_slice(format!("{{\"line\":{line},\"message\":").as_bytes());
        string(&error.to_string(), &mut json);
        json.push(b'}');
    }
    json.extend_from_slice(b"]");
    if let Some((line, error)) = reasons.first() {
        json.extend_from_slice(b",\"error\":\"refused\",\"message\":");
        let message = format!(
            "{} of {} records are not taken; line {line}: {error}",
            reasons.len(),
            taken + reasons.len()
        );
        string(&message, &mut json);
    }
    json.extend_from_slice(b"}\n");
    answered(status, "application/json", json)
}

fn refusal(status: StatusCode, error: &'static str, message: &str) -> Answer {
    let mut json = format!("{{\"error\":\"{error}\",\"message\":").into_bytes();
    string(message, &mut json);
    json.extend_from_slice(b"}\n");
    answered(status, "application/json", json)
}

fn text(text: &'static str) -> Answer {
    answered(StatusCode::OK, "text/plain; charset=utf-8", text.as_bytes().to_vec())
}

fn answered(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

#[cfg(test)]
mod tests;
