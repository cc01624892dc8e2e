//! ACLs.

use crate::cursor::{self, Paging};
use crate::fault::Fault;
use crate::request::Context;
use crate::{Door, answer, body};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use strongroom_api::{
    AclCovers, AclInfo, AclList, AclMode, AclRule, Code, CreateAclRequest, Endpoint, UpdateAclRequest,
};
use strongroom_gate::{AclNamed, Acls, Attachment, Covers, Denied, HolderNamed, Mode, Pattern};
use strongroom_identity::{self as engine, CoversKind};
use strongroom_model::{Access, Name};

type Answered = Result<Response<Body>, Fault>;

/// The rule as the engine takes it.
fn rule(wanted: AclRule) -> Result<engine::RuleText, Fault> {
    let access = Access::from_letters(&wanted.access).ok_or_else(|| {
        Fault::new(Code::InvalidAcl, "access is some of the letters r, w, m, d, each at most once")
    })?;
    let lists = [
        ("commands", &wanted.commands, AclCovers::Commands),
        ("stores", &wanted.stores, AclCovers::Stores),
        ("secrets", &wanted.secrets, AclCovers::Stores),
    ];
    for (name, list, of) in lists {
        if !list.is_empty() && wanted.covers != of {
            let text = format!("{name} are given, which an ACL of this kind does not cover");
            return Err(Fault::new(Code::InvalidAcl, text));
        }
    }
    let secrets = if wanted.secrets.is_empty() { vec![".*".to_owned()] } else { wanted.secrets };
    Ok(engine::RuleText {
        mode: match wanted.mode {
            AclMode::Allow => Mode::Allow,
            AclMode::Deny => Mode::Deny,
        },
        access,
        commands: wanted.commands,
        stores: wanted.stores,
        secrets,
        covers: match wanted.covers {
            AclCovers::Everything => CoversKind::Everything,
            AclCovers::Commands => CoversKind::Commands,
            AclCovers::Stores => CoversKind::Stores,
        },
    })
}

fn texts(patterns: &[Pattern]) -> Vec<String> {
    patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect()
}

fn info(summary: engine::AclSummary) -> AclInfo {
    let acl = &summary.acl;
    let empty = Vec::new;
    let (covers, commands, stores, secrets) = match acl.covers() {
        Covers::Everything => (AclCovers::Everything, empty(), empty(), empty()),
        Covers::Commands(commands) => (AclCovers::Commands, texts(commands), empty(), empty()),
        Covers::Stores { stores, secrets } => (AclCovers::Stores, empty(), texts(stores), texts(secrets)),
    };
    let mode = match acl.mode() {
        Mode::Allow => AclMode::Allow,
        Mode::Deny => AclMode::Deny,
    };
    AclInfo {
        id: summary.id.to_string(),
        name: acl.name().to_string(),
        rule: AclRule { mode, access: acl.access().to_string(), covers, commands, stores, secrets },
        revision: summary.revision,
        created: answer::time(summary.created),
        updated: answer::time(summary.updated),
        users: Some(summary.users),
        groups: Some(summary.groups),
    }
}

fn named(context: &Context) -> Result<AclNamed, Fault> {
    Ok(AclNamed { name: context.name(0, "ACL")? })
}

pub(crate) async fn create(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: CreateAclRequest = body::json(context, body)?;
    let name = Name::new(&wanted.name)
        .map_err(|fault| Fault::new(Code::InvalidName, format!("ACL name: {fault}")))?;
    let rule = rule(wanted.rule)?;
    let acls = Acls { name: Some(name.clone()) };
    let acl = match door.gate.admit::<engine::CreateAcl>(&context.caller, acls).await {
        Ok(permit) => door.identity.create_acl(permit, &rule).await?,
        Err(Denied::Repeated(_)) => look_up(door, context, AclNamed { name }).await?,
        Err(denied) => return Err(denied.into()),
    };
    answer::json_with(StatusCode::CREATED, &info(acl))
}

async fn look_up(door: &Door, context: &Context, acl: AclNamed) -> Result<engine::AclSummary, Fault> {
    let permit = door.gate.admit::<engine::ReadAcl>(&context.caller, acl).await?;
    let held = door.identity.read_acl(permit).await?;
    Ok(door.gate.release(held).await?)
}

pub(crate) async fn read(door: &Door, context: &Context) -> Answered {
    answer::json(&info(look_up(door, context, named(context)?).await?))
}

pub(crate) async fn list(door: &Door, context: &Context) -> Answered {
    let paging = Paging::of(door, context, Endpoint::ListAcls, &context.query(&["cursor", "limit"])?)?;
    let permit = door.gate.admit::<engine::ListAcls>(&context.caller, Acls { name: None }).await?;
    let held = door.identity.list_acls(permit, paging.after.as_deref(), paging.limit).await?;
    let (acls, more) = door.gate.release(held).await?;
    let last = acls.last().filter(|_| more);
    let next = last.map(|acl| cursor::seal(door, context, Endpoint::ListAcls, acl.acl.name().as_str()));
    let acls = acls.into_iter().map(|acl| AclInfo { users: None, groups: None, ..info(acl) });
    answer::json(&AclList { acls: acls.collect(), next })
}

pub(crate) async fn update(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: UpdateAclRequest = body::json(context, body)?;
    let rule = rule(wanted.rule)?;
    let acl = match door.gate.admit::<engine::UpdateAcl>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.update_acl(permit, context.user(), &rule, wanted.revision).await?,
        Err(Denied::Repeated(_)) => look_up(door, context, named(context)?).await?,
        Err(denied) => return Err(denied.into()),
    };
    answer::json(&info(acl))
}

pub(crate) async fn remove(door: &Door, context: &Context) -> Answered {
    let force = match context.query(&["force"])?.text("force") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Fault::new(Code::InvalidRequest, "query field force is true or false")),
    };
    match door.gate.admit::<engine::RemoveAcl>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.remove_acl(permit, context.user(), force).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

/// The user that the path attaches to.
pub(crate) fn user(context: &Context) -> Result<HolderNamed, Fault> {
    Ok(HolderNamed::User(context.name(0, "user")?))
}

/// The group that the path attaches to.
pub(crate) fn group(context: &Context) -> Result<HolderNamed, Fault> {
    Ok(HolderNamed::Group(context.name(0, "group")?))
}

type FindHolder = fn(&Context) -> Result<HolderNamed, Fault>;

fn attachment(context: &Context, holder: FindHolder) -> Result<Attachment, Fault> {
    Ok(Attachment { acl: context.name(1, "ACL")?, to: holder(context)? })
}

pub(crate) async fn attach(door: &Door, context: &Context, holder: FindHolder) -> Answered {
    let attachment = attachment(context, holder)?;
    match door.gate.admit::<engine::AttachAcl>(&context.caller, attachment).await {
        Ok(permit) => door.identity.attach(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn detach(door: &Door, context: &Context, holder: FindHolder) -> Answered {
    let attachment = attachment(context, holder)?;
    match door.gate.admit::<engine::DetachAcl>(&context.caller, attachment).await {
        Ok(permit) => door.identity.detach(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}
