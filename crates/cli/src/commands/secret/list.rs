//! Listings: a stream of JSON lines, shown as it is or as a table.

use super::Session;
use crate::client::{Ask, ClientError, Lines};
use crate::error::CliError;
use crate::output::{self, Progress};
use strongroom_api::{Endpoint, NDJSON, SecretListed};

pub(in crate::commands) async fn list(
    session: &Session,
    store: &str,
    prefix: Option<&str>,
    contains: Option<&str>,
) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ListSecrets)
        .name("store", store)
        .maybe("prefix", prefix)
        .maybe("contains", contains)
        .accept(NDJSON);
    if session.out.json() {
        return session.streamed(ask, output::sink(), "secrets").await;
    }
    let progress = Progress::start("secrets");
    let mut rows = Vec::new();
    let mut keep = |line: &[u8]| -> Result<(), ClientError> {
        if !line.is_empty() {
            let listed: SecretListed = serde_json::from_slice(line)?;
            rows.push(vec![listed.path, listed.version.to_string()]);
            progress.add(1);
        }
        Ok(())
    };
    let mut lines = Lines::default();
    session.client.stream(ask, |piece| lines.take(piece, &mut keep)).await?;
    lines.finish(&mut keep)?;
    drop(progress);
    session.out.table(&["PATH", "VERSION"], rows)
}
