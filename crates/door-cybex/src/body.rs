//! Bodies: read whole, scanned once, decoded.

use crate::fault::Fault;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use strongroom_model::{JsonLimits, scan_json};

/// The largest body.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// The largest of a caller that has not proved anything yet.
pub(crate) const STRANGERS_BYTES: usize = 16 << 10;
/// The deepest: a group with its rules needs four levels.
const DEPTH: usize = 16;

/// Reads a body of at most `limit` bytes. Time is bounded by the listener.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(fault) if fault.is::<LengthLimitError>() => Err(Fault::too_large(limit)),
        Err(_) => Err(Fault::invalid("the body broke off")),
    }
}

/// Decodes an object: one bounded scan (depth, UTF-8, duplicate keys), then the type. Whatever the media type is said to
/// be: clients of the original do not always say it.
pub(crate) fn object<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Fault> {
    scan_json(body, JsonLimits { bytes: MAX_BYTES, depth: DEPTH })
        .map_err(|fault| Fault::invalid(format!("the body is no acceptable JSON: {fault}")))?;
    // a list of values in their order would do for the decoder
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Fault::invalid("expected an object"));
    }
    serde_json::from_slice(body).map_err(|fault| Fault::invalid(redact(&fault)))
}

/// Nothing, or an object of nothing: what those send who always send something.
pub(crate) fn nothing(body: &Bytes) -> Result<(), Fault> {
    match body.trim_ascii() {
        b"" | b"{}" => Ok(()),
        _ => Err(Fault::invalid("no body is expected here")),
    }
}

/// What a decoder says, without the values that it quotes.
fn redact(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    match text.split_once(", expected") {
        Some((_, expected)) if text.starts_with("invalid ") => {
            format!("wrong type or value, expected{expected}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_sharing::authority::{AskTokens, CreateUser, Group, Login};

    fn refused<T: for<'a> Deserialize<'a>>(text: impl Into<Vec<u8>>) -> String {
        let body = Bytes::from(text.into());
        object::<T>(&body).err().expect("was taken").message
    }

    #[test]
    fn what_the_original_took_is_taken() {
        let body = Bytes::from_static(br#"{"username":"a b","password":"p"}"#);
        assert_eq!(object::<Login>(&body).unwrap().username, "a b");
        let body = r#"{"username":"u","password":"p","password2":"p","attributes":["CERT"]}"#;
        let user: CreateUser = object(&Bytes::from(body)).unwrap();
        assert!(user.attributes == ["CERT"] && user.wrap_key.is_none() && user.past_epochs.is_none());
    }

    #[test]
    fn unknown_missing_doubled_and_misplaced_fields_are_refused() {
        for bad in [
            r#"{"username":"u","password":"p","admin":true}"#,
            r#"{"username":"u"}"#,
            r#"{"username":"u","password":"p","password":"q"}"#,
            r#"{"username":"u","password":7}"#,
            r#"["u","p"]"#,
            "\"u\"",
            "",
            "{",
            "null",
            "{}x",
            "username=u&password=p",
        ] {
            refused::<Login>(bad);
        }
        refused::<Login>(vec![b'{', 0xff, b'}']);
    }

    #[test]
    fn a_refusal_repeats_no_value() {
        let said = refused::<Login>(r#"{"username":"u","password":["hunter2"]}"#);
        assert!(!said.contains("hunter2"), "{said}");
        let said = refused::<Login>(r#"{"username":"u","password":"hunter2","password":"x"}"#);
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let deep = format!("{{\"name\":\"g\",\"rules\":{}{}}}", "[".repeat(40), "]".repeat(40));
        assert!(refused::<Group>(deep).contains("JSON"));
        let wanted =
            r#"{"field":"src_ip","form":"ip","values":[{"exact":"203.0.113.7"},{"on_day":["x",3]}]}"#;
        assert_eq!(object::<AskTokens>(&Bytes::from(wanted)).unwrap().values.len(), 2);
        refused::<AskTokens>(r#"{"field":"f","form":"ip","values":[{"regex":".*"}]}"#);
    }

    #[tokio::test]
    async fn a_body_beyond_its_limit_is_too_large() {
        let body = |length: usize| Body::from(vec![b' '; length]);
        assert_eq!(read(body(64), 64).await.unwrap().len(), 64);
        assert_eq!(read(body(65), 64).await.unwrap_err().status.as_u16(), 413);
    }

    #[test]
    fn nothing_is_nothing() {
        for good in ["", " ", "{}", " {}\n"] {
            assert!(nothing(&Bytes::from(good)).is_ok());
        }
        for bad in ["{\"a\":1}", "null", "x"] {
            assert!(nothing(&Bytes::from(bad)).is_err());
        }
    }
}
