//! A member's keys: made here, registered with its password.

use crate::args::EnrollArgs;
use crate::commands::passwords;
use crate::error::CliError;
use crate::{output, prompt};
use std::path::Path;
use strongroom_ambient::Ambient;
use strongroom_member::{Config, Enrolment};

/// Enrols as the command line says.
pub(crate) async fn run(args: &EnrollArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config, args.secrets.as_deref())?;
    // what it sealed and has not sent yet goes on to count
    let spooled = args.replace.then(|| strongroom_collector::last_sealed(&config, &Ambient::system()));
    let last = spooled.transpose()?.flatten();
    let how = Wanted { username: args.user.clone(), replace: args.replace, last };
    with(&config, args.password_file.as_deref(), how).await
}

/// What is said of an enrolment.
#[derive(Default)]
pub(crate) struct Wanted {
    username: Option<String>,
    replace: bool,
    last: Option<u64>,
}

/// Enrols the member of a configuration.
pub(crate) async fn with(
    config: &Config,
    password_file: Option<&Path>,
    wanted: Wanted,
) -> Result<(), CliError> {
    let Wanted { username, replace, last } = wanted;
    let username = name(config, username)?;
    let whose = username.as_deref().unwrap_or("the member");
    let password = passwords::read(password_file, &format!("Password of {whose}: "))?;
    let how = Enrolment { password, username, last, replace };
    let enrolled = strongroom_member::enroll(config, &Ambient::system(), how).await?;
    output::note(&format!("Enrolled {} ({}).", enrolled.name, enrolled.member));
    output::note(&format!("  its signing key:        {}", enrolled.fingerprint));
    output::note(&format!("  the authority's key:    {}", enrolled.authority));
    output::note(&format!("  attributes:             {}", enrolled.attributes.join(", ")));
    Ok(())
}

/// The name to log in with: the one that was given; without one and without a token, somebody at a terminal is asked.
fn name(config: &Config, given: Option<String>) -> Result<Option<String>, CliError> {
    if given.is_some() || config.access_key.is_some() || !prompt::somebody_there() {
        return Ok(given);
    }
    Ok(Some(prompt::line("Name of the member: ")?))
}
