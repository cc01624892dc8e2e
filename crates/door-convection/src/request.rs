//! A request: a command up to the first space, and an object of fields.

use crate::fault::Fault;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use strongroom_model::{JsonLimits, scan_json};

/// The largest request, in bytes: a value of the largest size, and room for what stands around it.
pub const MAX_REQUEST_BYTES: usize = (1 << 20) + (64 << 10);
/// How deep a request's data may be nested; a secret's value within it still has its own depth.
pub(crate) const MAX_DEPTH: usize = 64;
const LIMITS: JsonLimits = JsonLimits { bytes: MAX_REQUEST_BYTES, depth: MAX_DEPTH };

/// A request as it was written.
pub(crate) struct Request<'t> {
    pub(crate) command: &'t str,
    data: Option<&'t str>,
}

impl<'t> Request<'t> {
    /// Takes a text apart. The data is looked at only if it begins as an object or a list does.
    pub(crate) fn split(text: &'t [u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(text).map_err(|_| Fault::not_utf8())?;
        let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        Ok(Self { command, data: rest.starts_with(['{', '[']).then_some(rest) })
    }

    /// The fields, if there is any data.
    pub(crate) fn fields(&self) -> Result<Option<Fields<'t>>, Fault> {
        self.data.map(Fields::parse).transpose()
    }
}

/// The fields of an object. One that is `null` is not there; one that nobody asks for is let be.
#[derive(Default)]
pub(crate) struct Fields<'t>(BTreeMap<String, &'t RawValue>);

impl<'t> Fields<'t> {
    /// Reads an object within bounds; a list, a repeated name or anything malformed is refused.
    pub(crate) fn parse(text: &'t str) -> Result<Self, Fault> {
        if !text.trim_start().starts_with('{') {
            return Err(Fault::value("the request's data is not an object"));
        }
        let text =
            scan_json(text.as_bytes(), LIMITS).map_err(|fault| Fault::malformed(&fault.to_string()))?;
        let fields: BTreeMap<String, &'t RawValue> = serde_json::from_str(text)
            .map_err(|_| Fault::malformed("the request's data is not an object"))?;
        Ok(Self(fields.into_iter().filter(|(_, value)| value.get() != "null").collect()))
    }

    /// A field exactly as it was written.
    pub(crate) fn raw(&self, name: &str) -> Option<&'t str> {
        self.0.get(name).map(|value| value.get())
    }

    /// The names of the fields that are there.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A text that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<String, Fault> {
        self.optional_text(name)?.ok_or_else(|| Fault::missing(name))
    }

    /// A text, if it is there.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<String>, Fault> {
        self.read(name, "text")
    }

    /// A whole number, written as a number or as text.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let text = if raw.starts_with('"') { self.text(name)? } else { raw.to_owned() };
        let number = text.trim().parse().map_err(|_| Fault::value(&format!("{name} is not a whole number")));
        number.map(Some)
    }

    /// A list of texts, if it is there.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        self.read(name, "a list of texts")
    }

    /// An object within; an absent one is empty.
    pub(crate) fn object(&self, name: &str) -> Result<Self, Fault> {
        match self.raw(name) {
            None => Ok(Self::default()),
            Some(raw) if raw.starts_with('{') => Self::parse(raw),
            Some(_) => Err(Fault::value(&format!("{name} is not an object"))),
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str, what: &str) -> Result<Option<T>, Fault> {
        let value = self.raw(name).map(serde_json::from_str);
        value.transpose().map_err(|_| Fault::value(&format!("{name} is not {what}")))
    }
}

// fields bear secrets
impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        Request::split(text.as_bytes()).unwrap().fields().unwrap().unwrap()
    }

    #[test]
    fn a_command_ends_at_the_first_space() {
        let request = Request::split(b"get_secret {\"a\": 1}").unwrap();
        assert_eq!(request.command, "get_secret");
        assert!(request.fields().unwrap().is_some());
        for (text, command) in [("status", "status"), ("status ", "status"), ("", ""), ("status x", "status")]
        {
            let request = Request::split(text.as_bytes()).unwrap();
            assert_eq!(request.command, command);
            assert!(request.fields().unwrap().is_none());
        }
        assert!(Request::split(b"status\xff").is_err());
    }

    #[test]
    fn what_is_null_is_not_there_and_what_is_not_asked_for_is_let_be() {
        let fields =
            fields(r#"x {"a": null, "verbose": false, "loglevel": 30, "b": "text", "c": ["x", "y"]}"#);
        assert_eq!(fields.optional_text("a").unwrap(), None);
        assert!(fields.text("a").is_err());
        assert_eq!(fields.text("b").unwrap(), "text");
        assert_eq!(fields.texts("c").unwrap().unwrap(), ["x", "y"]);
        assert!(fields.text("c").is_err() && fields.texts("b").is_err() && fields.object("b").is_err());
    }

    #[test]
    fn a_number_may_be_written_as_text() {
        let fields = fields(r#"x {"a": 5, "b": "7", "c": "many", "d": 1.5, "e": [1]}"#);
        assert_eq!(fields.number("a").unwrap(), Some(5));
        assert_eq!(fields.number("b").unwrap(), Some(7));
        assert_eq!(fields.number("f").unwrap(), None);
        for name in ["c", "d", "e"] {
            assert!(fields.number(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_object_within_is_read_as_one_and_an_absent_one_is_empty() {
        let fields = fields(r#"x {"store_args": {"secret_name": "a", "secret_value": 1.50}, "n": null}"#);
        let args = fields.object("store_args").unwrap();
        assert_eq!(args.text("secret_name").unwrap(), "a");
        assert_eq!(args.raw("secret_value"), Some("1.50"), "a value is kept as it was written");
        assert!(fields.object("n").unwrap().raw("secret_name").is_none());
    }

    #[test]
    fn lists_repeated_names_and_broken_texts_are_refused() {
        for text in ["x []", "x {\"a\": 1, \"a\": 2}", "x {\"a\"", "x {} {}", "x {\"a\": tru}"] {
            assert!(Request::split(text.as_bytes()).unwrap().fields().is_err(), "{text}");
        }
        let deep = format!("x {{\"a\": {}{}}}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(Request::split(deep.as_bytes()).unwrap().fields().is_err());
    }
}
