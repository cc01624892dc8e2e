//! Many secrets at once: bounded in parallel, on connections that are kept.

use super::Session;
use crate::args::Global;
use crate::client::{Answer, Ask, ClientError, Lines, Refusal};
use crate::error::{CliError, TransferError};
use futures_util::StreamExt as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::time::Duration;
use strongroom_api::{Endpoint, NDJSON, SecretListed};
use strongroom_import::Value;
use strongroom_secret::SecretBytes;

/// The most secrets that are taken from a store at once.
const MAX_LISTED: usize = strongroom_import::MAX_ENTRIES;
/// How often a busy server is asked again.
const REPEATS: u32 = 6;
/// Before it is asked again; doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// A secret as it is stored.
pub(super) struct Stored {
    pub(super) value: Value,
    pub(super) version: u64,
}

/// The part of an answer that is kept.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    #[serde(default)]
    bytes: Option<String>,
    version: u64,
}

/// A value that is `null` is there all the same.
fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(input).map(Some)
}

impl Session {
    /// A session that keeps its connections.
    pub(super) fn open_for_many(global: &Global) -> Result<Self, CliError> {
        let mut session = Self::open(global)?;
        session.client.keep_connections();
        Ok(session)
    }

    /// Asks one of many questions: what may be repeated is, while the server is busy or a kept connection was closed.
    pub(super) async fn persist(&self, ask: &Ask) -> Result<Answer, ClientError> {
        let request = self.client.request_id();
        let mut pause = PAUSE;
        for _ in 0..REPEATS {
            match self.client.ask_as(ask, &request).await {
                Err(error) if may_pass(&error) => tokio::time::sleep(pause).await,
                other => return other,
            }
            pause *= 2;
        }
        self.client.ask_as(ask, &request).await
    }

    /// A secret's value and version; nothing if there is none to be seen.
    pub(super) async fn stored(&self, store: &str, path: &str) -> Result<Option<Stored>, ClientError> {
        let ask = Ask::of(Endpoint::GetSecret).name("store", store).name("path", path);
        match self.persist(&ask).await {
            Ok(answer) => Ok(Some(answer.expose(read)?)),
            Err(error) if error.code() == Some("not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The paths in a store that begin so, on request those too whose newest version is deleted.
    pub(super) async fn paths(
        &self,
        store: &str,
        prefix: Option<&str>,
        deleted: bool,
    ) -> Result<Vec<String>, CliError> {
        let ask = Ask::of(Endpoint::ListSecrets).name("store", store).maybe("prefix", prefix).accept(NDJSON);
        let ask = ask.maybe("deleted", deleted.then_some("true"));
        let mut paths = Vec::new();
        let mut lines = Lines::default();
        let mut add = |line: &[u8]| {
            if !line.is_empty() {
                if paths.len() == MAX_LISTED {
                    return Err(ClientError::TooLarge { max: MAX_LISTED });
                }
                Refusal::check(line)?;
                paths.push(serde_json::from_slice::<SecretListed>(line)?.path);
            }
            Ok(())
        };
        self.streamed(ask, |piece| lines.take(piece, &mut add), "secrets listed").await?;
        lines.finish(&mut add)?;
        Ok(paths)
    }

    /// The values of many secrets, in the order of their paths; one that was deleted meanwhile is left out.
    pub(super) async fn values(
        &self,
        store: &str,
        paths: Vec<String>,
        parallel: u8,
    ) -> Result<Vec<(String, Value)>, CliError> {
        let progress = crate::output::Progress::towards(paths.len(), "secrets read");
        let read = async |path: String| match self.stored(store, &path).await {
            Ok(stored) => {
                progress.add(1);
                Ok(stored.map(|stored| (path, stored.value)))
            }
            Err(source) => Err(TransferError::OfSecret { path, source: Box::new(source) }),
        };
        let mut results = futures_util::stream::iter(paths).map(read).buffered(usize::from(parallel));
        let mut values = Vec::new();
        while let Some(result) = results.next().await {
            values.extend(result?);
        }
        Ok(values)
    }
}

/// Whether it may well be otherwise in a moment.
fn may_pass(error: &ClientError) -> bool {
    matches!(error, ClientError::Lost { .. }) || matches!(error.code(), Some("busy" | "too_many_requests"))
}

/// Whether the next question would fail in the same way.
pub(super) fn is_general(error: &ClientError) -> bool {
    const GENERAL: &[&str] = &[
        "locked",
        "not_initialised",
        "unauthenticated",
        "storage_full",
        "trail_unavailable",
        "busy",
        "too_many_requests",
    ];
    match error {
        ClientError::Refused(_) => error.code().is_some_and(|code| GENERAL.contains(&code)),
        ClientError::Strange(_) => false,
        _ => true,
    }
}

fn read(answer: &[u8]) -> Result<Stored, serde_json::Error> {
    let mut shown: Shown<'_> = serde_json::from_slice(answer)?;
    let version = shown.version;
    if let Some(encoded) = &mut shown.bytes {
        let decoded = data_encoding::BASE64.decode(encoded.as_bytes());
        strongroom_secret::wipe(encoded.as_mut_str());
        let bytes = decoded.map(SecretBytes::new).map_err(serde::de::Error::custom)?;
        return Ok(Stored { value: Value::Bytes(bytes), version });
    }
    let json = shown.value.ok_or_else(|| serde::de::Error::custom("neither value nor bytes"))?;
    Ok(Stored { value: Value::json(json.get()), version })
}
