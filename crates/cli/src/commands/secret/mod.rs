//! Secrets.

mod export;
mod get;
mod import;
mod list;
mod put;

use super::{Session, consent};
use crate::args::{Place, SecretCommand};
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use crate::prompt;
use strongroom_api::{Endpoint, SecretMetadata};

/// A question about one secret.
fn about(endpoint: Endpoint, place: &Place) -> Ask {
    Ask::of(endpoint).name("store", &place.store).name("path", &place.path)
}

/// One function a command.
pub(super) async fn run(session: &Session, command: SecretCommand) -> Result<(), CliError> {
    match command {
        SecretCommand::Put(args) => put::put(session, &args).await,
        SecretCommand::Get { place, version, raw } => get::get(session, &place, version, raw).await,
        SecretCommand::List { store, prefix, search } => {
            list::list(session, &store, prefix.as_deref(), search.as_deref()).await
        }
        SecretCommand::Search { store, text } => list::list(session, &store, None, Some(&text)).await,
        SecretCommand::Delete { place, yes } => delete(session, &place, yes).await,
        SecretCommand::Import(args) => import::run(session, &args).await,
        SecretCommand::Export(args) => export::run(session, &args).await,
        SecretCommand::Metadata { place } => metadata(session, &place).await,
    }
}

/// Deletes; a program that says so is not asked, a person is.
async fn delete(session: &Session, place: &Place, yes: bool) -> Result<(), CliError> {
    let question = format!("Delete {} in {} with all its versions, for ever?", place.path, place.store);
    consent(&question, yes || !prompt::somebody_there(), "--yes")?;
    session.done(about(Endpoint::RemoveSecret, place), &format!("Deleted {}.", place.path)).await
}

async fn metadata(session: &Session, place: &Place) -> Result<(), CliError> {
    let Some(answer) = session.shown(about(Endpoint::ReadMetadata, place)).await? else { return Ok(()) };
    let meta: SecretMetadata = answer.read()?;
    session.out.pairs(&[
        ("path", meta.path),
        ("version", meta.version.to_string()),
        ("created", meta.created),
        ("creator", meta.creator),
        ("updated", meta.updated),
    ])?;
    output::line("")?;
    let rows = meta.versions.into_iter().map(|version| {
        vec![
            version.version.to_string(),
            version.kind,
            version.size.to_string(),
            version.created,
            version.creator,
        ]
    });
    session.out.table(&["VERSION", "KIND", "BYTES", "CREATED", "CREATOR"], rows)
}
