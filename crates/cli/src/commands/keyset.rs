//! The keysets that seal stores.

use super::Session;
use crate::args::KeysetCommand;
use crate::client::Ask;
use crate::error::CliError;
use strongroom_api::{Endpoint, KeysetList};

/// One function a command.
pub(super) async fn run(session: &Session, command: KeysetCommand) -> Result<(), CliError> {
    match command {
        KeysetCommand::List => list(session).await,
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
