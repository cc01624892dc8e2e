//! Stores and keysets.

use crate::Door;
use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::request::Context;
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use strongroom_api::{Code, CreateStoreRequest, KeysetInfo, KeysetList, StoreInfo, StoreList};
use strongroom_gate::{Denied, Store, Stores};
use strongroom_model::Name;
use strongroom_secrets as engine;

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
    })
}

pub(crate) async fn create(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: CreateStoreRequest = body::json(context, body)?;
    let name = Name::new(&wanted.name)
        .map_err(|fault| Fault::new(Code::InvalidName, format!("store name: {fault}")))?;
    let store_type = engine::StoreType::from_name(&wanted.store_type)
        .ok_or_else(|| Fault::new(Code::InvalidRequest, "unknown store type; known is generic"))?;
    let resource = Stores { name: Some(name.clone()) };
    let permit = match door.gate.admit::<engine::CreateStore>(&context.caller, resource).await {
        // done before: the store is there, and is what was asked for
        Err(Denied::Repeated(_)) => {
            return show(door, context, name, StatusCode::CREATED).await;
        }
        permit => permit?,
    };
    let (by, now) = (context.user(), door.gate.now());
    let made = engine::create_store(permit, by, now, store_type, wanted.keyset.as_deref()).await?;
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
