//! A record as it is shown: what was opened, and that which stays sealed.

use serde_json::value::RawValue;
use strongroom_sharing::RecordId;

/// A record that was found and checked.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which.
    pub id: RecordId,
    /// When the exchange says that it came: hours since 1970. Nobody signs that.
    pub hour: u32,
    /// Its fields: opened ones by name, then sealed ones by label.
    pub cells: Vec<Cell>,
}

/// One field.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Opened.
    Open {
        /// Its name: a JSON pointer without the first slash.
        name: String,
        /// Its value, as its sender wrote it.
        value: Box<RawValue>,
    },
    /// The reader's attributes do not open it.
    Sealed {
        /// The same for the same field of one collector in one epoch; it tells no name.
        label: String,
        /// Who can open it.
        policy: String,
    },
    /// It should have opened and did not, or is not what a collector makes.
    Broken {
        /// As above.
        label: String,
        /// What is wrong.
        why: &'static str,
    },
}

impl Row {
    /// The value of a field, if it was opened.
    pub fn open(&self, field: &str) -> Option<&RawValue> {
        self.cells.iter().find_map(|cell| match cell {
            Cell::Open { name, value } if name == field => Some(&**value),
            _ => None,
        })
    }

    /// Whether something of it is not open.
    pub fn has_sealed(&self) -> bool {
        self.cells.iter().any(|cell| !matches!(cell, Cell::Open { .. }))
    }
}

/// The texts that a value is searched by: a scalar's own, or those of a list's scalars.
pub(crate) fn texts(value: &RawValue) -> Vec<String> {
    let text = value.get();
    if text.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        return elements.into_iter().filter_map(scalar).collect();
    }
    scalar(value).into_iter().collect()
}

/// The text of a scalar; `null`, lists and objects have none.
pub(crate) fn scalar(value: &RawValue) -> Option<String> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'{' | b'[' => None,
        _ if text == "null" => None,
        _ => Some(text.to_owned()),
    }
}

/// A value without white space between its tokens, so that it stands in one line. Nothing else of it changes.
pub(crate) fn in_one_line(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut is_string = false;
    let mut is_escaped = false;
    for c in value.chars() {
        if is_string {
            is_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            is_string = c == '"';
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn values_are_searched_by_their_scalars() {
        assert_eq!(texts(&raw("\"a\\u00e9\"")), ["a\u{e9}"]);
        assert_eq!(texts(&raw("22")), ["22"]);
        assert_eq!(texts(&raw("[\"x\", 7, null, [1], {\"y\": 2}, true]")), ["x", "7", "true"]);
        assert!(texts(&raw("null")).is_empty() && texts(&raw("{\"a\":1}")).is_empty());
    }

    #[test]
    fn white_space_goes_and_everything_else_stays() {
        let written = "{ \"a b\" :\n [1.50e+3,\t\"x \\\" y\\\\\" ] }";
        assert_eq!(in_one_line(written), "{\"a b\":[1.50e+3,\"x \\\" y\\\\\"]}");
    }
}
