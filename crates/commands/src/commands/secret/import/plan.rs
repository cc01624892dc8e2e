//! What is going to be done, found out by comparing with the server.

use super::super::super::bulk::is_general;
use super::super::Session;
use super::source::{Found, Sources};
use crate::args::{ImportArgs, OnConflict};
use crate::client::{Ask, ClientError};
use crate::error::CliError;
use crate::output::Progress;
use futures_util::StreamExt as _;
use std::collections::HashSet;
use strongroom_api::Endpoint;

/// From how many secrets on the store is listed, so that what is new is not asked for one by one.
const WORTH_A_LISTING: usize = 64;

/// What is done with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// It is not there.
    Create,
    /// It is there with another value, in this version.
    Update(u64),
    /// It is there and may not be read: written whatever it is.
    Overwrite,
    /// It is there with this value.
    Unchanged,
    /// It is there with another value, which stays.
    Skip,
    /// It cannot be done.
    Refused(String),
    /// It was not come to.
    Left,
}

impl Action {
    /// Its name for people and programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update(_) | Self::Overwrite => "update",
            Self::Unchanged => "unchanged",
            Self::Skip => "skip",
            Self::Refused(_) => "refused",
            Self::Left => "left",
        }
    }
}

/// A secret and what is done with it.
pub(super) struct Row {
    pub(super) found: Found,
    pub(super) action: Action,
}

/// All of it.
pub(super) struct Plan {
    pub(super) rows: Vec<Row>,
    pub(super) left_out: Vec<(String, &'static str)>,
}

impl Plan {
    /// How many cannot be done.
    pub(super) fn refused(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.action, Action::Refused(_))).count()
    }
}

/// Compares each secret with what the server has.
pub(super) async fn compare(
    session: &Session,
    args: &ImportArgs,
    sources: Sources,
) -> Result<Plan, CliError> {
    let known = known(session, args, sources.found.len()).await?;
    let progress = Progress::towards(sources.found.len(), "secrets compared");
    let judge = async |found: Found| {
        let new = known.as_ref().is_some_and(|known| !known.contains(&found.path));
        let action = if new { Ok(Action::Create) } else { judged(session, args, &found).await };
        progress.add(1);
        action.map(|action| Row { found, action })
    };
    let found = futures_util::stream::iter(sources.found);
    let mut judged = found.map(judge).buffered(usize::from(args.parallel));
    let mut rows = Vec::new();
    while let Some(row) = judged.next().await {
        rows.push(row?);
    }
    Ok(Plan { rows, left_out: sources.left_out })
}

/// The paths that are there, if they are worth asking for and may be listed. A store that is not there is told at once.
async fn known(
    session: &Session,
    args: &ImportArgs,
    count: usize,
) -> Result<Option<HashSet<String>>, CliError> {
    if let Err(error) = session.client.ask(Ask::of(Endpoint::ReadStore).name("store", &args.store)).await
        && (is_general(&error) || error.code() == Some("not_found"))
    {
        return Err(error.into());
    }
    if count < WORTH_A_LISTING {
        return Ok(None);
    }
    let prefix = if args.prefix.is_empty() { None } else { Some(format!("{}/", args.prefix)) };
    match session.paths(&args.store, prefix.as_deref(), true).await {
        Ok(paths) => Ok(Some(paths.into_iter().collect())),
        Err(CliError::Client(error)) if !is_general(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is done with one secret. What concerns all of them ends the comparison.
pub(super) async fn judged(
    session: &Session,
    args: &ImportArgs,
    found: &Found,
) -> Result<Action, ClientError> {
    match session.stored(&args.store, &found.path).await {
        Ok(None) => Ok(Action::Create),
        Ok(Some(stored)) if stored.value.same_as(&found.value) => Ok(Action::Unchanged),
        Ok(Some(stored)) => Ok(match args.on_conflict {
            OnConflict::Update => Action::Update(stored.version),
            OnConflict::Skip => Action::Skip,
            OnConflict::Fail => Action::Refused("it has another value".to_owned()),
        }),
        Err(error) if is_general(&error) => Err(error),
        // it may be written without being read
        Err(error) if error.code() == Some("refused") => Ok(match args.on_conflict {
            OnConflict::Update => Action::Overwrite,
            OnConflict::Skip | OnConflict::Fail => Action::Create,
        }),
        // what is deleted gets a newer version only where others would too
        Err(error)
            if matches!(error.code(), Some("deleted" | "destroyed"))
                && args.on_conflict == OnConflict::Update =>
        {
            Ok(Action::Overwrite)
        }
        Err(error) => Ok(Action::Refused(error.to_string())),
    }
}
