//! A value's way from the server to standard output, to the byte.

use super::{Session, about};
use crate::args::Place;
use crate::client::ClientError;
use crate::error::CliError;
use crate::output;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use strongroom_api::Endpoint;
use strongroom_secret::SecretBytes;

/// The part of the answer that is printed. A value that is `null` is there all the same.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    #[serde(default)]
    bytes: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(input).map(Some)
}

pub(in crate::commands) async fn get(
    session: &Session,
    place: &Place,
    version: Option<u64>,
    raw: bool,
    field: Option<&str>,
) -> Result<(), CliError> {
    let version = version.map(|version| version.to_string());
    let ask = about(Endpoint::GetSecret, place).maybe("version", version.as_deref());
    if raw {
        let answer = session.client.ask(ask.accept("application/octet-stream")).await?;
        return answer.expose(output::bytes);
    }
    if let Some(field) = field {
        let answer = session.client.ask(ask).await?;
        let value = answer.expose(|answer| field_of(answer, field)).map_err(ClientError::from)?;
        return value.expose(output::value);
    }
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let value = answer.expose(printed).map_err(ClientError::from)?;
    value.expose(output::value)
}

/// A field of a JSON object: a text as it is, other JSON as its text.
fn field_of(answer: &[u8], name: &str) -> Result<SecretBytes, serde_json::Error> {
    let shown: Shown<'_> = serde_json::from_slice(answer)?;
    let json =
        shown.value.ok_or_else(|| serde::de::Error::custom("the value is bytes, which have no fields"))?;
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json.get())?;
    let field = fields.get(name).ok_or_else(|| serde::de::Error::custom("the value has no such field"))?;
    json_text(field.get())
}

/// A JSON string as its text, other JSON as it is.
fn json_text(json: &str) -> Result<SecretBytes, serde_json::Error> {
    if json.starts_with('"') {
        return Ok(SecretBytes::new(serde_json::from_str::<String>(json)?.into_bytes()));
    }
    Ok(SecretBytes::new(json.as_bytes().to_vec()))
}

/// A JSON string as its text, other JSON as it is, bytes as bytes.
fn printed(answer: &[u8]) -> Result<SecretBytes, serde_json::Error> {
    let mut shown: Shown<'_> = serde_json::from_slice(answer)?;
    if let Some(encoded) = &mut shown.bytes {
        let decoded = data_encoding::BASE64.decode(encoded.as_bytes());
        strongroom_secret::wipe(encoded.as_mut_str());
        return decoded.map(SecretBytes::new).map_err(serde::de::Error::custom);
    }
    let json = shown.value.ok_or_else(|| serde::de::Error::custom("neither value nor bytes"))?.get();
    json_text(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answer: &str) -> Result<Vec<u8>, String> {
        printed(answer.as_bytes())
            .map(|value| value.expose(<[u8]>::to_vec))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn values_come_through_exactly() {
        assert_eq!(shown(r#"{"value":9007199254740993,"version":1}"#), Ok(b"9007199254740993".to_vec()));
        assert_eq!(
            shown(r#"{"value":{"b": 1.10, "a":[]},"version":1}"#),
            Ok(br#"{"b": 1.10, "a":[]}"#.to_vec())
        );
        assert_eq!(shown(r#"{"value":"a\n\u00fc"}"#), Ok("a\nü".as_bytes().to_vec()));
        assert_eq!(shown(r#"{"value":null}"#), Ok(b"null".to_vec()));
        assert_eq!(shown(r#"{"bytes":"AP8="}"#), Ok(vec![0, 255]));
    }

    #[test]
    fn a_field_is_taken_out() {
        let field = |answer: &str, name| {
            let field = field_of(answer.as_bytes(), name);
            field.map(|field| field.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())).ok()
        };
        let answer = r#"{"value":{"username":"app","password":"a\nb","n":1.10},"version":1}"#;
        assert_eq!(field(answer, "password").as_deref(), Some("a\nb"));
        assert_eq!(field(answer, "n").as_deref(), Some("1.10"));
        assert_eq!(field(answer, "absent"), None);
        assert_eq!(field(r#"{"bytes":"AA=="}"#, "password"), None);
        assert_eq!(field(r#"{"value":[1]}"#, "password"), None);
    }

    #[test]
    fn an_answer_without_a_value_is_no_answer() {
        assert!(shown(r#"{"version":1}"#).unwrap_err().contains("neither value nor bytes"));
        assert!(shown(r#"{"bytes":"?"}"#).is_err());
    }
}
