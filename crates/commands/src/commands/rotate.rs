//! Rotation of the root key, in two commits: what is lost in between loses nothing.

use super::keys::{self, Source};
use super::{Session, operator};
use crate::args::{RotateCommand, RotateRootArgs};
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{
    Endpoint, JobsBegun, NewUnlockKeys, RotateRootRequest, UnlockKeysRequest, UnlockProgress,
};

/// One function a command.
pub(super) async fn run(session: &Session, command: RotateCommand) -> Result<(), CliError> {
    match command {
        RotateCommand::Root(args) => root(session, &args, Last::Root).await,
        RotateCommand::Kek(keys) => kek(session, &mut Source::open(&keys)?).await,
        RotateCommand::All(args) => root(session, &args.root, Last::All).await,
    }
}

/// What the second commit of a rotation does.
#[derive(Clone, Copy)]
enum Last {
    /// The root key alone changes.
    Root,
    /// Every key changes.
    All,
}

impl Last {
    fn command(self) -> &'static str {
        match self {
            Self::Root => "rotate root",
            Self::All => "rotate all --compromised",
        }
    }
}

async fn kek(session: &Session, source: &mut Source) -> Result<(), CliError> {
    let need = operator::report(&session.client).await?.threshold;
    let mut keys = source.threshold(need, "Unlock key")?;
    let mut body = UnlockKeysRequest { unlock_keys: std::mem::take(&mut keys.0) };
    let ask = Ask::of(Endpoint::RotateKek).json(&body);
    strongroom_secret::wipe(&mut body.unlock_keys);
    session.done(ask, "Done: a new key-encryption key wraps every keyset.").await
}

async fn root(session: &Session, args: &RotateRootArgs, last: Last) -> Result<(), CliError> {
    if args.cancel {
        return session
            .done(Ask::of(Endpoint::CancelRotateRoot), "Given up; the old unlock keys stay.")
            .await;
    }
    let mut source = Source::open(&args.keys)?;
    if args.confirm {
        return confirm(session, &mut source, None, last).await;
    }
    let need = begin(session, args, &mut source).await?;
    if source.is_person() {
        output::note("Now present the new unlock keys; until then the old ones hold.");
        let command = last.command();
        output::note(&format!("Interrupted, go on with `{command} --confirm`, or give up with `--cancel`."));
        return confirm(session, &mut source, Some(need), last).await;
    }
    output::note(&format!("The old unlock keys hold until: strongroom {} --confirm", last.command()));
    Ok(())
}

/// Shows the new unlock keys, and says how many of them finish it.
async fn begin(session: &Session, args: &RotateRootArgs, source: &mut Source) -> Result<u8, CliError> {
    let need = operator::report(&session.client).await?.threshold;
    let mut current = source.threshold(need, "Current unlock key")?;
    let mut body = RotateRootRequest {
        unlock_keys: std::mem::take(&mut current.0),
        num_keys: args.num_keys,
        threshold: args.threshold,
    };
    let ask = Ask::of(Endpoint::RotateRoot).json(&body);
    strongroom_secret::wipe(&mut body.unlock_keys);
    let answer = session.client.ask(ask).await?;
    let mut new: NewUnlockKeys = answer.read()?;
    let shown = if session.out.json() { answer.expose(output::raw_json) } else { keys::show(&new) };
    strongroom_secret::wipe(&mut new.unlock_keys);
    shown.map(|()| new.threshold)
}

/// The old keys are dropped only when a threshold of the new ones has been presented, all at once. A rotation that is
/// taken up again does not say how many that are: the server counts.
async fn confirm(
    session: &Session,
    source: &mut Source,
    need: Option<u8>,
    last: Last,
) -> Result<(), CliError> {
    let mut keys = match need {
        Some(need) => source.threshold(need, "New unlock key")?,
        None => source.all("New unlock key (an empty line ends): ")?,
    };
    let mut body = UnlockKeysRequest { unlock_keys: std::mem::take(&mut keys.0) };
    let endpoint = match last {
        Last::Root => Endpoint::ConfirmRotateRoot,
        Last::All => Endpoint::RotateAll,
    };
    let ask = Ask::of(endpoint).json(&body);
    strongroom_secret::wipe(&mut body.unlock_keys);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    if matches!(last, Last::All) {
        let JobsBegun { jobs } = answer.read()?;
        output::line("Done: every key is another, and only the new unlock keys open the server.")?;
        output::line("Every token has ended: log in again.")?;
        return output::line(&format!("{} jobs seal what is stored anew: see `job list`.", jobs.len()));
    }
    let UnlockProgress { done, have, need } = answer.read()?;
    if !done {
        return Err(CliError::TooFewKeys { have, need });
    }
    output::line("Done: only the new unlock keys open the server.")
}
