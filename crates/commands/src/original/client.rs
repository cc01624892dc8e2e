//! The client's configuration, as a way to find the server.

use super::{Found, OriginalError, places};
use crate::context::Address;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use strongroom_convection::client_config::ClientConfig;
use strongroom_convection::server_config::native_socket;

/// The server that a client's configuration names: of the file that was asked for, or of the first in the three places.
/// Nothing, if there is none.
pub(crate) fn target(asked: Option<&Path>) -> Result<Option<(Address, Option<PathBuf>)>, OriginalError> {
    let found = if let Some(path) = asked {
        Some(Found::named(path, None)?)
    } else {
        let mut folders = places();
        folders.push(PathBuf::from("."));
        Found::first(ClientConfig::FILE, &folders).map(Found::trusted).transpose()?
    };
    let Some(found) = found else { return Ok(None) };
    let config = found.read(ClientConfig::read)?;
    if config.use_network {
        let address = SocketAddr::new(config.target_ip, config.target_port);
        return Err(OriginalError::Network { path: found.path, address });
    }
    let socket = native_socket(&super::from_home(&config.socket_path));
    let authority = Some(config.tls_ca).filter(|path| !path.is_empty()).map(|path| super::from_home(&path));
    Ok(Some((Address::Unix(socket), authority)))
}
