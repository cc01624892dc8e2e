//! The server's user and group: nobody logs in as them.

use super::SetupError;
use super::machine::{self, User};
use super::plan::{Site, Standing, Step};
use crate::error::CliError;
use std::path::Path;

/// A home that is nowhere.
const NO_HOME: &str = "/nonexistent";

pub(super) fn steps() -> [Box<dyn Step>; 2] {
    [Box::new(Group), Box::new(ServerUser)]
}

struct Group;

impl Step for Group {
    fn title(&self, site: &Site) -> String {
        format!("group {}", site.group())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        match machine::group(site.group()) {
            Some(_) => Ok(Standing::Done),
            None if site.answers.yes("create_server_user") => {
                Ok(Standing::due(format!("make the group {}", site.group()), true))
            }
            None => Err(SetupError::NoAccount { what: "group", name: site.group().to_owned() }),
        }
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        Ok(machine::run("groupadd", &["--system", site.group()])?)
    }
}

struct ServerUser;

impl Step for ServerUser {
    fn title(&self, site: &Site) -> String {
        format!("user {}", site.user())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        match machine::user(site.user()) {
            Some(user) => safe(site, &user).map(|()| Standing::Done),
            None if site.answers.yes("create_server_user") => {
                let what = format!("make the user {}, without a shell and a home", site.user());
                Ok(Standing::due(what, true))
            }
            None => Err(SetupError::NoAccount { what: "user", name: site.user().to_owned() }),
        }
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        let shells = ["/usr/sbin/nologin", "/sbin/nologin"];
        let shell = shells.into_iter().find(|shell| Path::new(shell).exists()).unwrap_or("/bin/false");
        let fixed = ["--system", "--no-create-home", "--home-dir", NO_HOME, "--shell", shell, "--gid"];
        Ok(machine::run("useradd", &[&fixed[..], &[site.group(), site.user()]].concat())?)
    }
}

/// Nobody logs in as the server, and its home holds nothing of people's nor of the server's. Root, and who runs the setup
/// for themselves, know what they do.
fn safe(site: &Site, user: &User) -> Result<(), SetupError> {
    if user.uid == 0 || user.uid == machine::Owner::me().uid {
        return Ok(());
    }
    let fault = |fault| Err(SetupError::UnsafeAccount { name: site.user().to_owned(), fault });
    if !user.shell.ends_with("/nologin") && !user.shell.ends_with("/false") {
        return fault("can log in: give them the shell nologin (usermod --shell), or name another user");
    }
    if user.home.starts_with("/home") {
        return fault("has a home in /home: give them another (usermod --home), or name another user");
    }
    if user.home.starts_with(site.path("secrets_dir")) {
        return fault("has a home in the folder of the secrets: give them another, or name another user");
    }
    Ok(())
}
