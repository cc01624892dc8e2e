//! What is on this machine: users, groups, files, and what a user may write.

use super::SetupError;
use crate::original::from_home;
use rustix::process::{getegid, geteuid};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use strongroom_convection::answers::Machine;

/// This machine, as defaults see it.
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn has(&self, path: &str) -> bool {
        from_home(path).exists()
    }
}

/// A user of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) home: PathBuf,
    pub(super) shell: String,
}

/// Whom files are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    /// Who runs this.
    pub(super) fn me() -> Self {
        Self { uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }
}

/// Whether this runs as root.
pub(super) fn is_root() -> bool {
    geteuid().is_root()
}

/// A user by name.
pub(super) fn user(name: &str) -> Option<User> {
    entry("passwd", name).and_then(|line| user_of(&line))
}

fn user_of(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.trim_end().split(':').collect();
    let [_, _, uid, _, _, home, shell] = fields.as_slice() else { return None };
    Some(User { uid: uid.parse().ok()?, home: PathBuf::from(home), shell: (*shell).to_owned() })
}

/// A group's number by name.
pub(super) fn group(name: &str) -> Option<u32> {
    entry("group", name)?.split(':').nth(2)?.parse().ok()
}

/// A line of a database of the system's: of its file, or of what else the machine asks.
fn entry(database: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/etc/{database}")).unwrap_or_default();
    let found = text.lines().find(|line| line.split(':').next() == Some(name)).map(str::to_owned);
    found.or_else(|| {
        let mut getent = Command::new("getent");
        let output =
            getent.arg(database).arg(name).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    })
}

/// The nearest folder above a path that is there.
pub(super) fn above(path: &Path) -> &Path {
    path.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("/"))
}

/// Whether this process may make something in the folder of a path.
pub(super) fn may_make(path: &Path) -> bool {
    rustix::fs::access(above(path), rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

/// Whether a user may make a file, or write the one that is there: tried as that user, so that every rule of the system's
/// is asked.
pub(super) fn may_write(owner: Owner, path: &Path) -> bool {
    let mut shell = Command::new("/bin/sh");
    // a socket or a file that is replaced needs its folder; one that is written to needs itself
    shell
        .arg("-c")
        .arg("if [ -f \"$1\" ]; then [ -w \"$1\" ]; else [ -w \"$2\" ] && [ -x \"$2\" ]; fi")
        .arg("sh");
    shell.arg(path).arg(path.parent().unwrap_or(Path::new("/")));
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    as_user(&mut shell, owner);
    shell.status().is_ok_and(|status| status.success())
}

/// Lets a command run as a user, without further groups, if this process may do so.
pub(super) fn as_user(command: &mut Command, owner: Owner) {
    if is_root() && owner != Owner::me() {
        command.gid(owner.gid).uid(owner.uid);
    }
}

/// Runs a program of the system's.
pub(super) fn run(program: &'static str, arguments: &[&str]) -> Result<(), SetupError> {
    let failed = |said: String| SetupError::Program { program, said };
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// Whether systemd runs this machine.
pub(super) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_users_are_read() {
        let line = "convection_sm:x:990:991:for secrets:/nonexistent:/usr/sbin/nologin";
        let read = user_of(line).unwrap();
        assert_eq!((read.uid, read.shell.as_str()), (990, "/usr/sbin/nologin"));
        assert_eq!(read.home, Path::new("/nonexistent"));
        for line in ["", "x", "a:x:no:1:::", "a:x:1"] {
            assert_eq!(user_of(line), None, "{line}");
        }
        assert_eq!((user("root").map(|user| user.uid), group("root")), (Some(0), Some(0)));
        assert_eq!((user("nobody-of-this-name"), group("")), (None, None));
    }

    #[test]
    fn what_is_not_there_is_judged_by_the_folder_above() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(above(&folder.path().join("a/b/c")), folder.path());
        assert!(may_make(&folder.path().join("a/b")));
        assert!(may_write(Owner::me(), &folder.path().join("a")));
        assert!(!may_write(Owner::me(), &folder.path().join("a/b")));
    }
}
