//! Keysets, jobs, rotations, unlock keys.

use crate::Door;
use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::operator::secrets;
use crate::request::Context;
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use strongroom_api::{
    Code, CreateKeysetRequest, JobInfo, JobList, JobStatus, JobsBegun, KeysetCreated, UnlockKeyList,
    UnlockKeySetInfo, UnlockKeysRequest,
};
use strongroom_gate::{Denied, Job, JobState, Jobs, Keyset, Keysets, Server};
use strongroom_model::{JobId, KeysetId, Name};
use strongroom_operator as engine;

type Answered = Result<Response<Body>, Fault>;

fn keyset_name(text: &str) -> Result<Name, Fault> {
    Name::new(text).map_err(|fault| Fault::new(Code::InvalidName, format!("keyset name: {fault}")))
}

/// The job that the path names. What is no id names no job.
fn job_id(context: &Context) -> Result<JobId, Fault> {
    context.param(0).parse().map_err(|_| Code::NotFound.into())
}

fn asked(context: &Context) -> engine::Asked {
    engine::Asked { by: context.user(), request: context.caller.request }
}

pub(crate) async fn create(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: CreateKeysetRequest = body::json(context, body)?;
    let name = keyset_name(&wanted.name)?;
    let resource = Keysets { name: name.clone() };
    let id = match door.gate.admit::<engine::CreateKeyset>(&context.caller, resource).await {
        Ok(permit) => door.operator.create_keyset(permit).await?,
        Err(Denied::Repeated(outcome)) => KeysetId::from_slice(&outcome).unwrap_or_default(),
        Err(denied) => return Err(denied.into()),
    };
    let made = KeysetCreated { id: id.to_string(), name: name.to_string() };
    answer::json_with(StatusCode::CREATED, &made)
}

pub(crate) async fn remove(door: &Door, context: &Context) -> Answered {
    let resource = Keyset { name: keyset_name(context.param(0))? };
    match door.gate.admit::<engine::RemoveKeyset>(&context.caller, resource).await {
        Ok(permit) => door.operator.remove_keyset(permit).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn rotate(door: &Door, context: &Context) -> Answered {
    let resource = Keyset { name: keyset_name(context.param(0))? };
    let (id, record) = match door.gate.admit::<engine::RotateKeyset>(&context.caller, resource).await {
        Ok(permit) => door.operator.rotate_keyset(permit, asked(context)).await?,
        Err(Denied::Repeated(outcome)) => {
            return show_one(door, context, JobId::from_slice(&outcome).unwrap_or_default()).await;
        }
        Err(denied) => return Err(denied.into()),
    };
    answer::json(&info(door, engine::JobSummary { id, record, waits_for: None }).await?)
}

pub(crate) async fn rotate_kek(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: UnlockKeysRequest = body::json(context, body)?;
    match door.gate.admit::<engine::RotateKek>(&context.caller, Server).await {
        Ok(permit) => door.operator.rotate_kek(permit, &secrets(wanted.unlock_keys)).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn rotate_all(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: UnlockKeysRequest = body::json(context, body)?;
    let jobs = match door.gate.admit::<engine::RotateAll>(&context.caller, Server).await {
        Ok(permit) => door.operator.rotate_all(permit, &secrets(wanted.unlock_keys), asked(context)).await?,
        Err(Denied::Repeated(outcome)) => outcome.chunks_exact(16).filter_map(JobId::from_slice).collect(),
        Err(denied) => return Err(denied.into()),
    };
    answer::json(&JobsBegun { jobs: jobs.iter().map(ToString::to_string).collect() })
}

async fn info(door: &Door, job: engine::JobSummary) -> Result<JobInfo, Fault> {
    let engine::JobSummary { id, record, waits_for } = job;
    Ok(JobInfo {
        id: id.to_string(),
        status: match record.state {
            JobState::Running => JobStatus::Running,
            JobState::Done => JobStatus::Done,
            JobState::Cancelled => JobStatus::Cancelled,
            JobState::Failed => JobStatus::Failed,
        },
        by: door.identity.user_name(record.by).await?.to_string(),
        request: record.request.to_string(),
        started: answer::time(record.started),
        updated: answer::time(record.updated),
        keyset: record.name,
        term: record.term,
        pass: record.pass,
        seen: record.seen,
        total: record.total,
        rewritten: record.rewritten,
        damaged: record.damaged,
        waits_for,
        note: record.note,
    })
}

pub(crate) async fn jobs(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::ListJobs>(&context.caller, Jobs).await?;
    let held = door.operator.list_jobs(permit).await?;
    let found = door.gate.release(held).await?;
    let mut jobs = Vec::with_capacity(found.jobs.len());
    for job in found.jobs {
        jobs.push(info(door, job).await?);
    }
    answer::json(&JobList { jobs, damaged: found.damaged.iter().map(ToString::to_string).collect() })
}

pub(crate) async fn job(door: &Door, context: &Context) -> Answered {
    show_one(door, context, job_id(context)?).await
}

async fn show_one(door: &Door, context: &Context, id: JobId) -> Answered {
    let permit = door.gate.admit::<engine::ShowJob>(&context.caller, Job::new(id)).await?;
    let job = door.gate.release(door.operator.show_job(permit).await?).await?;
    answer::json(&info(door, job).await?)
}

pub(crate) async fn cancel_job(door: &Door, context: &Context) -> Answered {
    let resource = Job::new(job_id(context)?);
    match door.gate.admit::<engine::CancelJob>(&context.caller, resource).await {
        Ok(permit) => door.operator.cancel_job(permit).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn unlock_keys(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::ListUnlockKeys>(&context.caller, Server).await?;
    let held = door.operator.list_unlock_keys(permit).await?;
    let sets = door.gate.release(held).await?.into_iter().map(|set| UnlockKeySetInfo {
        set_id: set.set_id,
        current: set.current,
        threshold: set.threshold,
        root_generation: set.root_generation,
        made: set.made.map(answer::time),
        keys: set.indices,
    });
    answer::json(&UnlockKeyList { sets: sets.collect() })
}

pub(crate) async fn revoke_unlock_key(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let index = context.param(0).parse().map_err(|_| Fault::from(Code::NotFound))?;
    let wanted: UnlockKeysRequest = body::json(context, body)?;
    match door.gate.admit::<engine::RevokeUnlockKey>(&context.caller, Server).await {
        Ok(permit) => {
            door.operator.revoke_unlock_key(permit, index, &secrets(wanted.unlock_keys)).await?;
        }
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}
