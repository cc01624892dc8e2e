//! Versions: shown, deleted, brought back, destroyed, removed.

use super::about;
use crate::args::Place;
use crate::commands::{Session, consent};
use crate::error::CliError;
use crate::output;
use crate::prompt;
use strongroom_api::{Endpoint, SecretMetadata, VersionsRequest};

pub(super) async fn delete(session: &Session, place: &Place, versions: Vec<u64>) -> Result<(), CliError> {
    let words = format!("Deleted {}; undelete brings it back.", told(place, &versions));
    let ask = about(Endpoint::DeleteSecret, place).json(&VersionsRequest { versions });
    session.done(ask, &words).await
}

pub(super) async fn undelete(session: &Session, place: &Place, versions: Vec<u64>) -> Result<(), CliError> {
    let words = format!("Undeleted {}.", told(place, &versions));
    let ask = about(Endpoint::UndeleteSecret, place).json(&VersionsRequest { versions });
    session.done(ask, &words).await
}

/// Destroys; a program that says so is not asked, a person is.
pub(super) async fn destroy(
    session: &Session,
    place: &Place,
    versions: Vec<u64>,
    yes: bool,
) -> Result<(), CliError> {
    let what = told(place, &versions);
    consent(
        &format!("Destroy {what} in {}, for ever?", place.store),
        yes || !prompt::somebody_there(),
        "--yes",
    )?;
    let ask = about(Endpoint::DestroySecret, place).json(&VersionsRequest { versions });
    session.done(ask, &format!("Destroyed {what}.")).await
}

/// Removes; a program that says so is not asked, a person is.
pub(super) async fn remove(session: &Session, place: &Place, yes: bool) -> Result<(), CliError> {
    let question = format!("Remove {} in {} with all its versions, for ever?", place.path, place.store);
    consent(&question, yes || !prompt::somebody_there(), "--yes")?;
    session.done(about(Endpoint::RemoveSecret, place), &format!("Removed {}.", place.path)).await
}

fn told(place: &Place, versions: &[u64]) -> String {
    match versions {
        [] => format!("the newest version of {}", place.path),
        [version] => format!("version {version} of {}", place.path),
        many => format!("{} versions of {}", many.len(), place.path),
    }
}

pub(super) async fn metadata(session: &Session, place: &Place) -> Result<(), CliError> {
    let Some(answer) = session.shown(about(Endpoint::ReadMetadata, place)).await? else { return Ok(()) };
    let meta: SecretMetadata = answer.read()?;
    session.out.pairs(&[
        ("path", meta.path),
        ("type", meta.store_type),
        ("version", meta.version.to_string()),
        ("oldest kept", meta.oldest.to_string()),
        ("created", meta.created),
        ("creator", meta.creator),
        ("updated", meta.updated),
    ])?;
    output::line("")?;
    let rows = meta.versions.into_iter().map(|version| {
        vec![
            version.version.to_string(),
            version.state,
            version.kind,
            version.size.to_string(),
            version.created,
            version.creator,
            version.facts.map_or_else(String::new, |facts| facts.to_string()),
        ]
    });
    session.out.table(&["VERSION", "STATE", "KIND", "BYTES", "CREATED", "CREATOR", "FACTS"], rows)
}
