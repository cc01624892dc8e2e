//! One function a command: ask the server, print the answer.

mod acl;
mod audit;
mod auth;
mod backup;
mod bulk;
mod contexts;
mod doctor;
mod exec;
mod explain;
mod group;
mod init;
mod job;
mod keys;
mod keyset;
mod links;
mod manual;
mod moving;
mod operator;
mod passwords;
pub(crate) mod programs;
mod rotate;
mod secret;
pub(crate) mod serve;
pub(crate) mod setup;
pub(crate) mod sharing;
mod store;
mod token;
mod unlock_key;
mod user;

use crate::args::{
    AutoUnlockCommand, BackupCommand, ClockCommand, Command, ConfigCommand, ConvectionArgs, Global,
    MovingCommand, SecretCommand,
};
use crate::client::{Answer, Ask, Client, ClientError};
use crate::context::{self, Address, Target};
use crate::error::{CliError, UsageError};
use crate::original::AuthFileAt;
use crate::output::{self, Output, Progress};
use crate::state::StateFolder;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::path::PathBuf;
use strongroom_ambient::Ambient;
use strongroom_api::Endpoint;
use strongroom_secret::SecretBytes;

/// What every command stands on.
pub(crate) struct Session {
    client: Client,
    target: Target,
    state: StateFolder,
    auth: Option<AuthFileAt>,
    config: PathBuf,
    ambient: Ambient,
    out: Output,
}

impl Session {
    fn open(global: &Global) -> Result<Self, CliError> {
        let config = context::config_path()?;
        let target = Target::find(global, &config)?;
        let state = StateFolder::of_user()?;
        let ambient = Ambient::system();
        let auth = AuthFileAt::in_effect(global, &target)?;
        let token = kept_token(auth.as_ref(), &state, &target)?;
        let client = Client::new(&target.address, &target, token, ambient.clone())?;
        Ok(Self { client, target, state, auth, config, ambient, out: Output::new(global) })
    }

    /// Keeps the token: in the AuthFile, where one is in effect. Gives the file.
    fn keep_token(&self, token: &SecretBytes) -> Result<PathBuf, CliError> {
        match &self.auth {
            Some(auth) => auth.put(Some(token)),
            None => Ok(self.state.keep_token(&self.target.token_name(), token)?),
        }
    }

    /// The token that is kept.
    fn kept_token(&self) -> Result<Option<SecretBytes>, CliError> {
        kept_token(self.auth.as_ref(), &self.state, &self.target)
    }

    /// Forgets the token.
    fn forget_token(&self) -> Result<(), CliError> {
        match &self.auth {
            Some(auth) => auth.put(None).map(drop),
            None => Ok(self.state.forget_token(&self.target.token_name())?),
        }
    }

    /// A client for what only an installer may do: the local socket, where the kernel says who asks.
    fn installer(&self) -> Result<Client, CliError> {
        let local = self.target.socket.clone().map(Address::Unix);
        let address = local.unwrap_or_else(|| self.target.address.clone());
        Ok(Client::new(&address, &self.target, None, self.ambient.clone())?)
    }

    /// Asks; prints the server's JSON for programs, or leaves the answer to be shown to people.
    async fn shown(&self, ask: Ask) -> Result<Option<Answer>, CliError> {
        let answer = self.client.ask(ask).await?;
        if !self.out.json() {
            return Ok(Some(answer));
        }
        answer.expose(output::raw_json)?;
        Ok(None)
    }

    /// Asks for a listing, page after page to its end; prints it whole for programs, or gives its rows.
    async fn listed<T: DeserializeOwned>(
        &self,
        rows_in: &str,
        ask: impl Fn() -> Ask,
    ) -> Result<Option<Vec<T>>, CliError> {
        let rows = self.pages(rows_in, ask).await?;
        if self.out.json() {
            let whole = HashMap::from([(rows_in, rows)]);
            output::raw_json(&serde_json::to_vec(&whole).map_err(ClientError::from)?)?;
            return Ok(None);
        }
        parsed(&rows).map(Some)
    }

    /// Asks for a listing, page after page to its end, and gives its rows.
    async fn every<T: DeserializeOwned>(
        &self,
        rows_in: &str,
        ask: impl Fn() -> Ask,
    ) -> Result<Vec<T>, CliError> {
        parsed(&self.pages(rows_in, ask).await?)
    }

    async fn pages(&self, rows_in: &str, ask: impl Fn() -> Ask) -> Result<Vec<Box<RawValue>>, CliError> {
        let mut rows: Vec<Box<RawValue>> = Vec::new();
        let mut question = ask();
        loop {
            let mut page: HashMap<String, Box<RawValue>> = self.client.ask(question).await?.read()?;
            let found = page.remove(rows_in).map(|found| serde_json::from_str::<Vec<_>>(found.get()));
            let missing = || serde_json::Error::custom(format!("no {rows_in}"));
            rows.append(&mut found.unwrap_or_else(|| Err(missing())).map_err(ClientError::from)?);
            let next = page.remove("next").map(|next| serde_json::from_str::<Option<String>>(next.get()));
            match next.transpose().map_err(ClientError::from)?.flatten() {
                Some(next) => question = ask().query("cursor", &next),
                None => return Ok(rows),
            }
        }
    }

    /// A client that shows no token.
    fn client_without_token(&self) -> Result<Client, CliError> {
        Ok(Client::new(&self.target.address, &self.target, None, self.ambient.clone())?)
    }

    /// Asks, and passes a long answer on as it comes, counting its lines.
    async fn streamed(
        &self,
        ask: Ask,
        mut sink: impl FnMut(&[u8]) -> Result<(), ClientError>,
        what: &'static str,
    ) -> Result<(), CliError> {
        let progress = Progress::start(what);
        let pass = |piece: &[u8]| {
            progress.add(piece.iter().map(|byte| u64::from(*byte == b'\n')).sum());
            sink(piece)
        };
        Ok(self.client.stream(ask, pass).await?)
    }

    /// Asks for something that has no answer but success.
    async fn done(&self, ask: Ask, words: &str) -> Result<(), CliError> {
        self.client.ask(ask).await?;
        self.out.done(words)
    }
}

fn kept_token(
    auth: Option<&AuthFileAt>,
    state: &StateFolder,
    target: &Target,
) -> Result<Option<SecretBytes>, CliError> {
    match auth {
        Some(auth) => Ok(auth.token()),
        None => Ok(state.token(&target.token_name())?),
    }
}

/// Rows of a listing, each as its wire type.
fn parsed<T: DeserializeOwned>(rows: &[Box<RawValue>]) -> Result<Vec<T>, CliError> {
    let rows = rows.iter().map(|row| serde_json::from_str(row.get())).collect::<Result<_, _>>();
    Ok(rows.map_err(ClientError::from)?)
}

/// Does what the command line says. A server brings its own runtime.
pub(crate) fn run(global: &Global, command: Command) -> Result<(), CliError> {
    match command {
        Command::Server { config } => serve::server(&config),
        Command::Config(ConfigCommand::Check { file }) => serve::check(global, &file),
        Command::Dev(args) => serve::dev(&args),
        Command::Kms(args) => serve::kms(&args),
        Command::Exchange(args) => sharing::exchange(*args),
        Command::Attributes(command) => runtime()?.block_on(sharing::attributes::run(global, *command)),
        Command::Collector(args) => sharing::collector::run(*args),
        Command::Query(args) => runtime()?.block_on(sharing::query::run(*args)),
        Command::Setup(args) => setup::run(global, &args),
        Command::Links(args) => links::run(global, &args),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { dir } => manual::pages(global, &dir),
        Command::Context(command) => contexts::run(global, command),
        Command::Backup(command @ (BackupCommand::Verify { .. } | BackupCommand::Restore { .. })) => {
            backup::offline(global, command)
        }
        Command::Doctor(args) => runtime()?.block_on(doctor::run(global, &args)),
        Command::Import(MovingCommand::Convection(ConvectionArgs { config: Some(config), .. })) => {
            moving::configuration(&config)
        }
        command => runtime()?.block_on(ask(&session(global, &command)?, command)),
    }
}

/// Commands that ask for many secrets keep their connections.
fn session(global: &Global, command: &Command) -> Result<Session, CliError> {
    match command {
        Command::Exec(_)
        | Command::Import(_)
        | Command::Secret(SecretCommand::Import(_) | SecretCommand::Export(_)) => {
            Session::open_for_many(global)
        }
        _ => Session::open(global),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)
}

async fn ask(session: &Session, command: Command) -> Result<(), CliError> {
    match command {
        Command::Status => operator::status(session).await,
        Command::Init(args) => init::init(session, &args).await,
        Command::Unlock(args) => operator::unlock(session, &args).await,
        Command::Lock => operator::lock(session).await,
        Command::Login(args) => auth::login(session, &args).await,
        Command::Logout => auth::logout(session).await,
        Command::Whoami => user::show(session, Ask::of(Endpoint::ReadSelf)).await,
        Command::Token(command) => token::run(session, command).await,
        Command::AccessKey(command) => user::own_keys(session, command).await,
        Command::Password(command) => passwords::run(session, command).await,
        Command::User(command) => user::run(session, command).await,
        Command::Group(command) => group::run(session, command).await,
        Command::Acl(command) => acl::run(session, command).await,
        Command::Rotate(command) => rotate::run(session, command).await,
        Command::AutoUnlock(AutoUnlockCommand::Add(args)) => operator::add_auto_unlock(session, &args).await,
        Command::AutoUnlock(AutoUnlockCommand::Remove) => operator::remove_auto_unlock(session).await,
        Command::Keyset(command) => keyset::run(session, command).await,
        Command::Job(command) => job::run(session, command).await,
        Command::UnlockKey(command) => unlock_key::run(session, command).await,
        Command::Store(command) => store::run(session, command).await,
        Command::Secret(command) => secret::run(session, command).await,
        Command::Explain(args) => explain::run(session, &args).await,
        Command::Exec(args) => exec::run(session, &args).await,
        Command::Import(MovingCommand::Convection(args)) => moving::run(session, &args).await,
        Command::Audit(command) => audit::run(session, command).await,
        Command::Backup(BackupCommand::Create { file }) => backup::create(session, &file).await,
        Command::Clock(ClockCommand::Accept) => operator::accept_clock(session).await,
        // these were run before: they are no questions to a server
        Command::Completions { .. }
        | Command::Doctor(_)
        | Command::Man { .. }
        | Command::Context(_)
        | Command::Backup(_)
        | Command::Dev(_)
        | Command::Kms(_)
        | Command::Exchange(_)
        | Command::Collector(_)
        | Command::Query(_)
        | Command::Attributes(_)
        | Command::Setup(_)
        | Command::Links(_)
        | Command::Server { .. }
        | Command::Config(_) => Ok(()),
    }
}

/// Asks before something that cannot be undone. `instead` says what spares the question.
fn consent(question: &str, yes: bool, instead: &'static str) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !crate::prompt::somebody_there() {
        return Err(UsageError::NobodyToAsk { what: "consent", instead }.into());
    }
    if crate::prompt::confirmed(&format!("{question} Type yes: "), "yes")? {
        Ok(())
    } else {
        Err(CliError::Declined)
    }
}

/// `yes` or `no`.
fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
