//! Users.

use crate::cursor::{self, Paging};
use crate::fault::Fault;
use crate::request::Context;
use crate::{Door, answer, body};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use strongroom_api::{Code, CreateUserRequest, Endpoint, UpdateUserRequest, UserCreated, UserInfo, UserList};
use strongroom_gate::{Denied, Own, User, Users};
use strongroom_identity as engine;
use strongroom_model::{CredentialId, Name};
use strongroom_secret::SecretBytes;

type Answered = Result<Response<Body>, Fault>;

fn info(user: engine::UserSummary) -> UserInfo {
    UserInfo {
        id: user.id.to_string(),
        name: user.name,
        enabled: user.enabled,
        protected: user.protected,
        created: answer::time(user.created),
        groups: user.groups,
        acls: user.acls,
        access_keys: user.access_keys.iter().map(ToString::to_string).collect(),
        password: user.password,
        tokens: u32::try_from(user.tokens).unwrap_or(u32::MAX),
    }
}

/// The user that the path names.
pub(crate) fn named(context: &Context) -> Result<User, Fault> {
    Ok(User { name: context.name(0, "user")? })
}

pub(crate) async fn create(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: CreateUserRequest = body::json(context, body)?;
    let name = Name::new(&wanted.name)
        .map_err(|fault| Fault::new(Code::InvalidName, format!("user name: {fault}")))?;
    let password = wanted.password.map(|text| SecretBytes::new(text.into_bytes()));
    let access_key_id = wanted.access_key_id.as_deref().map(key_id).transpose()?;
    let new = engine::NewUser { public_key: wanted.public_key, access_key_id, password };
    let users = Users { name: Some(name.clone()) };
    let made = match door.gate.admit::<engine::CreateUser>(&context.caller, users).await {
        Ok(permit) => door.identity.create_user(permit, context.user(), new).await?,
        // done before: the user is there, with the key that was given then
        Err(Denied::Repeated(outcome)) => engine::CreatedUser {
            user: look_up(door, context, User { name }).await?,
            access_key: CredentialId::from_slice(&outcome),
        },
        Err(denied) => return Err(denied.into()),
    };
    let access_key_id = made.access_key.map(|key| key.to_string());
    answer::json_with(StatusCode::CREATED, &UserCreated { user: info(made.user), access_key_id })
}

/// The id that an access key has from elsewhere.
pub(crate) fn key_id(text: &str) -> Result<CredentialId, Fault> {
    text.parse().map_err(|fault| Fault::new(Code::InvalidRequest, format!("access key id: {fault}")))
}

async fn look_up(door: &Door, context: &Context, user: User) -> Result<engine::UserSummary, Fault> {
    let permit = door.gate.admit::<engine::ReadUser>(&context.caller, user).await?;
    let held = door.identity.read_user(permit).await?;
    Ok(door.gate.release(held).await?)
}

pub(crate) async fn read(door: &Door, context: &Context) -> Answered {
    answer::json(&info(look_up(door, context, named(context)?).await?))
}

pub(crate) async fn read_self(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::ReadSelf>(&context.caller, Own::of(&context.caller)).await?;
    let held = door.identity.read_user(permit).await?;
    answer::json(&info(door.gate.release(held).await?))
}

pub(crate) async fn list(door: &Door, context: &Context) -> Answered {
    let paging = Paging::of(door, context, Endpoint::ListUsers, &context.query(&["cursor", "limit"])?)?;
    let permit = door.gate.admit::<engine::ListUsers>(&context.caller, Users { name: None }).await?;
    let held = door.identity.list_users(permit, paging.after.as_deref(), paging.limit).await?;
    let (users, more) = door.gate.release(held).await?;
    let last = users.last().filter(|_| more);
    let next = last.map(|user| cursor::seal(door, context, Endpoint::ListUsers, &user.name));
    answer::json(&UserList { users: users.into_iter().map(info).collect(), next })
}

pub(crate) async fn update(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: UpdateUserRequest = body::json(context, body)?;
    let user = match door.gate.admit::<engine::UpdateUser>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.enable_user(permit, context.user(), wanted.enabled).await?,
        Err(Denied::Repeated(_)) => look_up(door, context, named(context)?).await?,
        Err(denied) => return Err(denied.into()),
    };
    answer::json(&info(user))
}

pub(crate) async fn remove(door: &Door, context: &Context) -> Answered {
    match door.gate.admit::<engine::RemoveUser>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.remove_user(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}
