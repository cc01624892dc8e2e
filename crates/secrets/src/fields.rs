//! JSON objects of types: read field by field without leaving copies of secrets behind, written in one piece.

use crate::payload::Value;
use crate::store_type::TypeError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use strongroom_model::{JsonLimits, JsonText, MAX_VALUE_BYTES, ValueKind};
use strongroom_secret::SecretBytes;

/// A text in a secret: borrowed from it, or a copy that is wiped.
pub(crate) struct SecretText<'a>(Cow<'a, str>);

impl SecretText<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for SecretText<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for SecretText<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        Text::deserialize(input).map(|text| Self(text.0))
    }
}

impl Serialize for SecretText<'_> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(&self.0)
    }
}

impl Drop for SecretText<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            strongroom_secret::wipe(text);
        }
    }
}

impl std::fmt::Debug for SecretText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText")
    }
}

/// The fields of a secret's JSON. `what` names it in an error.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &'static str, json: &'a [u8]) -> Result<T, TypeError> {
    // the library would take an array for an object, field by field
    if json.first() != Some(&b'{') {
        return Err(TypeError::NotJson { what });
    }
    serde_json::from_slice(json).map_err(|fault| shape(what, &fault))
}

/// The fields of settings or of an order.
pub(crate) fn read_text<T: DeserializeOwned>(what: &'static str, json: &JsonText) -> Result<T, TypeError> {
    if !json.as_str().starts_with('{') {
        return Err(TypeError::NotJson { what });
    }
    serde_json::from_str(json.as_str()).map_err(|fault| shape(what, &fault))
}

/// What is wrong, without the values that the library quotes.
fn shape(what: &'static str, fault: &serde_json::Error) -> TypeError {
    if !fault.is_data() {
        return TypeError::NotJson { what };
    }
    let text = fault.to_string();
    let fault = match text.split_once(", expected") {
        Some((_, expected)) if text.starts_with("invalid ") => {
            format!("wrong type or value, expected{expected}")
        }
        _ => text,
    };
    TypeError::Shape { what, fault }
}

/// A secret of these fields, `room` bytes long at most: the buffer must not move while it fills.
pub(crate) fn write(fields: &impl Serialize, room: usize) -> Result<Value, TypeError> {
    let mut text = Vec::with_capacity(room.saturating_add(256));
    serde_json::to_writer(&mut text, fields).map_err(|_| TypeError::TooLarge)?;
    let bytes = SecretBytes::new(text);
    if bytes.len() > MAX_VALUE_BYTES {
        return Err(TypeError::TooLarge);
    }
    Ok(Value { kind: ValueKind::Json, bytes })
}

/// Something that is no secret, as a JSON text.
pub(crate) fn text(fields: &impl Serialize) -> Result<JsonText, TypeError> {
    let text = serde_json::to_vec(fields).map_err(|_| TypeError::TooLarge)?;
    JsonText::new(&text, JsonLimits::VALUE).map_err(|_| TypeError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample<'a> {
        #[serde(borrow)]
        password: SecretText<'a>,
    }

    #[test]
    fn an_error_names_the_field_and_no_value() {
        let fault = |json: &str| read::<Sample<'_>>("secret", json.as_bytes()).unwrap_err().to_string();
        assert!(fault("{}").contains("missing field `password`"));
        for json in
            [r#"{"password":17171717}"#, r#"{"password":["17171717"]}"#, r#"["17171717"]"#, "17171717"]
        {
            assert!(!fault(json).contains("17171717"), "{}", fault(json));
        }
        assert!(fault(r#"{"passwort":"17171717"}"#).contains("unknown field `passwort`"));
        assert_eq!(
            read::<Sample<'_>>("secret", br#"{"password":"a\nb"}"#).unwrap().password.as_str(),
            "a\nb"
        );
    }
}
