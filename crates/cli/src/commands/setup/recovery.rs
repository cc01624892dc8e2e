//! The user recovery: another one with the rights of root, for the day on which root's key is lost; and the AuthFile.

use super::SetupError;
use super::files::{self, put};
use super::plan::Site;
use super::rsa::Pair;
use crate::client::{Ask, Client};
use crate::commands::{Session, auth};
use crate::error::CliError;
use crate::output;
use std::path::Path;
use strongroom_api::{CreateGroupRequest, CreateUserRequest, Endpoint, UserCreated};
use strongroom_convection::auth_file::AuthFile;

/// The user's name, and the group's. The server gives a user of this name the rights of root.
const NAME: &str = "recovery";
/// How long the token lives that this is done with, in seconds.
const TTL_SECS: u32 = 300;

/// What came of it.
pub(super) struct Made {
    pub(super) access_key_id: String,
}

/// Makes user and group as root, ends the token and locks.
pub(super) async fn create(site: &Site, session: &Session, root_id: &str) -> Result<Made, CliError> {
    let root = Pair::of(site, "root");
    let token = auth::token_of_key(session, root_id, &root.private, TTL_SECS).await?;
    let client = Client::new(&session.target.address, &session.target, Some(token), session.ambient.clone())?;
    let made = with(&client, &Pair::of(site, NAME).public).await;
    // whatever became of it, the server ends locked, which ends the token too
    client.ask(Ask::of(Endpoint::Lock)).await?;
    made
}

async fn with(client: &Client, public: &Path) -> Result<Made, CliError> {
    let key = files::read(public)?.ok_or_else(|| SetupError::Missing {
        path: public.to_owned(),
        instead: "answer generate_recovery_key with Yes",
    })?;
    let public_key = Some(String::from_utf8_lossy(&key).into_owned());
    let user = CreateUserRequest { name: NAME.to_owned(), public_key, access_key_id: None, password: None };
    let created: UserCreated = client.ask(Ask::of(Endpoint::CreateUser).json(&user)).await?.read()?;
    let group = CreateGroupRequest { name: NAME.to_owned() };
    client.ask(Ask::of(Endpoint::CreateGroup).json(&group)).await?;
    client.ask(Ask::of(Endpoint::AddMember).name("group", NAME).name("user", NAME)).await?;
    Ok(Made { access_key_id: created.access_key_id.unwrap_or_default().replace('-', "") })
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
