//! MISP events: each attribute is a record, with what its event and its object say of it.

use super::line::incoming;
use super::stix::{DOCUMENT, elements, member};
use crate::members::Members;
use crate::record::{Incoming, RecordError};
use std::ops::Range;
use strongroom_model::scan_json;

/// What of an event goes with each of its attributes.
const OF_EVENT: [&str; 9] =
    ["id", "uuid", "info", "date", "threat_level_id", "analysis", "distribution", "timestamp", "orgc_id"];
/// What of an object does.
const OF_OBJECT: [&str; 4] = ["uuid", "name", "meta-category", "comment"];

/// The attributes of an event, of a list of events, or of the answer to a search.
pub(super) fn records(document: &[u8]) -> Result<Vec<Incoming>, RecordError> {
    scan_json(document, DOCUMENT)?;
    let mut out = Vec::new();
    let start = document.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    let list = match document.get(start) {
        Some(b'[') => Some(start),
        _ => member(document, start, "response").filter(|it| starts(document, it, b'[')).map(|it| it.start),
    };
    let events: Vec<usize> = match list {
        Some(at) => elements(document, at).map(|event| event.start).collect(),
        None => vec![start],
    };
    for at in events {
        let event = member(document, at, "Event").filter(|it| starts(document, it, b'{'));
        let event = event.ok_or(RecordError::Shape { wanted: "a MISP event" })?;
        of_event(document, event.start, &mut out);
    }
    Ok(out)
}

fn starts(document: &[u8], place: &Range<usize>, byte: u8) -> bool {
    document.get(place.start) == Some(&byte)
}

fn of_event(document: &[u8], at: usize, out: &mut Vec<Incoming>) {
    let context = event_context(document, at);
    attributes(document, at, &context, out);
    for object in list(document, at, "Object") {
        let mut around = context.clone();
        around.extend_from_slice(b",\"object\":{");
        parts(document, object.start, &OF_OBJECT, &mut around);
        around.push(b'}');
        attributes(document, object.start, &around, out);
    }
}

fn event_context(document: &[u8], at: usize) -> Vec<u8> {
    let mut context = b",\"event\":{".to_vec();
    let mut is_first = parts(document, at, &OF_EVENT, &mut context);
    let name = member(document, at, "Orgc").and_then(|creator| member(document, creator.start, "name"));
    if let Some(name) = name {
        put("org", document.get(name).unwrap_or_default(), &mut is_first, &mut context);
    }
    let tags: Vec<&[u8]> = list(document, at, "Tag")
        .filter_map(|tag| member(document, tag.start, "name"))
        .filter_map(|name| document.get(name))
        .collect();
    if !tags.is_empty() {
        let tags = [b"[".as_slice(), &tags.join(b",".as_slice()), b"]"].concat();
        put("tags", &tags, &mut is_first, &mut context);
    }
    context.push(b'}');
    context
}

/// Copies what there is of the named members; whether nothing was.
fn parts(document: &[u8], at: usize, names: &[&str], out: &mut Vec<u8>) -> bool {
    let mut is_first = true;
    for name in names {
        if let Some(value) = member(document, at, name) {
            put(name, document.get(value).unwrap_or_default(), &mut is_first, out);
        }
    }
    is_first
}

fn put(name: &str, value: &[u8], is_first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(is_first) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    out.extend_from_slice(value);
}

/// The elements of a member that is an array.
fn list<'a>(document: &'a [u8], at: usize, name: &str) -> impl Iterator<Item = Range<usize>> + use<'a> {
    let found = member(document, at, name).filter(|it| starts(document, it, b'['));
    found.into_iter().flat_map(move |it| elements(document, it.start))
}

fn attributes(document: &[u8], at: usize, context: &[u8], out: &mut Vec<Incoming>) {
    for attribute in list(document, at, "Attribute").filter(|it| starts(document, it, b'{')) {
        let is_empty = Members::at(document, attribute.start).next().is_none();
        let own = document.get(attribute.start..attribute.end - 1).unwrap_or_default();
        let context = if is_empty { context.strip_prefix(b",").unwrap_or(context) } else { context };
        out.push(incoming([own, context, b"}"].concat()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(document: &Value) -> Vec<Value> {
        let records = records(document.to_string().as_bytes()).unwrap();
        records.iter().map(|record| serde_json::from_slice(&record.json).unwrap()).collect()
    }

    fn event() -> Value {
        json!({"Event": {
            "uuid": "u1", "info": "a \"quoted\" campaign", "date": "2020-11-10", "Orgc": {"name": "CIRCL"},
            "Tag": [{"name": "tlp:amber"}, {"colour": "x"}],
            "Attribute": [{"type": "ip-src", "value": "10.0.0.1"}, {}],
            "Object": [{"name": "file", "uuid": "o1", "Attribute": [{"type": "md5", "value": "d4"}]}],
        }})
    }

    #[test]
    fn attributes_are_records_with_what_their_event_says() {
        let records = read(&event());
        assert_eq!(records.len(), 3);
        assert_eq!(records[0]["value"], "10.0.0.1");
        assert_eq!(records[0]["event"]["info"], "a \"quoted\" campaign");
        assert_eq!(records[0]["event"]["tags"], json!(["tlp:amber"]));
        assert_eq!(records[1]["event"]["org"], "CIRCL");
        assert_eq!(records[2]["object"], json!({"name": "file", "uuid": "o1"}));
        assert_eq!(records[2]["event"]["uuid"], "u1");
    }

    #[test]
    fn lists_of_events_are_read_and_other_things_refused() {
        assert_eq!(read(&json!([event(), event()])).len(), 6);
        assert_eq!(read(&json!({"response": [event()]})).len(), 3);
        assert!(read(&json!({"Event": {}})).is_empty());
        for other in ["{}", "[1]", "7", "{\"Event\":7}", "{\"response\":[{}]}"] {
            assert!(matches!(records(other.as_bytes()), Err(RecordError::Shape { .. })), "{other}");
        }
        assert!(matches!(records(b"{\"Event\":"), Err(RecordError::Json(_))));
    }
}
