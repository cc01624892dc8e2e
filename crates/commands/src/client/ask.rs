//! One question to the server: a row of the endpoint table, filled in.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use serde::Serialize;
use strongroom_api::{Endpoint, PREFIX};
use strongroom_secret::{SecretBytes, WipedBytes};

/// A question.
pub(crate) struct Ask {
    pub(super) endpoint: Endpoint,
    pub(super) body: Bytes,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    path: String,
    query: String,
}

impl Ask {
    /// A question to an endpoint.
    pub(crate) fn of(endpoint: Endpoint) -> Self {
        let path = format!("{PREFIX}{}", endpoint.path());
        Self { endpoint, body: Bytes::new(), headers: Vec::new(), path, query: String::new() }
    }

    /// Fills a name in: `{name}`, one component, or `{*name}`, which keeps its slashes.
    #[must_use]
    pub(crate) fn name(mut self, name: &str, value: &str) -> Self {
        self.path = self
            .path
            .replace(&format!("{{{name}}}"), &escaped(value, b""))
            .replace(&format!("{{*{name}}}"), &escaped(value, b"/"));
        self
    }

    /// Adds to the query.
    #[must_use]
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(name);
        self.query.push('=');
        self.query.push_str(&escaped(value, b""));
        self
    }

    /// Adds to the query, if there is anything.
    #[must_use]
    pub(crate) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Whether the query has a field.
    pub(crate) fn has(&self, name: &str) -> bool {
        let fields = self.query.trim_start_matches('?').split('&');
        fields.into_iter().any(|field| field.split('=').next() == Some(name))
    }

    /// A body of a wire type.
    #[must_use]
    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        let mut bytes = Vec::with_capacity(4_096);
        // a wire type is made of texts and numbers: writing it into memory cannot fail
        let _ = serde_json::to_writer(&mut bytes, body);
        self.body("application/json", bytes)
    }

    /// A body of a media type; its bytes are wiped afterwards.
    #[must_use]
    pub(crate) fn body(mut self, media_type: &'static str, bytes: Vec<u8>) -> Self {
        self.body = Bytes::from_owner(WipedBytes::new(bytes));
        self.header(header::CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// The media type of the answer; JSON if not said.
    #[must_use]
    pub(crate) fn accept(self, media_type: &'static str) -> Self {
        self.header(header::ACCEPT, HeaderValue::from_static(media_type))
    }

    /// A header with a secret in it; what cannot be a header is left out, and the server will miss it.
    #[must_use]
    pub(crate) fn secret_header(self, name: &'static str, value: &SecretBytes) -> Self {
        match value.expose(HeaderValue::from_bytes) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.header(HeaderName::from_static(name), value)
            }
            Err(_) => self,
        }
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn method(&self) -> Method {
        match self.endpoint.method() {
            strongroom_api::Method::Get => Method::GET,
            strongroom_api::Method::Post => Method::POST,
            strongroom_api::Method::Put => Method::PUT,
            strongroom_api::Method::Delete => Method::DELETE,
        }
    }

    pub(super) fn uri(&self) -> String {
        format!("{}{}", self.path, self.query)
    }

    /// Whether the same request id may carry it again. What answers with something secret, and what counts
    /// presented keys, is never said twice: its answer cannot be had again.
    pub(super) fn repeatable(&self) -> bool {
        use Endpoint as E;
        match self.endpoint {
            E::Init
            | E::RotateRoot
            | E::RotateAll
            | E::Unlock
            | E::AddAutoUnlock
            | E::Challenge
            | E::Authorize
            | E::Login
            | E::VerifyTrail
            | E::Checkpoint => false,
            other => other.method() != strongroom_api::Method::Get,
        }
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3, and those to keep.
fn escaped(text: &str, keep: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        let ask = Ask::of(Endpoint::GetSecret).name("store", "a/b?#").name("path", "x y/ü%2f");
        assert_eq!(ask.uri(), "/api/v1/stores/a%2Fb%3F%23/secrets/x%20y/%C3%BC%252f");
    }

    #[test]
    fn queries_are_escaped() {
        let ask = Ask::of(Endpoint::ListSecrets).name("store", "s").query("prefix", "a&b=c").maybe("x", None);
        assert_eq!(ask.uri(), "/api/v1/stores/s/secrets?prefix=a%26b%3Dc");
    }

    #[test]
    fn what_bears_secrets_is_never_repeated() {
        for endpoint in [Endpoint::Init, Endpoint::RotateRoot, Endpoint::Authorize, Endpoint::GetSecret] {
            assert!(!Ask::of(endpoint).repeatable(), "{endpoint:?}");
        }
        for endpoint in [Endpoint::PutSecret, Endpoint::RemoveSecret, Endpoint::CreateStore, Endpoint::Lock] {
            assert!(Ask::of(endpoint).repeatable(), "{endpoint:?}");
        }
    }
}
