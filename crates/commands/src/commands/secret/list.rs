//! Listings: a stream of JSON lines, shown as it comes, never held.

use super::Session;
use crate::client::{Ask, ClientError, Lines, Refusal};
use crate::error::CliError;
use crate::output;
use strongroom_api::{Endpoint, NDJSON, SecretListed};

pub(in crate::commands) async fn list(
    session: &Session,
    store: &str,
    prefix: Option<&str>,
    contains: Option<&str>,
    deleted: bool,
) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ListSecrets)
        .name("store", store)
        .maybe("prefix", prefix)
        .maybe("contains", contains)
        .maybe("deleted", deleted.then_some("true"))
        .accept(NDJSON);
    let mut sink = output::sink();
    if session.out.json() {
        let mut lines = Lines::default();
        let pass = |piece: &[u8]| {
            lines.take(piece, Refusal::check)?;
            sink(piece)
        };
        return session.streamed(ask, pass, "secrets").await;
    }
    let mut lines = Lines::default();
    let mut began = false;
    let mut table = |piece: &[u8], last: bool| {
        let mut text = String::new();
        if !began {
            began = true;
            text.push_str(&session.out.title("PATH"));
            text.push('\n');
        }
        let mut show = |line: &[u8]| add_row(&mut text, line);
        lines.take(piece, &mut show)?;
        if last {
            std::mem::take(&mut lines).finish(&mut show)?;
        }
        sink(text.as_bytes())
    };
    session.streamed(ask, |piece| table(piece, false), "secrets").await?;
    Ok(table(&[], true)?)
}

fn add_row(text: &mut String, line: &[u8]) -> Result<(), ClientError> {
    if !line.is_empty() {
        Refusal::check(line)?;
        let listed: SecretListed = serde_json::from_slice(line)?;
        text.push_str(&output::clean(&listed.path));
        if listed.deleted {
            text.push_str("  (deleted)");
        }
        text.push('\n');
    }
    Ok(())
}
