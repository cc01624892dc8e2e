//! Writing what was planned.

use super::super::super::bulk::is_general;
use super::super::Session;
use super::super::put::json_body;
use super::plan::{Action, Plan, Row, judged};
use super::source::Found;
use crate::args::ImportArgs;
use crate::client::{Ask, ClientError};
use crate::error::CliError;
use crate::output::Progress;
use futures_util::StreamExt as _;
use std::cell::RefCell;
use strongroom_api::Endpoint;
use strongroom_import::Value;

/// Writes what is to be written; what became of each, and what stopped it.
pub(super) async fn write(session: &Session, args: &ImportArgs, plan: Plan) -> (Plan, Option<ClientError>) {
    let progress = Progress::towards(plan.rows.len(), "secrets imported");
    let stopped: RefCell<Option<ClientError>> = RefCell::new(None);
    let one = async |row: Row| {
        if stopped.borrow().is_some() {
            let action = match row.action {
                Action::Unchanged | Action::Skip => row.action,
                _ => Action::Left,
            };
            return Row { action, ..row };
        }
        let action = match written(session, args, &row).await {
            Ok(action) => action,
            Err(CliError::Client(error)) if is_general(&error) => {
                stopped.borrow_mut().get_or_insert(error);
                Action::Left
            }
            Err(error) => Action::Refused(error.to_string()),
        };
        progress.add(1);
        Row { action, ..row }
    };
    let rows = futures_util::stream::iter(plan.rows).map(one);
    let rows: Vec<Row> = rows.buffered(usize::from(args.parallel)).collect().await;
    (Plan { rows, left_out: plan.left_out }, stopped.into_inner())
}

/// Writes one secret, on the version that was compared.
async fn written(session: &Session, args: &ImportArgs, row: &Row) -> Result<Action, CliError> {
    let cas = match row.action {
        Action::Create => Some(0),
        Action::Update(version) => Some(version),
        Action::Overwrite => None,
        _ => return Ok(row.action.clone()),
    };
    match session.persist(&ask(args, &row.found, cas)?).await {
        Ok(_) => Ok(row.action.clone()),
        Err(error) if error.code() == Some("version_mismatch") => changed(session, args, &row.found).await,
        Err(error) => Err(error.into()),
    }
}

/// Somebody else was faster, or an answer was lost: if the value is there, it is there.
async fn changed(session: &Session, args: &ImportArgs, found: &Found) -> Result<Action, CliError> {
    Ok(match judged(session, args, found).await? {
        Action::Unchanged => Action::Unchanged,
        Action::Skip => Action::Skip,
        _ => Action::Refused("it was changed meanwhile".to_owned()),
    })
}

fn ask(args: &ImportArgs, found: &Found, cas: Option<u64>) -> Result<Ask, CliError> {
    let ask = Ask::of(Endpoint::PutSecret).name("store", &args.store).name("path", &found.path);
    Ok(match &found.value {
        Value::Json(json) => ask.body("application/json", json.expose(|json| json_body(json, true, cas))?),
        Value::Bytes(bytes) => {
            let cas = cas.map(|version| version.to_string());
            ask.maybe("cas", cas.as_deref()).body("application/octet-stream", bytes.expose(<[u8]>::to_vec))
        }
    })
}
