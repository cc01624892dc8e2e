//! Background jobs: how far they are, and waiting for them.

use super::{Session, consent};
use crate::args::JobCommand;
use crate::client::{Answer, Ask};
use crate::error::CliError;
use crate::output::{self, Bar};
use std::time::Duration;
use strongroom_api::{Endpoint, JobInfo, JobList, JobStatus};

/// How often a job that is waited for is looked at: each look leaves an entry in the trail.
const LOOK: Duration = Duration::from_millis(500);

/// One function a command.
pub(super) async fn run(session: &Session, command: JobCommand) -> Result<(), CliError> {
    match command {
        JobCommand::List => list(session).await,
        JobCommand::Show { job } => show(session, &job).await,
        JobCommand::Wait { job } => wait(session, &job).await,
        JobCommand::Cancel { job, yes } => cancel(session, &job, yes).await,
    }
}

async fn list(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListJobs)).await? else { return Ok(()) };
    let list: JobList = answer.read()?;
    let rows = list.jobs.into_iter().map(|job| {
        vec![job.id.clone(), keyset(&job), status(&job), progress(&job), job.by.clone(), job.started]
    });
    let damaged = list.damaged.into_iter().map(|id| {
        let mut row = vec![id, "-".to_owned(), "damaged".to_owned()];
        row.resize(6, "-".to_owned());
        row
    });
    session.out.table(&["ID", "KEYSET", "STATUS", "PROGRESS", "BY", "STARTED"], rows.chain(damaged))
}

async fn show(session: &Session, id: &str) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ShowJob).name("job", id);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    pairs(session, &answer.read()?)
}

fn pairs(session: &Session, job: &JobInfo) -> Result<(), CliError> {
    session.out.pairs(&[
        ("id", job.id.clone()),
        ("keyset", keyset(job)),
        ("term", job.term.to_string()),
        ("status", status(job)),
        ("progress", progress(job)),
        ("sealed anew", job.rewritten.to_string()),
        ("damaged", job.damaged.to_string()),
        ("by", job.by.clone()),
        ("request", job.request.clone()),
        ("started", job.started.clone()),
        ("updated", job.updated.clone()),
        ("note", job.note.clone()),
    ])
}

fn keyset(job: &JobInfo) -> String {
    if job.keyset.is_empty() { "(the server's own)".to_owned() } else { job.keyset.clone() }
}

fn status(job: &JobInfo) -> String {
    match (job.status, &job.waits_for) {
        (JobStatus::Running, Some(why)) => format!("waits: {why}"),
        (JobStatus::Running, None) => "running".to_owned(),
        (JobStatus::Done, _) => "done".to_owned(),
        (JobStatus::Cancelled, _) => "cancelled".to_owned(),
        (JobStatus::Failed, _) => "failed".to_owned(),
    }
}

fn progress(job: &JobInfo) -> String {
    let percent = job.seen.saturating_mul(100).checked_div(job.total).unwrap_or(100);
    format!("{percent} %, pass {}", job.pass)
}

/// Waits until a job has ended; one that did not come to its end is a failure.
pub(super) async fn wait(session: &Session, id: &str) -> Result<(), CliError> {
    let bar = Bar::start("sealing anew");
    let (answer, job) = loop {
        let (answer, job) = look(session, id).await?;
        bar.set(job.seen, job.total);
        if job.status != JobStatus::Running {
            break (answer, job);
        }
        tokio::time::sleep(LOOK).await;
    };
    drop(bar);
    if session.out.json() {
        answer.expose(output::raw_json)?;
    } else {
        pairs(session, &job)?;
    }
    match job.status {
        JobStatus::Done | JobStatus::Running => Ok(()),
        JobStatus::Cancelled | JobStatus::Failed => Err(CliError::JobNotDone { status: status(&job) }),
    }
}

async fn look(session: &Session, id: &str) -> Result<(Answer, JobInfo), CliError> {
    let answer = session.client.ask(Ask::of(Endpoint::ShowJob).name("job", id)).await?;
    let job = answer.read()?;
    Ok((answer, job))
}

async fn cancel(session: &Session, id: &str, yes: bool) -> Result<(), CliError> {
    consent(&format!("Give job {id} up?"), yes, "--yes")?;
    let ask = Ask::of(Endpoint::CancelJob).name("job", id);
    session.done(ask, "Given up; older keys stay until the next rotation.").await
}
