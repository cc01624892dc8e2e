//! The user recovery: another one with the rights of root, for the day on which root's key is lost; and the AuthFile.

use super::SetupError;
use super::files::{self, put};
use super::plan::Site;
use super::rsa::Pair;
use crate::client::{Ask, Client, ClientError};
use crate::commands::{Session, auth};
use crate::error::CliError;
use crate::output;
use std::path::Path;
use strongroom_api::{CreateGroupRequest, CreateUserRequest, Endpoint, UserCreated, UserInfo};
use strongroom_convection::auth_file::AuthFile;

/// The user's name, and the group's. The server gives a user of this name the rights of root.
const NAME: &str = "recovery";
/// How long the token lives that this is done with, in seconds.
const TTL_SECS: u32 = 300;

/// Makes user and group as root, ends the token and locks; the id of the user's access key.
pub(super) async fn create(site: &Site, session: &Session, root_id: &str) -> Result<String, CliError> {
    let root = Pair::of(site, "root");
    let token = auth::token_of_key(session, root_id, &root.private, TTL_SECS).await?;
    let client = Client::new(&session.target.address, &session.target, Some(token), session.ambient.clone())?;
    let made = with(&client, &Pair::of(site, NAME).public).await;
    // whatever became of it, the server ends locked, which ends the token too
    client.ask(Ask::of(Endpoint::Lock)).await?;
    made
}

/// What an interrupted setup has made already, stays.
async fn with(client: &Client, public: &Path) -> Result<String, CliError> {
    let key = files::read(public)?.ok_or_else(|| SetupError::Missing {
        path: public.to_owned(),
        instead: "answer generate_recovery_key with Yes",
    })?;
    let public_key = Some(String::from_utf8_lossy(&key).into_owned());
    let user = CreateUserRequest { name: NAME.to_owned(), public_key, access_key_id: None, password: None };
    let id = match client.ask(Ask::of(Endpoint::CreateUser).json(&user)).await {
        Ok(answer) => answer.read::<UserCreated>()?.access_key_id,
        Err(error) if is_there(&error) => {
            let ask = Ask::of(Endpoint::ReadUser).name("user", NAME);
            client.ask(ask).await?.read::<UserInfo>()?.access_keys.pop()
        }
        Err(error) => return Err(error.into()),
    };
    let group = CreateGroupRequest { name: NAME.to_owned() };
    match client.ask(Ask::of(Endpoint::CreateGroup).json(&group)).await {
        Err(error) if !is_there(&error) => return Err(error.into()),
        _ => {}
    }
    match client.ask(Ask::of(Endpoint::AddMember).name("group", NAME).name("user", NAME)).await {
        Err(error) if !is_there(&error) => return Err(error.into()),
        _ => {}
    }
    Ok(id.unwrap_or_default().replace('-', ""))
}

fn is_there(error: &ClientError) -> bool {
    error.code() == Some("already_exists")
}

/// An AuthFile for root, if there is none: it names the key, and takes the token when somebody logs in.
pub(super) fn auth_file(site: &Site, access_key_id: &str) -> Result<(), CliError> {
    let path = site.path("auth_file");
    if path.exists() {
        output::note(&format!("{} is there already, and stays as it is.", path.display()));
        return Ok(());
    }
    let private = site.path("root_private_key");
    let text = AuthFile::of_key(&private.to_string_lossy(), access_key_id);
    Ok(put(&path, text.as_bytes(), 0o600, None)?)
}
