//! The programs of Convection Secrets Manager that this binary stands in for.

use super::{Session, init, operator, runtime, setup as wizard};
use crate::args::{
    Global, ManagerProgram, ManagerWord, OriginalOptions, ServerProgram, ServerWord, SetupProgram,
};
use crate::error::CliError;
use crate::original::ServerFile;
use crate::output;
use rustix::process::{Signal, kill_process, test_kill_process};
use std::path::Path;
use std::time::Duration;
use strongroom_convection::server_config::ServerConfig;
use strongroom_import::Writing;
use strongroom_server::{ServerError, pid_file};

/// How long a server may take to stop: as long as it gives what is in flight, and a little.
const STOP_PATIENCE: Duration = Duration::from_secs(40);
const STOP_STEP: Duration = Duration::from_millis(50);

/// `convection-secrets-setup`.
pub(crate) fn setup(program: &SetupProgram) -> Result<(), CliError> {
    wizard::run(&Global::bare(), &program.setup)
}

/// `convection-sm-server`.
pub(crate) fn server(program: &ServerProgram) -> Result<(), CliError> {
    match program.command {
        ServerWord::Start => start(&program.options),
        ServerWord::Stop => stop(&program.options),
        ServerWord::DefaultConfig => default_config(),
    }
}

/// `convection-secrets-manager`.
pub(crate) fn manager(program: ManagerProgram) -> Result<(), CliError> {
    let options = program.options;
    match program.command {
        ManagerWord::Initialize { num_keys, public_key } => initialize(&options, num_keys, &public_key),
        ManagerWord::Status => {
            let session = session(&options)?;
            runtime()?.block_on(operator::status(&session))
        }
        ManagerWord::Start => start(&options),
        ManagerWord::Stop => stop(&options),
        ManagerWord::DefaultConfig => default_config(),
    }
}

fn file(options: &OriginalOptions) -> Result<ServerFile, CliError> {
    Ok(ServerFile::find(options.config.as_deref(), options.input_type.writing())?)
}

/// In the foreground, until a signal. The configuration is translated anew at each reload.
fn start(options: &OriginalOptions) -> Result<(), CliError> {
    let file = file(options)?;
    let log = if options.verbose { "info" } else { "warn" };
    Ok(strongroom_server::run_from(&|| file.load(log))?)
}

/// Asks the server's process to end, and waits until it has.
fn stop(options: &OriginalOptions) -> Result<(), CliError> {
    let path = file(options)?.pid_file()?.ok_or(CliError::NoPidFile)?;
    let holder = pid_file::holder(&path).map_err(ServerError::from)?;
    let pid = holder.ok_or(CliError::NoPidFile)?;
    kill_process(pid, Signal::TERM)
        .map_err(|error| CliError::File { path: path.clone(), source: error.into() })?;
    let mut waited = Duration::ZERO;
    while test_kill_process(pid).is_ok() && path.exists() {
        if waited >= STOP_PATIENCE {
            return Err(CliError::StillRunning { pid: pid.as_raw_nonzero().get() });
        }
        std::thread::sleep(STOP_STEP);
        waited += STOP_STEP;
    }
    output::line("Stopped.")
}

fn default_config() -> Result<(), CliError> {
    let bare = ServerConfig::read(Writing::Toml, b"");
    output::bytes(bare.map(|config| config.original_toml()).unwrap_or_default().as_bytes())
}

/// On the local socket of the native door of the server that the configuration describes.
fn session(options: &OriginalOptions) -> Result<Session, CliError> {
    let mut global = Global::bare();
    let socket = file(options)?.native_socket()?;
    global.address = socket.map(|path| format!("unix:{}", path.display()));
    Session::open(&global)
}

/// The unlock keys are shown, and that they are is taken for their being kept, as in the original.
fn initialize(options: &OriginalOptions, num_keys: u8, public_key: &Path) -> Result<(), CliError> {
    let session = session(options)?;
    let made = runtime()?.block_on(init::by_installer(&session, num_keys, public_key))?;
    let warning = [
        "A new root key was made. Lose all of these unlock keys and everything is lost for ever.",
        "Any one of them unlocks the server; keep them apart from each other and from the server.",
        "The server is locked: it must be unlocked before anything else.",
    ];
    output::line(&boxed(None, warning.map(str::to_owned).as_slice()))?;
    output::line(&boxed(Some("Unlock Keys"), &made.keys.0))?;
    let root = [
        "A user root was made.".to_owned(),
        format!("Access Key ID: {}", made.access_key_id),
        "Log in with it and the private half of the key that you gave, and make users of your own."
            .to_owned(),
    ];
    output::line(&format!("\n\n{}", boxed(None, &root)))?;
    // once they were shown they hold; if they could not be, the same line makes others
    runtime()?.block_on(made.confirm(&session))
}

/// Lines in a frame, as the original shows them to people and to scripts that read them.
fn boxed(title: Option<&str>, lines: &[String]) -> String {
    let width =
        lines.iter().map(String::as_str).chain(title).map(|line| line.chars().count()).max().unwrap_or(0);
    let rule = |fill: &str| format!("+{}+\n", fill.repeat(width + 2));
    let row = |line: &str| format!("| {line:width$} |\n");
    let mut out = rule("-");
    if let Some(title) = title {
        out.push_str(&row(title));
        out.push_str(&rule("="));
    }
    for line in lines {
        out.push_str(&row(line));
    }
    out.push_str(rule("-").trim_end());
    out
}

#[cfg(test)]
mod tests {
    use super::boxed;

    #[test]
    fn keys_stand_in_a_frame() {
        let keys = ["sruk1-ab".to_owned(), "c".to_owned()];
        let want = "+-------------+\n| Unlock Keys |\n+=============+\n| sruk1-ab    |\n| c           |\n+-------------+";
        assert_eq!(boxed(Some("Unlock Keys"), &keys), want);
        assert_eq!(boxed(None, &keys), "+----------+\n| sruk1-ab |\n| c        |\n+----------+");
    }
}
