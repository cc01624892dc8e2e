//! Settings of stores and orders to generators, as they come: the client's command line sends every value as text.

use crate::fault::Fault;
use crate::request::Fields;
use serde_json::{Map, Value};
use std::num::NonZeroU64;
use strongroom_model::{JsonLimits, JsonText};
use strongroom_secrets::{Change, Settings};

/// Bounds of settings and orders.
const LIMITS: JsonLimits = JsonLimits { bytes: 16 * 1024, depth: 8 };
const NUMBERS: [&str; 4] = ["length", "bits", "days", KEEP];
const FLAGS: [&str; 3] = ["each", "csr", CAS];
const LISTS: [&str; 1] = ["sans"];
const KEEP: &str = "keep_versions";
const CAS: &str = "cas_required";
/// What this protocol calls some alphabets, and what the core calls them.
const ALPHABETS: [(&str, &str); 3] =
    [("printable", "printable"), ("ascii_letters", "lower+upper"), ("digits", "digits")];

/// The fields but some, each with the type that its name has. An empty text stands for nothing.
pub(crate) fn typed(fields: &Fields<'_>, but: &[&str]) -> Result<Map<String, Value>, Fault> {
    let mut typed = Map::new();
    for name in fields.names().filter(|name| !but.contains(name)) {
        let value = typed_value(fields, name)?;
        let (name, value) = match (name, value) {
            ("value_type", Value::String(text)) => ("alphabet", alphabet(&text)?),
            other => other,
        };
        if typed.insert(name.to_owned(), value).is_some() {
            return Err(Fault::value("both alphabet and value_type are given"));
        }
    }
    Ok(typed)
}

fn typed_value(fields: &Fields<'_>, name: &str) -> Result<Value, Fault> {
    let raw = fields.raw(name).unwrap_or("null");
    if raw == "\"\"" {
        return Ok(Value::Null);
    }
    if NUMBERS.contains(&name) {
        return Ok(fields.number(name)?.map_or(Value::Null, Value::from));
    }
    let value: Value = serde_json::from_str(raw).map_err(|_| Fault::value(&format!("{name} is no value")))?;
    match &value {
        Value::String(text) if FLAGS.contains(&name) => flag(name, text),
        Value::String(text) if LISTS.contains(&name) => {
            Ok(text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
        }
        _ => Ok(value),
    }
}

fn flag(name: &str, text: &str) -> Result<Value, Fault> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true.into()),
        "false" | "no" | "0" => Ok(false.into()),
        _ => Err(Fault::value(&format!("{name} is true or false"))),
    }
}

fn alphabet(text: &str) -> Result<Value, Fault> {
    let known = ALPHABETS.iter().find(|(theirs, _)| *theirs == text);
    let known = known.ok_or_else(|| Fault::value("value_type is printable, ascii_letters or digits"));
    known.map(|(_, ours)| Value::from(*ours))
}

/// A JSON object as the engines take it.
pub(crate) fn object(fields: &Map<String, Value>) -> Result<JsonText, Fault> {
    let text = serde_json::to_vec(fields).map_err(|fault| Fault::internal(&fault.to_string()))?;
    JsonText::new(&text, LIMITS).map_err(|fault| Fault::value(&fault.to_string()))
}

/// What every store may be set to, taken from among what its type may be.
fn take_common(fields: &mut Map<String, Value>) -> Result<Change, Fault> {
    let keep = match fields.remove(KEEP) {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            let number = number.ok_or_else(|| Fault::value("keep_versions is a number of versions"))?;
            Some(NonZeroU64::new(number.into()))
        }
    };
    let cas_required = match fields.remove(CAS) {
        None => None,
        Some(Value::Null) => Some(false),
        Some(value) => Some(value.as_bool().ok_or_else(|| Fault::value("cas_required is true or false"))?),
    };
    Ok(Change { keep, cas_required, of_type: None })
}

/// Settings of a new store.
pub(crate) fn of_new(fields: &Fields<'_>) -> Result<Settings, Fault> {
    let mut typed = typed(fields, &[])?;
    let common = take_common(&mut typed)?;
    typed.retain(|_, value| !value.is_null());
    Ok(Settings {
        keep: common.keep.flatten(),
        cas_required: common.cas_required.unwrap_or_default(),
        of_type: object(&typed)?,
    })
}

/// Changes of a store's settings; what is empty is unset.
pub(crate) fn changes(fields: &Fields<'_>) -> Result<Change, Fault> {
    let mut typed = typed(fields, &[])?;
    let common = take_common(&mut typed)?;
    let of_type = if typed.is_empty() { None } else { Some(object(&typed)?) };
    Ok(Change { of_type, ..common })
}

/// Settings as this protocol calls them.
pub(crate) fn shown(settings: &Settings) -> Map<String, Value> {
    let of_type: Map<String, Value> = serde_json::from_str(settings.of_type.as_str()).unwrap_or_default();
    let theirs = |(name, value): (String, Value)| {
        let known = ALPHABETS.iter().find(|(_, ours)| name == "alphabet" && value == *ours);
        known.map_or((name, value), |(theirs, _)| ("value_type".to_owned(), Value::from(*theirs)))
    };
    let mut shown: Map<String, Value> = of_type.into_iter().map(theirs).collect();
    shown.insert(KEEP.to_owned(), settings.keep.map_or(0, NonZeroU64::get).into());
    shown.insert(CAS.to_owned(), settings.cas_required.into());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        Fields::parse(text).unwrap()
    }

    #[test]
    fn texts_become_what_their_names_mean() {
        let text = r#"{"length": "12", "bits": 2048, "each": "yes", "csr": false, "sans": "a, b,", "x": "5",
            "value_type": "ascii_letters", "secret_name": "s"}"#;
        let expected = serde_json::json!({"length": 12, "bits": 2048, "each": true, "csr": false,
            "sans": ["a", "b"], "x": "5", "alphabet": "lower+upper"});
        assert_eq!(Value::Object(typed(&fields(text), &["secret_name"]).unwrap()), expected);
        for wrong in [
            r#"{"length": "many"}"#,
            r#"{"each": "perhaps"}"#,
            r#"{"value_type": "letters"}"#,
            r#"{"value_type": "digits", "alphabet": "lower"}"#,
        ] {
            assert!(typed(&fields(wrong), &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_all_stores_have_is_told_from_what_their_types_have() {
        let text =
            r#"{"length": "30", "value_type": "digits", "keep_versions": "3", "cas_required": "true"}"#;
        let settings = of_new(&fields(text)).unwrap();
        assert_eq!((settings.keep.map(NonZeroU64::get), settings.cas_required), (Some(3), true));
        assert_eq!(settings.of_type.as_str(), r#"{"alphabet":"digits","length":30}"#);
        let shown = Value::Object(shown(&settings));
        let expected = serde_json::json!({"length": 30, "value_type": "digits", "keep_versions": 3,
            "cas_required": true});
        assert_eq!(shown, expected);
        assert!(of_new(&fields(r#"{"keep_versions": -1}"#)).is_err());
        assert!(of_new(&fields(r#"{"cas_required": "maybe"}"#)).is_err());
    }

    #[test]
    fn what_is_empty_is_unset_and_what_is_not_named_stays() {
        let change = changes(&fields(r#"{"length": "", "keep_versions": ""}"#)).unwrap();
        assert_eq!((change.keep, change.cas_required), (Some(None), None));
        assert_eq!(change.of_type.unwrap().as_str(), r#"{"length":null}"#);
        assert!(changes(&fields("{}")).unwrap().of_type.is_none());
        assert_eq!(of_new(&fields(r#"{"length": ""}"#)).unwrap(), Settings::default());
    }
}
