//! Groups.

use crate::cursor::{self, Paging};
use crate::fault::Fault;
use crate::request::Context;
use crate::{Door, answer, body};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use strongroom_api::{Code, CreateGroupRequest, Endpoint, GroupInfo, GroupList};
use strongroom_gate::{Denied, Group, Groups, Membership};
use strongroom_identity as engine;
use strongroom_model::Name;

type Answered = Result<Response<Body>, Fault>;

fn info(group: engine::GroupSummary) -> GroupInfo {
    GroupInfo {
        id: group.id.to_string(),
        name: group.name,
        created: answer::time(group.created),
        size: u32::try_from(group.size).unwrap_or(u32::MAX),
        members: Some(group.members),
        acls: group.acls,
    }
}

fn named(context: &Context) -> Result<Group, Fault> {
    Ok(Group { name: context.name(0, "group")? })
}

pub(crate) async fn create(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: CreateGroupRequest = body::json(context, body)?;
    let name = Name::new(&wanted.name)
        .map_err(|fault| Fault::new(Code::InvalidName, format!("group name: {fault}")))?;
    let groups = Groups { name: Some(name.clone()) };
    let group = match door.gate.admit::<engine::CreateGroup>(&context.caller, groups).await {
        Ok(permit) => door.identity.create_group(permit).await?,
        Err(Denied::Repeated(_)) => look_up(door, context, Group { name }).await?,
        Err(denied) => return Err(denied.into()),
    };
    answer::json_with(StatusCode::CREATED, &info(group))
}

async fn look_up(door: &Door, context: &Context, group: Group) -> Result<engine::GroupSummary, Fault> {
    let permit = door.gate.admit::<engine::ReadGroup>(&context.caller, group).await?;
    let held = door.identity.read_group(permit).await?;
    Ok(door.gate.release(held).await?)
}

pub(crate) async fn read(door: &Door, context: &Context) -> Answered {
    answer::json(&info(look_up(door, context, named(context)?).await?))
}

pub(crate) async fn list(door: &Door, context: &Context) -> Answered {
    let paging = Paging::of(door, context, Endpoint::ListGroups, &context.query(&["cursor", "limit"])?)?;
    let permit = door.gate.admit::<engine::ListGroups>(&context.caller, Groups { name: None }).await?;
    let held = door.identity.list_groups(permit, paging.after.as_deref(), paging.limit).await?;
    let (groups, more) = door.gate.release(held).await?;
    let last = groups.last().filter(|_| more);
    let next = last.map(|group| cursor::seal(door, context, Endpoint::ListGroups, &group.name));
    let groups = groups.into_iter().map(|group| GroupInfo { members: None, ..info(group) });
    answer::json(&GroupList { groups: groups.collect(), next })
}

pub(crate) async fn remove(door: &Door, context: &Context) -> Answered {
    match door.gate.admit::<engine::RemoveGroup>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.remove_group(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn set_member(door: &Door, context: &Context, member: bool) -> Answered {
    let membership = Membership { group: context.name(0, "group")?, user: context.name(1, "user")? };
    match door.gate.admit::<engine::UpdateGroup>(&context.caller, membership).await {
        Ok(permit) => door.identity.set_member(permit, context.user(), member).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}
