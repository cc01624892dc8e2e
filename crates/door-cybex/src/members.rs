//! What administrators do with members.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::session::{enrolment, text};
use crate::{Answered, Door, answer};
use serde::Serialize;
use strongroom_attributes::{
    CreateUser, Delete, ListCollectors, NewMember, Rekey, Resume, SetAttributes, SetEpochs, Sharing, Suspend,
    named, registered_name,
};
use strongroom_sharing::authority as wire;

pub(crate) async fn create(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::CreateUser = asked.object()?;
    let keys = match (&wanted.wrap_key, &wanted.signing_key) {
        (Some(wrap_key), Some(signing_key)) => Some(enrolment(wrap_key, signing_key)?),
        (None, None) => None,
        _ => return Err(Fault::invalid("wrap_key and signing_key come together or not at all")),
    };
    let resource = named(&wanted.username)?;
    let mut new = NewMember::with(wanted.password.into_secret(), wanted.password2.into_secret());
    new.attributes = wanted.attributes;
    new.keys = keys;
    new.past_epochs = wanted.past_epochs;
    let permit = door.gate.admit::<CreateUser>(&asked.caller, resource).await?;
    let made = door.attributes.create_user(permit, new).await?;
    answer::created(&wire::Created {
        access_token: text(&made.token),
        attributes: made.attributes,
        username: made.username,
        id: made.id,
    })
}

/// The member that a body names.
fn about(asked: &Asked) -> Result<Sharing, Fault> {
    let wanted: wire::NamedUser = asked.object()?;
    Ok(named(&wanted.username)?)
}

pub(crate) async fn rekey(door: &Door, asked: &Asked) -> Answered {
    let permit = door.gate.admit::<Rekey>(&asked.caller, about(asked)?).await?;
    door.attributes.rekey(permit).await?;
    answer::made("created")
}

pub(crate) async fn suspend(door: &Door, asked: &Asked) -> Answered {
    let permit = door.gate.admit::<Suspend>(&asked.caller, about(asked)?).await?;
    door.attributes.suspend(permit).await?;
    answer::done("suspended")
}

pub(crate) async fn resume(door: &Door, asked: &Asked) -> Answered {
    let permit = door.gate.admit::<Resume>(&asked.caller, about(asked)?).await?;
    door.attributes.resume(permit).await?;
    answer::done("resumed")
}

pub(crate) async fn delete(door: &Door, asked: &Asked) -> Answered {
    let permit = door.gate.admit::<Delete>(&asked.caller, about(asked)?).await?;
    door.attributes.delete(permit).await?;
    answer::done("deleted")
}

#[derive(Serialize)]
struct Changed {
    username: String,
    attributes: Vec<String>,
}

pub(crate) async fn change_attributes(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::ChangeAttributes = asked.object()?;
    let username = registered_name(&wanted.username)?.to_string();
    let permit = door.gate.admit::<SetAttributes>(&asked.caller, named(&wanted.username)?).await?;
    let attributes = door.attributes.set_attributes(permit, &wanted.attributes).await?;
    answer::json(&Changed { username, attributes })
}

pub(crate) async fn change_epochs(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::ChangeEpochs = asked.object()?;
    let permit = door.gate.admit::<SetEpochs>(&asked.caller, named(&wanted.username)?).await?;
    door.attributes.set_epochs(permit, &wanted.past_epochs).await?;
    answer::done("changed")
}

pub(crate) async fn collectors(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ListCollectors>(&asked.caller, Sharing::whole()).await?;
    answer::json(&door.attributes.collectors(permit).await?)
}
