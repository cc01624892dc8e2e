//! The audit trail.

use super::{Session, yes_no};
use crate::args::AuditCommand;
use crate::client::{Ask, ClientError};
use crate::error::CliError;
use crate::output;
use crate::state::{self, Draft};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;
use strongroom_api::{Checkpoint, Endpoint, NDJSON, TrailRecord, VerifyReport, VerifyRequest};

/// How often a followed trail is looked at.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// Entries that are asked for at once.
const PAGE: u32 = 1_000;
/// Own requests that are remembered, so that following does not show itself.
const OWN: usize = 64;

/// A page whose entries stay as the server wrote them.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
    head: u64,
}

/// One function a command.
pub(super) async fn run(session: &Session, command: AuditCommand) -> Result<(), CliError> {
    match command {
        AuditCommand::Tail { lines, follow } => tail(session, lines, follow).await,
        AuditCommand::Verify { against } => verify(session, against.as_deref()).await,
        AuditCommand::Export { out } => export(session, out.as_deref()).await,
        AuditCommand::Checkpoint { out } => checkpoint(session, out.as_deref()).await,
    }
}

async fn tail(session: &Session, lines: u32, follow: bool) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ReadTrail).query("tail", "true").query("limit", &lines.to_string());
    if !follow {
        let Some(answer) = session.shown(ask).await? else { return Ok(()) };
        let page: strongroom_api::TrailPage = answer.read()?;
        return session.out.table(&HEADER, page.entries.into_iter().map(row));
    }
    let mut own = VecDeque::new();
    let mut next = show_page(session, &ask, &mut own, 1).await?;
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let from = next.to_string();
        let ask = Ask::of(Endpoint::ReadTrail).query("from", &from).query("limit", &PAGE.to_string());
        next = show_page(session, &ask, &mut own, next).await?;
    }
}

/// Prints a page's entries, each as a line, without those that asking for them made. Says where to go on.
async fn show_page(
    session: &Session,
    ask: &Ask,
    own: &mut VecDeque<String>,
    from: u64,
) -> Result<u64, CliError> {
    let request = session.client.request_id();
    own.push_back(request.clone());
    if own.len() > OWN {
        own.pop_front();
    }
    let answer = session.client.ask_as(ask, &request).await?;
    answer.expose(|body| {
        let page: Page<'_> = serde_json::from_slice(body).map_err(ClientError::from)?;
        let mut next = from.max(if page.entries.is_empty() { page.head.saturating_add(1) } else { 0 });
        for entry in page.entries {
            let record: TrailRecord = serde_json::from_str(entry.get()).map_err(ClientError::from)?;
            next = next.max(record.seq.saturating_add(1));
            if !own.contains(&record.request_id) {
                show_entry(session, entry, record)?;
            }
        }
        Ok(next)
    })
}

fn show_entry(session: &Session, entry: &RawValue, record: TrailRecord) -> Result<(), CliError> {
    if session.out.json() {
        return output::raw_json(entry.get().as_bytes());
    }
    output::line(&row(record).join("  "))
}

const HEADER: [&str; 7] = ["SEQ", "TIME", "ACTION", "OUTCOME", "USER", "FROM", "RESOURCE"];

fn row(record: TrailRecord) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        record.seq.to_string(),
        record.time,
        record.action,
        record.outcome,
        or_dash(record.user),
        or_dash(record.origin),
        or_dash(record.resource),
    ]
}

async fn verify(session: &Session, against: Option<&Path>) -> Result<(), CliError> {
    let body = VerifyRequest { against: against.map(read_checkpoint).transpose()? };
    let answer = session.client.ask(Ask::of(Endpoint::VerifyTrail).json(&body)).await?;
    let report: VerifyReport = answer.read()?;
    if session.out.json() {
        answer.expose(output::raw_json)?;
    } else {
        session.out.pairs(&report_pairs(&report))?;
    }
    if report.ok { Ok(()) } else { Err(CliError::TrailBroken) }
}

fn report_pairs(report: &VerifyReport) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("holds", yes_no(report.ok)),
        ("entries", report.entries.to_string()),
        ("checkpoints", report.checkpoints.to_string()),
    ];
    if let Some(seq) = report.first_bad {
        pairs.push(("first bad entry", seq.to_string()));
    }
    if let Some(fault) = &report.fault {
        pairs.push(("fault", fault.clone()));
    }
    pairs
}

fn read_checkpoint(path: &Path) -> Result<Checkpoint, CliError> {
    let text = std::fs::read(path).map_err(CliError::file(path))?;
    serde_json::from_slice(&text).map_err(|source| CliError::Checkpoint { path: path.to_owned(), source })
}

/// The whole trail; a file appears only when it is complete.
async fn export(session: &Session, out: Option<&Path>) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ExportTrail).accept(NDJSON);
    let Some(path) = out else { return session.streamed(ask, output::sink(), "entries").await };
    let mut draft = Draft::beside(path, 0o600).map_err(CliError::file(path))?;
    session.streamed(ask, |piece| draft.file.write_all(piece).map_err(ClientError::Sink), "entries").await?;
    draft.finish().map_err(CliError::file(path))
}

async fn checkpoint(session: &Session, out: Option<&Path>) -> Result<(), CliError> {
    let answer = session.client.ask(Ask::of(Endpoint::Checkpoint)).await?;
    let Some(path) = out else { return answer.expose(output::raw_json) };
    let seq = answer.read::<Checkpoint>()?.seq;
    answer.expose(|body| state::write_whole(path, body, 0o644)).map_err(CliError::file(path))?;
    output::note(&format!("Checkpoint of entry {seq} written to {}; keep it elsewhere.", path.display()));
    Ok(())
}
