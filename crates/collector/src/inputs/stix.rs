//! STIX 2.1 bundles: each object is a record, as it was written, its references in it.

use super::line::incoming;
use crate::members::Members;
use crate::record::{Incoming, RecordError};
use strongroom_model::{JsonLimits, scan_json};

/// Largest document, in bytes.
pub(super) const MAX_DOCUMENT_BYTES: usize = 256 << 20;
/// Deepest nesting of a document.
pub(super) const DOCUMENT: JsonLimits = JsonLimits { bytes: MAX_DOCUMENT_BYTES, depth: 40 };

/// The objects of a bundle; a single object is one by itself.
pub(super) fn records(document: &[u8]) -> Result<Vec<Incoming>, RecordError> {
    let wrong = RecordError::Shape { wanted: "a STIX bundle or object" };
    scan_json(document, DOCUMENT)?;
    let kind = member(document, 0, "type").ok_or(wrong.clone())?;
    if document.get(kind) != Some(br#""bundle""#) {
        return Ok(vec![incoming(document.trim_ascii().to_vec())]);
    }
    let Some(objects) = member(document, 0, "objects") else { return Ok(Vec::new()) };
    if document.get(objects.start) != Some(&b'[') {
        return Err(wrong);
    }
    Ok(elements(document, objects.start)
        .map(|object| incoming(document.get(object).unwrap_or_default().to_vec()))
        .collect())
}

/// Where the value of a name lies, in the object that begins at a place. Names are compared as they are written.
pub(super) fn member(document: &[u8], at: usize, name: &str) -> Option<std::ops::Range<usize>> {
    let mut members = Members::at(document, at);
    members
        .find(|member| document.get(member.name.clone()) == Some(name.as_bytes()))
        .map(|member| member.value)
}

/// Where the elements of the array lie that begins at a place.
pub(super) fn elements(document: &[u8], at: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut list = Members::at(document, at);
    std::iter::from_fn(move || list.element())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_of_a_bundle_is_a_record_as_it_was_written() {
        let bundle =
            br#"{"type":"bundle","id":"bundle--1","objects":[ {"type":"malware","id":"malware--1" , "x":1.0},
            {"type":"relationship","source_ref":"malware--1","target_ref":"tool--2"}]}"#;
        let records: Vec<String> =
            records(bundle).unwrap().into_iter().map(|it| String::from_utf8(it.json).unwrap()).collect();
        let expected = [
            r#"{"type":"malware","id":"malware--1" , "x":1.0}"#,
            r#"{"type":"relationship","source_ref":"malware--1","target_ref":"tool--2"}"#,
        ];
        assert_eq!(records, expected);
    }

    #[test]
    fn one_object_is_one_record_and_other_things_are_none() {
        assert_eq!(records(br#" {"type":"tool"} "#).unwrap().len(), 1);
        assert!(records(br#"{"type":"bundle"}"#).unwrap().is_empty());
        assert!(matches!(records(br#"{"type":"bundle","objects":7}"#), Err(RecordError::Shape { .. })));
        assert!(matches!(records(br#"{"a":1}"#), Err(RecordError::Shape { .. })));
        assert!(matches!(records(b"{\"type\":\"bundle\",\"objects\":["), Err(RecordError::Json(_))));
        let deep = format!("{{\"type\":\"bundle\",\"objects\":[{}]}}", "[".repeat(60));
        assert!(matches!(records(deep.as_bytes()), Err(RecordError::Json(_))));
    }
}
