//! Many secrets at once: import, export, and into the environment of a command.

use super::kinds;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceFormat {
    /// NAME=value lines
    Env,
    /// An object of names and values
    Json,
    /// A mapping of names and values
    Yaml,
    /// The file itself is the secret: certificates and keys
    Pem,
}

/// What to do with a secret that exists with another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflict {
    /// Leave it as it is
    Skip,
    /// Write a new version
    Update,
    /// Write nothing at all
    Fail,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct ImportArgs {
    /// The store
    #[arg(value_parser = kinds::name)]
    pub(crate) store: String,
    /// Files, folders of PEM files, or `-` for standard input
    #[arg(required = true, value_name = "FILE|DIR|-")]
    pub(crate) sources: Vec<PathBuf>,
    /// What they are written in [default: by the name; a folder: pem]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<SourceFormat>,
    /// The folder of the store that everything goes into
    #[arg(long, value_name = "PATH", value_parser = kinds::folder, default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What to do with a secret that exists with another value
    #[arg(long, value_enum, default_value = "fail", value_name = "WHAT")]
    pub(crate) on_conflict: OnConflict,
    /// Objects in objects become paths [default: they become values]
    #[arg(long)]
    pub(crate) flatten: bool,
    /// Folders in folders too
    #[arg(long)]
    pub(crate) recursive: bool,
    /// Files behind symbolic links too [default: they are left out]
    #[arg(long)]
    pub(crate) follow_links: bool,
    /// Requests at once
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) parallel: u8,
}

/// What an export is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// NAME='value' lines; texts only
    Env,
    /// An object of names and values, to the byte
    Json,
    /// A mapping of names and values
    Yaml,
    /// A file a secret
    PemDir,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The store
    #[arg(value_parser = kinds::name)]
    pub(crate) store: String,
    /// Only paths that begin so
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// What to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// Into a file, or the folder of pem-dir, for its owner's eyes only [default: standard output]
    #[arg(long, value_name = "FILE", required_if_eq("format", "pem-dir"))]
    pub(crate) out: Option<PathBuf>,
    /// Onto a terminal, or over a file that exists
    #[arg(long)]
    pub(crate) force: bool,
    /// Requests at once
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) parallel: u8,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct ExecArgs {
    /// The store
    #[arg(long, value_parser = kinds::name, value_name = "STORE")]
    pub(crate) store: String,
    /// Only paths that begin so [default: all]
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// Names without the prefix
    #[arg(long, requires = "prefix")]
    pub(crate) strip_prefix: bool,
    /// What a secret is called, such as DB=db/password [default: its path in capitals, DB_PASSWORD]
    #[arg(long, value_name = "NAME=PATH", value_parser = kinds::mapping)]
    pub(crate) map: Vec<(String, String)>,
    /// Only what --map names
    #[arg(long, requires = "map", conflicts_with = "prefix")]
    pub(crate) only_mapped: bool,
    /// Hide the values in what the command prints
    #[arg(long)]
    pub(crate) mask: bool,
    /// Pass this program's own STRONGROOM_ variables on
    #[arg(long)]
    pub(crate) keep_own: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
