//! Stores, their types and their settings.

use super::page::Paging;
use super::settings;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::{Answered, Reply};
use serde_json::json;
use strongroom_gate::{Store, Stores};
use strongroom_secrets as engine;

/// What this protocol calls a type of store.
pub(crate) fn wire_name(of: engine::TypeRef) -> &'static str {
    match of.name() {
        "user" => "passdb",
        name => name,
    }
}

pub(crate) async fn list_stores(asked: &Asked<'_>) -> Answered {
    let page = Paging::of(asked)?;
    let permit = asked.door.gate.admit::<engine::ListStores>(&asked.caller, Stores { name: None }).await?;
    let held = engine::list_stores(permit, |name| name.starts_with(&page.prefix)).await?;
    let stores = asked.door.gate.release(held).await?;
    Ok(page.reply("stores", stores.into_iter().map(|store| store.name), false))
}

pub(crate) async fn list_store_types(asked: &Asked<'_>) -> Answered {
    let permit = asked.door.gate.admit::<engine::ListStores>(&asked.caller, Stores { name: None }).await?;
    let types = asked.door.gate.release(engine::list_types(permit)).await?;
    let mut names: Vec<&str> = types.into_iter().map(wire_name).collect();
    names.sort_unstable();
    Ok(Reply::done().with("store_types", names))
}

pub(crate) async fn create_store(asked: &Asked<'_>) -> Answered {
    let (name, keyset) = (asked.name("store_name")?, asked.name("keyset_name")?);
    // the client's library has a name of its own for it
    let wanted = match asked.optional_text("store_type")? {
        Some(wanted) => wanted,
        None => asked.optional_text("store_type_name")?.ok_or_else(|| Fault::missing("store_type"))?,
    };
    let store_type = engine::TypeRef::from_name(&wanted).ok_or_else(|| {
        let known: Vec<&str> = engine::TypeRef::all().map(wire_name).collect();
        Fault::exception("ImportError", format!("unknown store type; known are {}", known.join(", ")))
    })?;
    let settings = settings::of_new(&asked.object("store_args")?)?;
    let stores = Stores { name: Some(name) };
    let permit = asked.door.gate.admit::<engine::CreateStore>(&asked.caller, stores).await?;
    let (by, now) = (asked.user(), asked.door.gate.now());
    engine::create_store(permit, by, now, store_type, Some(keyset.as_str()), settings).await?;
    Ok(Reply::done())
}

pub(crate) async fn remove_store(asked: &Asked<'_>) -> Answered {
    let store = Store { name: asked.name("store_name")? };
    let permit = asked.door.gate.admit::<engine::RemoveStore>(&asked.caller, store).await?;
    engine::remove_store(permit).await?;
    Ok(Reply::done())
}

async fn read(asked: &Asked<'_>) -> Result<engine::StoreSummary, Fault> {
    let name = asked.name("store_name")?;
    let text = name.to_string();
    let permit = asked.door.gate.admit::<engine::ReadStore>(&asked.caller, Store { name }).await?;
    let held = engine::read_store(permit, text).await?;
    Ok(asked.door.gate.release(held).await?)
}

/// Reads are counted nowhere but in the trail, and told as unknown; writes are the versions that are kept.
pub(crate) async fn store_info(asked: &Asked<'_>) -> Answered {
    let store = read(asked).await?;
    let author = asked.door.identity.user_name(store.creator).await?;
    let version = store.type_version.to_string();
    let metadata = json!({
        "version": version,
        "compatibility": version,
        "author": &*author,
        "updated": time(store.updated),
        "plugin": {
            "name": wire_name(store.store_type),
            "type": "Secret",
            "description": store.store_type.about(),
        },
    });
    let stats = json!({ "secret_count": store.secrets, "reads": null, "writes": store.versions });
    Ok(Reply::done().with("metadata", metadata).with("stats", stats).with("keyset", store.keyset))
}

/// Tells the settings; those that are named are changed before.
pub(crate) async fn store_config(asked: &Asked<'_>) -> Answered {
    // the client's library has a name of its own for them
    let field = if asked.raw("config_args").is_some() { "config_args" } else { "store_config" };
    let wanted = asked.object(field)?;
    let store =
        if wanted.names().next().is_none() { read(asked).await? } else { configure(asked, &wanted).await? };
    let members = settings::shown(&store.settings).into_iter();
    Ok(members.fold(Reply::done(), |reply, (name, value)| reply.with(&name, value)))
}

async fn configure(
    asked: &Asked<'_>,
    wanted: &crate::request::Fields<'_>,
) -> Result<engine::StoreSummary, Fault> {
    let (name, change) = (asked.name("store_name")?, settings::changes(wanted)?);
    let text = name.to_string();
    let permit = asked.door.gate.admit::<engine::ConfigureStore>(&asked.caller, Store { name }).await?;
    Ok(engine::configure_store(permit, asked.user(), asked.door.gate.now(), text, change).await?)
}

/// A moment as RFC 3339, to the second.
fn time(moment: strongroom_ambient::UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(moment.0).map_or_else(|_| String::new(), |time| format!("{time:.0}"))
}
