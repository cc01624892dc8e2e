//! Bodies: read whole, scanned once, decoded.

use crate::fault::Fault;
use crate::request::Context;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use strongroom_api::Code;
use strongroom_model::{JsonLimits, scan_json};

/// Deepest body: a value's 64 levels and the object around it.
const DEPTH: usize = 65;

/// The largest body of a caller that has not proved anything yet.
pub(crate) const STRANGERS_BYTES: usize = 64 * 1024;

/// Reads a body of at most `limit` bytes. Time, and the size of any body, are bounded by the listener.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(fault) if fault.is::<LengthLimitError>() => {
            Err(Fault::new(Code::TooLarge, format!("a body here has at most {limit} bytes")))
        }
        Err(_) => Err(Fault::new(Code::InvalidRequest, "the body broke off")),
    }
}

/// Decodes a JSON body: one bounded scan (depth, UTF-8, duplicate keys), then the type.
pub(crate) fn json<'a, T: Deserialize<'a>>(context: &Context, body: &'a Bytes) -> Result<T, Fault> {
    if context.content_type().is_some_and(|name| name != "application/json") {
        return Err(Fault::new(Code::UnsupportedMediaType, "expected application/json"));
    }
    scan_json(body, JsonLimits { bytes: usize::MAX, depth: DEPTH })
        .map_err(|fault| Fault::new(Code::InvalidJson, fault.to_string()))?;
    // a list of values in their order would do for the decoder, and is nothing that the description allows
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Fault::new(Code::InvalidRequest, "expected an object"));
    }
    serde_json::from_slice(body).map_err(|fault| {
        // the text is well-formed, so the message names fields and types, never a value of the caller's
        Fault::new(Code::InvalidRequest, redact(&fault))
    })
}

/// What a decoder says, without the values that it quotes.
fn redact(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    match text.split_once(", expected") {
        Some((_, expected)) if text.starts_with("invalid ") => {
            format!("wrong type or value, expected{expected}")
        }
        _ => text,
    }
}
