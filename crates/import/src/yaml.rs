//! YAML, its safe part: one document, a mapping of names and values. Anchors, aliases, tags, merge keys and keys that are no
//! texts are refused: what stands in the file is what is stored.
//!
//! A value becomes JSON. A plain scalar that is a JSON number stays the number as it is written; `true`, `false`, `null`
//! in YAML's spellings, `~` and nothing become JSON's; everything else (`0x1f`, `0123`, `yes`, `.inf`, dates) stays a text,
//! so that no reader's idea of it changes it.

use crate::MAX_DEPTH;
use crate::entry::{Collector, Entry, Reading, Value, below};
use crate::error::{Fault, ImportError};
use crate::json::decoded;
use crate::write::BYTES_KEY;
use crate::yaml_events::Events;
use saphyr_parser::{Event, ScalarStyle};
use std::collections::HashSet;
use strongroom_secret::SecretBytes;

type Text<'a> = std::borrow::Cow<'a, str>;

pub(crate) fn read(text: &str, reading: &Reading) -> Result<Vec<Entry>, ImportError> {
    let mut walk = Walk { events: Events::of(text), collector: Collector::new(reading), reading };
    walk.document()?;
    Ok(walk.collector.done())
}

struct Walk<'a> {
    events: Events<'a>,
    collector: Collector<'a>,
    reading: &'a Reading,
}

impl<'a> Walk<'a> {
    fn document(&mut self) -> Result<(), ImportError> {
        loop {
            match self.events.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::MappingStart(..), _) => break,
                (_, line) => return Err(ImportError::at(line, Fault::NoObject)),
            }
        }
        self.mapping("", 1)?;
        loop {
            match self.events.next()? {
                (Event::DocumentEnd | Event::Nothing, _) => {}
                (Event::StreamEnd, _) => return Ok(()),
                (_, line) => return Err(ImportError::at(line, Fault::Refused("several documents"))),
            }
        }
    }

    /// Names and values; how many there were.
    fn mapping(&mut self, folder: &str, depth: usize) -> Result<usize, ImportError> {
        let mut count = 0;
        while let Some((name, line)) = self.key()? {
            count += 1;
            let (event, _) = self.events.next()?;
            if folder.is_empty() && name == BYTES_KEY {
                self.bytes(&event, line)?;
                continue;
            }
            let path = below(folder, &name);
            if self.reading.flatten && matches!(event, Event::MappingStart(..)) {
                deeper(depth, line)?;
                if self.mapping(&path, depth + 1)? > 0 {
                    continue;
                }
                self.collector.add(&path, line, Value::json("{}"))?;
                continue;
            }
            let mut json = Vec::new();
            let written = self.json(event, line, depth, &mut json);
            let json = SecretBytes::new(json);
            written?;
            self.collector.add(&path, line, Value::Json(json))?;
        }
        Ok(count)
    }

    /// The next key of a mapping, or its end.
    fn key(&mut self) -> Result<Option<(Text<'a>, u64)>, ImportError> {
        match self.events.next()? {
            (Event::MappingEnd, _) => Ok(None),
            (Event::Scalar(name, ScalarStyle::Plain, ..), line) if name == "<<" => {
                Err(ImportError::at(line, Fault::Refused("merge keys")))
            }
            (Event::Scalar(name, ..), line) => Ok(Some((name, line))),
            (_, line) => Err(ImportError::at(line, Fault::Refused("keys that are no texts"))),
        }
    }

    /// Values that are bytes, in base64.
    fn bytes(&mut self, event: &Event<'a>, line: u64) -> Result<(), ImportError> {
        if !matches!(event, Event::MappingStart(..)) {
            return Err(ImportError::at(line, Fault::NoObject));
        }
        while let Some((path, line)) = self.key()? {
            let bytes = match self.events.next()? {
                (Event::Scalar(text, ..), _) => decoded(&SecretBytes::new(text.into_owned().into_bytes())),
                _ => None,
            };
            let fault = || ImportError::at(line, Fault::Base64 { path: path.to_string() });
            let bytes = bytes.ok_or_else(fault)?;
            self.collector.add(&path, line, Value::Bytes(bytes))?;
        }
        Ok(())
    }

    /// A value as JSON.
    fn json(
        &mut self,
        event: Event<'a>,
        line: u64,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ImportError> {
        match event {
            Event::Scalar(text, style, ..) => scalar(text, style, out),
            Event::SequenceStart(..) => {
                deeper(depth, line)?;
                self.sequence(depth + 1, out)?;
            }
            Event::MappingStart(..) => {
                deeper(depth, line)?;
                self.object(depth + 1, out)?;
            }
            _ => return Err(ImportError::at(line, Fault::NoObject)),
        }
        Ok(())
    }

    fn sequence(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), ImportError> {
        out.push(b'[');
        let mut first = true;
        loop {
            let (event, line) = self.events.next()?;
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            self.json(event, line, depth, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), ImportError> {
        out.push(b'{');
        let mut seen: HashSet<Text<'a>> = HashSet::new();
        while let Some((name, line)) = self.key()? {
            if !seen.is_empty() {
                out.push(b',');
            }
            string(&name, out);
            if !seen.insert(name) {
                return Err(ImportError::at(line, Fault::Json(strongroom_model::JsonFault::DuplicateKey)));
            }
            out.push(b':');
            let (event, line) = self.events.next()?;
            self.json(event, line, depth, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn deeper(depth: usize, line: u64) -> Result<(), ImportError> {
    if depth < MAX_DEPTH { Ok(()) } else { Err(ImportError::at(line, Fault::TooDeep)) }
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 8 + 2);
    // a text written into memory cannot fail
    let _ = serde_json::to_writer(out, text);
}

fn scalar(text: Text<'_>, style: ScalarStyle, out: &mut Vec<u8>) {
    let plain = style == ScalarStyle::Plain;
    match text.as_ref() {
        "null" | "Null" | "NULL" | "~" | "" if plain => out.extend_from_slice(b"null"),
        "true" | "True" | "TRUE" if plain => out.extend_from_slice(b"true"),
        "false" | "False" | "FALSE" if plain => out.extend_from_slice(b"false"),
        number if plain && is_json_number(number) => out.extend_from_slice(number.as_bytes()),
        other => string(other, out),
    }
    if let Text::Owned(mut text) = text {
        strongroom_secret::wipe(&mut text);
    }
}

/// RFC 8259, section 6.
pub(crate) fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
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

    fn one(value: &str) -> String {
        pairs(&format!("a: {value}\n"), false).unwrap().remove(0).1
    }

    #[test]
    fn scalars_keep_what_they_say() {
        for (value, json) in [
            ("9007199254740993", "9007199254740993"),
            ("-1.10e+5", "-1.10e+5"),
            ("0123", "\"0123\""),
            ("0x1f", "\"0x1f\""),
            ("1_000", "\"1_000\""),
            (".inf", "\".inf\""),
            ("+1", "\"+1\""),
            ("1.", "\"1.\""),
            ("yes", "\"yes\""),
            ("True", "true"),
            ("~", "null"),
            ("", "null"),
            ("\"\"", "\"\""),
            ("'1'", "\"1\""),
            ("2026-11-22", "\"2026-11-22\""),
            ("it's # not", "\"it's\""),
            ("|\n  x\n  y\n", "\"x\\ny\\n\""),
            (">-\n  x\n  y\n", "\"x y\""),
            ("[1, {b: 'c'}]", "[1,{\"b\":\"c\"}]"),
            ("\"\\u00fc\\t\"", "\"ü\\t\""),
        ] {
            assert_eq!(one(value), json, "{value:?}");
        }
    }

    #[test]
    fn mappings_become_values_or_paths() {
        let text = "a:\n  b: 1\n  c:\n    d: x\n  e: {}\n'//bytes':\n  f: aGk=\n";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs(text, false).unwrap(),
            [pair("a", "{\"b\":1,\"c\":{\"d\":\"x\"},\"e\":{}}"), pair("f", "bytes hi")]
        );
        let flat = [pair("a/b", "1"), pair("a/c/d", "\"x\""), pair("a/e", "{}"), pair("f", "bytes hi")];
        assert_eq!(pairs(text, true).unwrap(), flat);
    }

    #[test]
    fn a_fault_names_its_line_and_no_value() {
        for (text, fault) in [
            ("", "1: expected an object"),
            ("hunter2", "1: expected an object"),
            ("- hunter2", "1: expected an object"),
            ("a: 1\nb: &x hunter2", "2: YAML anchors are not read"),
            ("a: &x hunter2\nb: *x", "1: YAML anchors are not read"),
            ("a: 1\nb: !!str hunter2", "2: YAML tags are not read"),
            ("a: 1\nb: !!python/object:os.system {x: hunter2}", "2: YAML tags are not read"),
            ("a:\n  <<: {b: hunter2}", "2: YAML merge keys are not read"),
            ("? [a]\n: hunter2", "1: YAML keys that are no texts are not read"),
            ("a: 1\n---\nb: hunter2", "2: YAML several documents are not read"),
            ("a: 1\na: hunter2", "2: a stands here again; it is in line 1 already"),
            ("a:\n  b: 1\n  b: hunter2", "3: not acceptable JSON: duplicate key"),
            ("a: \"hunter2", "1: not acceptable YAML"),
            ("a: {b: hunter2", "1: not acceptable YAML"),
            ("a: 1\n../b: hunter2", "2: \"../b\" cannot be a secret's path"),
            ("'//bytes':\n  b: hunter2", "2: the bytes of b are not standard base64"),
        ] {
            let Err(found) = pairs(text, false) else { panic!("{text:?}") };
            let (line, _) = found.split_once(':').unwrap();
            let (_, words) = fault.split_once(' ').unwrap();
            assert!(found.contains(words) && !found.contains("hunter2"), "{text:?}: {found}");
            if !fault.contains("YAML") || fault.contains("anchors") || fault.contains("tags") {
                assert!(fault.starts_with(line), "{text:?}: {found}");
            }
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("a: {}{}", "[".repeat(65), "]".repeat(65));
        assert!(pairs(&deep, false).unwrap_err().contains("nested deeper than 65 levels"));
        let block: Vec<_> = (0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        let block = block.concat();
        assert!(pairs(&block, true).unwrap_err().contains("nested deeper"));
    }
}
