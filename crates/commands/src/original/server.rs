//! The server's configuration: the original's, translated in memory, or this program's own.

use super::{Found, OriginalError, home, places};
use std::path::{Path, PathBuf};
use strongroom_convection::Finding;
use strongroom_convection::server_config::{Base, ServerConfig, native_socket};
use strongroom_import::Writing;
use strongroom_server::ServerError;
use strongroom_server::config::{Address, Config, Door};

/// What our own configuration is called in a folder.
const OWN: &str = "strongroom.toml";

/// A server's configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerFile {
    /// Of this program.
    Own(PathBuf),
    /// Of the original.
    Original(Found),
}

impl ServerFile {
    /// The file or the folder that was asked for, or the first of the original's places.
    pub(crate) fn find(asked: Option<&Path>, writing: Option<Writing>) -> Result<Self, OriginalError> {
        let Some(asked) = asked else { return Self::in_folders(&places()) };
        if !asked.is_dir() {
            let own = asked.file_name().is_some_and(|name| name == OWN);
            return if own {
                Ok(Self::Own(asked.to_owned()))
            } else {
                Found::named(asked, writing).map(Self::Original)
            };
        }
        if asked.join(OWN).is_file() {
            return Ok(Self::Own(asked.join(OWN)));
        }
        // the folder of the folder, or the folder itself
        match Found::first(ServerConfig::FILE, &[asked.join(ServerConfig::FOLDER), asked.to_owned()]) {
            Some(found) => Ok(Self::Original(found)),
            None => Self::in_folders(&[asked.to_owned()]),
        }
    }

    fn in_folders(folders: &[PathBuf]) -> Result<Self, OriginalError> {
        let inner: Vec<PathBuf> = folders.iter().map(|folder| folder.join(ServerConfig::FOLDER)).collect();
        if let Some(found) = Found::first(ServerConfig::FILE, &inner) {
            return Ok(Self::Original(found));
        }
        let places = inner.iter().map(|folder| folder.join(format!("{}.*", ServerConfig::FILE))).collect();
        Err(OriginalError::Nowhere { what: "server configuration", places })
    }

    /// What the server runs on.
    pub(crate) fn load(&self, log: &str) -> Result<Config, ServerError> {
        match self {
            Self::Own(path) => Ok(Config::load(path)?),
            Self::Original(found) => {
                let foreign =
                    |error| ServerError::Foreign { path: found.path.clone(), source: Box::new(error) };
                let text = self.translated(log).map_err(foreign)?;
                Ok(Config::of_text(&text, &format!("{} (translated)", found.path.display()))?)
            }
        }
    }

    /// The original's configuration in our words.
    fn translated(&self, log: &str) -> Result<String, OriginalError> {
        let Self::Original(found) = self else { return Ok(String::new()) };
        let config = found.read(ServerConfig::read)?;
        with_base(|base| {
            let data = config.data_dir(base);
            let original = ["root.key", "keymap.db"].iter().any(|name| data.join(name).exists());
            if original && !data.join("strongroom.db").exists() {
                return Err(OriginalError::OriginalData { path: data });
            }
            Ok(config.to_toml(base, log))
        })
    }

    /// The original's configuration in our words, with what it could not take along; nothing of a file of our own.
    pub(crate) fn translation(&self) -> Result<Option<(PathBuf, String, Vec<Finding>)>, OriginalError> {
        let Self::Original(found) = self else { return Ok(None) };
        let (config, findings) = found.read(ServerConfig::look)?;
        Ok(Some((found.path.clone(), with_base(|base| config.to_toml(base, "info")), findings)))
    }

    /// The local socket of the native door.
    pub(crate) fn native_socket(&self) -> Result<Option<PathBuf>, ServerError> {
        match self {
            Self::Own(path) => {
                let mut listeners = Config::load(path)?.listeners.into_iter();
                Ok(listeners.find_map(|listener| match (listener.door, listener.address) {
                    (Door::Native, Address::Unix(path)) => Some(path),
                    _ => None,
                }))
            }
            Self::Original(found) => {
                let foreign =
                    |error| ServerError::Foreign { path: found.path.clone(), source: Box::new(error) };
                let config = found.read(ServerConfig::read).map_err(foreign)?;
                Ok(Some(with_base(|base| native_socket(&base.absolute(&config.socket_path)))))
            }
        }
    }

    /// The file with the number of the server's process, if it keeps one.
    pub(crate) fn pid_file(&self) -> Result<Option<PathBuf>, ServerError> {
        match self {
            Self::Own(path) => Ok(Config::load(path)?.server.pid_file),
            Self::Original(found) => {
                let foreign =
                    |error| ServerError::Foreign { path: found.path.clone(), source: Box::new(error) };
                let config = found.read(ServerConfig::read).map_err(foreign)?;
                Ok(Some(with_base(|base| config.pid_file(base))))
            }
        }
    }
}

/// Paths are relative to the working directory, as in the original.
fn with_base<T>(use_base: impl FnOnce(Base<'_>) -> T) -> T {
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let home = home();
    use_base(Base { folder: &folder, home: home.as_deref() })
}
