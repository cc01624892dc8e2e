//! Secrets: the one place where secret bytes become wire bytes.

use crate::Door;
use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::request::{Context, Query};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::HeaderValue;
use http::{Response, StatusCode};
use strongroom_api::{
    Code, GenerateSecretRequest, NDJSON, PutSecretRequest, SecretGenerated, SecretPublic, SecretWritten,
};
use strongroom_gate::{Denied, LongListing, Names, Secret, StoreFolder};
use strongroom_model::{JsonLimits, JsonText, MAX_VALUE_BYTES, ValueKind};
use strongroom_secret::SecretBytes;
use strongroom_secrets as engine;

type Answered = Result<Response<Body>, Fault>;

const OCTETS: &str = "application/octet-stream";
const DEFAULT_PAGE: u64 = 1_000;
const MAX_PAGE: u64 = 100_000;
const LINES_A_CHUNK: usize = 1_000;

pub(crate) fn secret(context: &Context) -> Result<Secret, Fault> {
    Ok(Secret { store: context.store()?, path: context.secret_path()? })
}

pub(crate) async fn put(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let (value, cas) = read_value(context, body)?;
    let written = match door.gate.admit::<engine::PutSecret>(&context.caller, secret(context)?).await {
        Ok(permit) => engine::put(permit, context.user(), door.gate.now(), &value, cas).await?,
        Err(Denied::Repeated(outcome)) => written_before(&outcome)?,
        Err(denied) => return Err(denied.into()),
    };
    answer::json(&SecretWritten { version: written.version, created: answer::time(written.created) })
}

fn written_before(outcome: &[u8]) -> Result<engine::Written, Fault> {
    engine::Written::decode(outcome).ok_or_else(|| Fault::internal("an outcome does not decode"))
}

fn read_value(context: &Context, body: &Bytes) -> Result<(engine::Value, Option<u64>), Fault> {
    if context.content_type() == Some(OCTETS) {
        let cas = context.query(&["cas"])?.number("cas")?;
        return Ok((bytes_value(body.to_vec())?, cas));
    }
    context.query(&[])?;
    let wanted: PutSecretRequest<'_> = body::json(context, body)?;
    let value = match (wanted.value, wanted.bytes) {
        (Some(json), None) => JsonText::new(json.get().as_bytes(), JsonLimits::VALUE)
            .map(|text| engine::Value::json(&text))
            .map_err(|fault| too_large_or_invalid(&fault))?,
        (None, Some(text)) => {
            let bytes = STANDARD.decode(text.as_bytes());
            bytes_value(bytes.map_err(|_| Fault::new(Code::InvalidRequest, "bytes is not standard base64"))?)?
        }
        (Some(_), Some(_)) => return Err(Fault::new(Code::InvalidRequest, "both value and bytes are given")),
        (None, None) => return Err(Fault::new(Code::InvalidRequest, "neither value nor bytes is given")),
    };
    Ok((value, wanted.cas))
}

fn too_large_or_invalid(fault: &strongroom_model::JsonError) -> Fault {
    match fault.fault {
        strongroom_model::JsonFault::TooLong => value_too_large(),
        _ => Fault::new(Code::InvalidJson, fault.to_string()),
    }
}

fn value_too_large() -> Fault {
    Fault::new(Code::TooLarge, format!("a value has at most {MAX_VALUE_BYTES} bytes"))
}

fn bytes_value(bytes: Vec<u8>) -> Result<engine::Value, Fault> {
    let value = SecretBytes::new(bytes);
    if value.len() > MAX_VALUE_BYTES {
        return Err(value_too_large());
    }
    Ok(engine::Value::bytes(value))
}

pub(crate) async fn get(door: &Door, context: &Context) -> Answered {
    let version = context.query(&["version"])?.number("version")?;
    let permit = door.gate.admit::<engine::GetSecret>(&context.caller, secret(context)?).await?;
    let held = engine::read(permit, version).await?;
    let found = match door.gate.release(held).await? {
        engine::Found::Live(found) => found,
        engine::Found::Absent => return Err(Code::NotFound.into()),
        engine::Found::Deleted { version, .. } => {
            return Err(engine::SecretsError::Deleted { version }.into());
        }
        engine::Found::Destroyed { version, .. } => {
            return Err(engine::SecretsError::Destroyed { version }.into());
        }
    };
    if context.accepts(OCTETS) {
        return Ok(octets(&found));
    }
    let creator = door.identity.user_name(found.creator).await?;
    Ok(answer::json_text(value_json(&found, &creator)?))
}

fn octets(found: &engine::Version) -> Response<Body> {
    let bytes = found.value.bytes.expose(<[u8]>::to_vec);
    let mut answer = answer::raw(StatusCode::OK, HeaderValue::from_static(OCTETS), bytes);
    answer.headers_mut().insert("x-version", HeaderValue::from(found.version));
    answer.headers_mut().insert("x-kind", HeaderValue::from_static(kind_name(found.value.kind)));
    answer
}

/// `SecretValue` as JSON, with the value exactly as it was put.
fn value_json(found: &engine::Version, creator: &str) -> Result<Vec<u8>, Fault> {
    use std::io::Write;
    let creator = serde_json::to_string(creator).map_err(|fault| Fault::internal(&fault.to_string()))?;
    let mut text = Vec::with_capacity(found.value.bytes.len() * 4 / 3 + 160);
    found.value.bytes.expose(|bytes| match found.value.kind {
        ValueKind::Json => {
            text.extend_from_slice(b"{\"value\":");
            text.extend_from_slice(bytes);
        }
        ValueKind::Bytes => {
            text.extend_from_slice(b"{\"bytes\":\"");
            text.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            text.push(b'"');
        }
    });
    let (version, created) = (found.version, answer::time(found.created));
    write!(text, ",\"version\":{version},\"created\":\"{created}\",\"creator\":{creator}}}")
        .map_err(|fault| Fault::internal(&fault.to_string()))?;
    Ok(text)
}

pub(crate) fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Json => "json",
        ValueKind::Bytes => "bytes",
    }
}

pub(crate) async fn generate(door: &Door, context: &Context, body: &Bytes) -> Answered {
    context.query(&[])?;
    let wanted: GenerateSecretRequest<'_> = body::json(context, body)?;
    let order = match wanted.parameters {
        Some(json) => JsonText::new(json.get().as_bytes(), JsonLimits::VALUE)
            .map_err(|fault| too_large_or_invalid(&fault))?,
        None => JsonText::empty_object(),
    };
    let (written, facts) =
        match door.gate.admit::<engine::GenerateSecret>(&context.caller, secret(context)?).await {
            Ok(permit) => {
                let (by, now, ambient) = (context.user(), door.gate.now(), door.gate.ambient());
                let (written, facts) = engine::generate(permit, by, now, ambient, &order, wanted.cas).await?;
                (written, answer::facts(&facts.json))
            }
            Err(Denied::Repeated(outcome)) => (written_before(&outcome)?, None),
            Err(denied) => return Err(denied.into()),
        };
    let (version, created) = (written.version, answer::time(written.created));
    answer::json(&SecretGenerated { version, created, facts })
}

pub(crate) async fn public(door: &Door, context: &Context) -> Answered {
    let version = context.query(&["version"])?.number("version")?;
    let permit = door.gate.admit::<engine::ReadPublic>(&context.caller, secret(context)?).await?;
    let held = engine::public(permit, version).await?;
    let half = door.gate.release(held).await?.ok_or(Code::NotFound)?;
    let public = serde_json::from_str(half.public.as_str());
    answer::json(&SecretPublic {
        public: public.map_err(|fault| Fault::internal(&fault.to_string()))?,
        version: half.version,
        created: answer::time(half.created),
    })
}

pub(crate) async fn list(door: &Door, context: &Context) -> Answered {
    let query = context.query(&["prefix", "contains", "deleted", "cursor", "limit"])?;
    let store = context.store()?;
    let scope = Scope { door, context, store: store.as_str(), query: &query };
    let after = query.text("cursor").map(|cursor| scope.open(cursor)).transpose()?;
    let stream = context.accepts(NDJSON);
    let limit = query.number("limit")?;
    if limit.is_some_and(|limit| limit == 0 || limit > MAX_PAGE) {
        return Err(Fault::new(Code::InvalidRequest, format!("limit is from 1 to {MAX_PAGE}")));
    }
    let limit = match (limit, stream) {
        (Some(limit), _) => usize::try_from(limit).unwrap_or(usize::MAX - 1),
        (None, true) => usize::MAX - 1,
        (None, false) => usize::try_from(DEFAULT_PAGE).unwrap_or(usize::MAX - 1),
    };
    let resource = StoreFolder { store: store.clone() };
    let permit = door.gate.admit::<engine::ListSecrets>(&context.caller, resource).await?;
    let wish = engine::Wish {
        prefix: query.text("prefix").unwrap_or_default(),
        after: after.as_deref(),
        contains: query.text("contains"),
        gone: query.flag("deleted")?,
    };
    let held = engine::list(permit, wish, limit).await?;
    let page = door.gate.release(held).await?;
    if stream {
        let listing = door.gate.long_listing(&context.caller, store.as_str());
        return Ok(lines(page.names, listing));
    }
    let next = page.names.last().filter(|_| page.more).map(|last| scope.seal(last));
    Ok(answer::json_text(page_json(&page.names, next.as_deref())?))
}

/// `SecretPage` as JSON, written name by name.
fn page_json(names: &Names, next: Option<&str>) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::with_capacity(64 + names.len() * 48);
    text.extend_from_slice(b"{\"secrets\":[");
    for (at, path) in names.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        listed(&mut text, path, names.is_gone(at))?;
    }
    text.push(b']');
    if let Some(next) = next {
        text.extend_from_slice(b",\"next\":");
        json_string(&mut text, next)?;
    }
    text.push(b'}');
    Ok(text)
}

/// `SecretListed` as JSON.
fn listed(text: &mut Vec<u8>, path: &str, gone: bool) -> Result<(), Fault> {
    text.extend_from_slice(b"{\"path\":");
    json_string(text, path)?;
    text.extend_from_slice(if gone { b",\"deleted\":true}" } else { b"}" });
    Ok(())
}

/// A text as JSON; one that needs no escape, as most names, is copied whole.
fn json_string(text: &mut Vec<u8>, value: &str) -> Result<(), Fault> {
    if value.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        return serde_json::to_writer(text, value).map_err(|fault| Fault::internal(&fault.to_string()));
    }
    text.push(b'"');
    text.extend_from_slice(value.as_bytes());
    text.push(b'"');
    Ok(())
}

/// Names as JSON lines, a thousand a chunk. Whoever loses the right to some while they are read gets no more of them;
/// whoever loses the right to all gets a problem as the last line.
fn lines(names: Names, mut listing: LongListing) -> Response<Body> {
    let mut at = 0;
    let mut ended = false;
    let chunks = std::iter::from_fn(move || {
        // asked once even if there is nothing to show: a right that is gone by then is told
        if ended || (at > 0 && at >= names.len()) {
            return None;
        }
        let mut chunk = Vec::with_capacity(64 * 1024);
        if let Err(lost) = listing.goes_on() {
            ended = true;
            chunk.extend_from_slice(&answer::last_line(&Fault::new(Code::Refused, lost.to_string())).ok()?);
        } else {
            let places = (at..).zip(names.range(at, LINES_A_CHUNK));
            for (place, path) in places.filter(|(_, path)| listing.shows(path)) {
                listed(&mut chunk, path, names.is_gone(place)).ok()?;
                chunk.push(b'\n');
            }
        }
        at += LINES_A_CHUNK;
        if chunk.is_empty() && at >= names.len() {
            return None;
        }
        Some(Ok::<_, std::convert::Infallible>(Bytes::from(chunk)))
    });
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    answer::raw(StatusCode::OK, HeaderValue::from_static(NDJSON), body)
}

/// What a cursor is bound to: the caller, the store, the question.
struct Scope<'a> {
    door: &'a Door,
    context: &'a Context,
    store: &'a str,
    query: &'a Query,
}

impl Scope<'_> {
    fn mac(&self, name: &str) -> [u8; 32] {
        let user = self.context.user();
        let mut bound = user.0.to_vec();
        for part in [
            self.store,
            self.query.text("prefix").unwrap_or(""),
            self.query.text("contains").unwrap_or(""),
            self.query.text("deleted").unwrap_or(""),
            name,
        ] {
            bound.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bound.extend_from_slice(part.as_bytes());
        }
        self.door.cursors.sign(&[&bound])
    }

    fn seal(&self, name: &str) -> String {
        let bytes = [self.mac(name).as_slice(), name.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, cursor: &str) -> Result<String, Fault> {
        let wrong =
            || Fault::new(Code::InvalidRequest, "cursor is not of this listing, or from before a restart");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        let (mac, name) = bytes.split_at_checked(32).ok_or_else(wrong)?;
        let name = std::str::from_utf8(name).map_err(|_| wrong())?;
        if strongroom_secret::bytes_eq(&self.mac(name), mac) { Ok(name.to_owned()) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_api::{SecretListed, SecretPage};

    #[test]
    fn a_page_is_what_its_type_says() {
        let paths = ["plain", "quo\"te", "back\\slash", "ключ", "del\u{7f}"];
        let names: Names = paths.into_iter().map(|path| (path, path == "plain")).collect();
        let text = page_json(&names, Some("cur-sor")).unwrap_or_default();
        let page: SecretPage = serde_json::from_slice(&text).unwrap();
        assert_eq!(page.next.as_deref(), Some("cur-sor"));
        let listed: Vec<_> =
            paths.map(|path| SecretListed { path: path.to_owned(), deleted: path == "plain" }).into();
        assert_eq!(page.secrets, listed);
        assert_eq!(page_json(&Names::default(), None).unwrap_or_default(), b"{\"secrets\":[]}");
    }
}
