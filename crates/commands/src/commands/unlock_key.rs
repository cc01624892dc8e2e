//! Unlock keys as the server knows them.

use super::Session;
use super::keys::Source;
use crate::args::UnlockKeyCommand;
use crate::client::Ask;
use crate::error::CliError;
use strongroom_api::{Endpoint, UnlockKeyList, UnlockKeysRequest};

/// One function a command.
pub(super) async fn run(session: &Session, command: UnlockKeyCommand) -> Result<(), CliError> {
    match command {
        UnlockKeyCommand::List => list(session).await,
        UnlockKeyCommand::Revoke { number, keys } => {
            let mut source = Source::open(&keys)?;
            revoke(session, number, &mut source).await
        }
    }
}

async fn list(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListUnlockKeys)).await? else { return Ok(()) };
    let list: UnlockKeyList = answer.read()?;
    let rows = list.sets.into_iter().flat_map(|set| {
        let state = if set.current { "current" } else { "waits for confirmation" };
        let together = format!("{} of {}", set.threshold, set.keys.len());
        let made = set.made.unwrap_or_else(|| "-".to_owned());
        let keys = set.keys.into_iter();
        keys.map(move |number| {
            vec![number.to_string(), set.set_id.clone(), made.clone(), together.clone(), state.to_owned()]
        })
        .collect::<Vec<_>>()
    });
    session.out.table(&["NUMBER", "SET", "MADE", "UNLOCK", "STATE"], rows)
}

async fn revoke(session: &Session, number: u8, source: &mut Source) -> Result<(), CliError> {
    let mut keys = source.threshold(1, "An unlock key that stays")?;
    let mut body = UnlockKeysRequest { unlock_keys: std::mem::take(&mut keys.0) };
    let ask = Ask::of(Endpoint::RevokeUnlockKey).name("index", &number.to_string()).json(&body);
    strongroom_secret::wipe(&mut body.unlock_keys);
    session.done(ask, &format!("Unlock key {number} opens nothing any more.")).await
}
