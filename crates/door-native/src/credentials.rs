//! Access keys and passwords: one's own and others'.

use crate::fault::Fault;
use crate::request::Context;
use crate::users::{key_id, named};
use crate::{Door, answer, body};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use strongroom_api::{
    AccessKeyInfo, AccessKeyList, AddAccessKeyRequest, AddOwnAccessKeyRequest, SetOwnPasswordRequest,
    SetPasswordRequest,
};
use strongroom_gate::{Action, Denied, Own, UserView};
use strongroom_identity as engine;
use strongroom_model::CredentialId;
use strongroom_secret::SecretBytes;

type Answered = Result<Response<Body>, Fault>;

fn info(key: &engine::AccessKey) -> AccessKeyInfo {
    AccessKeyInfo {
        id: key.id.to_string(),
        kind: key.kind.to_owned(),
        fingerprint: answer::hex(&key.fingerprint),
        created: answer::time(key.created),
    }
}

fn secret(text: String) -> SecretBytes {
    SecretBytes::new(text.into_bytes())
}

pub(crate) async fn list_own_keys(door: &Door, context: &Context) -> Answered {
    list::<engine::ReadSelf>(door, context, Own::of(&context.caller)).await
}

pub(crate) async fn list_keys(door: &Door, context: &Context) -> Answered {
    list::<engine::ListAccessKeys>(door, context, named(context)?).await
}

async fn list<A: Action<View = UserView>>(door: &Door, context: &Context, of: A::Resource) -> Answered {
    let keys = keys::<A>(door, context, of).await?;
    answer::json(&AccessKeyList { access_keys: keys.iter().map(info).collect() })
}

async fn keys<A: Action<View = UserView>>(
    door: &Door,
    context: &Context,
    of: A::Resource,
) -> Result<Vec<engine::AccessKey>, Fault> {
    let permit = door.gate.admit::<A>(&context.caller, of).await?;
    let held = door.identity.list_keys(permit).await?;
    Ok(door.gate.release(held).await?)
}

pub(crate) async fn add_own_key(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let own = || Own::of(&context.caller);
    let added = match door.gate.admit::<engine::AddOwnAccessKey>(&context.caller, own()).await {
        Ok(permit) => {
            let wanted: AddOwnAccessKeyRequest = body::json(context, body)?;
            let present = wanted.present.map(secret);
            Ok(door.identity.add_own_key(permit, &context.caller, present, &wanted.public_key).await?)
        }
        Err(Denied::Repeated(outcome)) => {
            Err((keys::<engine::ReadSelf>(door, context, own()).await?, outcome))
        }
        Err(denied) => return Err(denied.into()),
    };
    added_key(added)
}

pub(crate) async fn add_key(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let added = match door.gate.admit::<engine::AddAccessKey>(&context.caller, named(context)?).await {
        Ok(permit) => {
            let wanted: AddAccessKeyRequest = body::json(context, body)?;
            let (by, text) = (context.user(), wanted.public_key.as_str());
            Ok(match wanted.id.as_deref().map(key_id).transpose()? {
                Some(id) => door.identity.add_known_key(permit, by, id, text).await?,
                None => door.identity.add_key(permit, by, text).await?,
            })
        }
        Err(Denied::Repeated(outcome)) => {
            Err((keys::<engine::ListAccessKeys>(door, context, named(context)?).await?, outcome))
        }
        Err(denied) => return Err(denied.into()),
    };
    added_key(added)
}

/// A key that was added now, or that was added when this was first asked.
fn added_key(added: Result<engine::AccessKey, (Vec<engine::AccessKey>, Vec<u8>)>) -> Answered {
    let key = match added {
        Ok(key) => key,
        Err((keys, outcome)) => {
            let id = CredentialId::from_slice(&outcome);
            let known = keys.into_iter().find(|key| Some(key.id) == id);
            known.ok_or_else(|| Fault::from(Denied::NotFound))?
        }
    };
    answer::json_with(StatusCode::CREATED, &info(&key))
}

pub(crate) async fn remove_own_key(door: &Door, context: &Context) -> Answered {
    let key = context.id(0, "access key")?;
    remove::<engine::RemoveOwnAccessKey>(door, context, Own::of(&context.caller), key).await
}

pub(crate) async fn remove_key(door: &Door, context: &Context) -> Answered {
    let key = context.id(1, "access key")?;
    remove::<engine::RemoveAccessKey>(door, context, named(context)?, key).await
}

async fn remove<A: Action<View = UserView>>(
    door: &Door,
    context: &Context,
    of: A::Resource,
    key: CredentialId,
) -> Answered {
    match door.gate.admit::<A>(&context.caller, of).await {
        Ok(permit) => door.identity.remove_key(permit, context.user(), key).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn set_own_password(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: SetOwnPasswordRequest = body::json(context, body)?;
    let (password, present) = (secret(wanted.password), wanted.present.map(secret));
    let caller = &context.caller;
    match door.gate.admit::<engine::SetOwnPassword>(caller, Own::of(caller)).await {
        Ok(permit) => door.identity.set_own_password(permit, caller, present, password).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn set_password(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: SetPasswordRequest = body::json(context, body)?;
    let password = secret(wanted.password);
    match door.gate.admit::<engine::SetPassword>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.set_password(permit, context.user(), password).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn remove_password(door: &Door, context: &Context) -> Answered {
    match door.gate.admit::<engine::RemovePassword>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.remove_password(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}
