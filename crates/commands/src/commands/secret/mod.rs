//! Secrets.

mod diff;
mod export;
mod get;
mod import;
mod list;
mod made;
mod put;
mod versions;

pub(super) use put::json_body;

use super::Session;
use crate::args::{Place, SecretCommand};
use crate::client::Ask;
use crate::error::CliError;
use strongroom_api::Endpoint;

/// A question about one secret.
fn about(endpoint: Endpoint, place: &Place) -> Ask {
    Ask::of(endpoint).name("store", &place.store).name("path", &place.path)
}

/// One function a command.
pub(super) async fn run(session: &Session, command: SecretCommand) -> Result<(), CliError> {
    use SecretCommand as S;
    match command {
        S::Put(args) => put::put(session, &args).await,
        S::Get { place, version, raw, field } => {
            get::get(session, &place, version, raw, field.as_deref()).await
        }
        S::Generate { place, wanted, cas } => made::generate(session, &place, wanted, cas).await,
        S::Public { place, version, field } => made::public(session, &place, version, field.as_deref()).await,
        S::Expiring { within } => made::expiring(session, within).await,
        S::List { store, prefix, search, deleted } => {
            list::list(session, &store, prefix.as_deref(), search.as_deref(), deleted).await
        }
        S::Search { store, text } => list::list(session, &store, None, Some(&text), false).await,
        S::Delete { place, versions } => versions::delete(session, &place, versions.versions).await,
        S::Undelete { place, versions } => versions::undelete(session, &place, versions.versions).await,
        S::Destroy { place, versions, yes } => versions::destroy(session, &place, versions, yes).await,
        S::Remove { place, yes } => versions::remove(session, &place, yes).await,
        S::Metadata { place } => versions::metadata(session, &place).await,
        S::Diff { place, from, to, show } => diff::diff(session, &place, from, to, show).await,
        S::Import(args) => import::run(session, &args).await,
        S::Export(args) => export::run(session, &args).await,
    }
}
