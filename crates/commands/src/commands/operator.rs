//! The lock, and what an operator does about it.

use super::keys::{Source, key_text};
use super::{Session, yes_no};
use crate::args::KeyFileArgs;
use crate::client::{Ask, Client, ClientError};
use crate::error::CliError;
use crate::output;
use strongroom_api::{
    AutoUnlockAdded, Endpoint, LockState, StatusReport, UnlockKeysRequest, UnlockProgress, UnlockRequest,
};

/// How many refused keys in a row a person may present.
const MAX_REFUSED: u8 = 5;

pub(super) async fn status(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::Status)).await? else { return Ok(()) };
    let report: StatusReport = answer.read()?;
    session.out.pairs(&status_pairs(session, &report))?;
    for warning in &report.warnings {
        session.out.warn(warning);
    }
    Ok(())
}

fn status_pairs<'a>(session: &Session, report: &StatusReport) -> Vec<(&'a str, String)> {
    let mut pairs = vec![
        ("server", session.target.address.to_string()),
        ("version", report.version.clone()),
        ("state", state_word(report.state).to_owned()),
    ];
    if report.state != LockState::Uninitialised {
        pairs.push(("confirmed", yes_no(report.confirmed)));
        pairs.push(("unlock keys", format!("{} of {}", report.threshold, report.num_keys)));
    }
    if let Some(set) = &report.set_id {
        pairs.push(("key set", set.clone()));
    }
    if report.progress > 0 {
        pairs.push(("presented", format!("{} of {}", report.progress, report.threshold)));
    }
    if report.rotation_pending {
        pairs.push(("root rotation", "waits for confirmation".to_owned()));
    }
    pairs.push(("auto-unlock", auto_unlock(report)));
    if report.state != LockState::Uninitialised {
        pairs.push(("last backup", report.last_backup.clone().unwrap_or_else(|| "never".to_owned())));
    }
    pairs.push(("disk space", report.space.clone()));
    pairs
}

fn auto_unlock(report: &StatusReport) -> String {
    match (report.auto_unlock.is_empty(), report.auto_unlock_held) {
        (true, _) => "none".to_owned(),
        (false, false) => report.auto_unlock.join(", "),
        (false, true) => format!("{} (held off until a manual unlock)", report.auto_unlock.join(", ")),
    }
}

fn state_word(state: LockState) -> &'static str {
    match state {
        LockState::Uninitialised => "uninitialised",
        LockState::Locked => "locked",
        LockState::Unlocked => "unlocked",
    }
}

/// The server's state, for a command's own use.
pub(super) async fn report(client: &Client) -> Result<StatusReport, CliError> {
    Ok(client.ask(Ask::of(Endpoint::Status)).await?.read()?)
}

pub(super) async fn unlock(session: &Session, args: &KeyFileArgs) -> Result<(), CliError> {
    let mut source = Source::open(args)?;
    // over all questions: a key typed while the server still judges the one before is not shown either
    let quiet = source.hush()?;
    present(session, &mut source).await?;
    drop(quiet);
    session.out.done("Unlocked.")
}

/// Presents keys one by one until the server has enough. A person may try again after a refused one.
pub(super) async fn present(session: &Session, source: &mut Source) -> Result<(), CliError> {
    let mut progress = UnlockProgress { done: false, have: 0, need: 0 };
    let mut refused = 0;
    while !progress.done {
        let Some(key) = source.next("Unlock key: ")? else {
            return Err(CliError::TooFewKeys { have: progress.have, need: progress.need });
        };
        let mut body = UnlockRequest { unlock_key: key_text(&key) };
        let answer = session.client.ask(Ask::of(Endpoint::Unlock).json(&body)).await;
        strongroom_secret::wipe(&mut body.unlock_key);
        match answer {
            Ok(answer) => {
                progress = answer.read()?;
                tell(session, &answer, progress)?;
            }
            Err(error) if is_bad_key(&error) && source.is_person() => {
                refused += 1;
                if refused == MAX_REFUSED {
                    return Err(CliError::GivenUp(refused));
                }
                session.out.warn(&error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn tell(session: &Session, answer: &crate::client::Answer, progress: UnlockProgress) -> Result<(), CliError> {
    if session.out.json() {
        return answer.expose(output::raw_json);
    }
    if !progress.done {
        output::note(&format!("{} of {} unlock keys accepted.", progress.have, progress.need));
    }
    Ok(())
}

fn is_bad_key(error: &ClientError) -> bool {
    matches!(
        error.code(),
        Some(
            "wrong_unlock_key"
                | "repeated_unlock_key"
                | "foreign_unlock_key"
                | "invalid_key"
                | "invalid_request"
        )
    )
}

pub(super) async fn lock(session: &Session) -> Result<(), CliError> {
    session.done(Ask::of(Endpoint::Lock), "Locked.").await?;
    // an operator's lock ends every token
    Ok(session.state.forget_token(&session.target.token_name())?)
}

pub(super) async fn add_auto_unlock(session: &Session, args: &KeyFileArgs) -> Result<(), CliError> {
    let mut source = Source::open(args)?;
    let need = report(&session.client).await?.threshold;
    let mut keys = source.threshold(need, "Unlock key")?;
    let mut body = UnlockKeysRequest { unlock_keys: std::mem::take(&mut keys.0) };
    let ask = Ask::of(Endpoint::AddAutoUnlock).json(&body);
    strongroom_secret::wipe(&mut body.unlock_keys);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let added: AutoUnlockAdded = answer.read()?;
    output::line(&format!("Auto-unlock added: {} at {}", added.provider, added.place))
}

pub(super) async fn remove_auto_unlock(session: &Session) -> Result<(), CliError> {
    session.done(Ask::of(Endpoint::RemoveAutoUnlock), "Auto-unlock removed.").await
}

pub(super) async fn accept_clock(session: &Session) -> Result<(), CliError> {
    session.done(Ask::of(Endpoint::AcceptClock), "The server's clock is accepted.").await
}
