//! Rotation of the root key, in two commits: what is lost in between loses nothing.

use super::keys::{self, Source};
use super::{Session, operator};
use crate::args::{KeyFileArgs, RotateRootArgs};
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{Endpoint, NewUnlockKeys, RotateRootRequest};

pub(super) async fn root(session: &Session, args: &RotateRootArgs) -> Result<(), CliError> {
    if args.cancel {
        return session
            .done(Ask::of(Endpoint::CancelRotateRoot), "Given up; the old unlock keys stay.")
            .await;
    }
    if args.confirm {
        return confirm(session, &args.keys).await;
    }
    begin(session, args).await?;
    if args.keys.key_file.is_none() {
        return confirm(session, &args.keys).await;
    }
    output::note("The old unlock keys hold until: strongroom rotate root --confirm");
    Ok(())
}

async fn begin(session: &Session, args: &RotateRootArgs) -> Result<(), CliError> {
    let mut source = Source::open(&args.keys)?;
    let need = operator::report(&session.client).await?.threshold;
    let mut current = source.threshold(need, "Current unlock key")?;
    let mut body = RotateRootRequest {
        unlock_keys: std::mem::take(&mut current.0),
        num_keys: args.num_keys,
        threshold: args.threshold,
    };
    let ask = Ask::of(Endpoint::RotateRoot).json(&body);
    strongroom_secret::wipe(&mut body.unlock_keys);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let mut new: NewUnlockKeys = answer.read()?;
    let shown = keys::show(&new);
    strongroom_secret::wipe(&mut new.unlock_keys);
    shown
}

/// The old keys are dropped only when a threshold of the new ones has been presented.
async fn confirm(session: &Session, args: &KeyFileArgs) -> Result<(), CliError> {
    let mut source = Source::open(args)?;
    if source.is_person() {
        output::note("Now present the new unlock keys; until then the old ones hold.");
        output::note("Interrupted, go on with `rotate root --confirm`, or give up with `--cancel`.");
    }
    operator::present(session, &mut source, Endpoint::ConfirmRotateRoot, "New unlock key").await?;
    if session.out.json() { Ok(()) } else { output::line("Done: only the new unlock keys open the server.") }
}
