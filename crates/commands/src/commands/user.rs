//! Users and access keys.

use super::keys::WipedTexts;
use super::{Session, consent, passwords, yes_no};
use crate::args::{AccessKeyCommand, CreateUserArgs, UserCommand, UserKeyCommand};
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use std::path::Path;
use strongroom_api::{
    AccessKeyInfo, AccessKeyList, AddAccessKeyRequest, AddOwnAccessKeyRequest, CreateUserRequest, Endpoint,
    UpdateUserRequest, UserCreated, UserInfo,
};

/// The largest file that is read as a public key.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// One function a command.
pub(super) async fn run(session: &Session, command: UserCommand) -> Result<(), CliError> {
    match command {
        UserCommand::Create(args) => create(session, &args).await,
        UserCommand::List => list(session).await,
        UserCommand::Show { user } => show(session, Ask::of(Endpoint::ReadUser).name("user", &user)).await,
        UserCommand::Enable { user } => enable(session, &user, true).await,
        UserCommand::Disable { user } => enable(session, &user, false).await,
        UserCommand::Remove { user, yes } => {
            consent(&format!("Remove user {user:?} with every credential and token?"), yes, "--yes")?;
            let ask = Ask::of(Endpoint::RemoveUser).name("user", &user);
            session.done(ask, &format!("Removed user {user}.")).await
        }
        UserCommand::Key(command) => others_keys(session, command).await,
    }
}

async fn create(session: &Session, args: &CreateUserArgs) -> Result<(), CliError> {
    passwords::refuse_stray(&args.stray)?;
    let public_key = args.public_key.as_deref().map(public_key).transpose()?;
    let file = args.password_file.as_deref();
    let password = if args.password || file.is_some() {
        Some(passwords::text(&passwords::read_new(file, "Password of the new user: ")?)?)
    } else {
        None
    };
    let bare = public_key.is_none() && password.is_none();
    let body = CreateUserRequest { name: args.user.clone(), public_key, access_key_id: None, password };
    let ask = Ask::of(Endpoint::CreateUser).json(&body);
    drop(WipedTexts(body.password.into_iter().collect()));
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let made: UserCreated = answer.read()?;
    output::line(&format!("Created user {}.", made.user.name))?;
    if bare {
        session.out.warn("the user has neither an access key nor a password, and cannot log in yet");
    }
    match made.access_key_id {
        Some(id) => output::line(&format!("Access key id: {id}")),
        None => Ok(()),
    }
}

fn public_key(file: &Path) -> Result<String, CliError> {
    use std::io::Read as _;
    let mut text = String::new();
    let source = std::fs::File::open(file).map_err(CliError::file(file))?;
    source.take(MAX_KEY_BYTES).read_to_string(&mut text).map_err(CliError::file(file))?;
    Ok(text)
}

async fn list(session: &Session) -> Result<(), CliError> {
    let ask = || Ask::of(Endpoint::ListUsers);
    let Some(users) = session.listed::<UserInfo>("users", ask).await? else { return Ok(()) };
    let rows = users.into_iter().map(|user| {
        vec![
            user.name,
            yes_no(user.enabled),
            user.access_keys.len().to_string(),
            yes_no(user.password),
            user.tokens.to_string(),
            user.groups.join(", "),
            user.acls.join(", "),
        ]
    });
    session.out.table(&["NAME", "ENABLED", "KEYS", "PASSWORD", "TOKENS", "GROUPS", "ACLS"], rows)
}

/// Shows a user: `who` asks for one, or for oneself.
pub(super) async fn show(session: &Session, who: Ask) -> Result<(), CliError> {
    let Some(answer) = session.shown(who).await? else { return Ok(()) };
    let user: UserInfo = answer.read()?;
    session.out.pairs(&[
        ("name", user.name),
        ("id", user.id),
        ("enabled", yes_no(user.enabled)),
        ("protected", yes_no(user.protected)),
        ("created", user.created),
        ("groups", user.groups.join(", ")),
        ("acls", user.acls.join(", ")),
        ("access keys", user.access_keys.join(", ")),
        ("password", yes_no(user.password)),
        ("tokens", user.tokens.to_string()),
    ])
}

async fn enable(session: &Session, user: &str, enabled: bool) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::UpdateUser).name("user", user).json(&UpdateUserRequest { enabled });
    if session.shown(ask).await?.is_none() {
        return Ok(());
    }
    output::line(&if enabled {
        format!("Enabled user {user}.")
    } else {
        format!("Disabled user {user}; every token has ended.")
    })
}

async fn others_keys(session: &Session, command: UserKeyCommand) -> Result<(), CliError> {
    match command {
        UserKeyCommand::Add { user, public_key: file } => {
            let body = AddAccessKeyRequest { public_key: public_key(&file)?, id: None };
            add_key(session, Ask::of(Endpoint::AddAccessKey).name("user", &user).json(&body)).await
        }
        UserKeyCommand::List { user } => {
            list_keys(session, Ask::of(Endpoint::ListAccessKeys).name("user", &user)).await
        }
        UserKeyCommand::Remove { user, id } => {
            let ask = Ask::of(Endpoint::RemoveAccessKey).name("user", &user).name("key", &id);
            session.done(ask, &format!("Removed access key {id} of {user}.")).await
        }
    }
}

/// One's own access keys.
pub(super) async fn own_keys(session: &Session, command: AccessKeyCommand) -> Result<(), CliError> {
    match command {
        AccessKeyCommand::Add { public_key: file, present_file } => {
            let present = match &present_file {
                Some(file) => Some(passwords::text(&passwords::read(Some(file), "")?)?),
                None => None,
            };
            let body = AddOwnAccessKeyRequest { public_key: public_key(&file)?, present };
            let ask = Ask::of(Endpoint::AddOwnAccessKey).json(&body);
            drop(WipedTexts(body.present.into_iter().collect()));
            add_key(session, ask).await
        }
        AccessKeyCommand::List => list_keys(session, Ask::of(Endpoint::ListOwnAccessKeys)).await,
        AccessKeyCommand::Remove { id } => {
            let ask = Ask::of(Endpoint::RemoveOwnAccessKey).name("key", &id);
            session.done(ask, &format!("Removed access key {id}.")).await
        }
    }
}

async fn add_key(session: &Session, ask: Ask) -> Result<(), CliError> {
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let key: AccessKeyInfo = answer.read()?;
    output::line(&format!("Access key id: {} ({})", key.id, key.kind))
}

async fn list_keys(session: &Session, ask: Ask) -> Result<(), CliError> {
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let list: AccessKeyList = answer.read()?;
    let rows = list.access_keys.into_iter().map(|key| vec![key.id, key.kind, key.created, key.fingerprint]);
    session.out.table(&["ID", "KIND", "CREATED", "FINGERPRINT"], rows)
}
