//! The keysets that seal stores.

use super::{Session, consent, job};
use crate::args::KeysetCommand;
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{CreateKeysetRequest, Endpoint, JobInfo, KeysetCreated, KeysetList};

/// One function a command.
pub(super) async fn run(session: &Session, command: KeysetCommand) -> Result<(), CliError> {
    match command {
        KeysetCommand::List => list(session).await,
        KeysetCommand::Create { keyset } => create(session, keyset).await,
        KeysetCommand::Rotate { keyset, wait } => rotate(session, &keyset, wait).await,
        KeysetCommand::Remove { keyset, yes } => remove(session, &keyset, yes).await,
    }
}

async fn list(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListKeysets)).await? else { return Ok(()) };
    let list: KeysetList = answer.read()?;
    let rows = list.keysets.into_iter().map(|keyset| {
        vec![
            keyset.name,
            keyset.terms.to_string(),
            keyset.write_term.to_string(),
            keyset.stores.join(", "),
            keyset.id,
        ]
    });
    session.out.table(&["NAME", "TERMS", "WRITE TERM", "STORES", "ID"], rows)
}

async fn create(session: &Session, name: String) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::CreateKeyset).json(&CreateKeysetRequest { name });
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let keyset: KeysetCreated = answer.read()?;
    output::line(&format!("Created keyset {}.", keyset.name))
}

async fn rotate(session: &Session, name: &str, wait: bool) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::RotateKeyset).name("keyset", name);
    if wait {
        let begun: JobInfo = session.client.ask(ask).await?.read()?;
        return job::wait(session, &begun.id).await;
    }
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let begun: JobInfo = answer.read()?;
    output::line(&format!("Term {} of keyset {name} seals from now on.", begun.term))?;
    output::line(&format!("Job {} seals what is stored anew.", begun.id))
}

async fn remove(session: &Session, name: &str, yes: bool) -> Result<(), CliError> {
    consent(&format!("Remove keyset {name:?} and its keys, for ever?"), yes, "--yes")?;
    let ask = Ask::of(Endpoint::RemoveKeyset).name("keyset", name);
    session.done(ask, &format!("Removed keyset {name}.")).await
}
