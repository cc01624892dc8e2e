//! Stores.

use super::{Session, consent};
use crate::args::StoreCommand;
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{CreateStoreRequest, Endpoint, StoreInfo, StoreList};

/// One function a command.
pub(super) async fn run(session: &Session, command: StoreCommand) -> Result<(), CliError> {
    match command {
        StoreCommand::Create { store, store_type, keyset } => {
            create(session, store, store_type, keyset).await
        }
        StoreCommand::List => list(session).await,
        StoreCommand::Show { store } => show(session, &store).await,
        StoreCommand::Remove { store, yes } => remove(session, &store, yes).await,
    }
}

async fn create(
    session: &Session,
    name: String,
    store_type: String,
    keyset: Option<String>,
) -> Result<(), CliError> {
    let body = CreateStoreRequest {
        name,
        store_type,
        keyset,
        keep_versions: 0,
        cas_required: false,
        settings: serde_json::Map::new(),
    };
    let Some(answer) = session.shown(Ask::of(Endpoint::CreateStore).json(&body)).await? else {
        return Ok(());
    };
    let store: StoreInfo = answer.read()?;
    output::line(&format!(
        "Created the {} store {}, sealed by keyset {}.",
        store.store_type, store.name, store.keyset
    ))
}

async fn list(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListStores)).await? else { return Ok(()) };
    let list: StoreList = answer.read()?;
    let rows = list.stores.into_iter().map(|store| {
        vec![store.name, store.store_type, store.keyset, store.secrets.to_string(), store.updated]
    });
    session.out.table(&["NAME", "TYPE", "KEYSET", "SECRETS", "UPDATED"], rows)
}

async fn show(session: &Session, name: &str) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ReadStore).name("store", name);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let store: StoreInfo = answer.read()?;
    session.out.pairs(&[
        ("name", store.name),
        ("id", store.id),
        ("type", format!("{} (version {})", store.store_type, store.type_version)),
        ("keyset", store.keyset),
        ("creator", store.creator),
        ("created", store.created),
        ("updated", store.updated),
        ("secrets", store.secrets.to_string()),
    ])
}

async fn remove(session: &Session, name: &str, yes: bool) -> Result<(), CliError> {
    consent(&format!("Remove store {name:?} and every secret in it, for ever?"), yes, "--yes")?;
    let ask = Ask::of(Endpoint::RemoveStore).name("store", name);
    session.done(ask, &format!("Removed store {name}.")).await
}
