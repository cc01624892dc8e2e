//! Groups.

use super::{Session, consent};
use crate::args::GroupCommand;
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{CreateGroupRequest, Endpoint, GroupInfo};

/// One function a command.
pub(super) async fn run(session: &Session, command: GroupCommand) -> Result<(), CliError> {
    match command {
        GroupCommand::Create { group } => {
            let ask = Ask::of(Endpoint::CreateGroup).json(&CreateGroupRequest { name: group });
            let Some(answer) = session.shown(ask).await? else { return Ok(()) };
            let made: GroupInfo = answer.read()?;
            output::line(&format!("Created group {}.", made.name))
        }
        GroupCommand::List => list(session).await,
        GroupCommand::Show { group } => show(session, &group).await,
        GroupCommand::Remove { group, yes } => {
            consent(&format!("Remove group {group:?}?"), yes, "--yes")?;
            let ask = Ask::of(Endpoint::RemoveGroup).name("group", &group);
            session.done(ask, &format!("Removed group {group}.")).await
        }
        GroupCommand::Add { group, user } => {
            let ask = Ask::of(Endpoint::AddMember).name("group", &group).name("user", &user);
            session.done(ask, &format!("{user} is in group {group}.")).await
        }
        GroupCommand::Drop { group, user } => {
            let ask = Ask::of(Endpoint::RemoveMember).name("group", &group).name("user", &user);
            session.done(ask, &format!("{user} is no longer in group {group}.")).await
        }
    }
}

async fn list(session: &Session) -> Result<(), CliError> {
    let ask = || Ask::of(Endpoint::ListGroups);
    let Some(groups) = session.listed::<GroupInfo>("groups", ask).await? else { return Ok(()) };
    let rows = groups
        .into_iter()
        .map(|group| vec![group.name, group.size.to_string(), group.acls.join(", "), group.created]);
    session.out.table(&["NAME", "MEMBERS", "ACLS", "CREATED"], rows)
}

async fn show(session: &Session, name: &str) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ReadGroup).name("group", name);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let group: GroupInfo = answer.read()?;
    session.out.pairs(&[
        ("name", group.name),
        ("id", group.id),
        ("created", group.created),
        ("members", group.members.unwrap_or_default().join(", ")),
        ("acls", group.acls.join(", ")),
    ])
}
