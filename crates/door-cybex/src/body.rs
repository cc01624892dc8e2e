//! Bodies: read whole, scanned once, decoded.

use crate::fault::Fault;
use axum::body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use strongroom_model::{JsonLimits, scan_json};
use strongroom_secret::SecretBytes;

/// The largest body.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// The largest of a caller that has not proved anything yet.
pub(crate) const STRANGERS_BYTES: usize = 16 << 10;
/// The deepest: a group with its rules needs four levels.
const DEPTH: usize = 16;

/// Reads a body of at most `limit` bytes, which may hold passwords: its copies here are wiped. Time is bounded by the
/// listener.
pub(crate) async fn read(body: Body, limit: usize) -> Result<SecretBytes, Fault> {
    let mut body = Limited::new(body, limit);
    let mut whole = Growing::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|fault| {
            let is_large = fault.is::<LengthLimitError>();
            if is_large { Fault::too_large(limit) } else { Fault::invalid("the body broke off") }
        })?;
        if let Ok(data) = frame.into_data() {
            whole.add(&data);
            // a buffer that the connection still has a part of is the connection's
            if let Ok(mut own) = data.try_into_mut() {
                strongroom_secret::wipe(own.as_mut());
            }
        }
    }
    Ok(whole.whole())
}

/// A buffer that leaves nothing behind as it grows.
#[derive(Default)]
struct Growing(Vec<u8>);

impl Growing {
    fn add(&mut self, more: &[u8]) {
        let length = self.0.len().saturating_add(more.len());
        if length > self.0.capacity() {
            let mut grown = Vec::with_capacity(length.next_power_of_two());
            grown.extend_from_slice(&self.0);
            strongroom_secret::wipe(&mut self.0);
            self.0 = grown;
        }
        self.0.extend_from_slice(more);
    }

    fn whole(mut self) -> SecretBytes {
        SecretBytes::new(std::mem::take(&mut self.0))
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        strongroom_secret::wipe(&mut self.0);
    }
}

/// Decodes an object: one bounded scan (depth, UTF-8, duplicate keys), then the type. Whatever the media type is said to
/// be: clients of the original do not always say it.
pub(crate) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    scan_json(body, JsonLimits { bytes: MAX_BYTES, depth: DEPTH })
        .map_err(|fault| Fault::invalid(format!("the body is no acceptable JSON: {fault}")))?;
    // a list of values in their order would do for the decoder
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Fault::invalid("expected an object"));
    }
    serde_json::from_slice(body).map_err(|fault| Fault::invalid(redact(&fault)))
}

/// Nothing, or an object of nothing: what those send who always send something.
pub(crate) fn nothing(body: &[u8]) -> Result<(), Fault> {
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

    fn refused<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> String {
        object::<T>(text.as_ref()).err().expect("was taken").message
    }

    #[test]
    fn what_the_original_took_is_taken() {
        let login: Login = object(br#"{"username":"a b","password":"p"}"#).unwrap();
        assert_eq!(login.username, "a b");
        assert!(login.password.into_secret().expose(|bytes| bytes == b"p"));
        let body = r#"{"username":"u","password":"p","password2":"p","attributes":["CERT"]}"#;
        let user: CreateUser = object(body.as_bytes()).unwrap();
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
        assert_eq!(object::<AskTokens>(wanted.as_bytes()).unwrap().values.len(), 2);
        refused::<AskTokens>(r#"{"field":"f","form":"ip","values":[{"regex":".*"}]}"#);
    }

    #[tokio::test]
    async fn a_body_beyond_its_limit_is_too_large() {
        let body = |length: usize| Body::from(vec![b' '; length]);
        assert_eq!(read(body(64), 64).await.unwrap().len(), 64);
        assert_eq!(read(body(65), 64).await.unwrap_err().status.as_u16(), 413);
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_whole_and_the_pieces_are_wiped() {
        let pieces = ["{\"username\":\"u\",", "\"password\":", "\"hunter2\"}"];
        let frames =
            pieces.map(|piece| Ok::<_, std::io::Error>(bytes::Bytes::from(piece.as_bytes().to_vec())));
        let body = read(Body::from_stream(futures_util::stream::iter(frames)), 64).await.unwrap();
        assert!(body.expose(|bytes| bytes == pieces.concat().as_bytes()));
        let broken = [Ok(bytes::Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))];
        let fault = read(Body::from_stream(futures_util::stream::iter(broken)), 64).await.unwrap_err();
        assert_eq!(fault.message, "the body broke off");
    }

    #[test]
    fn nothing_is_nothing() {
        for good in ["", " ", "{}", " {}\n"] {
            assert!(nothing(good.as_bytes()).is_ok());
        }
        for bad in ["{\"a\":1}", "null", "x"] {
            assert!(nothing(bad.as_bytes()).is_err());
        }
    }
}
