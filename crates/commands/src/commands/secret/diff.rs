//! What differs between two versions: fields of JSON objects, at any depth. Values are masked unless they are asked for.

use super::about;
use crate::args::Place;
use crate::client::{Answer, ClientError};
use crate::commands::Session;
use crate::error::CliError;
use crate::output;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use strongroom_api::Endpoint;

/// Deepest object that is looked into; below, values are compared whole.
const DEPTH: usize = 16;
const MASK: &str = "********";

#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(default, borrow)]
    value: Option<&'a RawValue>,
    #[serde(default, borrow)]
    bytes: Option<Cow<'a, str>>,
}

impl Shown<'_> {
    /// The value as text; bytes as their base64, which is no JSON.
    fn text(&self) -> &str {
        match (&self.value, &self.bytes) {
            (Some(json), _) => json.get(),
            (None, Some(bytes)) => bytes,
            // `null` comes as no value
            (None, None) => "null",
        }
    }
}

pub(super) async fn diff(
    session: &Session,
    place: &Place,
    from: u64,
    to: Option<u64>,
    show: bool,
) -> Result<(), CliError> {
    let older = version(session, place, Some(from)).await?;
    let newer = version(session, place, to).await?;
    let changes = older.expose(|older| newer.expose(|newer| compared(older, newer)));
    let changes = changes.map_err(ClientError::from)?;
    if session.out.json() {
        return output::line(&as_json(&changes, show).to_string());
    }
    if changes.is_empty() {
        return output::line("No difference.");
    }
    let value = |text: &Option<String>| match text {
        Some(text) if show => text.clone(),
        Some(_) => MASK.to_owned(),
        None => String::new(),
    };
    let rows = changes.iter().map(|change| {
        vec![change.kind().to_owned(), change.field.clone(), value(&change.before), value(&change.after)]
    });
    session.out.table(&["CHANGE", "FIELD", "BEFORE", "AFTER"], rows)
}

async fn version(session: &Session, place: &Place, version: Option<u64>) -> Result<Answer, CliError> {
    let version = version.map(|version| version.to_string());
    Ok(session.client.ask(about(Endpoint::GetSecret, place).maybe("version", version.as_deref())).await?)
}

/// A field that differs; the whole value has an empty name.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

impl Change {
    fn kind(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        for text in [&mut self.before, &mut self.after].into_iter().flatten() {
            strongroom_secret::wipe(text);
        }
    }
}

fn as_json(changes: &[Change], show: bool) -> serde_json::Value {
    let rows = changes.iter().map(|change| {
        let mut row = serde_json::json!({ "change": change.kind(), "field": change.field });
        if let Some(row) = row.as_object_mut().filter(|_| show) {
            for (name, text) in [("before", &change.before), ("after", &change.after)] {
                if let Some(text) = text {
                    row.insert(name.to_owned(), text.as_str().into());
                }
            }
        }
        row
    });
    serde_json::json!({ "changes": rows.collect::<Vec<_>>() })
}

fn compared(older: &[u8], newer: &[u8]) -> Result<Vec<Change>, serde_json::Error> {
    let (older, newer): (Shown<'_>, Shown<'_>) =
        (serde_json::from_slice(older)?, serde_json::from_slice(newer)?);
    let mut changes = Vec::new();
    walk("", Some(older.text()), Some(newer.text()), DEPTH, &mut changes);
    Ok(changes)
}

fn walk(field: &str, older: Option<&str>, newer: Option<&str>, depth: usize, changes: &mut Vec<Change>) {
    if older == newer {
        return;
    }
    let objects = older.zip(newer).and_then(|(older, newer)| Some((fields(older)?, fields(newer)?)));
    let Some((older_fields, newer_fields)) = objects.filter(|_| depth > 0) else {
        let text = |text: Option<&str>| text.map(str::to_owned);
        changes.push(Change { field: field.to_owned(), before: text(older), after: text(newer) });
        return;
    };
    let names: std::collections::BTreeSet<_> = older_fields.keys().chain(newer_fields.keys()).collect();
    for name in names {
        let inner = if field.is_empty() { name.to_string() } else { format!("{field}.{name}") };
        let of = |fields: &BTreeMap<Cow<'_, str>, &'_ RawValue>| {
            fields.get(name).map(|json| json.get().to_owned())
        };
        let (mut before, mut after) = (of(&older_fields), of(&newer_fields));
        walk(&inner, before.as_deref(), after.as_deref(), depth - 1, changes);
        for text in [&mut before, &mut after].into_iter().flatten() {
            strongroom_secret::wipe(text);
        }
    }
}

fn fields(json: &str) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    if json.starts_with('{') { serde_json::from_str(json).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(older: &str, newer: &str) -> Vec<String> {
        let answer = |value: &str| format!("{{\"value\":{value},\"version\":1}}");
        let changes = compared(answer(older).as_bytes(), answer(newer).as_bytes()).unwrap();
        changes.iter().map(|change| format!("{} {}", change.kind(), change.field)).collect()
    }

    #[test]
    fn fields_are_told_at_any_depth_and_to_the_digit() {
        assert!(told(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#).is_empty(), "order does not matter");
        let older = r#"{"a":9007199254740992,"b":{"c":1,"d":[1,2]},"e":true}"#;
        let newer = r#"{"a":9007199254740993,"b":{"c":1,"d":[2,1]},"f":null}"#;
        assert_eq!(told(older, newer), ["changed a", "changed b.d", "removed e", "added f"]);
        assert_eq!(told("1", "2"), ["changed "]);
        assert_eq!(told("\"x\"", r#"{"a":1}"#), ["changed "]);
        assert!(told("null", "null").is_empty());
    }

    #[test]
    fn values_are_shown_only_if_they_are_asked_for() {
        let changes = compared(br#"{"value":{"p":"hunter2"}}"#, br#"{"value":{"p":"hunter3"}}"#).unwrap();
        assert!(!as_json(&changes, false).to_string().contains("hunter"));
        assert!(as_json(&changes, true).to_string().contains("hunter3"));
    }
}
