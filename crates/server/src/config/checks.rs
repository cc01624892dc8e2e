//! A look at the files and directories that a configuration names.

use super::{Address, Config, Fault, Finding, Tls};
use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut found = Found { config, findings: Vec::new() };
    found.directory("server.data_dir", &config.server.data_dir);
    found.directory("server.run_dir", &config.server.run_dir);
    if let Some(parent) = config.server.pid_file.as_deref().and_then(Path::parent) {
        found.stat("server.pid_file", parent);
    }
    for listener in &config.listeners {
        let key = |name: &str| format!("listener.{}.{name}", listener.name);
        if let (true, Tls::Files { cert, key: private }) = (listener.has_tls(), &listener.tls) {
            found.file(&key("tls_cert"), cert);
            found.private_file(&key("tls_key"), private);
        }
        if let (Address::Unix(_), Some(group)) = (&listener.address, &listener.socket.group)
            && crate::listen::group_id(group).is_none()
        {
            found.report(&key("socket_group"), Fault::NoSuchGroup);
        }
        if let (Address::Unix(_), Some(owner)) = (&listener.address, &listener.socket.owner)
            && crate::listen::user_id(owner).is_none()
        {
            found.report(&key("socket_owner"), Fault::NoSuchUser);
        }
    }
    if let Some(parent) = config.server.log_file.as_deref().and_then(Path::parent) {
        found.stat("server.log_file", parent);
    }
    if let Some(auto) = &config.auto_unlock {
        found.auto_unlock_key("unlock.auto.key_file", &auto.key_file);
    }
    if let Some(jwt) = &config.sharing.jwt_secret_file {
        found.private_file("sharing.jwt_secret_file", jwt);
        found.outside_data("sharing.jwt_secret_file", jwt, jwt);
    }
    if let Some(parent) = config.audit.checkpoint_file.as_deref().and_then(Path::parent) {
        found.stat("audit.checkpoint_file", parent);
    }
    if let Some(dir) = &config.audit.archive_dir {
        found.directory("audit.archive_dir", dir);
    }
    if let Some(ca_file) = config.audit.syslog.as_ref().and_then(|syslog| syslog.ca_file.as_ref()) {
        found.file("audit.syslog.ca_file", ca_file);
    }
    found.findings
}

struct Found<'c> {
    config: &'c Config,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn report(&mut self, key: &str, fault: Fault) {
        let place = self.config.places.get(key).copied().unwrap_or_default();
        self.findings.push(Finding { place, key: key.to_owned(), fault });
    }

    /// An empty path was found wrong when it was read.
    fn stat(&mut self, key: &str, path: &Path) -> Option<Metadata> {
        if path.as_os_str().is_empty() {
            return None;
        }
        let fault =
            |error: std::io::Error| Fault::Inaccessible { path: path.into(), reason: error.to_string() };
        std::fs::metadata(path).map_err(|error| self.report(key, fault(error))).ok()
    }

    /// A directory that others may not write to; one that is absent is made at start.
    fn directory(&mut self, key: &str, path: &Path) {
        if path.as_os_str().is_empty() || !path.exists() {
            return;
        }
        let Some(metadata) = self.stat(key, path) else { return };
        let mode = metadata.permissions().mode() & 0o7777;
        if !metadata.is_dir() {
            self.report(key, Fault::NotADirectory { path: path.into() });
        } else if mode & 0o022 != 0 {
            self.report(key, Fault::WritableByOthers { path: path.into(), mode });
        }
    }

    fn file(&mut self, key: &str, path: &Path) -> Option<Metadata> {
        let metadata = self.stat(key, path)?;
        if metadata.is_file() {
            return Some(metadata);
        }
        self.report(key, Fault::NotAFile { path: path.into() });
        None
    }

    fn private_file(&mut self, key: &str, path: &Path) {
        let Some(metadata) = self.file(key, path) else { return };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            self.report(key, Fault::OpenToOthers { path: path.into(), mode });
        }
        if let Err(error) = std::fs::File::open(path) {
            self.report(key, Fault::Inaccessible { path: path.into(), reason: error.to_string() });
        }
    }

    /// Absent it is made when auto-unlock is added, and until then, or if it is lost, people unlock.
    fn auto_unlock_key(&mut self, key: &str, path: &Path) {
        if path.exists() {
            self.private_file(key, path);
            self.outside_data(key, path, path);
        } else if let Some(folder) = path.parent().filter(|_| !path.as_os_str().is_empty()) {
            self.stat(key, folder);
            self.outside_data(key, path, folder);
        }
    }

    /// The same place by another name is the same place. `known` is the path, or the part of it that exists.
    fn outside_data(&mut self, key: &str, path: &Path, known: &Path) {
        let data_dir = &self.config.server.data_dir;
        let (Ok(real), Ok(data)) = (known.canonicalize(), data_dir.canonicalize()) else { return };
        if real.starts_with(data) && !path.starts_with(data_dir) {
            self.report(key, Fault::InsideDataDir);
        }
    }
}
