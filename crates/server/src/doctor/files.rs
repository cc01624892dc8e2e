//! Who may read and write what the configuration names.

use super::Finding;
use crate::config::{Address, Config, Tls};
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const CHECK: &str = "files";

pub(super) fn look(path: &Path, config: &Config, found: &mut Vec<Finding>) {
    let before = found.len();
    not_writable(path, found);
    private_dir(&config.server.data_dir, found);
    for entry in std::fs::read_dir(&config.server.data_dir).into_iter().flatten().flatten() {
        private(&entry.path(), found);
    }
    for key in keys(config) {
        private(&key, found);
    }
    for listener in &config.listeners {
        if let Address::Unix(socket) = &listener.address {
            socket_mode(socket, listener.socket.mode, found);
        }
    }
    if found.len() == before {
        let dir = config.server.data_dir.display();
        found.push(Finding::ok(CHECK, format!("{dir}, keys and sockets are open to nobody else")));
    }
    auto_unlock(config, found);
}

/// Private keys that the configuration names or implies.
fn keys(config: &Config) -> Vec<PathBuf> {
    let own = config.server.data_dir.join(crate::run::OWN_TLS_DIR);
    let mut keys = vec![own.join("ca.key"), own.join("server.key")];
    keys.extend(config.listeners.iter().filter_map(|listener| match &listener.tls {
        Tls::Files { key, .. } => Some(key.clone()),
        Tls::Own { .. } | Tls::Off { .. } => None,
    }));
    keys.extend(config.auto_unlock.iter().map(|auto| auto.key_file.clone()));
    keys.extend(config.sharing.jwt_secret_file.clone());
    keys.push(config.server.run_dir.join(crate::INSTALL_TOKEN_FILE));
    keys
}

fn stat(path: &Path) -> Option<(Metadata, u32)> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    let mode = metadata.permissions().mode() & 0o7777;
    Some((metadata, mode))
}

fn not_writable(path: &Path, found: &mut Vec<Finding>) {
    if let Some((_, mode)) = stat(path).filter(|(_, mode)| mode & 0o022 != 0) {
        let about = format!("{} may be written by others (mode {mode:04o})", path.display());
        found.push(Finding::fail(CHECK, about, format!("chmod go-w {}", path.display())));
    }
}

fn private_dir(path: &Path, found: &mut Vec<Finding>) {
    let Some((metadata, mode)) = stat(path) else {
        let about = format!("{} is not there yet, or may not be looked at", path.display());
        found.push(Finding::warn(CHECK, about, "look again as the server's user, once it has run"));
        return;
    };
    if mode & 0o077 != 0 {
        let about = format!("{} is open to others (mode {mode:04o})", path.display());
        found.push(Finding::fail(CHECK, about, format!("chmod 700 {}", path.display())));
    }
    owned_alike(path, &metadata, found);
}

/// What a command that was run as another user left, the server cannot write.
fn owned_alike(dir: &Path, metadata: &Metadata, found: &mut Vec<Finding>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let owner = entry.metadata().map_or(metadata.uid(), |file| file.uid());
        if owner != metadata.uid() {
            let path = entry.path();
            let about =
                format!("{} belongs to uid {owner}, {} to {}", path.display(), dir.display(), metadata.uid());
            found.push(Finding::fail(CHECK, about, format!("chown {} {}", metadata.uid(), path.display())));
        }
    }
}

fn private(path: &Path, found: &mut Vec<Finding>) {
    let Some((metadata, mode)) = stat(path) else { return };
    let others = mode & 0o077;
    if metadata.file_type().is_symlink() || metadata.file_type().is_socket() || others == 0 {
        return;
    }
    let wanted = if metadata.is_dir() { "700" } else { "600" };
    // authorities and certificates are no secret
    let public = path.extension().is_some_and(|end| end == "pem") && mode & 0o022 == 0;
    if !public {
        let about = format!("{} is open to others (mode {mode:04o})", path.display());
        found.push(Finding::fail(CHECK, about, format!("chmod {wanted} {}", path.display())));
    }
}

fn socket_mode(path: &Path, configured: u32, found: &mut Vec<Finding>) {
    let Some((metadata, mode)) = stat(path) else { return };
    if !metadata.file_type().is_socket() {
        let about = format!("{} is no socket", path.display());
        found.push(Finding::fail(CHECK, about, "move it away; the server cannot listen there"));
    } else if mode & 0o777 & !configured != 0 {
        let about = format!("{} has mode {mode:04o}, configured is {configured:04o}", path.display());
        found.push(Finding::fail(CHECK, about, "start the server again, and find out who changed it"));
    }
}

/// A key beside the lock.
fn auto_unlock(config: &Config, found: &mut Vec<Finding>) {
    let Some(auto) = &config.auto_unlock else { return };
    let device = |path: &Path| std::fs::metadata(path).ok().map(|file| file.dev());
    let (key, data) = (device(&auto.key_file), device(&config.server.data_dir));
    let path = auto.key_file.display();
    found.push(if key.is_none() {
        let about = format!("auto-unlock is configured, and {path} is not there");
        Finding::warn(
            "unlock",
            about,
            "add it (strongroom auto-unlock add), or unlock by hand after each start",
        )
    } else if key == data {
        let about = format!("{path} is on the same disk as the data: whoever has the disk has both");
        Finding::warn("unlock", about, "keep the key file on another device, or unlock by hand")
    } else {
        Finding::ok("unlock", format!("{path} is on another disk than the data"))
    });
}
