//! Folders: private ones of the server's, and those that files for everybody lie in.

use super::SetupError;
use super::machine::Owner;
use super::plan::{Site, Standing, Step};
use crate::error::CliError;
use rustix::fs::{Gid, Uid};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

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
        let owned =
            owner.is_some_and(|owner| owner.uid == metadata.uid()) || metadata.uid() == 0 && owner.is_none();
        if closed && owned {
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
        match self.private {
            true => format!("folder {} for the server alone", self.path.display()),
            false => format!("folder {}", self.path.display()),
        }
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
            std::fs::create_dir_all(parent).map_err(failed())?;
        }
        let mut builder = std::fs::DirBuilder::new();
        // closed until it has its owner
        match builder.mode(0o700).create(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(failed()(error).into());
            }
            _ => {}
        }
        if owner != Owner::me() {
            let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
            rustix::fs::chown(&self.path, Some(uid), Some(gid)).map_err(|error| failed()(error.into()))?;
        }
        let mode = std::fs::Permissions::from_mode(self.mode());
        std::fs::set_permissions(&self.path, mode).map_err(failed())?;
        Ok(())
    }
}
