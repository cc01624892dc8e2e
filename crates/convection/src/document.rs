//! The TOML that the original seals: read with its numbers as they stand, told of by place, wiped when it was read.

use std::borrow::Cow;
use std::io::{self, Write};
use strongroom_secret::SecretBytes;
use toml::de::{DeTable, DeValue};

/// What is wrong in a document. Values are never told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not text.
    #[error("what is sealed in it is not UTF-8 text")]
    NotUtf8,
    /// Not TOML.
    #[error("what is sealed in it is not TOML (line {line})")]
    Syntax {
        /// Where.
        line: usize,
    },
    /// Something that has to be there.
    #[error("what is sealed in it has no {what}")]
    Missing {
        /// The field.
        what: String,
    },
    /// Something of another kind.
    #[error("{what} is not {wanted}")]
    Shape {
        /// The field.
        what: String,
        /// What it should be.
        wanted: &'static str,
    },
}

/// Reads a document, and wipes what the parser copied out of it.
pub(crate) fn read<R>(
    opened: &SecretBytes,
    read: impl FnOnce(&DeTable<'_>) -> Result<R, DocumentError>,
) -> Result<R, DocumentError> {
    opened.expose(|bytes| {
        let text = std::str::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8)?;
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            DocumentError::Syntax { line: 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count() }
        })?;
        let document = document.into_inner();
        let found = read(&document);
        document.into_iter().for_each(|(_, value)| wipe(value.into_inner()));
        found
    })
}

fn wipe(value: DeValue<'_>) {
    match value {
        DeValue::String(Cow::Owned(mut text)) => strongroom_secret::wipe(&mut text),
        DeValue::Array(values) => values.into_iter().for_each(|value| wipe(value.into_inner())),
        DeValue::Table(table) => table.into_iter().for_each(|(_, value)| wipe(value.into_inner())),
        _ => {}
    }
}

fn shape(what: &str, wanted: &'static str) -> DocumentError {
    DocumentError::Shape { what: what.to_owned(), wanted }
}

/// A table of a table; nothing if it is not there.
pub(crate) fn table<'a, 'i>(
    of: &'a DeTable<'i>,
    name: &str,
) -> Result<Option<&'a DeTable<'i>>, DocumentError> {
    of.get(name).map(|found| as_table(found.get_ref(), name)).transpose()
}

/// A value as a table.
pub(crate) fn as_table<'a, 'i>(value: &'a DeValue<'i>, what: &str) -> Result<&'a DeTable<'i>, DocumentError> {
    value.as_table().ok_or_else(|| shape(what, "a table"))
}

/// A text of a table.
pub(crate) fn text(of: &DeTable<'_>, name: &str, within: &str) -> Result<String, DocumentError> {
    let found = of.get(name).ok_or_else(|| DocumentError::Missing { what: format!("{name} of {within}") })?;
    let text = found.get_ref().as_str().ok_or_else(|| shape(name, "a text"))?;
    Ok(text.to_owned())
}

/// The texts of a list; none if it is not there.
pub(crate) fn texts(of: &DeTable<'_>, name: &str) -> Result<Vec<String>, DocumentError> {
    list(of, name, |value| value.as_str().map(str::to_owned).ok_or_else(|| shape(name, "a list of texts")))
}

/// What is in a list; nothing if it is not there.
pub(crate) fn list<'a, 'i, T>(
    of: &'a DeTable<'i>,
    name: &str,
    one: impl Fn(&'a DeValue<'i>) -> Result<T, DocumentError>,
) -> Result<Vec<T>, DocumentError> {
    let Some(found) = of.get(name) else { return Ok(Vec::new()) };
    let found = found.get_ref().as_array().ok_or_else(|| shape(name, "a list"))?;
    found.iter().map(|value| one(value.get_ref())).collect()
}

/// A whole number, decimal, or the text that stands in its place.
pub(crate) fn number_or_text(of: &DeTable<'_>, name: &str, within: &str) -> Result<String, DocumentError> {
    match of.get(name).map(toml::Spanned::get_ref) {
        Some(DeValue::Integer(number)) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        _ => text(of, name, within),
    }
}

/// A value as JSON, and whether something in it had to become a text: JSON has no infinities and no dates.
pub(crate) fn to_json(value: &DeValue<'_>) -> (SecretBytes, bool) {
    let mut counted = Counted(0);
    // neither counting nor writing into memory fails
    let _ = write_json(value, &mut counted);
    let mut bytes = Vec::with_capacity(counted.0);
    let _ = write_json(value, &mut bytes);
    (SecretBytes::new(bytes), becomes_text(value))
}

struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_json(value: &DeValue<'_>, out: &mut impl Write) -> io::Result<()> {
    match value {
        DeValue::String(text) => Ok(serde_json::to_writer(out, text.as_ref())?),
        DeValue::Integer(number) if number.radix() == 10 => {
            out.write_all(number.as_str().trim_start_matches('+').as_bytes())
        }
        DeValue::Integer(number) => match u128::from_str_radix(number.as_str(), number.radix()) {
            Ok(whole) => write!(out, "{whole}"),
            Err(_) => Ok(serde_json::to_writer(out, number.as_str())?),
        },
        DeValue::Float(number) if is_finite(number.as_str()) => {
            out.write_all(number.as_str().trim_start_matches('+').as_bytes())
        }
        DeValue::Float(number) => Ok(serde_json::to_writer(out, number.as_str())?),
        DeValue::Boolean(flag) => write!(out, "{flag}"),
        DeValue::Datetime(moment) => write!(out, "\"{moment}\""),
        DeValue::Array(values) => {
            out.write_all(b"[")?;
            for (place, value) in values.iter().enumerate() {
                out.write_all(if place == 0 { b"" } else { b"," })?;
                write_json(value.get_ref(), out)?;
            }
            out.write_all(b"]")
        }
        DeValue::Table(table) => {
            out.write_all(b"{")?;
            for (place, (name, value)) in table.iter().enumerate() {
                out.write_all(if place == 0 { b"" } else { b"," })?;
                serde_json::to_writer(&mut *out, name.get_ref().as_ref())?;
                out.write_all(b":")?;
                write_json(value.get_ref(), out)?;
            }
            out.write_all(b"}")
        }
    }
}

fn is_finite(number: &str) -> bool {
    !number.contains("inf") && !number.contains("nan")
}

fn becomes_text(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Datetime(_) => true,
        DeValue::Float(number) => !is_finite(number.as_str()),
        DeValue::Integer(number) => {
            number.radix() != 10 && u128::from_str_radix(number.as_str(), number.radix()).is_err()
        }
        DeValue::Array(values) => values.iter().any(|value| becomes_text(value.get_ref())),
        DeValue::Table(table) => table.iter().any(|(_, value)| becomes_text(value.get_ref())),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(toml: &str) -> (String, bool) {
        let opened = SecretBytes::new(format!("v = {toml}").into_bytes());
        read(&opened, |document| {
            let (json, told) = to_json(document.get("v").unwrap().get_ref());
            Ok((json.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap()), told))
        })
        .unwrap()
    }

    #[test]
    fn values_keep_their_digits_and_characters() {
        for (toml, expected) in [
            ("9007199254740993", "9007199254740993"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("-5", "-5"),
            ("+5", "5"),
            ("0xff", "255"),
            ("1_000", "1000"),
            ("1.50", "1.50"),
            ("1e-7", "1e-7"),
            ("true", "true"),
            ("\"a\\\"\\u0007\\\\ü\\n\"", "\"a\\\"\\u0007\\\\ü\\n\""),
            ("[ 1, \"a\", [ true,],]", "[1,\"a\",[true]]"),
            ("{ b = 1, \"a b\" = [] }", "{\"a b\":[],\"b\":1}"),
        ] {
            assert_eq!(json(toml), (expected.to_owned(), false), "{toml}");
            assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok());
        }
    }

    #[test]
    fn what_json_cannot_say_becomes_a_text_and_is_told() {
        for (toml, expected) in
            [("inf", "\"inf\""), ("-nan", "\"-nan\""), ("[2020-01-01]", "[\"2020-01-01\"]")]
        {
            assert_eq!(json(toml), (expected.to_owned(), true), "{toml}");
        }
    }

    #[test]
    fn faults_tell_the_place_and_no_value() {
        let opened = SecretBytes::new(b"a = 1\nb = hunter2\n".to_vec());
        let fault = read(&opened, |_| Ok(())).unwrap_err();
        assert_eq!(fault, DocumentError::Syntax { line: 2 });
        assert!(!fault.to_string().contains("hunter2"));
        assert_eq!(read(&SecretBytes::new(vec![0xff]), |_| Ok(())), Err(DocumentError::NotUtf8));
        let deep = format!("v = {}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(read(&SecretBytes::new(deep.into_bytes()), |_| Ok(())).is_err());
    }
}
