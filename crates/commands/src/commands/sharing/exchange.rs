//! The keeper of encrypted records.

use crate::args::ExchangeArgs;
use crate::error::CliError;
use strongroom_exchange::Said;

/// Runs it until it is told to stop.
pub(crate) fn exchange(mut args: ExchangeArgs) -> Result<(), CliError> {
    let file = args.config.take().map(|path| Said::read(&path)).transpose()?.unwrap_or_default();
    let options = args.said().or(file).check()?;
    Ok(strongroom_exchange::run(&options)?)
}
