//! Folders: private ones of the server's, and those that files for everybody lie in.

use super::SetupError;
use super::machine::Owner;
use super::plan::{Site, Standing, Step};
use crate::error::CliError;
use rustix::fs::{Gid, Mode, OFlags, Uid};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

pub(super) fn steps(site: &Site) -> Vec<Box<dyn Step>> {
    let config = site.config_folder();
    let certificates =
        ["tls_cert", "tls_key"].iter().filter_map(|key| Some(site.path(key).parent()?.to_owned()));
    let certificates: Vec<PathBuf> = certificates.filter(|_| site.answers.yes("generate_tls")).collect();
    // a folder of certificates elsewhere is everybody's
    let (ours, others): (Vec<PathBuf>, Vec<PathBuf>) =
        certificates.into_iter().partition(|folder| folder.starts_with(&config));
    let private = [vec![config], ours, vec![site.path("secrets_dir")]].concat();
    let files = ["server_log_file", "socket_path"];
    let around = files.iter().filter_map(|key| Some(site.path(key).parent()?.to_owned()));
    let shared: Vec<PathBuf> = [site.path("pid_dir")].into_iter().chain(around).chain(others).collect();
    let mut seen = Vec::new();
    let private = private.into_iter().map(|path| (path, true));
    let shared = shared.into_iter().map(|path| (path, false));
    let all = private.chain(shared).filter(|(path, _)| {
        let new = !seen.contains(path);
        seen.push(path.clone());
        new
    });
    all.map(|(path, private)| Box::new(Folder { path, private }) as Box<dyn Step>).collect()
}

/// A folder of the server's.
struct Folder {
    path: PathBuf,
    /// For the server alone; else one that is there already stays exactly as it is.
    private: bool,
}

impl Folder {
    fn mode(&self) -> u32 {
        if self.private { 0o700 } else { 0o755 }
    }

    /// Whether mode and owner are right; one without anything in it, which an interrupted setup may have left, is finished.
    fn is_right(&self, owner: Option<Owner>) -> Result<bool, SetupError> {
        let failed = || SetupError::io("look at", &self.path);
        let metadata = std::fs::metadata(&self.path).map_err(failed())?;
        let mode = metadata.permissions().mode() & 0o7777;
        // the original's manual makes them 4700
        let closed = mode & 0o777 == 0o700;
        let is_theirs =
            owner.is_some_and(|owner| owner.uid == metadata.uid()) || metadata.uid() == 0 && owner.is_none();
        if closed && is_theirs {
            return Ok(true);
        }
        let empty = std::fs::read_dir(&self.path).map_err(failed())?.next().is_none();
        if empty && metadata.uid() == Owner::me().uid {
            return Ok(false);
        }
        let wanted =
            owner.map_or_else(|| "the server's user".to_owned(), |owner| format!("user {}", owner.uid));
        Err(SetupError::Folder { path: self.path.clone(), mode, owner: metadata.uid(), wanted })
    }
}

impl Step for Folder {
    fn title(&self, _: &Site) -> String {
        let alone = if self.private { " for the server alone" } else { "" };
        format!("folder {}{alone}", self.path.display())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let due = |what: &str| {
            let what = format!(
                "{what} the folder {}, mode {:04o}, of {}",
                self.path.display(),
                self.mode(),
                site.user()
            );
            Standing::due(what, site.takes_root(&self.path))
        };
        if self.path.symlink_metadata().is_err() {
            return Ok(due("make"));
        }
        if !self.path.is_dir() {
            return Err(SetupError::WrongKind { path: self.path.clone(), wanted: "folder" });
        }
        if !self.private || self.is_right(site.owner())? {
            return Ok(Standing::Done);
        }
        Ok(due("close"))
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        let owner = site.owner_now()?;
        let failed = || SetupError::io("make", &self.path);
        if let Some(parent) = self.path.parent() {
            // whatever the umask: nobody else writes where the server's folder stands
            std::fs::DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(failed())?;
        }
        let mut builder = std::fs::DirBuilder::new();
        // closed until it has its owner
        match builder.mode(0o700).create(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(failed()(error).into());
            }
            _ => {}
        }
        Ok(hand_over(&self.path, owner, self.mode()).map_err(failed())?)
    }
}

/// Gives a folder of one's own to its owner. Where others write to the folder above, what stands there by now may be a
/// link, or theirs: neither is followed nor given away.
fn hand_over(path: &Path, owner: Owner, mode: u32) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    if rustix::fs::fstat(&folder)?.st_uid != Owner::me().uid {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is somebody else's"));
    }
    if owner != Owner::me() {
        rustix::fs::fchown(&folder, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))?;
    }
    Ok(rustix::fs::fchmod(&folder, Mode::from_raw_mode(mode))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_folder_is_handed_over_and_what_a_link_leads_to_is_not() {
        let home = tempfile::tempdir().unwrap();
        let (folder, other, link) =
            (home.path().join("folder"), home.path().join("other"), home.path().join("link"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(&other).unwrap();
        symlink(&other, &link).unwrap();
        let before = mode(&other);
        hand_over(&folder, Owner::me(), 0o700).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert!(hand_over(&link, Owner::me(), 0o711).is_err());
        assert_eq!(mode(&other), before);
    }

    #[test]
    fn what_is_somebody_elses_stays_theirs() {
        let home = tempfile::tempdir().unwrap();
        if std::os::unix::fs::chown(home.path(), Some(65_534), None).is_ok() {
            assert!(hand_over(home.path(), Owner::me(), 0o755).is_err());
            assert_eq!(std::fs::metadata(home.path()).unwrap().uid(), 65_534);
        }
    }
}
