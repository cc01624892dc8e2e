//! Groups and who is in them.

use super::page::Paging;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::{Answered, Reply};
use serde_json::json;
use strongroom_gate::{Group, Groups, Membership};
use strongroom_identity::{self as engine, IdentityError};

pub(crate) async fn list_groups(asked: &Asked<'_>) -> Answered {
    let page = Paging::of(asked)?;
    let permit = asked.door.gate.admit::<engine::ListGroups>(&asked.caller, Groups { name: None }).await?;
    let held = asked.door.identity.list_groups(permit, page.after.as_deref(), page.reach()).await?;
    let (groups, more) = asked.door.gate.release(held).await?;
    Ok(page.reply("groups", groups.into_iter().map(|group| group.name), more))
}

pub(crate) async fn create_group(asked: &Asked<'_>) -> Answered {
    let groups = Groups { name: Some(asked.name("group_name")?) };
    let permit = asked.door.gate.admit::<engine::CreateGroup>(&asked.caller, groups).await?;
    let made = asked.door.identity.create_group(permit).await?;
    Ok(Reply::done().with("group", made.name))
}

pub(crate) async fn remove_group(asked: &Asked<'_>) -> Answered {
    let group = Group { name: asked.name("group_name")? };
    let permit = asked.door.gate.admit::<engine::RemoveGroup>(&asked.caller, group).await?;
    asked.door.identity.remove_group(permit, asked.user()).await?;
    Ok(Reply::done())
}

pub(crate) async fn attach_group(asked: &Asked<'_>) -> Answered {
    set_member(asked, true).await
}

pub(crate) async fn detach_group(asked: &Asked<'_>) -> Answered {
    set_member(asked, false).await
}

async fn set_member(asked: &Asked<'_>, member: bool) -> Answered {
    let membership = Membership { group: asked.name("group_name")?, user: asked.name("user_name")? };
    let permit = asked.door.gate.admit::<engine::UpdateGroup>(&asked.caller, membership).await?;
    match asked.door.identity.set_member(permit, asked.user(), member).await {
        Ok(()) => Ok(Reply::done()),
        // both are there, and one is not in the other
        Err(IdentityError::NotFound) if !member => Err(Fault::soft()),
        Err(fault) => Err(fault.into()),
    }
}

pub(crate) async fn audit_group(asked: &Asked<'_>) -> Answered {
    let group = Group { name: asked.name("group_name")? };
    let permit = asked.door.gate.admit::<engine::ReadGroup>(&asked.caller, group).await?;
    let held = asked.door.identity.read_group(permit).await?;
    let group = asked.door.gate.release(held).await?;
    Ok(Reply::done().with(&group.name, json!({ "acls": group.acls, "users": group.members })))
}
