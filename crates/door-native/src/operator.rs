//! Initialise, unlock, lock, rotate.

use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::request::Context;
use crate::{Door, health};
use axum::body::Body;
use bytes::Bytes;
use http::Response;
use strongroom_api::{
    AutoUnlockAdded, CheckReport, Code, ConfirmInitRequest, InitRequest, LockState, NewUnlockKeys,
    RotateRootRequest, StatusReport, UnlockKeysRequest, UnlockProgress, UnlockRequest,
};
use strongroom_gate::{ClockState, Server, Space};
use strongroom_operator as engine;
use strongroom_secret::SecretBytes;

type Answered = Result<Response<Body>, Fault>;

pub(crate) async fn status(door: &Door, context: &Context) -> Answered {
    let status = door.operator.status(context.caller.origin).await?;
    let state = match (status.initialised, status.unlocked) {
        (false, _) => LockState::Uninitialised,
        (true, false) => LockState::Locked,
        (true, true) => LockState::Unlocked,
    };
    answer::json(&StatusReport {
        version: door.version.to_owned(),
        state,
        confirmed: status.confirmed,
        threshold: status.threshold,
        num_keys: status.num_keys,
        warnings: warnings(&status),
        set_id: status.set_id,
        progress: status.progress,
        rotation_pending: status.rotation_pending,
        auto_unlock: status.auto_unlock,
        auto_unlock_held: status.auto_unlock_held,
        last_backup: status.last_backup.map(answer::time),
        space: health::space_name(status.space).to_owned(),
        time: answer::time(door.gate.now()),
    })
}

fn warnings(status: &engine::Status) -> Vec<String> {
    let mut warnings = Vec::new();
    if status.initialised && !status.confirmed {
        warnings
            .push("initialisation is not confirmed: keep the unlock keys, then confirm or unlock".to_owned());
    }
    if status.rotation_pending {
        warnings.push("a rotation of the root key waits for a threshold of the new unlock keys".to_owned());
    }
    for job in &status.damaged_jobs {
        warnings.push(format!("job {job} is damaged and left out: `strongroom job cancel` is rid of it"));
    }
    match status.space {
        Space::Ample => {}
        Space::Reserved => {
            warnings.push("the disk is full: only reading, deleting and operating go on".to_owned());
        }
        Space::Exhausted => warnings.push("the disk is full: nothing goes on but locking".to_owned()),
    }
    match status.clock {
        ClockState::Believed => {}
        ClockState::Ahead => {
            warnings.push("the clock jumped ahead and is not believed until accepted".to_owned());
        }
        ClockState::Behind => warnings.push("the clock is behind a time that was already used".to_owned()),
    }
    warnings
}

fn text(secret: &SecretBytes) -> String {
    secret.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn secret(text: String) -> SecretBytes {
    SecretBytes::new(text.into_bytes())
}

pub(crate) fn secrets(texts: Vec<String>) -> Vec<SecretBytes> {
    texts.into_iter().map(secret).collect()
}

fn shown(keys: &engine::NewKeys, access_key_id: Option<String>) -> NewUnlockKeys {
    NewUnlockKeys {
        set_id: keys.set_id.clone(),
        threshold: keys.threshold,
        unlock_keys: keys.keys.iter().map(text).collect(),
        access_key_id,
        warnings: engine::WARNINGS.map(str::to_owned).into(),
    }
}

pub(crate) async fn init(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: InitRequest = body::json(context, body)?;
    let permit = door.gate.admit::<engine::Initialise>(&context.caller, Server).await?;
    let made =
        door.operator.initialise(permit, wanted.num_keys, wanted.threshold, &wanted.public_key).await?;
    answer::json(&shown(&made.keys, Some(made.access_key.to_string())))
}

pub(crate) async fn confirm_init(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: ConfirmInitRequest = body::json(context, body)?;
    let permit = door.gate.admit::<engine::ConfirmInitialise>(&context.caller, Server).await?;
    door.operator.confirm_initialise(permit, &wanted.set_id).await?;
    Ok(answer::nothing())
}

pub(crate) async fn unlock(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: UnlockRequest = body::json(context, body)?;
    let permit = door.gate.admit::<engine::Unlock>(&context.caller, Server).await?;
    let key = secret(wanted.unlock_key);
    let progress = door.operator.unlock(permit, context.caller.origin, &key).await?;
    answer::json(&UnlockProgress { done: progress.done, have: progress.have, need: progress.need })
}

pub(crate) async fn lock(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::Lock>(&context.caller, Server).await?;
    door.operator.lock(permit).await?;
    Ok(answer::nothing())
}

pub(crate) async fn add_auto_unlock(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: UnlockKeysRequest = body::json(context, body)?;
    let permit = door.gate.admit::<engine::AddAutoUnlock>(&context.caller, Server).await?;
    let (provider, place) = door.operator.add_auto_unlock(permit, &secrets(wanted.unlock_keys)).await?;
    answer::json(&AutoUnlockAdded { provider, place })
}

pub(crate) async fn remove_auto_unlock(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::RemoveAutoUnlock>(&context.caller, Server).await?;
    door.operator.remove_auto_unlock(permit).await?;
    Ok(answer::nothing())
}

pub(crate) async fn rotate_root(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: RotateRootRequest = body::json(context, body)?;
    let permit = door.gate.admit::<engine::RotateRoot>(&context.caller, Server).await?;
    let keys = secrets(wanted.unlock_keys);
    let made = door.operator.rotate_root(permit, &keys, wanted.num_keys, wanted.threshold).await?;
    answer::json(&shown(&made, None))
}

pub(crate) async fn confirm_rotate_root(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: UnlockKeysRequest = body::json(context, body)?;
    let presented = u8::try_from(wanted.unlock_keys.len())
        .map_err(|_| Fault::new(Code::InvalidRequest, "more than 255 unlock keys"))?;
    let permit = door.gate.admit::<engine::ConfirmRotateRoot>(&context.caller, Server).await?;
    door.operator.confirm_rotate_root(permit, &secrets(wanted.unlock_keys)).await?;
    answer::json(&UnlockProgress { done: true, have: presented, need: presented })
}

pub(crate) async fn cancel_rotate_root(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::CancelRotateRoot>(&context.caller, Server).await?;
    door.operator.cancel_rotate_root(permit).await?;
    Ok(answer::nothing())
}

pub(crate) async fn deep_check(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::DeepCheck>(&context.caller, Server).await?;
    let report = door.gate.release(door.operator.deep_check(permit).await?).await?;
    let (ok, records) = (report.wrong.is_empty(), report.records);
    answer::json(&CheckReport { ok, records, findings: report.wrong })
}

pub(crate) async fn accept_clock(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::AcceptClock>(&context.caller, Server).await?;
    door.operator.accept_clock(permit).await?;
    Ok(answer::nothing())
}
