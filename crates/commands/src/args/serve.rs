//! The server itself and its configuration.

use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The data directory; what opens it is kept beside it, in DIR.keys [default: the user's own folders]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Where to serve HTTPS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8200")]
    pub(crate) listen: std::net::SocketAddr,
    /// What to log
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    pub(crate) log: String,
}

#[derive(Debug, Args)]
pub(crate) struct KmsArgs {
    /// Its configuration, YAML or lines of NAME=VALUE; FLASK_JWT_SECRET_KEY may stand in the environment instead
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder of what opens the data
    #[arg(long, value_name = "DIR", default_value = "secrets")]
    pub(crate) secrets: PathBuf,
    /// The folder of the data
    #[arg(long, value_name = "DIR", default_value = "db")]
    pub(crate) db: PathBuf,
    /// Where to listen [default: 127.0.0.1:5002]
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:5002", hide_default_value = true, value_parser = listen_address)]
    pub(crate) bind: SocketAddr,
    /// Say `declared` to speak plain HTTP where others than this host can come, as in a container
    #[arg(long, value_name = "WORD", value_parser = ["declared"])]
    pub(crate) plaintext: Option<String>,
}

/// An address to listen on, which is no name.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    strongroom_server::config::listen_address(text).map_err(|fault| fault.to_string())
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with a configuration, line by line, and do nothing else
    Check {
        #[command(flatten)]
        file: ConfigFile,
    },
}

/// A configuration, named in one of two ways.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ConfigFile {
    /// The configuration, TOML
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same, written as `server` takes it
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The one that was named; the parser lets no command line without one pass.
    pub(crate) fn path(&self) -> &Path {
        self.file.as_deref().or(self.config.as_deref()).unwrap_or(Path::new(""))
    }
}
