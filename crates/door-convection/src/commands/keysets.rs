//! Keysets.

use super::page::Paging;
use crate::asked::Asked;
use crate::reply::{Answered, Reply};
use strongroom_gate::{Keyset, Keysets, Stores};
use strongroom_operator as operator;
use strongroom_secrets as engine;

pub(crate) async fn list_keysets(asked: &Asked<'_>) -> Answered {
    let page = Paging::of(asked)?;
    let permit = asked.door.gate.admit::<engine::ListKeysets>(&asked.caller, Stores { name: None }).await?;
    let held = engine::list_keysets(permit).await?;
    let keysets = asked.door.gate.release(held).await?;
    Ok(page.reply("keysets", keysets.into_iter().map(|keyset| keyset.name), false))
}

pub(crate) async fn create_keyset(asked: &Asked<'_>) -> Answered {
    let keysets = Keysets { name: asked.name("keyset_name")? };
    let permit = asked.door.gate.admit::<operator::CreateKeyset>(&asked.caller, keysets).await?;
    asked.door.operator.create_keyset(permit).await?;
    Ok(Reply::done())
}

pub(crate) async fn remove_keyset(asked: &Asked<'_>) -> Answered {
    let keyset = Keyset { name: asked.name("keyset_name")? };
    let permit = asked.door.gate.admit::<operator::RemoveKeyset>(&asked.caller, keyset).await?;
    asked.door.operator.remove_keyset(permit).await?;
    Ok(Reply::done())
}

/// The new term seals from the moment that this is answered; what is stored already is sealed anew in the background.
pub(crate) async fn rotate_keyset(asked: &Asked<'_>) -> Answered {
    let name = asked.name("keyset_name")?;
    let keyset = Keyset { name: name.clone() };
    let permit = asked.door.gate.admit::<operator::RotateKeyset>(&asked.caller, keyset).await?;
    let by = operator::Asked { by: asked.user(), request: asked.caller.request };
    asked.door.operator.rotate_keyset(permit, by).await?;
    Ok(Reply::saying(format!("Keys for KeySet {name} Rotated")))
}
