//! What the server's user must be able to write, tried as that user: the original's installer leaves it to chance.

use super::SetupError;
use super::machine;
use super::plan::{Site, Standing, Step};
use super::texts;
use crate::error::CliError;
use std::path::PathBuf;

pub(super) fn steps() -> [Box<dyn Step>; 3] {
    [
        Box::new(Reach { what: "make the PID file", key: "pid_dir", path: texts::pid_file }),
        Box::new(Reach {
            what: "make the socket",
            key: "socket_path",
            path: |site| site.path("socket_path"),
        }),
        Box::new(Reach {
            what: "write the log file",
            key: "server_log_file",
            path: |site| site.path("server_log_file"),
        }),
    ]
}

/// One file.
struct Reach {
    what: &'static str,
    key: &'static str,
    path: fn(&Site) -> PathBuf,
}

impl Reach {
    fn judge(&self, site: &Site) -> Result<(), SetupError> {
        let path = (self.path)(site);
        if machine::may_write(site.owner_now()?, &path) {
            return Ok(());
        }
        Err(SetupError::OutOfReach { user: site.user().to_owned(), what: self.what, path, key: self.key })
    }
}

impl Step for Reach {
    fn title(&self, site: &Site) -> String {
        format!("user {} can {} {}", site.user(), self.what, (self.path)(site).display())
    }

    /// What another step makes first is judged after it.
    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let path = (self.path)(site);
        let folder = path.parent().is_some_and(std::path::Path::is_dir);
        let file = self.key != "server_log_file" || path.exists();
        if !folder || !file || site.owner().is_none() {
            return Ok(Standing::due(format!("see that {}", self.title(site)), false));
        }
        // without root nobody can try as somebody else
        if site.owner() == Some(machine::Owner::me()) || machine::is_root() {
            self.judge(site)?;
        }
        Ok(Standing::Done)
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        Ok(self.judge(site)?)
    }
}
