//! The server: its lock, its keys, its commands.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::{Answered, Reply};
use crate::table::{Command, Needs};
use serde_json::Value;
use strongroom_gate::{Denied, NetworkAsk, Server, Stores};
use strongroom_model::Credential;
use strongroom_operator as engine;
use strongroom_secret::SecretBytes;
use strongroom_secrets::{ListStores, list_types};

/// Of unlock keys, if nobody says how many.
const DEFAULT_KEYS: u8 = 5;

pub(crate) async fn status(asked: &Asked<'_>) -> Answered {
    let status = asked.door.operator.status(asked.caller.origin).await?;
    Ok(Reply::done().with("initialized", status.initialised).with("locked", !status.unlocked))
}

/// Who may is decided as everywhere: the server's own user on the local socket, or whoever has the one-time token of
/// the installation, which here is a field.
pub(crate) async fn initialize(asked: &Asked<'_>) -> Answered {
    let mut caller = asked.caller.clone();
    let token = asked.optional_text("install_token")?;
    if token.is_some_and(|token| (asked.door.is_install_token)(&token)) {
        caller.credential = Credential::Installation;
    }
    let (num_keys, public_key) = (count(asked)?.unwrap_or(DEFAULT_KEYS), asked.text("root_public_key")?);
    let threshold = asked.number("threshold")?.map_or(Ok(1), |number| small(number, "threshold"))?;
    let permit = match asked.door.gate.admit::<engine::Initialise>(&caller, Server).await {
        // there is no token yet whose rights could be told of
        Err(Denied::Refused { .. }) => return Err(Fault::no_installer()),
        admitted => admitted?,
    };
    let made = asked.door.operator.initialise(permit, num_keys, threshold, &public_key).await?;
    let reply = Reply::saying("New RootKey Generated")
        .message("New AuthDB Generated")
        .message("New Root User Created")
        .message("");
    let key = crate::asked::bare_id(&made.access_key);
    Ok(reply.with_keys("keys", &made.keys.keys).with("root_access_key_id", key))
}

/// How many unlock keys are asked for: a number, or the text of one.
fn count(asked: &Asked<'_>) -> Result<Option<u8>, Fault> {
    asked.number("num_keys")?.map(|number| small(number, "num_keys")).transpose()
}

fn small(number: i64, field: &str) -> Result<u8, Fault> {
    u8::try_from(number).map_err(|_| Fault::value(&format!("{field} is not a number from 1 to 255")))
}

/// One unlock key a call. Where several are needed each but the last is a success that says how many are missing.
pub(crate) async fn unlock(asked: &Asked<'_>) -> Answered {
    let key = SecretBytes::new(asked.text("unlock_key")?.into_bytes());
    let permit = asked.door.gate.admit::<engine::Unlock>(&asked.caller, Server).await?;
    let progress = asked.door.operator.unlock(permit, asked.caller.origin, &key).await?;
    if progress.done {
        return Ok(Reply::done());
    }
    let missing = progress.need.saturating_sub(progress.have);
    Ok(Reply::saying(format!("Still locked: {missing} more of {} unlock keys needed", progress.need)))
}

pub(crate) async fn lock(asked: &Asked<'_>) -> Answered {
    let permit = asked.door.gate.admit::<engine::Lock>(&asked.caller, Server).await?;
    asked.door.operator.lock(permit).await?;
    Ok(Reply::done())
}

pub(crate) async fn rotate_root_keys(asked: &Asked<'_>) -> Answered {
    let num_keys = count(asked)?;
    let keys = asked.texts("unlock_keys")?.unwrap_or_default();
    let keys: Vec<SecretBytes> = keys.into_iter().map(|key| SecretBytes::new(key.into_bytes())).collect();
    let permit = asked.door.gate.admit::<engine::RotateRootAndLock>(&asked.caller, Server).await?;
    let made = asked.door.operator.rotate_root_and_lock(permit, &keys, num_keys).await?;
    Ok(Reply::saying("KeyDB Keys Rotated").with_keys("keys", &made.keys))
}

/// What the caller may call: without a token what needs none, with one what the network's rules let pass.
pub(crate) fn command_list(asked: &Asked<'_>) -> Reply {
    let origin = asked.caller.origin;
    let passes = |command: &&Command| {
        let decision = asked.door.gate.network_decision(origin, NetworkAsk::Command(command.name()));
        decision.is_none_or(|decision| decision.allowed)
    };
    let known = asked.caller.principal.is_some();
    let commands = Command::ALL.iter().filter(|command| known || command.needs() != Needs::Token);
    let names: Value = commands.filter(passes).map(|command| command.name()).collect();
    Reply::done().with("commands", names)
}

/// There are no hooks: the list is empty. It is asked for as the types of store are, by who may and with an entry.
pub(crate) async fn list_hook_types(asked: &Asked<'_>) -> Answered {
    let permit = asked.door.gate.admit::<ListStores>(&asked.caller, Stores { name: None }).await?;
    asked.door.gate.release(list_types(permit)).await?;
    Ok(Reply::done().with("hook_types", Value::Array(Vec::new())))
}
