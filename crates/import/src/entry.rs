//! What is in a file: names and values.

use crate::error::{Fault, ImportError};
use std::collections::HashMap;
use std::io::{self, Write};
use strongroom_model::{MAX_VALUE_BYTES, SecretPath};
use strongroom_secret::SecretBytes;

/// The most secrets in a file.
pub const MAX_ENTRIES: usize = 1_000_000;

/// How a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Objects in objects become paths, not values.
    pub flatten: bool,
    /// The folder that everything goes into; empty: none.
    pub prefix: String,
}

/// One secret of a file.
#[derive(Debug)]
pub struct Entry {
    /// Its path, with the prefix.
    pub path: SecretPath,
    /// The line it stands in.
    pub line: u64,
    /// Its value.
    pub value: Value,
}

/// A value: JSON, to the byte, or bytes.
#[derive(Debug)]
pub enum Value {
    /// A JSON text, already scanned.
    Json(SecretBytes),
    /// Any bytes.
    Bytes(SecretBytes),
}

impl Value {
    /// A text: as JSON, a string.
    pub fn text(text: &str) -> Self {
        Self::Json(sized(|out| {
            // a text written into memory cannot fail
            let _ = serde_json::to_writer(out, text);
        }))
    }

    /// A JSON text that was scanned.
    pub fn json(text: &str) -> Self {
        Self::Json(SecretBytes::new(text.as_bytes().to_vec()))
    }

    /// Its size in bytes, as a server counts it.
    pub fn size(&self) -> usize {
        match self {
            Self::Json(value) | Self::Bytes(value) => value.len(),
        }
    }

    /// Whether both say the same: JSON but for spaces between its words and ways to escape a character.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(left), Self::Bytes(right)) => same(left, right),
            (Self::Json(left), Self::Json(right)) => {
                same(left, right) || same(&left.expose(plainest), &right.expose(plainest))
            }
            _ => false,
        }
    }

    /// The text of a JSON string, nothing if it is something else.
    pub fn as_text(&self) -> Option<SecretBytes> {
        let Self::Json(json) = self else { return None };
        json.expose(|bytes| match bytes {
            [b'"', ..] => serde_json::from_slice::<String>(bytes).ok(),
            _ => None,
        })
        .map(|text| SecretBytes::new(text.into_bytes()))
    }
}

fn same(left: &SecretBytes, right: &SecretBytes) -> bool {
    left.expose(|left| right.expose(|right| strongroom_secret::bytes_eq(left, right)))
}

/// JSON, already scanned, as short as it can be written.
fn plainest(json: &[u8]) -> SecretBytes {
    sized(|out| {
        let mut rest = json;
        while let Some((first, after)) = rest.split_first() {
            let end = if *first == b'"' { string_end(rest) } else { 1 };
            let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            // into memory, where writing does not fail
            let _ = match (first, serde_json::from_slice::<String>(word)) {
                (b' ' | b'\t' | b'\n' | b'\r', _) => Ok(()),
                (b'"', Ok(mut text)) => {
                    let written = serde_json::to_writer(&mut *out, &text).map_err(io::Error::other);
                    strongroom_secret::wipe(&mut text);
                    written
                }
                _ => out.write_all(word),
            };
            rest = if end == 1 { after } else { behind };
        }
    })
}

/// How long the string is that begins here.
fn string_end(json: &[u8]) -> usize {
    let mut escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

/// What is written, in a vector of just its size: one that grows leaves copies behind.
pub(crate) fn sized(write: impl Fn(&mut dyn Write)) -> SecretBytes {
    let mut size = Size(0);
    write(&mut size);
    let mut bytes = Vec::with_capacity(size.0);
    write(&mut bytes);
    SecretBytes::new(bytes)
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A name below another.
pub(crate) fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Collects entries; each name once.
pub(crate) struct Collector<'a> {
    reading: &'a Reading,
    seen: HashMap<String, u64>,
    entries: Vec<Entry>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(reading: &'a Reading) -> Self {
        Self { reading, seen: HashMap::new(), entries: Vec::new() }
    }

    /// Takes an entry, or says what is wrong with it.
    pub(crate) fn add(&mut self, name: &str, line: u64, value: Value) -> Result<(), ImportError> {
        let prefix = self.reading.prefix.trim_end_matches('/');
        let path = below(prefix, name);
        let path = SecretPath::new(&path).map_err(|source| {
            ImportError::at(line, Fault::Name { path: path.chars().take(200).collect(), source })
        })?;
        let known = path.as_str().to_owned();
        if value.size() > MAX_VALUE_BYTES {
            return Err(ImportError::at(line, Fault::ValueTooLarge { path: known }));
        }
        if self.entries.len() == MAX_ENTRIES {
            return Err(ImportError::at(line, Fault::TooMany));
        }
        if let Some(first) = self.seen.insert(known.clone(), line) {
            return Err(ImportError::at(line, Fault::Duplicate { path: known, first }));
        }
        self.entries.push(Entry { path, line, value });
        Ok(())
    }

    /// The entries, in the order of the file.
    pub(crate) fn done(self) -> Vec<Entry> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_may_be_written_in_several_ways() {
        let same = |left, right| Value::json(left).same_as(&Value::json(right));
        assert!(same("{\"a b\" : [1.10,\n\"\\u00fc\\/\"]}", "{\"a b\":[1.10,\"ü/\"]}"));
        assert!(same("\"\\\"\\\\\"", "\"\\u0022\\u005c\""));
        for (left, right) in
            [("1", "1.0"), ("[1,2]", "[12]"), ("\"a b\"", "\"ab\""), ("\"1\"", "1"), ("null", "\"\"")]
        {
            assert!(!same(left, right), "{left} {right}");
        }
        assert!(!Value::json("1").same_as(&Value::Bytes(SecretBytes::new(b"1".to_vec()))));
    }
}
