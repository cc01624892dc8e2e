//! What may be written on the command line.
//!
//! No argument carries a secret. Where one would be typed by mistake (a value, an unlock key) a hidden argument
//! swallows it, so that it is refused without being repeated in an error message.

mod kinds;

pub(crate) use kinds::{Swallowed, ValueSource};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// A self-hosted home for secrets, keys and confidential data
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, max_term_width = 110, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How the output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for people
    Table,
    /// The server's JSON for programs
    Json,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The server: `https://HOST:PORT` or `unix:/PATH`
    #[arg(long, global = true, env = "STRONGROOM_ADDR", value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
    /// The authority that the server's certificate must come from, PEM
    #[arg(long, global = true, env = "STRONGROOM_CACERT", value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// A context of the configuration file, instead of its current one
    #[arg(long, global = true, env = "STRONGROOM_CONTEXT", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Tables for people or JSON for programs
    #[arg(long, global = true, value_enum, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Format,
    /// No colours, even on a terminal
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a server
    Server {
        /// Its configuration, TOML
        #[arg(short = 'c', long = "config", value_name = "FILE")]
        config: PathBuf,
    },
    /// Configuration of a server
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Run a server of one's own in one command: data on disk, TLS, unlocked, a first secret in it
    Dev(DevArgs),
    /// Show the state of the lock, auto-unlock and disk space
    Status,
    /// Make the root key, its unlock keys and the first user
    Init(InitArgs),
    /// Present unlock keys until the server is unlocked
    Unlock(KeyFileArgs),
    /// Lock the server; ends all tokens
    Lock,
    /// Prove possession of an access key, and keep the token
    Login(LoginArgs),
    /// End the token and forget it
    Logout,
    /// One's own token
    #[command(subcommand)]
    Token(TokenCommand),
    /// Rotate keys
    #[command(subcommand)]
    Rotate(RotateCommand),
    /// Unlocking without a person
    #[command(subcommand, name = "auto-unlock")]
    AutoUnlock(AutoUnlockCommand),
    /// Keyrings that seal stores
    #[command(subcommand)]
    Keyset(KeysetCommand),
    /// Secret stores
    #[command(subcommand)]
    Store(StoreCommand),
    /// Secrets
    #[command(subcommand)]
    Secret(SecretCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The server's idea of time
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

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

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Unlock keys to make
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "confirm")]
    pub(crate) num_keys: u8,
    /// How many of them unlock together
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "confirm")]
    pub(crate) threshold: u8,
    /// Root's public key, PEM: Ed25519 or RSA [default: a new pair, kept in the state folder]
    #[arg(long, value_name = "FILE", conflicts_with = "confirm")]
    pub(crate) public_key: Option<PathBuf>,
    /// The file with the one-time token that the server wrote; not needed on the local socket
    #[arg(long, value_name = "FILE")]
    pub(crate) init_token_file: Option<PathBuf>,
    /// Confirm without asking: the keys in the output are kept
    #[arg(long, conflicts_with = "confirm")]
    pub(crate) yes: bool,
    /// Confirm an earlier initialisation: its unlock keys are kept
    #[arg(long, value_name = "SET")]
    pub(crate) confirm: Option<String>,
}

/// Where unlock keys come from: a prompt, or a file.
#[derive(Debug, Args)]
pub(crate) struct KeyFileArgs {
    /// A file with unlock keys, one a line; `-` is standard input [default: ask, without echo]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The access key [default: the context's]
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Its private key, PEM [default: the context's]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// How long the token lives, such as 8h, 30m, 7d
    #[arg(long, default_value = "8h", value_name = "TIME", value_parser = kinds::seconds)]
    pub(crate) ttl: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Show whose token this is and how long it lives
    Lookup,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RotateCommand {
    /// New root key and new unlock keys; the old ones hold until the new are confirmed
    #[command(group = ArgGroup::new("step").args(["confirm", "cancel"]))]
    Root(RotateRootArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RotateRootArgs {
    /// New unlock keys to make [default: as many as before]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "step")]
    pub(crate) num_keys: Option<u8>,
    /// How many of them unlock together [default: as before]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..), conflicts_with = "step")]
    pub(crate) threshold: Option<u8>,
    /// Finish a rotation: present a threshold of the new unlock keys
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Give a rotation up: the old unlock keys stay
    #[arg(long)]
    pub(crate) cancel: bool,
    #[command(flatten)]
    pub(crate) keys: KeyFileArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AutoUnlockCommand {
    /// Add it; takes a threshold of unlock keys
    Add(KeyFileArgs),
    /// Remove it
    Remove,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysetCommand {
    /// List keysets
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Create a store
    Create {
        /// Its name
        #[arg(value_parser = kinds::name)]
        store: String,
        /// Its type
        #[arg(long = "type", default_value = "generic", value_name = "TYPE")]
        store_type: String,
        /// The keyset that seals it [default: default]
        #[arg(long, value_name = "NAME")]
        keyset: Option<String>,
    },
    /// List stores
    List,
    /// Show a store's metadata
    Show {
        /// Its name
        #[arg(value_parser = kinds::name)]
        store: String,
    },
    /// Remove a store and everything in it
    Remove {
        /// Its name
        #[arg(value_parser = kinds::name)]
        store: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which secret.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The store
    #[arg(value_parser = kinds::name)]
    pub(crate) store: String,
    /// The secret's path in it
    #[arg(value_parser = kinds::path)]
    pub(crate) path: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Write a new version of a secret
    Put(PutArgs),
    /// Print a secret's value
    Get {
        #[command(flatten)]
        place: Place,
        /// An earlier version
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        /// The value's bytes as the server keeps them: a JSON text stays JSON
        #[arg(long, conflicts_with = "output")]
        raw: bool,
    },
    /// List secrets; with --output json one JSON object a line
    List {
        /// The store
        #[arg(value_parser = kinds::name)]
        store: String,
        /// Only paths that begin so
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
        /// Only paths that contain this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// List secrets whose path contains a text
    Search {
        /// The store
        #[arg(value_parser = kinds::name)]
        store: String,
        /// What the path contains
        text: String,
    },
    /// Delete a secret with all its versions
    Delete {
        #[command(flatten)]
        place: Place,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show a secret's metadata and versions, without its value
    Metadata {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where the value comes from: `@FILE`, or `-` for standard input, kept to the byte [default: ask, without
    /// echo]
    #[arg(long, value_name = "@FILE|-", allow_hyphen_values = true)]
    pub(crate) value: Option<ValueSource>,
    /// The value is JSON text [default: a text, which becomes a JSON string]
    #[arg(long, conflicts_with = "bytes")]
    pub(crate) json: bool,
    /// The value is bytes
    #[arg(long)]
    pub(crate) bytes: bool,
    /// Write only if this is the current version; 0: only if there is none
    #[arg(long, value_name = "N")]
    pub(crate) cas: Option<u64>,
    #[arg(hide = true)]
    pub(crate) stray: Vec<Swallowed>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the last entries
    Tail {
        /// How many
        #[arg(short = 'n', long = "lines", default_value_t = 20, value_name = "N")]
        lines: u32,
        /// Go on with new entries as they come
        #[arg(long, short = 'f')]
        follow: bool,
    },
    /// Check the whole trail
    Verify {
        /// A checkpoint that was kept elsewhere
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Write the whole trail as JSON lines
    Export {
        /// Into a file, which appears when it is complete [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Sign a checkpoint of the trail: keep it elsewhere
    Checkpoint {
        /// Into a file [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// Accept the server's wall clock after a jump
    Accept,
}
