//! Groups of collectors, and who may search them.

use crate::asked::Asked;
use crate::{Answered, Door, answer};
use strongroom_attributes::{ChangeGroup, CreateGroup, DeleteGroup, ListGroups, Sharing, named};
use strongroom_sharing::authority as wire;

pub(crate) async fn create(door: &Door, asked: &Asked) -> Answered {
    let group: wire::Group = asked.object()?;
    let permit = door.gate.admit::<CreateGroup>(&asked.caller, named(&group.name)?).await?;
    door.attributes.create_group(permit, group).await?;
    answer::made("created")
}

pub(crate) async fn change(door: &Door, asked: &Asked) -> Answered {
    let group: wire::Group = asked.object()?;
    let permit = door.gate.admit::<ChangeGroup>(&asked.caller, named(&group.name)?).await?;
    door.attributes.change_group(permit, group).await?;
    answer::done("changed")
}

pub(crate) async fn delete(door: &Door, asked: &Asked) -> Answered {
    let group: wire::NamedGroup = asked.object()?;
    let permit = door.gate.admit::<DeleteGroup>(&asked.caller, named(&group.name)?).await?;
    door.attributes.delete_group(permit).await?;
    answer::done("deleted")
}

pub(crate) async fn list(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ListGroups>(&asked.caller, Sharing::whole()).await?;
    answer::json(&door.attributes.groups(permit).await?)
}
