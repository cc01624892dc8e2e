//! `strongroom attributes`: who administers the sharing system, its members, its groups.

use crate::args::{
    AddAdminArgs, AttributesCommand, AuthorityArgs, CollectorsCommand, CreateMemberArgs, Global,
    GroupFileArgs,
};
use crate::client::{Ask, Client};
use crate::commands::keys::WipedTexts;
use crate::commands::{Session, auth, passwords};
use crate::error::{CliError, UsageError};
use crate::output;
use data_encoding::BASE64;
use std::path::Path;
use strongroom_api::{AddSharingAdminRequest, Endpoint, SharingAdmin};
use strongroom_member::config::Tls;
use strongroom_member::{Administrator, Measure, MemberError, Patience, Server, Url};
use strongroom_sharing::Password;
use strongroom_sharing::authority::{
    ChangeAttributes, ChangeEpochs, CreateRight, CreateUser, Group, Manifest,
};

/// The largest file of a group that is read.
const MAX_GROUP_BYTES: u64 = 1 << 20;
/// How long the token lives that an operator's key gets for one command.
const OPERATOR_TTL_SECS: u32 = 60;

/// One function a command.
pub(crate) async fn run(global: &Global, command: AttributesCommand) -> Result<(), CliError> {
    match command {
        AttributesCommand::AddAdmin(args) => add_admin(global, &args).await,
        AttributesCommand::Create(args) => create(&args).await,
        AttributesCommand::Suspend(args) => {
            measure(&args.authority, &args.name, Measure::Suspend, "Suspended").await
        }
        AttributesCommand::Resume(args) => {
            measure(&args.authority, &args.name, Measure::Resume, "Resumed").await
        }
        AttributesCommand::Delete(args) => {
            measure(&args.authority, &args.name, Measure::Delete, "Removed").await
        }
        AttributesCommand::Rekey(args) => {
            measure(&args.authority, &args.name, Measure::Rekey, "A new epoch began for").await
        }
        AttributesCommand::Change(args) => {
            let change = ChangeAttributes { username: args.name.clone(), attributes: args.attributes };
            administrator(&args.authority)?.set_attributes(&change).await.map_err(MemberError::from)?;
            output::line(&format!("Changed {}.", args.name))
        }
        AttributesCommand::Epochs(args) => {
            let change = ChangeEpochs { username: args.name.clone(), past_epochs: args.epochs };
            administrator(&args.authority)?.set_epochs(&change).await.map_err(MemberError::from)?;
            output::line(&format!("Changed {}.", args.name))
        }
        AttributesCommand::Right(args) => {
            let right = CreateRight { attributes: args.attributes };
            administrator(&args.authority)?.create_right(&right).await.map_err(MemberError::from)?;
            output::line("Registered.")
        }
        AttributesCommand::Group(command) => group(command).await,
        AttributesCommand::Status(args) => status(&args).await,
    }
}

async fn add_admin(global: &Global, args: &AddAdminArgs) -> Result<(), CliError> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => crate::prompt::line("Name of the administrator: ")?,
    };
    let session = session(global, args)?;
    let password = passwords::read(args.password_file.as_deref(), &format!("Password of {name}: "))?;
    let body = AddSharingAdminRequest { name, password: passwords::text(&password)? };
    let ask = Ask::of(Endpoint::AddSharingAdmin).json(&body);
    drop(WipedTexts(vec![body.password]));
    let answer = operator(&session).await?.ask(ask).await?;
    if session.out.json() {
        return answer.expose(output::raw_json);
    }
    let made: SharingAdmin = answer.read()?;
    output::line(&format!("username: {}", made.username))?;
    output::line(&format!("access_token: {}", made.access_token))?;
    output::line("permissions: admin")
}

/// The server that is asked: of `strongroom kms`, the one of these folders.
fn session(global: &Global, args: &AddAdminArgs) -> Result<Session, CliError> {
    let Some((secrets, db)) = args.secrets.as_ref().zip(args.db.as_ref()) else {
        return Session::open(global);
    };
    let db = std::path::absolute(db).map_err(CliError::file(db))?;
    let of_folders = Global {
        address: Some(format!("unix:{}", db.join("run/strongroom.sock").display())),
        auth_file: Some(secrets.join("operator.toml")),
        ..Global::bare()
    };
    Session::open(&of_folders)
}

/// A client with the token that is kept, or with one for this command by the key that the login file names.
async fn operator(session: &Session) -> Result<Client, CliError> {
    let keyed = session.auth.as_ref().filter(|auth| auth.token().is_none());
    let key = keyed.and_then(|auth| auth.file.access_key_id.clone().zip(auth.key_file()));
    let token = match key {
        Some((id, file)) => Some(auth::token_of_key(session, &id, &file, OPERATOR_TTL_SECS).await?),
        None => session.kept_token()?,
    };
    Ok(Client::new(&session.target.address, &session.target, token, session.ambient.clone())?)
}

fn administrator(args: &AuthorityArgs) -> Result<Administrator, CliError> {
    let token = passwords::read(Some(&args.token_file), "")?;
    let url: Url = args.kms.parse().map_err(|source| UsageError::AuthorityUrl { source })?;
    let tls = Tls { ca: args.kms_ca.clone(), ..Tls::default() };
    let server = Server::new(&url, &tls, None, Patience::default()).map_err(MemberError::from)?;
    Ok(Administrator::new(server, token))
}

async fn create(args: &CreateMemberArgs) -> Result<(), CliError> {
    let authority = administrator(&args.authority)?;
    let file = args.password_file.as_deref();
    let password = passwords::read_new(file, &format!("Password of {}: ", args.name))?;
    let wire = || Password::copied(&password).map_err(|_| UsageError::PasswordNotText);
    let user = CreateUser {
        username: args.name.clone(),
        password: wire()?,
        password2: wire()?,
        attributes: args.attributes.clone(),
        wrap_key: None,
        signing_key: None,
        past_epochs: args.past_epochs.clone(),
    };
    let made = authority.create(&user).await.map_err(MemberError::from)?;
    output::line(&format!("username: {}", made.username))?;
    output::line(&format!("access_token: {}", made.access_token))?;
    output::line(format!("attributes: {}", made.attributes.join(" ")).trim_end())
}

async fn measure(args: &AuthorityArgs, name: &str, measure: Measure, done: &str) -> Result<(), CliError> {
    administrator(args)?.measure(measure, name).await.map_err(MemberError::from)?;
    output::line(&format!("{done} {name}."))
}

async fn group(command: CollectorsCommand) -> Result<(), CliError> {
    match command {
        CollectorsCommand::Create(args) => {
            let (authority, group) = (administrator(&args.authority)?, read_group(&args)?);
            authority.create_group(&group).await.map_err(MemberError::from)?;
            output::line(&format!("Created group {}.", group.name))
        }
        CollectorsCommand::Change(args) => {
            let (authority, group) = (administrator(&args.authority)?, read_group(&args)?);
            authority.change_group(&group).await.map_err(MemberError::from)?;
            output::line(&format!("Changed group {}.", group.name))
        }
        CollectorsCommand::Delete(args) => {
            administrator(&args.authority)?.delete_group(&args.name).await.map_err(MemberError::from)?;
            output::line(&format!("Removed group {}.", args.name))
        }
        CollectorsCommand::List(args) => {
            let groups = administrator(&args)?.groups().await.map_err(MemberError::from)?;
            let text = serde_json::to_string_pretty(&groups).map_err(crate::client::ClientError::from)?;
            output::line(&text)
        }
    }
}

fn read_group(args: &GroupFileArgs) -> Result<Group, CliError> {
    let bytes = read_bounded(&args.file)?;
    serde_json::from_slice(&bytes)
        .map_err(|source| UsageError::GroupFile { path: args.file.clone(), source }.into())
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, CliError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(CliError::file(path))?;
    file.take(MAX_GROUP_BYTES).read_to_end(&mut bytes).map_err(CliError::file(path))?;
    Ok(bytes)
}

/// What everybody may know, and an administrator the names of.
async fn status(args: &AuthorityArgs) -> Result<(), CliError> {
    let authority = administrator(args)?;
    let signed = authority.manifest().await.map_err(MemberError::from)?;
    // shown, not relied upon: collectors and queries check the signature
    let payload = BASE64.decode(signed.payload.as_bytes()).unwrap_or_default();
    let manifest: Manifest = serde_json::from_slice(&payload).map_err(crate::client::ClientError::from)?;
    let names = authority.collectors().await.map_err(MemberError::from)?.collectors;
    let attributes = authority.attributes().await.map_err(MemberError::from)?.attributes;
    output::line(&format!("epoch:      {}", manifest.epoch))?;
    output::line(&format!("authority:  {}", manifest.authority))?;
    output::line(&format!("attributes: {}", attributes.join(" ")))?;
    for member in manifest.members {
        let name = names.get(&member.id).map_or("?", String::as_str);
        let standing = if member.active { "active" } else { "revoked" };
        output::line(&format!("{}  {standing:7}  {name}", member.id))?;
    }
    Ok(())
}
