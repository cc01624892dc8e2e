//! Stores.

use super::{Session, consent};
use crate::args::StoreCommand;
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{
    ConfigureStoreRequest, CreateStoreRequest, Endpoint, StoreInfo, StoreList, StoreTypeList,
};

/// One function a command.
pub(super) async fn run(session: &Session, command: StoreCommand) -> Result<(), CliError> {
    match command {
        StoreCommand::Create { store, store_type, keyset, keep, cas_required, settings } => {
            let settings = settings.into_iter().collect();
            let body = CreateStoreRequest {
                name: store,
                store_type,
                keyset,
                keep_versions: keep,
                cas_required,
                settings,
            };
            create(session, &body).await
        }
        StoreCommand::Configure { store, keep, cas_required, settings, unset } => {
            // the server puts changes and what is there together: nobody's change is undone by another's
            let unset = unset.into_iter().map(|name| (name, serde_json::Value::Null));
            let settings: serde_json::Map<_, _> = unset.chain(settings).collect();
            let settings = (!settings.is_empty()).then_some(settings);
            configure(session, &store, &ConfigureStoreRequest { keep_versions: keep, cas_required, settings })
                .await
        }
        StoreCommand::Types => types(session).await,
        StoreCommand::List => list(session).await,
        StoreCommand::Show { store } => show(session, &store).await,
        StoreCommand::Remove { store, yes } => remove(session, &store, yes).await,
    }
}

async fn create(session: &Session, body: &CreateStoreRequest) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::CreateStore).json(body)).await? else {
        return Ok(());
    };
    let store: StoreInfo = answer.read()?;
    output::line(&format!(
        "Created the {} store {}, sealed by keyset {}.",
        store.store_type, store.name, store.keyset
    ))
}

async fn configure(session: &Session, name: &str, body: &ConfigureStoreRequest) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ConfigureStore).name("store", name).json(body);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let store: StoreInfo = answer.read()?;
    output::line(&format!("Configured the {} store {}.", store.store_type, store.name))
}

async fn types(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListStoreTypes)).await? else { return Ok(()) };
    let list: StoreTypeList = answer.read()?;
    let rows = list.types.into_iter().flat_map(|known| {
        let settings = known.settings.into_iter().map(|one| vec![String::new(), one.name, one.about]);
        std::iter::once(vec![known.name, String::new(), known.about]).chain(settings).collect::<Vec<_>>()
    });
    session.out.table(&["TYPE", "SETTING", "WHAT IT IS"], rows)
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
    let keep = match store.keep_versions {
        0 => "all".to_owned(),
        keep => keep.to_string(),
    };
    let settings: Vec<String> =
        store.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    session.out.pairs(&[
        ("name", store.name),
        ("id", store.id),
        ("type", format!("{} (version {})", store.store_type, store.type_version)),
        ("keyset", store.keyset),
        ("creator", store.creator),
        ("created", store.created),
        ("updated", store.updated),
        ("secrets", store.secrets.to_string()),
        ("versions", store.versions.map_or_else(String::new, |versions| versions.to_string())),
        ("versions kept", keep),
        ("cas required", if store.cas_required { "yes" } else { "no" }.to_owned()),
        ("settings", settings.join(", ")),
    ])
}

async fn remove(session: &Session, name: &str, yes: bool) -> Result<(), CliError> {
    consent(&format!("Remove store {name:?} and every secret in it, for ever?"), yes, "--yes")?;
    let ask = Ask::of(Endpoint::RemoveStore).name("store", name);
    session.done(ask, &format!("Removed store {name}.")).await
}
