//! `doctor`: looks at everything that can be looked at, and says of each thing that is not as it should be what to do.

mod own;
mod server;

use super::Session;
use crate::args::{DoctorArgs, Global};
use crate::error::CliError;
use crate::output::{self, Output};
use serde::Serialize;
use strongroom_ambient::Ambient;
use strongroom_server::doctor::{Finding, Level, check_data, examine};

/// What programs read.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    findings: &'a [Finding],
}

/// Fails if anything is wrong; a risk alone is no failure.
pub(super) async fn run(global: &Global, args: &DoctorArgs) -> Result<(), CliError> {
    let found = look(global, args).await;
    let failed = found.iter().filter(|finding| finding.level == Level::Fail).count();
    let out = Output::new(global);
    if out.json() {
        let report = Report { ok: failed == 0, findings: &found };
        let text = serde_json::to_vec(&report).map_err(crate::client::ClientError::from)?;
        output::raw_json(&text)?;
    } else {
        out.table(&["CHECK", "STATE", "FOUND", "WHAT TO DO"], found.into_iter().map(row))?;
    }
    if failed == 0 { Ok(()) } else { Err(CliError::Unwell(failed)) }
}

fn row(finding: Finding) -> Vec<String> {
    let state = match finding.level {
        Level::Ok => "ok",
        Level::Warn => "warn",
        Level::Fail => "FAIL",
    };
    let advice = finding.advice.unwrap_or_else(|| "-".to_owned());
    vec![finding.check.to_owned(), state.to_owned(), finding.about, advice]
}

async fn look(global: &Global, args: &DoctorArgs) -> Vec<Finding> {
    let mut found = Vec::new();
    own::look(&mut found);
    let config = args.config.as_deref().and_then(|path| {
        let (mut around, config) = examine(&Ambient::system(), path);
        found.append(&mut around);
        config
    });
    let running = match Session::open(global) {
        Ok(session) => server::look(&session, args.deep, config.is_some(), &mut found).await,
        Err(fault) => {
            let advice = "put this right; then the server can be asked";
            found.push(Finding::fail("client", fault.to_string(), advice));
            false
        }
    };
    match &config {
        Some(config) if args.deep && !running => found.extend(check_data(config).await),
        _ => {}
    }
    found
}
