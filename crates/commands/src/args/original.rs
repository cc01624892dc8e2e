//! Setup, and the programs of Convection Secrets Manager that this binary stands in for: their words, unchanged.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use strongroom_import::Writing;

/// What a file is written in, where its name does not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum InputType {
    /// By its ending
    #[default]
    Auto,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// TOML
    Toml,
}

impl InputType {
    /// The writing, if it was said.
    pub(crate) fn writing(self) -> Option<Writing> {
        match self {
            Self::Auto => None,
            Self::Json => Some(Writing::Json),
            Self::Yaml => Some(Writing::Yaml),
            Self::Toml => Some(Writing::Toml),
        }
    }
}

/// Set a server up on this machine: asks, or takes answers from a file
#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    /// A file of answers; what it does not answer is asked
    #[arg(short = 'd', long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// What the file of answers is written in
    #[arg(short = 't', long, value_enum, default_value = "auto", value_name = "TYPE")]
    pub(crate) input_type: InputType,
    /// Take the default of every question that the file does not answer
    #[arg(long)]
    pub(crate) defaults: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// An unlock key, for a setup that ended before the user recovery was made; `-` is standard input [default: ask]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Say more while it works
    #[arg(short = 'v', long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LinksArgs {
    /// The folder, such as /usr/local/bin
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Replace files and links that are there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// Options of the original's programs.
#[derive(Debug, Args)]
pub(crate) struct OriginalOptions {
    /// Say more
    #[arg(short = 'v', long, global = true)]
    pub(crate) verbose: bool,
    /// The configuration: a file, or the folder that it is in [default: the original's places]
    #[arg(short = 'c', long, global = true, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// What the configuration is written in
    #[arg(short = 't', long, global = true, value_enum, default_value = "auto", value_name = "TYPE")]
    pub(crate) input_type: InputType,
    /// Taken, and without effect
    #[arg(long = "specker_debug", global = true, hide = true)]
    specker_debug: bool,
    /// Taken, and without effect: nothing sensitive is ever logged
    #[arg(long = "sensitive_debug", global = true, hide = true)]
    sensitive_debug: bool,
}

/// Set a server up on this machine
#[derive(Debug, Parser)]
#[command(name = "convection-secrets-setup", version)]
pub(crate) struct SetupProgram {
    #[command(flatten)]
    pub(crate) setup: SetupArgs,
}

/// Strongroom's server, with the configuration of Convection Secrets Manager
#[derive(Debug, Parser)]
#[command(name = "convection-sm-server", version, arg_required_else_help = true)]
pub(crate) struct ServerProgram {
    #[command(flatten)]
    pub(crate) options: OriginalOptions,
    #[command(subcommand)]
    pub(crate) command: ServerWord,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerWord {
    /// Run the server, in the foreground
    #[command(name = "service-start", visible_aliases = ["start", "run"])]
    Start,
    /// Stop the server that runs with this configuration
    #[command(name = "service-stop", visible_alias = "stop")]
    Stop,
    /// Print a configuration with every default
    #[command(name = "default_config", alias = "default-config")]
    DefaultConfig,
}

/// The server's console of Convection Secrets Manager, for a server of Strongroom
#[derive(Debug, Parser)]
#[command(name = "convection-secrets-manager", version, arg_required_else_help = true)]
pub(crate) struct ManagerProgram {
    #[command(flatten)]
    pub(crate) options: OriginalOptions,
    #[command(subcommand)]
    pub(crate) command: ManagerWord,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ManagerWord {
    /// Make the root key, its unlock keys and the user root
    Initialize {
        /// Unlock keys to make
        #[arg(long = "num-keys", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..), value_name = "N")]
        num_keys: u8,
        /// Root's public key, PEM
        #[arg(long = "public-key", visible_alias = "root-public-key", value_name = "FILE")]
        public_key: PathBuf,
    },
    /// Show whether the server is initialised and locked
    Status,
    /// Run the server, in the foreground
    #[command(visible_alias = "run")]
    Start,
    /// Stop the server that runs with this configuration
    Stop,
    /// Print a configuration with every default
    #[command(name = "default_config", alias = "default-config")]
    DefaultConfig,
}
