//! The first start: the server runs as its user will, and is initialised through its own socket.
//!
//! Where systemd manages the service, it starts it and it stays; elsewhere the server runs for as long as this takes.

use super::SetupError;
use super::machine::{self, as_user};
use super::plan::{Site, Standing, Step};
use super::service;
use super::{begun, recovery};
use crate::args::{Global, KeyFileArgs};
use crate::client::Ask;
use crate::commands::keys::{Source, WipedTexts};
use crate::commands::{Session, init, operator, runtime};
use crate::error::CliError;
use crate::output;
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use strongroom_api::{Endpoint, LockState, UnlockRequest};
use strongroom_convection::server_config::native_socket;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_mins(1);
const STEP: Duration = Duration::from_millis(50);
/// The most that is told of what a server said before it ended.
const MAX_SAID_BYTES: u64 = 16 * 1024;
/// The file of a store that was opened once.
const STORE: &str = "strongroom.db";
/// What setup leaves when it is through: that a person has seen the keys.
const MARK: &str = "setup-complete";

pub(super) fn steps(site: &Site) -> Vec<Box<dyn Step>> {
    if site.answers.yes("initialize") { vec![Box::new(Initialised)] } else { Vec::new() }
}

/// Whether this setup starts the server.
pub(super) fn is_due(site: &Site) -> bool {
    site.answers.yes("initialize") && !mark(site).exists()
}

struct Initialised;

fn mark(site: &Site) -> PathBuf {
    site.path("secrets_dir").join(MARK)
}

impl Step for Initialised {
    fn title(&self, _: &Site) -> String {
        "server initialised".to_owned()
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        if mark(site).exists() {
            return Ok(Standing::Done);
        }
        let recovery = if site.answers.yes("use_recovery") { ", make the user recovery," } else { "" };
        let again = site.path("secrets_dir").join(STORE).exists();
        let what = if again {
            format!("start the server, and initialise it if it is not{recovery} and lock it")
        } else {
            let keys = site.answers.number("num_unlock_keys");
            format!("start the server, make the root key and {keys} unlock keys{recovery} and lock it")
        };
        let root = site.owner() != Some(machine::Owner::me()) || service::is_managed(site);
        Ok(Standing::due(what, root))
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        let socket = native_socket(&site.path("socket_path"));
        let running = Running::start(site, &socket)?;
        let done = runtime()?.block_on(through(site, &socket));
        let ended = running.end();
        done?;
        ended?;
        begun::end(site)?;
        Ok(super::files::put(&mark(site), b"", 0o600, Some(site.owner_now()?))?)
    }
}

/// Everything that is done with the server while it runs.
async fn through(site: &Site, socket: &Path) -> Result<(), CliError> {
    let global = Global { address: Some(format!("unix:{}", socket.display())), ..Global::bare() };
    let session = Session::open(&global)?;
    let report = operator::report(&session.client).await?;
    if report.state != LockState::Uninitialised && report.confirmed {
        let Some(root_id) = begun::root_id(site)? else {
            output::note("The server was initialised before: it stays as it is.");
            return Ok(());
        };
        output::note("The server was initialised by a setup that did not end: this one goes on.");
        return rest(site, &session, &root_id, None).await;
    }
    let number = u8::try_from(site.answers.number("num_unlock_keys")).unwrap_or(u8::MAX);
    let mut made = init::by_installer(&session, number, &site.path("root_public_key")).await?;
    show(&made)?;
    begun::begin(site, &made.access_key_id)?;
    made.confirm(&session).await?;
    rest(site, &session, &made.access_key_id, Some(&mut made.keys)).await
}

/// What comes after the keys hold. Without them, as after an interruption, one is asked for.
async fn rest(
    site: &Site,
    session: &Session,
    root_id: &str,
    keys: Option<&mut WipedTexts>,
) -> Result<(), CliError> {
    if site.answers.yes("create_auth_file") {
        recovery::auth_file(site, root_id)?;
    }
    if !site.answers.yes("use_recovery") {
        return Ok(());
    }
    match keys {
        Some(keys) => unlock(session, keys).await?,
        None => unlock_again(site, session).await?,
    }
    match recovery::create(site, session, root_id).await {
        Ok(id) => output::line(&format!("Access key id of recovery: {id}")),
        Err(error) => {
            output::note(
                "The user recovery was not made; the keys that were shown hold. Setup makes it when it runs again.",
            );
            Err(error)
        }
    }
}

fn show(made: &init::Installed) -> Result<(), CliError> {
    output::line(
        "Unlock keys, shown this once; any one of them unlocks the server and opens everything in it:\n",
    )?;
    for key in &made.keys.0 {
        output::line(&format!("  {key}"))?;
    }
    output::line("\n  Lose all of them and everything in the server is lost for ever: nobody can help.")?;
    output::line("  Keep them apart from each other and from the server, and never in a shell's history.\n")?;
    output::line(&format!("Access key id of root: {}", made.access_key_id))
}

async fn unlock(session: &Session, keys: &mut WipedTexts) -> Result<(), CliError> {
    let Some(key) = keys.0.first() else { return Err(CliError::TooFewKeys { have: 0, need: 1 }) };
    let mut body = UnlockRequest { unlock_key: key.clone() };
    let asked = session.client.ask(Ask::of(Endpoint::Unlock).json(&body)).await;
    strongroom_secret::wipe(&mut body.unlock_key);
    asked?;
    Ok(())
}

/// With a key that somebody kept, unless the server is unlocked.
async fn unlock_again(site: &Site, session: &Session) -> Result<(), CliError> {
    if operator::report(&session.client).await?.state == LockState::Unlocked {
        return Ok(());
    }
    let keys = KeyFileArgs { key_file: site.key_file.clone(), stray: Vec::new() };
    operator::present(session, &mut Source::open(&keys)?).await
}

/// A server that runs: it did before, systemd started it, or it is ours for a while.
enum Running {
    Stays,
    Ours(Child),
}

impl Running {
    fn start(site: &Site, socket: &Path) -> Result<Self, SetupError> {
        if UnixStream::connect(socket).is_ok() {
            return Ok(Self::Stays);
        }
        if service::is_managed(site) && site.answers.yes("install_service") {
            machine::run("systemctl", &["start", service::UNIT])?;
            let mut stays = Self::Stays;
            stays.wait(socket)?;
            return Ok(stays);
        }
        let mut running = Self::Ours(spawn(site)?);
        match running.wait(socket) {
            Ok(()) => Ok(running),
            Err(error) => {
                // what it said is told; that it did not end as well is not
                let _ = running.end();
                Err(error)
            }
        }
    }

    /// Until somebody answers on the socket.
    fn wait(&mut self, socket: &Path) -> Result<(), SetupError> {
        let mut waited = Duration::ZERO;
        while UnixStream::connect(socket).is_err() {
            if let Self::Ours(child) = self
                && child.try_wait().map_err(SetupError::io("wait for", socket))?.is_some()
            {
                return Err(SetupError::ServerEnded { said: said(child) });
            }
            if waited >= PATIENCE {
                return Err(SetupError::Silent { path: socket.to_owned() });
            }
            std::thread::sleep(STEP);
            waited += STEP;
        }
        Ok(())
    }

    /// Ends the one that is ours, in good order.
    fn end(self) -> Result<(), SetupError> {
        let Self::Ours(mut child) = self else { return Ok(()) };
        let failed = || SetupError::io("stop", Path::new("the server"));
        if child.try_wait().map_err(failed())?.is_some() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).map_err(|error| failed()(error.into()))?;
        }
        child.wait().map(drop).map_err(failed())
    }
}

/// The server in a process of its own, as its user.
fn spawn(site: &Site) -> Result<Child, SetupError> {
    let program = std::env::current_exe().map_err(SetupError::io("find", Path::new("/proc/self/exe")))?;
    let mut command = Command::new(&program);
    command.arg0("convection-sm-server");
    if site.verbose {
        command.arg("-v");
    }
    command.arg("-c").arg(site.path("server_config_root")).arg("service-start");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    as_user(&mut command, site.owner_now()?);
    command.spawn().map_err(SetupError::io("run", &program))
}

/// What a server that has ended said.
fn said(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = child.stderr.take() {
        // half of it is better than nothing
        let _ = stderr.take(MAX_SAID_BYTES).read_to_string(&mut text);
    }
    text.trim().to_owned()
}
