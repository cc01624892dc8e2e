//! Files of secrets into a store.
//!
//! Nothing is written before every file was read whole and compared with the server. A secret whose value is there already is
//! not written again, so that the same command goes on where an interrupted one stopped. Each write says which version it
//! replaces: what another wrote meanwhile is not lost.

mod plan;
mod report;
mod source;
mod write;

use super::Session;
use crate::args::ImportArgs;
use crate::error::{CliError, TransferError};

pub(super) async fn run(session: &Session, args: &ImportArgs) -> Result<(), CliError> {
    let found = source::read(args)?;
    let plan = plan::compare(session, args, found).await?;
    if args.dry_run {
        return report::planned(session, &plan);
    }
    let refused = plan.refused();
    if refused > 0 {
        let total = plan.rows.len();
        report::failures(session, &plan)?;
        return Err(TransferError::ImportRefused { count: refused, total }.into());
    }
    let (plan, stopped) = write::write(session, args, plan).await;
    report::done(session, &plan, stopped)
}
