//! ACLs.

use super::Session;
use crate::args::{AclCommand, AttachArgs, RuleArgs};
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{AclCovers, AclInfo, AclMode, AclRule, CreateAclRequest, Endpoint, UpdateAclRequest};

/// One function a command.
pub(super) async fn run(session: &Session, command: AclCommand) -> Result<(), CliError> {
    match command {
        AclCommand::Create { acl, rule: args } => {
            let body = CreateAclRequest { name: acl, rule: rule(args) };
            let Some(answer) = session.shown(Ask::of(Endpoint::CreateAcl).json(&body)).await? else {
                return Ok(());
            };
            let made: AclInfo = answer.read()?;
            output::line(&format!("Created ACL {}, revision {}.", made.name, made.revision))
        }
        AclCommand::List => list(session).await,
        AclCommand::Show { acl } => show(session, &acl).await,
        AclCommand::Update { acl, rule: args, revision } => {
            let body = UpdateAclRequest { rule: rule(args), revision };
            let ask = Ask::of(Endpoint::UpdateAcl).name("acl", &acl).json(&body);
            let Some(answer) = session.shown(ask).await? else { return Ok(()) };
            let changed: AclInfo = answer.read()?;
            output::line(&format!("ACL {} is at revision {}.", changed.name, changed.revision))
        }
        AclCommand::Remove { acl, force } => {
            let ask = Ask::of(Endpoint::RemoveAcl).name("acl", &acl);
            let ask = ask.maybe("force", force.then_some("true"));
            session.done(ask, &format!("Removed ACL {acl}.")).await
        }
        AclCommand::Attach(args) => {
            let (ask, whom) = about(&args, Endpoint::AttachToUser, Endpoint::AttachToGroup);
            session.done(ask, &format!("Attached ACL {} to {whom}.", args.acl)).await
        }
        AclCommand::Detach(args) => {
            let (ask, whom) = about(&args, Endpoint::DetachFromUser, Endpoint::DetachFromGroup);
            session.done(ask, &format!("Detached ACL {} from {whom}.", args.acl)).await
        }
    }
}

fn rule(args: RuleArgs) -> AclRule {
    let covers = match (args.everything, args.command.is_empty()) {
        (true, _) => AclCovers::Everything,
        (false, false) => AclCovers::Commands,
        (false, true) => AclCovers::Stores,
    };
    AclRule {
        mode: if args.deny { AclMode::Deny } else { AclMode::Allow },
        access: args.access,
        covers,
        commands: args.command,
        stores: args.store,
        secrets: args.secret,
    }
}

fn about(args: &AttachArgs, user: Endpoint, group: Endpoint) -> (Ask, String) {
    // the parser lets no command line without one of them pass
    let (ask, whom) = match (&args.user, &args.group) {
        (Some(name), _) => (Ask::of(user).name("user", name), format!("user {name}")),
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            (Ask::of(group).name("group", name), format!("group {name}"))
        }
    };
    (ask.name("acl", &args.acl), whom)
}

fn words(rule: &AclRule) -> (String, String) {
    let mode = match rule.mode {
        AclMode::Allow => "allow",
        AclMode::Deny => "deny",
    };
    let covers = match rule.covers {
        AclCovers::Everything => "everything".to_owned(),
        AclCovers::Commands => format!("commands {}", rule.commands.join(", ")),
        AclCovers::Stores => {
            format!("stores {}; secrets {}", rule.stores.join(", "), rule.secrets.join(", "))
        }
    };
    (mode.to_owned(), covers)
}

async fn list(session: &Session) -> Result<(), CliError> {
    let ask = || Ask::of(Endpoint::ListAcls);
    let Some(acls) = session.listed::<AclInfo>("acls", ask).await? else { return Ok(()) };
    let rows = acls.into_iter().map(|acl| {
        let (mode, covers) = words(&acl.rule);
        vec![acl.name, mode, acl.rule.access, covers, acl.revision.to_string()]
    });
    session.out.table(&["NAME", "MODE", "ACCESS", "COVERS", "REVISION"], rows)
}

async fn show(session: &Session, name: &str) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ReadAcl).name("acl", name);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let acl: AclInfo = answer.read()?;
    let (mode, covers) = words(&acl.rule);
    session.out.pairs(&[
        ("name", acl.name),
        ("id", acl.id),
        ("mode", mode),
        ("access", acl.rule.access),
        ("covers", covers),
        ("revision", acl.revision.to_string()),
        ("created", acl.created),
        ("updated", acl.updated),
        ("users", acl.users.unwrap_or_default().join(", ")),
        ("groups", acl.groups.unwrap_or_default().join(", ")),
    ])
}
