//! Stores and keysets.

use crate::Door;
use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::request::Context;
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use std::num::NonZeroU64;
use strongroom_api::{
    Code, ConfigureStoreRequest, CreateStoreRequest, KeysetInfo, KeysetList, StoreInfo, StoreList,
    StoreSetting, StoreTypeInfo, StoreTypeList,
};
use strongroom_gate::{Denied, Store, Stores};
use strongroom_model::{JsonLimits, JsonText, Name};
use strongroom_secrets as engine;

/// Bounds of a store's settings.
const SETTINGS: JsonLimits = JsonLimits { bytes: 16 * 1024, depth: 8 };

type Answered = Result<Response<Body>, Fault>;

async fn info(door: &Door, store: engine::StoreSummary) -> Result<StoreInfo, Fault> {
    Ok(StoreInfo {
        id: store.id.to_string(),
        name: store.name,
        store_type: store.store_type.name().to_owned(),
        type_version: store.type_version,
        keyset: store.keyset,
        creator: door.identity.user_name(store.creator).await?.to_string(),
        created: answer::time(store.created),
        updated: answer::time(store.updated),
        secrets: store.secrets,
        versions: store.versions,
        keep_versions: store.settings.keep.map_or(0, NonZeroU64::get),
        cas_required: store.settings.cas_required,
        settings: serde_json::from_str(store.settings.of_type.as_str()).unwrap_or_default(),
    })
}

/// Settings as the engine takes them: a JSON object that was scanned.
fn settings(fields: &serde_json::Map<String, serde_json::Value>) -> Result<JsonText, Fault> {
    let invalid = |reason: String| Fault::new(Code::InvalidRequest, format!("settings: {reason}"));
    let text = serde_json::to_vec(fields).map_err(|fault| invalid(fault.to_string()))?;
    JsonText::new(&text, SETTINGS).map_err(|fault| invalid(fault.to_string()))
}

pub(crate) async fn create(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: CreateStoreRequest = body::json(context, body)?;
    let name = Name::new(&wanted.name)
        .map_err(|fault| Fault::new(Code::InvalidName, format!("store name: {fault}")))?;
    let store_type = engine::TypeRef::from_name(&wanted.store_type).ok_or_else(|| {
        let known: Vec<&str> = engine::TypeRef::all().map(|known| known.name()).collect();
        Fault::new(Code::InvalidRequest, format!("unknown store type; known are {}", known.join(", ")))
    })?;
    let settings = engine::Settings {
        keep: NonZeroU64::new(wanted.keep_versions.into()),
        cas_required: wanted.cas_required,
        of_type: settings(&wanted.settings)?,
    };
    let resource = Stores { name: Some(name.clone()) };
    let permit = match door.gate.admit::<engine::CreateStore>(&context.caller, resource).await {
        // done before: the store is there, and is what was asked for
        Err(Denied::Repeated(_)) => {
            return show(door, context, name, StatusCode::CREATED).await;
        }
        permit => permit?,
    };
    let (by, now) = (context.user(), door.gate.now());
    let made = engine::create_store(permit, by, now, store_type, wanted.keyset.as_deref(), settings).await?;
    answer::json_with(StatusCode::CREATED, &info(door, made).await?)
}

async fn show(door: &Door, context: &Context, name: Name, status: StatusCode) -> Answered {
    let text = name.to_string();
    let permit = door.gate.admit::<engine::ReadStore>(&context.caller, Store { name }).await?;
    let held = engine::read_store(permit, text).await?;
    let store = door.gate.release(held).await?;
    answer::json_with(status, &info(door, store).await?)
}

pub(crate) async fn read(door: &Door, context: &Context) -> Answered {
    show(door, context, context.store()?, StatusCode::OK).await
}

pub(crate) async fn list(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::ListStores>(&context.caller, Stores { name: None }).await?;
    let held = engine::list_stores(permit, |_| true).await?;
    let found = door.gate.release(held).await?;
    let mut stores = Vec::with_capacity(found.len());
    for store in found {
        stores.push(info(door, store).await?);
    }
    answer::json(&StoreList { stores })
}

pub(crate) async fn configure(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: ConfigureStoreRequest = body::json(context, body)?;
    let change = engine::Change {
        keep: wanted.keep_versions.map(|keep| NonZeroU64::new(keep.into())),
        cas_required: wanted.cas_required,
        of_type: wanted.settings.as_ref().map(settings).transpose()?,
    };
    let name = context.store()?;
    let resource = Store { name: name.clone() };
    let permit = match door.gate.admit::<engine::ConfigureStore>(&context.caller, resource).await {
        Err(Denied::Repeated(_)) => return show(door, context, name, StatusCode::OK).await,
        permit => permit?,
    };
    let (by, now, name) = (context.user(), door.gate.now(), name.to_string());
    let store = engine::configure_store(permit, by, now, name, change).await?;
    answer::json(&info(door, store).await?)
}

pub(crate) async fn list_types(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::ListStores>(&context.caller, Stores { name: None }).await?;
    let known = door.gate.release(engine::list_types(permit)).await?;
    let setting =
        |(name, about): &(&str, &str)| StoreSetting { name: (*name).to_owned(), about: (*about).to_owned() };
    let types = known.into_iter().map(|known| StoreTypeInfo {
        name: known.name().to_owned(),
        aliases: known.aliases().iter().map(|name| (*name).to_owned()).collect(),
        version: known.version(),
        about: known.about().to_owned(),
        settings: known.settings().iter().map(setting).collect(),
    });
    answer::json(&StoreTypeList { types: types.collect() })
}

pub(crate) async fn remove(door: &Door, context: &Context) -> Answered {
    let resource = Store { name: context.store()? };
    match door.gate.admit::<engine::RemoveStore>(&context.caller, resource).await {
        Ok(permit) => engine::remove_store(permit).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn list_keysets(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::ListKeysets>(&context.caller, Stores { name: None }).await?;
    let held = engine::list_keysets(permit).await?;
    let keysets = door.gate.release(held).await?.into_iter().map(|keyset| KeysetInfo {
        id: keyset.id.to_string(),
        name: keyset.name,
        terms: u32::try_from(keyset.terms).unwrap_or(u32::MAX),
        write_term: keyset.write_term,
        stores: keyset.stores,
    });
    answer::json(&KeysetList { keysets: keysets.collect() })
}
