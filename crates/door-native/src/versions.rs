//! Versions: what is known of them, and how they are deleted, brought back and destroyed.

use crate::Door;
use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::request::Context;
use crate::secrets::{kind_name, secret};
use axum::body::Body;
use bytes::Bytes;
use http::Response;
use std::time::Duration;
use strongroom_api::{Code, ExpiringList, ExpiringSecret, SecretMetadata, VersionInfo, VersionsRequest};
use strongroom_gate::{Denied, Stores};
use strongroom_secrets as engine;

type Answered = Result<Response<Body>, Fault>;

/// Most versions in a secret's metadata.
const MAX_VERSIONS: usize = 1_000;
/// Most secrets in a report of what expires.
const MAX_EXPIRING: usize = 10_000;
const USUAL_WITHIN_SECS: u64 = 30 * 86_400;

pub(crate) async fn remove(door: &Door, context: &Context) -> Answered {
    match door.gate.admit::<engine::RemoveSecret>(&context.caller, secret(context)?).await {
        Ok(permit) => engine::remove(permit).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn delete(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: VersionsRequest = body::json(context, body)?;
    match door.gate.admit::<engine::DeleteSecret>(&context.caller, secret(context)?).await {
        Ok(permit) => engine::delete(permit, context.user(), door.gate.now(), &wanted.versions).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn undelete(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: VersionsRequest = body::json(context, body)?;
    match door.gate.admit::<engine::UndeleteSecret>(&context.caller, secret(context)?).await {
        Ok(permit) => engine::undelete(permit, &wanted.versions).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn destroy(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: VersionsRequest = body::json(context, body)?;
    match door.gate.admit::<engine::DestroySecret>(&context.caller, secret(context)?).await {
        Ok(permit) => engine::destroy(permit, context.user(), door.gate.now(), &wanted.versions).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn metadata(door: &Door, context: &Context) -> Answered {
    let resource = secret(context)?;
    let path = resource.path.to_string();
    let permit = door.gate.admit::<engine::ReadMetadata>(&context.caller, resource).await?;
    let held = engine::metadata(permit, MAX_VERSIONS).await?;
    let found = door.gate.release(held).await?.ok_or(Code::NotFound)?;
    let newest = found.versions.first();
    let (version, updated) = newest.map_or((0, found.created), |newest| (newest.version, newest.created));
    let mut versions = Vec::with_capacity(found.versions.len());
    for version in found.versions {
        versions.push(version_info(door, version).await?);
    }
    answer::json(&SecretMetadata {
        path,
        store_type: found.store_type.name().to_owned(),
        version,
        oldest: found.oldest,
        created: answer::time(found.created),
        creator: door.identity.user_name(found.creator).await?.to_string(),
        updated: answer::time(updated),
        versions,
    })
}

async fn version_info(door: &Door, version: engine::VersionSummary) -> Result<VersionInfo, Fault> {
    let (state, ended) = match version.state {
        engine::State::Live => ("live", None),
        engine::State::Deleted { at, by } => ("deleted", Some((at, by))),
        engine::State::Destroyed { at, by } => ("destroyed", Some((at, by))),
    };
    let ended_by = match ended {
        Some((_, by)) => Some(door.identity.user_name(by).await?.to_string()),
        None => None,
    };
    Ok(VersionInfo {
        version: version.version,
        created: answer::time(version.created),
        creator: door.identity.user_name(version.creator).await?.to_string(),
        size: u64::try_from(version.size).unwrap_or(u64::MAX),
        kind: kind_name(version.kind).to_owned(),
        state: state.to_owned(),
        ended: ended.map(|(at, _)| answer::time(at)),
        ended_by,
        facts: answer::facts(&version.facts),
    })
}

pub(crate) async fn expiring(door: &Door, context: &Context) -> Answered {
    let within = context.query(&["within_secs"])?.number("within_secs")?.unwrap_or(USUAL_WITHIN_SECS);
    let permit = door.gate.admit::<engine::ListExpiring>(&context.caller, Stores { name: None }).await?;
    let (now, within) = (door.gate.now(), Duration::from_secs(within));
    let held = engine::expiring(permit, now, within, MAX_EXPIRING).await?;
    let secrets = door.gate.release(held).await?.into_iter().map(|found| ExpiringSecret {
        store: found.store,
        path: found.path,
        version: found.version,
        expires: answer::time(found.expires),
        expired: found.expires <= now,
        facts: answer::facts(&found.facts),
    });
    answer::json(&ExpiringList { secrets: secrets.collect() })
}
