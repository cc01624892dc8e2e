//! JSON: an object of names and values. The values are taken as they are written.

use crate::entry::{Collector, Entry, Reading, Value, below};
use crate::error::{Fault, ImportError};
use crate::lines::{Lines, line_of};
use crate::write::BYTES_KEY;
use crate::{MAX_DEPTH, MAX_FILE_BYTES};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use strongroom_model::{JsonLimits, scan_json};
use strongroom_secret::SecretBytes;

pub(crate) fn read(text: &str, reading: &Reading) -> Result<Vec<Entry>, ImportError> {
    let limits = JsonLimits { bytes: MAX_FILE_BYTES, depth: MAX_DEPTH };
    scan_json(text.as_bytes(), limits)
        .map_err(|error| ImportError::at(line_of(text.as_bytes(), error.at), Fault::Json(error.fault)))?;
    let mut walk =
        Walk { text, lines: Lines::new(text.as_bytes()), collector: Collector::new(reading), reading };
    walk.object("", text)?;
    Ok(walk.collector.done())
}

struct Walk<'a> {
    text: &'a str,
    lines: Lines<'a>,
    collector: Collector<'a>,
    reading: &'a Reading,
}

impl<'a> Walk<'a> {
    /// The members of an object; its nesting was bounded by the scan.
    fn object(&mut self, folder: &str, object: &'a str) -> Result<(), ImportError> {
        let line = self.line(object);
        for (name, value) in members(object, line)? {
            let value = value.get();
            if folder.is_empty() && name == BYTES_KEY {
                self.bytes(value)?;
                continue;
            }
            let line = self.line(value);
            let path = below(folder, &name);
            if self.reading.flatten && is_filled_object(value) {
                self.object(&path, value)?;
            } else {
                self.collector.add(&path, line, Value::json(value))?;
            }
        }
        Ok(())
    }

    /// Values that are bytes, in base64.
    fn bytes(&mut self, object: &'a str) -> Result<(), ImportError> {
        let line = self.line(object);
        for (path, value) in members(object, line)? {
            let line = self.line(value.get());
            let bytes = Value::json(value.get()).as_text().and_then(|text| decoded(&text));
            let bytes = bytes.ok_or_else(|| ImportError::at(line, Fault::Base64 { path: path.clone() }))?;
            self.collector.add(&path, line, Value::Bytes(bytes))?;
        }
        Ok(())
    }

    /// The line in which a part of the text begins.
    fn line(&mut self, part: &str) -> u64 {
        self.lines.at(part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr()))
    }
}

/// Standard base64.
pub(crate) fn decoded(text: &SecretBytes) -> Option<SecretBytes> {
    text.expose(|text| data_encoding::BASE64.decode(text)).ok().map(SecretBytes::new)
}

fn is_filled_object(value: &str) -> bool {
    value.strip_prefix('{').is_some_and(|inside| !inside.trim_start().starts_with('}'))
}

fn members(object: &str, line: u64) -> Result<Vec<(String, &RawValue)>, ImportError> {
    let members: Result<Members<'_>, _> = serde_json::from_str(object);
    members.map(|members| members.0).map_err(|_| ImportError::at(line, Fault::NoObject))
}

/// The members of an object in their order.
pub(crate) struct Members<'a>(pub(crate) Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str, flatten: bool) -> Result<Vec<(String, String)>, String> {
        let reading = Reading { flatten, ..Reading::default() };
        let entries = read(text, &reading).map_err(|error| error.to_string())?;
        let text = |bytes: &SecretBytes| bytes.expose(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok(entries
            .into_iter()
            .map(|entry| match &entry.value {
                Value::Json(json) => (entry.path.as_str().to_owned(), text(json)),
                Value::Bytes(bytes) => (entry.path.as_str().to_owned(), format!("bytes {}", text(bytes))),
            })
            .collect())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn values_are_taken_to_the_byte() {
        let text = "{\"a\": 9007199254740993, \"b/c\": {\"x\" : 1.10}, \"d\": \"\\u00fc\", \"e\": null}";
        let want = [
            pair("a", "9007199254740993"),
            pair("b/c", "{\"x\" : 1.10}"),
            pair("d", "\"\\u00fc\""),
            pair("e", "null"),
        ];
        assert_eq!(pairs(text, false).unwrap(), want);
    }

    #[test]
    fn objects_become_paths_when_asked() {
        let text = "{\"a\":{\"b\":{\"c\":1},\"d\":[{\"e\":2}]},\"f\":{ },\"//bytes\":{\"g\":\"aGk=\"}}";
        let want = [pair("a/b/c", "1"), pair("a/d", "[{\"e\":2}]"), pair("f", "{ }"), pair("g", "bytes hi")];
        assert_eq!(pairs(text, true).unwrap(), want);
        let doubled = "{\"a\":{\"b\":1},\n\"a/b\":2}";
        assert_eq!(pairs(doubled, true).unwrap_err(), "2: a/b stands here again; it is in line 1 already");
        assert_eq!(pairs(doubled, false).unwrap().len(), 2);
    }

    #[test]
    fn a_fault_names_its_line_and_no_value() {
        for (text, fault) in [
            ("", "1: not acceptable JSON: text ends too early"),
            ("[\"hunter2\"]", "1: expected an object of names and values"),
            ("\"hunter2\"", "1: expected an object"),
            ("{\"a\":\n\"hunter2", "2: not acceptable JSON"),
            ("{\"a\":1,\n\"a\":\"hunter2\"}", "2: not acceptable JSON: duplicate key"),
            ("{\n\"..\":\"hunter2\"}", "2: \"..\" cannot be a secret's path"),
            ("{\"//bytes\":\n{\"k\":\"hunter2\"}}", "2: the bytes of k are not standard base64"),
            ("{\"//bytes\":[]}", "1: expected an object"),
        ] {
            let Err(found) = pairs(text, false) else { panic!("{text:?}") };
            assert!(found.starts_with(fault) && !found.contains("hunter2"), "{text:?}: {found}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(65), "]".repeat(65));
        assert!(pairs(&deep, false).unwrap_err().contains("nesting is too deep"));
        let fits = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
        assert_eq!(pairs(&fits, false).unwrap().len(), 1);
    }
}
