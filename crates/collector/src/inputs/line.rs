//! A line of a text as a record.

use crate::record::{Incoming, LIMITS, RecordError};
use crate::settings::Format;

/// The record of a line, if it is one; blank lines are nothing.
pub(super) fn record(line: &[u8], format: Format) -> Option<Result<Vec<u8>, RecordError>> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return None;
    }
    Some(match format {
        Format::Syslog => super::syslog::record(line),
        Format::Text => message(line),
        Format::Json | Format::Stix | Format::Misp => Ok(line.to_vec()),
    })
}

fn message(line: &[u8]) -> Result<Vec<u8>, RecordError> {
    let text = std::str::from_utf8(line);
    let text = text.map_err(|error| RecordError::Text { at: error.valid_up_to() })?;
    let mut json = br#"{"message":"#.to_vec();
    string(text, &mut json);
    json.push(b'}');
    Ok(json)
}

/// A JSON string.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    // a text written into memory cannot fail
    let _ = serde_json::to_writer(out, text);
}

/// A record without a place in its source.
pub(super) fn incoming(json: Vec<u8>) -> Incoming {
    Incoming { json, mark: None }
}

/// Whether bytes are an object by themselves, are its beginning, or neither.
pub(crate) fn shape(bytes: &[u8]) -> Shape {
    use strongroom_model::JsonFault;
    match strongroom_model::scan_json(bytes, LIMITS) {
        Ok(_) => Shape::Whole,
        Err(error) if error.fault == JsonFault::Truncated => Shape::Beginning,
        Err(_) => Shape::Other,
    }
}

/// See [`shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    Beginning,
    Other,
}
