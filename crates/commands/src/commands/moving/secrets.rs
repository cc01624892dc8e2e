//! Secrets: compared, written, read back.

use super::super::Session;
use super::super::secret::json_body;
use super::known::failed;
use super::report::{Report, State};
use crate::args::ConvectionArgs;
use crate::client::Ask;
use crate::error::CliError;
use crate::output::Progress;
use futures_util::StreamExt as _;
use std::collections::HashSet;
use strongroom_api::Endpoint;
use strongroom_convection::moving::{Plan, PlannedSecret, PlannedStore};
use strongroom_import::Value;

const OTHER: &str = "it is there with another value";

fn name(store: &PlannedStore, secret: &PlannedSecret) -> String {
    format!("{}/{}", store.name, secret.path)
}

/// Compares with a store, if that is there.
pub(super) async fn compare(
    session: &Session,
    args: &ConvectionArgs,
    store: &PlannedStore,
    is_there: bool,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let known: HashSet<String> = if is_there && !store.secrets.is_empty() {
        session.paths(&store.name, None, true).await?.into_iter().collect()
    } else {
        HashSet::new()
    };
    let judge = async |secret: &PlannedSecret| -> Result<(String, State), CliError> {
        let state =
            if known.contains(&secret.path) { judged(session, store, secret).await? } else { State::New };
        Ok((name(store, secret), state))
    };
    let mut judged =
        futures_util::stream::iter(&store.secrets).map(judge).buffered(usize::from(args.parallel));
    while let Some(found) = judged.next().await {
        let (name, state) = found?;
        report.set("secret", &name, state);
    }
    Ok(())
}

/// Whether it is there as it was.
async fn judged(session: &Session, store: &PlannedStore, secret: &PlannedSecret) -> Result<State, CliError> {
    match session.stored(&store.name, &secret.path).await {
        Ok(None) => Ok(State::New),
        Ok(Some(stored)) => {
            let same = secret.value.expose(|json| std::str::from_utf8(json).map(Value::json));
            let same = same.is_ok_and(|value| stored.value.same_as(&value));
            Ok(if same { State::There } else { State::Conflict(OTHER.to_owned()) })
        }
        Err(error) if matches!(error.code(), Some("deleted" | "destroyed")) => {
            Ok(State::Conflict("it is there and deleted".to_owned()))
        }
        Err(error) => failed(error),
    }
}

/// Writes what is not there.
pub(super) async fn write(
    session: &Session,
    args: &ConvectionArgs,
    plan: &Plan,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let progress = Progress::towards(plan.secrets(), "secrets brought over");
    for store in &plan.stores {
        if !report.stands("store", &store.name) {
            continue;
        }
        let missing: Vec<_> =
            store.secrets.iter().filter(|secret| report.is_new("secret", &name(store, secret))).collect();
        let write = async |secret: &PlannedSecret| -> Result<(String, State), CliError> {
            let body = secret.value.expose(|json| json_body(json, true, Some(0)))?;
            let ask = Ask::of(Endpoint::PutSecret).name("store", &store.name).name("path", &secret.path);
            let state = match session.persist(&ask.body("application/json", body)).await {
                Ok(_) => State::Made,
                // an answer was lost, or somebody was faster
                Err(error) if error.code() == Some("version_mismatch") => {
                    judged(session, store, secret).await?
                }
                Err(error) => failed(error)?,
            };
            progress.add(1);
            Ok((name(store, secret), state))
        };
        let mut written = futures_util::stream::iter(missing).map(write).buffered(usize::from(args.parallel));
        while let Some(done) = written.next().await {
            let (name, state) = done?;
            report.set("secret", &name, state);
        }
    }
    Ok(())
}

/// Reads everything back and compares it.
pub(super) async fn verify(
    session: &Session,
    args: &ConvectionArgs,
    plan: &Plan,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let progress = Progress::towards(plan.secrets(), "secrets read back");
    for store in &plan.stores {
        let read = async |secret: &PlannedSecret| -> Result<(String, State), CliError> {
            let state = judged(session, store, secret).await?;
            progress.add(1);
            Ok((name(store, secret), state))
        };
        let all = store.secrets.iter().filter(|secret| report.stands("secret", &name(store, secret)));
        let all: Vec<_> = all.collect();
        let mut read = futures_util::stream::iter(all).map(read).buffered(usize::from(args.parallel));
        while let Some(found) = read.next().await {
            match found? {
                (_, State::There) => report.verified += 1,
                (name, State::Conflict(why) | State::Failed(why)) => {
                    report.set("secret", &name, State::Failed(format!("read back: {why}")));
                }
                (name, _) => {
                    report.set("secret", &name, State::Failed("read back: it is not there".to_owned()));
                }
            }
        }
    }
    Ok(())
}
