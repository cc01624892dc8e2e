//! What the configuration of a member says that matters here: `fields`, and of `policy` the timestamps and the index.

use strongroom_blindindex::{Form, Networks, NetworksError};
use strongroom_member::{Config, Node, Value};

use crate::settings::{FieldSpec, Fields, PatternError};

/// Names of timestamps where `policy` has no section `timestamp`.
const USUAL_TIMESTAMPS: [&str; 5] = ["timestamp", "@timestamp", "time", "datetime", "date"];
/// The most fields.
const MAX_FIELDS: usize = 4096;

/// What is wrong with the configuration's fields, and in which line.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct FieldsError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub fault: FieldsFault,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum FieldsFault {
    /// Another kind of thing.
    #[error("{key} is {wanted}, not {found}")]
    Kind {
        /// The key.
        key: String,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A key that nobody reads.
    #[error("unknown key {key}")]
    Unknown {
        /// The key.
        key: String,
    },
    /// Not a form.
    #[error("{key} is no form: ip, ipv4, ipv6, cidr, domain, url, email, hash, port or text")]
    Form {
        /// What stands there.
        key: String,
    },
    /// Lengths of networks that cannot be.
    #[error(transparent)]
    Networks(#[from] NetworksError),
    /// A pattern that is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Far too many.
    #[error("more than {MAX_FIELDS} fields")]
    TooMany,
}

fn at(line: u64) -> impl Fn(FieldsFault) -> FieldsError {
    move |fault| FieldsError { line, fault }
}

fn kind(node: &Node, key: &str, wanted: &'static str) -> FieldsError {
    at(node.line)(FieldsFault::Kind { key: key.to_owned(), wanted, found: node.value.kind() })
}

/// Reads them.
pub fn fields(config: &Config) -> Result<Fields, FieldsError> {
    read(config.fields.as_ref(), config.policy.as_ref())
}

fn read(forms: Option<&Node>, policy: Option<&Node>) -> Result<Fields, FieldsError> {
    let mut fields = Fields::default();
    if let Some(node) = forms {
        let entries = map(node, "fields")?;
        if entries.len() > MAX_FIELDS {
            return Err(at(node.line)(FieldsFault::TooMany));
        }
        for (name, node) in entries {
            fields.search(name, spec(name, node)?);
        }
    }
    if let Some(index) = policy.and_then(|policy| policy.get("index")) {
        names(index, "exact", "policy.index.exact")?.iter().for_each(|(_, name)| fields.also_search(name));
    }
    if let Some(timestamp) = policy.and_then(|policy| policy.get("timestamp")) {
        names(timestamp, "exact", "policy.timestamp.exact")?
            .iter()
            .for_each(|(_, name)| fields.timestamp(name));
        for (line, pattern) in names(timestamp, "regex", "policy.timestamp.regex")? {
            fields.timestamp_pattern(&pattern).map_err(|error| at(line)(error.into()))?;
        }
    }
    if !fields.has_timestamps() {
        for name in USUAL_TIMESTAMPS {
            fields.timestamp(name);
        }
    }
    Ok(fields)
}

fn map<'a>(node: &'a Node, key: &str) -> Result<&'a [(String, Node)], FieldsError> {
    match &node.value {
        Value::Map(entries) => Ok(entries),
        Value::Null => Ok(&[]),
        _ => Err(kind(node, key, "a mapping")),
    }
}

/// A list of names, or of mappings with `match`, as the original has both.
fn names(node: &Node, list: &str, key: &str) -> Result<Vec<(u64, String)>, FieldsError> {
    let Some(node) = node.get(list) else { return Ok(Vec::new()) };
    let Value::List(items) = &node.value else {
        return if node.value == Value::Null { Ok(Vec::new()) } else { Err(kind(node, key, "a list")) };
    };
    let name = |item: &Node| {
        let text = item.get("match").unwrap_or(item);
        match &text.value {
            Value::Text(text) | Value::Number(text) => Ok((item.line, text.clone())),
            _ => Err(kind(text, key, "a list of texts")),
        }
    };
    items.iter().map(name).collect()
}

fn spec(name: &str, node: &Node) -> Result<FieldSpec, FieldsError> {
    if let Value::Text(text) = &node.value {
        return Ok(FieldSpec { form: Some(form(text, node.line)?), ..FieldSpec::default() });
    }
    let mut spec = FieldSpec::default();
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (key, node) in map(node, &format!("fields.{name}"))? {
        let full = format!("fields.{name}.{key}");
        match (key.as_str(), &node.value) {
            ("form", Value::Text(text)) => spec.form = Some(form(text, node.line)?),
            ("form", _) => return Err(kind(node, &full, "a form")),
            ("networks", _) => v4 = lengths(node, &full)?,
            ("networks6", _) => v6 = lengths(node, &full)?,
            ("suffixes", Value::Bool(is_on)) => spec.suffixes = *is_on,
            ("days", Value::Bool(is_on)) => spec.days = *is_on,
            ("suffixes" | "days", _) => return Err(kind(node, &full, "true or false")),
            _ => return Err(at(node.line)(FieldsFault::Unknown { key: full })),
        }
    }
    if !v4.is_empty() || !v6.is_empty() {
        spec.networks = Some(Networks::new(&v4, &v6).map_err(|error| at(node.line)(error.into()))?);
    }
    Ok(spec)
}

fn form(text: &str, line: u64) -> Result<Form, FieldsError> {
    Form::named(text).ok_or_else(|| at(line)(FieldsFault::Form { key: text.to_owned() }))
}

fn lengths(node: &Node, key: &str) -> Result<Vec<u8>, FieldsError> {
    let Value::List(items) = &node.value else { return Err(kind(node, key, "a list of numbers")) };
    let number = |item: &Node| match &item.value {
        Value::Number(text) => text.parse().map_err(|_| kind(item, key, "a list of numbers up to 128")),
        _ => Err(kind(item, key, "a list of numbers")),
    };
    items.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(text: &str) -> Result<Fields, FieldsError> {
        let servers = "kms: {url: 'http://127.0.0.1:5002'}\nbackend_server: {url: 'http://127.0.0.1:5001'}\n";
        let config = Config::parse(&format!("{servers}{text}"), Path::new("config.yaml"), None).unwrap();
        fields(&config)
    }

    #[test]
    fn fields_have_forms_and_options() {
        let text = "fields:\n  src_ip: {form: ip, networks: [8, 24], networks6: [48]}\n  host: {suffixes: true}\n  n: text\n";
        let fields = read(text).unwrap();
        let names: Vec<&str> = fields.searchable().map(|(name, _)| name).collect();
        assert_eq!(names, ["host", "n", "src_ip"]);
        assert_eq!(fields.spec("src_ip").networks, Some(Networks::new(&[8, 24], &[48]).unwrap()));
        assert!(fields.spec("host").suffixes && fields.spec("n").form == Some(Form::Text));
        assert!(fields.is_timestamp("time") && !fields.is_timestamp("timely"));
    }

    #[test]
    fn the_originals_policy_says_what_is_searchable_and_what_tells_the_time() {
        let text = "policy:\n  index: {exact: [{match: src_ip}, sid]}\n  timestamp: {exact: [seen], regex: ['t_']}\n";
        let fields = read(text).unwrap();
        assert_eq!(fields.searchable().count(), 2);
        assert!(
            fields.is_timestamp("seen") && fields.is_timestamp("t_first") && !fields.is_timestamp("at_t_")
        );
        assert!(!fields.is_timestamp("timestamp"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, error) in [
            ("fields:\n  a: {form: ipx}\n", "line 4: ipx is no form"),
            ("fields:\n  a: {networks: [33]}\n", "line 4: networks have 1 to 32 bits"),
            ("fields:\n  a: {fast: true}\n", "line 4: unknown key fields.a.fast"),
            ("fields:\n  a: {days: 7}\n", "line 4: fields.a.days is true or false, not a number"),
            ("fields: [a]\n", "line 3: fields is a mapping, not a list"),
            ("policy:\n  timestamp: {regex: ['(']}\n", "line 4: pattern of a timestamp"),
        ] {
            let found = read(text).unwrap_err().to_string();
            assert!(found.starts_with(error), "{text}: {found}");
        }
    }
}
