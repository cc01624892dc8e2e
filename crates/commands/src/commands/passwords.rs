//! Passwords on their way from a person or a file to the server.

use super::Session;
use super::keys::WipedTexts;
use crate::args::{PasswordCommand, SetPasswordArgs, Swallowed};
use crate::client::Ask;
use crate::error::{CliError, UsageError};
use crate::prompt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use strongroom_api::{Endpoint, SetOwnPasswordRequest, SetPasswordRequest};
use strongroom_secret::SecretBytes;

/// The largest file that is read as a password, in bytes; the server takes less.
const MAX_BYTES: u64 = 4_096;
const INSTEAD: &str = "--password-file FILE, or --password-file - for standard input";

/// One function a command.
pub(super) async fn run(session: &Session, command: PasswordCommand) -> Result<(), CliError> {
    match command {
        PasswordCommand::Set(args) => set(session, &args).await,
        PasswordCommand::Remove { user } => {
            let ask = Ask::of(Endpoint::RemovePassword).name("user", &user);
            session.done(ask, &format!("Removed the password of {user}.")).await
        }
    }
}

/// Refuses what stands where no secret may.
pub(super) fn refuse_stray(stray: &[Swallowed]) -> Result<(), CliError> {
    if stray.is_empty() { Ok(()) } else { Err(UsageError::PasswordInArgv.into()) }
}

/// A password from a file or a person.
pub(super) fn read(file: Option<&Path>, question: &str) -> Result<SecretBytes, CliError> {
    match file {
        Some(path) if path == Path::new("-") => bounded(std::io::stdin(), CliError::Input),
        Some(path) => bounded(File::open(path).map_err(CliError::file(path))?, CliError::file(path)),
        None if prompt::somebody_there() => Ok(prompt::secret(question)?),
        None => Err(UsageError::NobodyToAsk { what: "a password", instead: INSTEAD }.into()),
    }
}

/// A new password: who types it types it twice.
pub(super) fn read_new(file: Option<&Path>, question: &str) -> Result<SecretBytes, CliError> {
    let password = read(file, question)?;
    if file.is_none() {
        let again = prompt::secret("The same again: ")?;
        let same = password.expose(|one| again.expose(|other| strongroom_secret::bytes_eq(one, other)));
        if !same {
            return Err(UsageError::PasswordsDiffer.into());
        }
    }
    Ok(password)
}

/// What a file holds, without the end of its line.
fn bounded(
    source: impl Read,
    fault: impl FnOnce(std::io::Error) -> CliError,
) -> Result<SecretBytes, CliError> {
    let mut bytes = Vec::with_capacity(usize::try_from(MAX_BYTES).unwrap_or(0));
    let read = source.take(MAX_BYTES).read_to_end(&mut bytes);
    let whole = SecretBytes::new(bytes);
    read.map_err(fault)?;
    Ok(whole.expose(|bytes| {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        SecretBytes::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
    }))
}

/// A password as the text that goes on the wire.
pub(super) fn text(password: &SecretBytes) -> Result<String, CliError> {
    let text = password.expose(|bytes| std::str::from_utf8(bytes).map(str::to_owned));
    text.map_err(|_| UsageError::PasswordNotText.into())
}

async fn set(session: &Session, args: &SetPasswordArgs) -> Result<(), CliError> {
    refuse_stray(&args.stray)?;
    let present = match &args.present_file {
        Some(file) => Some(text(&read(Some(file), "")?)?),
        None => None,
    };
    let password = text(&read_new(args.password_file.as_deref(), "New password: ")?)?;
    let ask = if let Some(user) = &args.user {
        let body = SetPasswordRequest { password };
        let ask = Ask::of(Endpoint::SetPassword).name("user", user).json(&body);
        drop(WipedTexts(vec![body.password]));
        ask
    } else {
        let body = SetOwnPasswordRequest { password, present };
        let ask = Ask::of(Endpoint::SetOwnPassword).json(&body);
        drop(WipedTexts([Some(body.password), body.present].into_iter().flatten().collect()));
        ask
    };
    session.done(ask, "The password is set.").await
}
