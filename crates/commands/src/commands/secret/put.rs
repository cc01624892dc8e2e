//! A value's way from a person, a file or a pipe to the server, to the byte.

use super::{Session, about};
use crate::args::{PutArgs, ValueSource};
use crate::client::Ask;
use crate::error::{CliError, UsageError};
use crate::output;
use crate::prompt;
use std::fs::File;
use std::io::Read;
use strongroom_api::{Endpoint, SecretWritten};
use strongroom_model::{JsonLimits, MAX_VALUE_BYTES, scan_json};
use strongroom_secret::SecretBytes;

pub(in crate::commands) async fn put(session: &Session, args: &PutArgs) -> Result<(), CliError> {
    let value = read_value(args)?;
    let ask = with_value(about(Endpoint::PutSecret, &args.place), &value, args)?;
    drop(value);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let written: SecretWritten = answer.read()?;
    output::line(&format!("Wrote {} version {}.", args.place.path, written.version))
}

fn read_value(args: &PutArgs) -> Result<SecretBytes, CliError> {
    if !args.stray.is_empty() {
        return Err(UsageError::ValueInArgv.into());
    }
    match &args.value {
        Some(ValueSource::Argv) => Err(UsageError::ValueInArgv.into()),
        Some(ValueSource::File(path)) => {
            bounded(File::open(path).map_err(CliError::file(path))?, CliError::file(path))
        }
        Some(ValueSource::Stdin) => bounded(std::io::stdin(), CliError::Input),
        None if prompt::somebody_there() => Ok(prompt::secret(&format!("Value of {}: ", args.place.path))?),
        None => Err(UsageError::NobodyToAsk {
            what: "the value",
            instead: "--value @FILE, or --value - for standard input",
        }
        .into()),
    }
}

/// Reads no more than a value may have; set aside at once, so that it does not move in memory.
fn bounded(
    source: impl Read,
    fault: impl FnOnce(std::io::Error) -> CliError,
) -> Result<SecretBytes, CliError> {
    let mut bytes = Vec::with_capacity(MAX_VALUE_BYTES + 1);
    let limit = u64::try_from(MAX_VALUE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = source.take(limit).read_to_end(&mut bytes);
    let value = SecretBytes::new(bytes);
    read.map_err(fault)?;
    if value.len() > MAX_VALUE_BYTES {
        return Err(CliError::ValueTooLarge { max: MAX_VALUE_BYTES });
    }
    Ok(value)
}

fn with_value(ask: Ask, value: &SecretBytes, args: &PutArgs) -> Result<Ask, CliError> {
    if args.bytes {
        let cas = args.cas.map(|version| version.to_string());
        let octets = value.expose(<[u8]>::to_vec);
        return Ok(ask.maybe("cas", cas.as_deref()).body("application/octet-stream", octets));
    }
    if let Some(username) = &args.username {
        let body = value.expose(|bytes| user_body(username, bytes, args.cas))?;
        return Ok(ask.body("application/json", body));
    }
    let body = value.expose(|bytes| json_body(bytes, args.json, args.cas))?;
    Ok(ask.body("application/json", body))
}

/// The request's JSON, put together as text, so that numbers and spaces in the value stay as they are.
pub(in crate::commands) fn json_body(
    value: &[u8],
    is_json: bool,
    cas: Option<u64>,
) -> Result<Vec<u8>, CliError> {
    // a text can grow sixfold by its escapes
    let mut body = Vec::with_capacity(value.len() * 6 + 64);
    body.extend_from_slice(b"{\"value\":");
    if is_json {
        scan_json(value, JsonLimits::VALUE).map_err(CliError::Json)?;
        body.extend_from_slice(value);
    } else {
        let text = std::str::from_utf8(value).map_err(|_| UsageError::NotText)?;
        // a text written into memory cannot fail
        let _ = serde_json::to_writer(&mut body, text);
    }
    if let Some(version) = cas {
        body.extend_from_slice(format!(",\"cas\":{version}").as_bytes());
    }
    body.push(b'}');
    Ok(body)
}

/// The request's JSON for a user name and a password.
fn user_body(username: &str, password: &[u8], cas: Option<u64>) -> Result<Vec<u8>, CliError> {
    let mut body = Vec::with_capacity((username.len() + password.len()) * 6 + 96);
    let password = std::str::from_utf8(password).map_err(|_| UsageError::NotText)?;
    body.extend_from_slice(b"{\"value\":{\"username\":");
    // texts written into memory cannot fail
    let _ = serde_json::to_writer(&mut body, username);
    body.extend_from_slice(b",\"password\":");
    let _ = serde_json::to_writer(&mut body, password);
    body.push(b'}');
    if let Some(version) = cas {
        body.extend_from_slice(format!(",\"cas\":{version}").as_bytes());
    }
    body.push(b'}');
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: &str, is_json: bool, cas: Option<u64>) -> String {
        String::from_utf8(json_body(value.as_bytes(), is_json, cas).unwrap()).unwrap()
    }

    #[test]
    fn a_text_becomes_a_json_string() {
        assert_eq!(body("a\"b\n", false, None), r#"{"value":"a\"b\n"}"#);
        assert_eq!(body("17", false, Some(0)), r#"{"value":"17","cas":0}"#);
    }

    #[test]
    fn json_is_not_touched() {
        assert_eq!(body("[9007199254740993, 1.0e0 ]", true, None), r#"{"value":[9007199254740993, 1.0e0 ]}"#);
    }

    #[test]
    fn what_is_no_json_is_refused_before_it_is_sent() {
        assert!(matches!(json_body(b"{\"a\":1,\"a\":2}", true, None), Err(CliError::Json(_))));
        assert!(matches!(json_body(b"1}", true, None), Err(CliError::Json(_))));
        assert!(matches!(json_body(b"\xff", false, None), Err(CliError::Usage(UsageError::NotText))));
    }

    #[test]
    fn a_value_is_bounded() {
        let fits = bounded(std::io::repeat(7).take(MAX_VALUE_BYTES as u64), CliError::Input);
        assert_eq!(fits.unwrap().len(), MAX_VALUE_BYTES);
        let large = bounded(std::io::repeat(7), CliError::Input);
        assert!(matches!(large, Err(CliError::ValueTooLarge { .. })));
    }
}
