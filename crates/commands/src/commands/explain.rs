//! Why somebody may do something, and who may.

use super::{Session, yes_no};
use crate::args::ExplainArgs;
use crate::client::Ask;
use crate::error::CliError;
use strongroom_api::{Endpoint, ExplainReport, WhoCanReport};

/// One function a command.
pub(super) async fn run(session: &Session, args: &ExplainArgs) -> Result<(), CliError> {
    let endpoint = match (args.who_can, &args.user) {
        (true, _) => Endpoint::WhoCan,
        (false, Some(_)) => Endpoint::Explain,
        (false, None) => Endpoint::ExplainSelf,
    };
    let (store, secret) = match args.place.as_deref().map(|place| place.split_once('/').ok_or(place)) {
        Some(Ok((store, secret))) => (Some(store), Some(secret)),
        Some(Err(store)) => (Some(store), None),
        None => (None, None),
    };
    let mut ask = Ask::of(endpoint);
    if let Some(user) = &args.user {
        ask = ask.name("user", user);
    }
    let ask = ask.maybe("action", Some(&args.action)).maybe("store", store).maybe("secret", secret);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    if args.who_can { who_can(session, &answer.read()?) } else { explained(session, answer.read()?) }
}

fn explained(session: &Session, report: ExplainReport) -> Result<(), CliError> {
    for answer in report.answers {
        session.out.pairs(&[
            ("action", report.action.clone()),
            ("resource", report.resource.clone()),
            ("access", answer.access),
            ("allowed", yes_no(answer.allowed)),
            ("rule", answer.rule),
        ])?;
        if !answer.candidates.is_empty() {
            crate::output::line("")?;
            let rows = answer.candidates.into_iter().map(|one| vec![one.rule, one.mode, one.bearing]);
            session.out.table(&["RULE", "MODE", "BEARING"], rows)?;
        }
    }
    Ok(())
}

fn who_can(session: &Session, report: &WhoCanReport) -> Result<(), CliError> {
    let rows = report.answers.iter().flat_map(|answer| {
        let row = |able: &strongroom_api::AbleUser| {
            vec![able.user.clone(), answer.access.clone(), able.rule.clone()]
        };
        answer.users.iter().map(row)
    });
    session.out.table(&["USER", "ACCESS", "RULE"], rows)
}
