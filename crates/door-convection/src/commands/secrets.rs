//! Secrets: the one place where secret bytes become wire bytes.

use super::page::Paging;
use super::parts::{self, Part, Wish};
use super::shapes::{Wanted, path};
use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::{Answered, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use strongroom_gate::{Secret, StoreFolder};
use strongroom_model::ValueKind;
use strongroom_secrets::{self as engine, Found, SecretsError};
use zeroize::Zeroizing;

/// Only what is named in `store_args` counts: a name beside it is a field that nobody asks for.
pub(crate) async fn list_secrets(asked: &Asked<'_>) -> Answered {
    let (store, args) = (asked.name("store_name")?, asked.object("store_args")?);
    let (page, contains) = (Paging::of(&args)?, args.optional_text("contains")?);
    let folder = StoreFolder { store: store.clone() };
    let permit = asked.door.gate.admit::<engine::ListSecrets>(&asked.caller, folder).await?;
    let after = page.after.as_deref();
    let wish = engine::Wish { prefix: &page.prefix, after, contains: contains.as_deref(), gone: false };
    let held = engine::list(permit, wish, page.limit).await?;
    let found = asked.door.gate.release(held).await?;
    let count = found.names.len();
    let reply = page.reply("secrets", found.names.iter().map(str::to_owned), found.more);
    Ok(reply.with("store", store.as_str()).message(format!("{count} Secrets in {store}")))
}

pub(crate) async fn create_secret(asked: &Asked<'_>) -> Answered {
    write(asked, true).await
}

pub(crate) async fn update_secret(asked: &Asked<'_>) -> Answered {
    write(asked, false).await
}

async fn write(asked: &Asked<'_>, creates: bool) -> Answered {
    let (store, wanted) = (asked.name("store_name")?, Wanted::of(asked, creates)?);
    let secret = Secret { store, path: wanted.path.clone() };
    let (gate, by, onto) = (&asked.door.gate, asked.user(), wanted.onto()?);
    let written = if wanted.is_given() {
        let permit = gate.admit::<engine::PutSecret>(&asked.caller, secret).await?;
        engine::put_shaped(permit, by, gate.now(), |of| wanted.value(of), onto).await.map(drop)
    } else {
        let permit = gate.admit::<engine::GenerateSecret>(&asked.caller, secret).await?;
        let by = (by, gate.now());
        engine::generate_shaped(permit, by, gate.ambient(), |of| wanted.order(of), onto).await.map(drop)
    };
    match written {
        Ok(()) => Ok(Reply::done()),
        Err(SecretsError::VersionMismatch { .. }) if creates => Err(SecretsError::AlreadyExists.into()),
        Err(fault) => Err(fault.into()),
    }
}

pub(crate) async fn get_secret(asked: &Asked<'_>) -> Answered {
    let (store, args) = (asked.name("store_name")?, asked.object("store_args")?);
    let secret = Secret { store, path: path(&args)? };
    let wish = Wish::of(&args)?;
    match wish.part {
        Part::Public(member) => public(asked, secret, &wish, member).await,
        Part::Usual | Part::Whole | Part::Secret(_) => value(asked, secret, &wish).await,
    }
}

async fn value(asked: &Asked<'_>, secret: Secret, wish: &Wish) -> Answered {
    let permit = asked.door.gate.admit::<engine::GetSecret>(&asked.caller, secret).await?;
    let held = engine::read(permit, wish.version).await?;
    let found = match asked.door.gate.release(held).await? {
        Found::Live(found) => found,
        Found::Absent => return Err(SecretsError::NotFound.into()),
        Found::Deleted { version, .. } => return Err(SecretsError::Deleted { version }.into()),
        Found::Destroyed { version, .. } => return Err(SecretsError::Destroyed { version }.into()),
    };
    found.value.bytes.expose(|bytes| match found.value.kind {
        ValueKind::Json => {
            let json = std::str::from_utf8(bytes).map_err(|_| Fault::internal("a value is not UTF-8"))?;
            Ok(shown(wish, parts::of_value(json, wish.part, found.store_type)?, found.version))
        }
        ValueKind::Bytes => {
            // nothing in base64 needs an escape
            let json = Zeroizing::new(format!("\"{}\"", STANDARD.encode(bytes)));
            Ok(shown(wish, &json, found.version).with("encoding", "base64"))
        }
    })
}

/// The secret half stays where it is.
async fn public(asked: &Asked<'_>, secret: Secret, wish: &Wish, member: &str) -> Answered {
    let permit = asked.door.gate.admit::<engine::ReadPublic>(&asked.caller, secret).await?;
    let held = engine::public(permit, wish.version).await?;
    let half = asked.door.gate.release(held).await?.ok_or(SecretsError::NotFound)?;
    Ok(shown(wish, parts::member(half.public.as_str(), member)?, half.version))
}

/// What is shown of a JSON value: all of it, or a piece with where it belongs.
fn shown(wish: &Wish, json: &str, version: u64) -> Reply {
    let Some(cut) = wish.cut(json) else { return Reply::done().with_text("secret", json) };
    let number = |number: usize| Json::from(u64::try_from(number).unwrap_or(u64::MAX));
    let reply = Reply::done().with_text("secret", &cut.json);
    reply.with("offset", number(cut.offset)).with("total", number(cut.total)).with("version", version)
}

/// Removes a secret with every version of it, which is what this protocol means by it.
pub(crate) async fn destroy_secret(asked: &Asked<'_>) -> Answered {
    let (store, args) = (asked.name("store_name")?, asked.object("store_args")?);
    let secret = Secret { store, path: path(&args)? };
    let permit = asked.door.gate.admit::<engine::RemoveSecret>(&asked.caller, secret).await?;
    engine::remove(permit).await?;
    Ok(Reply::done())
}
