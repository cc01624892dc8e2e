//! Stores and the keysets that seal them.

use super::{Session, consent};
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{CreateStoreRequest, Endpoint, KeysetList, StoreInfo, StoreList};

pub(super) async fn create(
    session: &Session,
    name: String,
    store_type: String,
    keyset: Option<String>,
) -> Result<(), CliError> {
    let body = CreateStoreRequest { name, store_type, keyset };
    let Some(answer) = session.shown(Ask::of(Endpoint::CreateStore).json(&body)).await? else {
        return Ok(());
    };
    let store: StoreInfo = answer.read()?;
    output::line(&format!(
        "Created the {} store {}, sealed by keyset {}.",
        store.store_type, store.name, store.keyset
    ))
}

pub(super) async fn list(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListStores)).await? else { return Ok(()) };
    let list: StoreList = answer.read()?;
    let rows = list.stores.into_iter().map(|store| {
        vec![store.name, store.store_type, store.keyset, store.secrets.to_string(), store.updated]
    });
    session.out.table(&["NAME", "TYPE", "KEYSET", "SECRETS", "UPDATED"], rows)
}

pub(super) async fn show(session: &Session, name: &str) -> Result<(), CliError> {
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

pub(super) async fn remove(session: &Session, name: &str, yes: bool) -> Result<(), CliError> {
    consent(&format!("Remove store {name:?} and every secret in it, for ever?"), yes, "--yes")?;
    let ask = Ask::of(Endpoint::RemoveStore).name("store", name);
    session.done(ask, &format!("Removed store {name}.")).await
}

pub(super) async fn keysets(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListKeysets)).await? else { return Ok(()) };
    let list: KeysetList = answer.read()?;
    let rows = list.keysets.into_iter().map(|keyset| {
        vec![
            keyset.name,
            keyset.terms.to_string(),
            keyset.write_term.to_string(),
            keyset.stores.join(", "),
            keyset.id,
        ]
    });
    session.out.table(&["NAME", "TERMS", "WRITE TERM", "STORES", "ID"], rows)
}
