//! The audit trail.

mod read;

use super::{Session, yes_no};
use crate::args::AuditCommand;
use crate::client::{Ask, ClientError, Lines, Refusal};
use crate::error::CliError;
use crate::output;
use crate::state::{self, Draft};
use std::io::Write as _;
use std::path::Path;
use strongroom_api::{Checkpoint, Endpoint, NDJSON, VerifyReport, VerifyRequest};

/// One function a command.
pub(super) async fn run(session: &Session, command: AuditCommand) -> Result<(), CliError> {
    match command {
        AuditCommand::Tail { lines, follow, filter } => read::tail(session, lines, follow, &filter).await,
        AuditCommand::List { lines, from, filter } => read::list(session, lines, from, &filter).await,
        AuditCommand::Segments => read::segments(session).await,
        AuditCommand::Verify { against } => verify(session, against.as_deref()).await,
        AuditCommand::Export { out } => export(session, out.as_deref()).await,
        AuditCommand::Checkpoint { out } => checkpoint(session, out.as_deref()).await,
    }
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
        ("segments", report.segments.to_string()),
    ];
    if let Some(seq) = report.first_bad {
        pairs.push(("first bad entry", seq.to_string()));
    }
    if let Some(segment) = &report.segment {
        pairs.push(("in segment", segment.clone()));
    }
    if let Some(fault) = &report.fault {
        pairs.push(("fault", fault.clone()));
    }
    if let Some(seq) = report.restored_at {
        pairs.push(("checkpoint", format!("of the life before a restore; common up to entry {seq}")));
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
    let (mut head, mut lines) = (Vec::new(), Lines::default());
    if let Some(path) = out {
        let mut draft = Draft::beside(path, 0o600).map_err(CliError::file(path))?;
        let write = |piece: &[u8]| {
            lines.take(piece, Refusal::check)?;
            keep_head(&mut head, piece);
            draft.file.write_all(piece).map_err(ClientError::Sink)
        };
        session.streamed(ask, write, "entries").await?;
        draft.finish().map_err(CliError::file(path))?;
        if session.out.json() {
            session.out.done("")?;
        }
    } else {
        let mut sink = output::sink();
        let write = |piece: &[u8]| {
            lines.take(piece, Refusal::check)?;
            keep_head(&mut head, piece);
            sink(piece)
        };
        session.streamed(ask, write, "entries").await?;
    }
    match first_seq(&head) {
        Some(first) if first > 1 => read::moved_out(first),
        _ => {}
    }
    Ok(())
}

/// Enough of a stream to read its first entry's number.
const HEAD_BYTES: usize = 32;

fn keep_head(head: &mut Vec<u8>, piece: &[u8]) {
    let room = HEAD_BYTES.saturating_sub(head.len());
    head.extend(piece.iter().take(room));
}

fn first_seq(head: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(head).ok()?.strip_prefix("{\"seq\":")?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

async fn checkpoint(session: &Session, out: Option<&Path>) -> Result<(), CliError> {
    let answer = session.client.ask(Ask::of(Endpoint::Checkpoint)).await?;
    let Some(path) = out else { return answer.expose(output::raw_json) };
    let seq = answer.read::<Checkpoint>()?.seq;
    answer.expose(|body| state::write_whole(path, body, 0o644)).map_err(CliError::file(path))?;
    if session.out.json() {
        session.out.done("")?;
    }
    output::note(&format!("Checkpoint of entry {seq} written to {}; keep it elsewhere.", path.display()));
    Ok(())
}
