//! Users and their access keys.

use super::page::Paging;
use crate::asked::{Asked, bare_id, name};
use crate::fault::Fault;
use crate::reply::{Answered, Reply};
use serde_json::json;
use strongroom_gate::{Action, KeyHolder, User, UserView, Users};
use strongroom_identity::{self as engine, IdentityError, KeyLike};
use strongroom_model::{CredentialId, Name};

pub(crate) async fn list_users(asked: &Asked<'_>) -> Answered {
    let page = Paging::of(asked)?;
    let permit = asked.door.gate.admit::<engine::ListUsers>(&asked.caller, Users { name: None }).await?;
    let held = asked.door.identity.list_users(permit, page.after.as_deref(), page.reach()).await?;
    let (users, more) = asked.door.gate.release(held).await?;
    Ok(page.reply("users", users.into_iter().map(|user| user.name), more))
}

/// Makes a user; one who is there already gets one more access key.
pub(crate) async fn create_user(asked: &Asked<'_>) -> Answered {
    let (name, public_key) = (asked.name("user_name")?, asked.text("public_key")?);
    let users = Users { name: Some(name.clone()) };
    let permit = asked.door.gate.admit::<engine::CreateUser>(&asked.caller, users).await?;
    let new = engine::NewUser { public_key: Some(public_key.clone()), ..engine::NewUser::default() };
    let key = match asked.door.identity.create_user(permit, asked.user(), new).await {
        Ok(made) => made.access_key.ok_or_else(|| Fault::internal("a user was made without a key"))?,
        Err(IdentityError::AlreadyExists) => add_key(asked, name.clone(), &public_key).await?,
        Err(fault) => return Err(fault.into()),
    };
    Ok(Reply::done().with("access_key_id", bare_id(&key)).with("user", name.as_str()))
}

async fn add_key(asked: &Asked<'_>, name: Name, public_key: &str) -> Result<CredentialId, Fault> {
    let permit = asked.door.gate.admit::<engine::AddAccessKey>(&asked.caller, User { name }).await?;
    match asked.door.identity.add_key(permit, asked.user(), public_key).await {
        Ok(key) => Ok(key.id),
        Err(IdentityError::AlreadyExists) => {
            Err(Fault::exception("PubkeyExistsError", "the user has this public key already"))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Takes an access key away, named by its id, its public half or both; without either, the user.
pub(crate) async fn remove_access(asked: &Asked<'_>) -> Answered {
    let user = asked.optional_text("user_name")?.map(|text| name("user_name", &text)).transpose()?;
    let public_key = asked.optional_text("remove_public_key")?;
    // what is no id is nobody's
    let id = asked.optional_text("remove_access_key_id")?;
    let id = id.map(|text| text.parse::<CredentialId>().map_err(|_| Fault::key("not found"))).transpose()?;
    let like = KeyLike { id, public_key: public_key.as_deref() };
    match (user, like.id, like.public_key) {
        (Some(name), None, None) => {
            let permit = asked.door.gate.admit::<engine::RemoveUser>(&asked.caller, User { name }).await?;
            asked.door.identity.remove_user(permit, asked.user()).await?;
            Ok(Reply::done())
        }
        (Some(name), ..) => remove_key::<engine::RemoveAccessKey>(asked, User { name }, &like).await,
        (None, Some(id), _) => remove_key::<engine::RemoveHeldKey>(asked, KeyHolder::Id(id), &like).await,
        (None, None, Some(text)) => {
            remove_key::<engine::RemoveHeldKey>(asked, engine::holder_of(text)?, &like).await
        }
        (None, None, None) => Err(Fault::exception(
            "SyntaxError",
            "say which: user_name, remove_access_key_id or remove_public_key",
        )),
    }
}

async fn remove_key<A: Action<View = UserView>>(
    asked: &Asked<'_>,
    of: A::Resource,
    like: &KeyLike<'_>,
) -> Answered {
    let permit = asked.door.gate.admit::<A>(&asked.caller, of).await?;
    asked.door.identity.remove_key_like(permit, asked.user(), like).await?;
    Ok(Reply::done())
}

pub(crate) async fn audit_user(asked: &Asked<'_>) -> Answered {
    let user = User { name: asked.name("user_name")? };
    let permit = asked.door.gate.admit::<engine::ReadUser>(&asked.caller, user).await?;
    let held = asked.door.identity.read_user(permit).await?;
    let user = asked.door.gate.release(held).await?;
    let audit = json!({
        "acls": user.acls,
        "groups": user.groups,
        "access-key-count": user.access_keys.len(),
        "auth-token-count": user.tokens,
    });
    Ok(Reply::done().with(&user.name, audit))
}
