//! The server itself and its configuration.

use clap::{Args, Subcommand};
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
