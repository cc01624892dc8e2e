//! What is said about an import: what would be done, what was done. Names, never values.

use super::super::Session;
use super::plan::{Action, Plan, Row};
use crate::client::ClientError;
use crate::error::{CliError, TransferError};
use crate::output;
use serde_json::json;

/// What would be done.
pub(super) fn planned(session: &Session, plan: &Plan) -> Result<(), CliError> {
    if session.out.json() {
        return output::line(&summary(plan, true).to_string());
    }
    let left_out = plan
        .left_out
        .iter()
        .map(|(file, why)| vec![String::new(), "left out".to_owned(), (*why).to_owned(), file.clone()]);
    let rows = plan.rows.iter().map(cells).chain(left_out);
    session.out.table(&["PATH", "ACTION", "REASON", "FROM"], rows)?;
    output::line(&format!("\nNothing was written. {}", sentence(plan, "would be")))
}

/// The rows that cannot be done.
pub(super) fn failures(session: &Session, plan: &Plan) -> Result<(), CliError> {
    if session.out.json() {
        return output::line(&summary(plan, false).to_string());
    }
    let rows = plan.rows.iter().filter(|row| matches!(row.action, Action::Refused(_)));
    session.out.table(&["PATH", "ACTION", "REASON", "FROM"], rows.map(cells))
}

/// What was done.
pub(super) fn done(session: &Session, plan: &Plan, stopped: Option<ClientError>) -> Result<(), CliError> {
    let missing = count(plan, "refused") + count(plan, "left");
    if session.out.json() {
        output::line(&summary(plan, false).to_string())?;
    } else {
        if count(plan, "refused") > 0 {
            failures(session, plan)?;
        }
        output::line(&sentence(plan, "were"))?;
    }
    if missing > 0 {
        if let Some(error) = stopped {
            session.out.warn(&error.to_string());
        }
        return Err(TransferError::ImportIncomplete { count: missing, total: plan.rows.len() }.into());
    }
    Ok(())
}

fn cells(row: &Row) -> Vec<String> {
    vec![row.found.path.clone(), row.action.word().to_owned(), reason(row), row.found.place.clone()]
}

fn reason(row: &Row) -> String {
    match &row.action {
        Action::Refused(reason) => reason.clone(),
        Action::Skip => "it has another value".to_owned(),
        Action::Overwrite => "it may not be read".to_owned(),
        _ => String::new(),
    }
}

fn count(plan: &Plan, word: &str) -> usize {
    plan.rows.iter().filter(|row| row.action.word() == word).count()
}

fn sentence(plan: &Plan, were: &str) -> String {
    let words = [
        ("create", "created"),
        ("update", "updated"),
        ("unchanged", "unchanged"),
        ("skip", "skipped"),
        ("refused", "refused"),
        ("left", "not come to"),
    ];
    let counts: Vec<String> = words
        .iter()
        .map(|(word, name)| (count(plan, word), name))
        .filter(|(count, name)| *count > 0 || **name == "created")
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let left_out = match plan.left_out.len() {
        0 => String::new(),
        files => format!(" {files} files were left out; --dry-run names them."),
    };
    format!("Of {} secrets {were}: {}.{left_out}", plan.rows.len(), counts.join(", "))
}

fn summary(plan: &Plan, dry_run: bool) -> serde_json::Value {
    let row = |row: &Row| {
        json!({
            "path": row.found.path, "action": row.action.word(), "reason": reason(row), "from": row.found.place,
        })
    };
    let left_out = |(file, why): &(String, &str)| json!({ "file": file, "reason": why });
    json!({
        "dry_run": dry_run,
        "created": count(plan, "create"),
        "updated": count(plan, "update"),
        "unchanged": count(plan, "unchanged"),
        "skipped": count(plan, "skip"),
        "refused": count(plan, "refused"),
        "left": count(plan, "left"),
        "secrets": plan.rows.iter().map(row).collect::<Vec<_>>(),
        "left_out": plan.left_out.iter().map(left_out).collect::<Vec<_>>(),
    })
}
