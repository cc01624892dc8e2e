//! What may be written on the command line: the commands here, what each takes in a module a topic.
//!
//! No argument carries a secret. Where one would be typed by mistake (a value, an unlock key) a hidden argument
//! swallows it, so that it is refused without being repeated in an error message.

mod acl;
mod audit;
mod auth;
mod backup;
mod context;
mod doctor;
mod explain;
mod keyset;
mod kinds;
mod moving;
mod operator;
mod original;
mod people;
mod secret;
mod serve;
mod sharing;
mod store;
mod transfer;

pub(crate) use acl::{AclCommand, AttachArgs, RuleArgs};
pub(crate) use audit::{AuditCommand, TrailFilter};
pub(crate) use auth::LoginArgs;
pub(crate) use backup::{BackupCommand, BackupKeyArgs};
pub(crate) use context::{ContextCommand, SetContextArgs};
pub(crate) use doctor::DoctorArgs;
pub(crate) use explain::ExplainArgs;
pub(crate) use keyset::{JobCommand, KeysetCommand};
pub(crate) use kinds::{Swallowed, ValueSource, When};
pub(crate) use moving::{ConvectionArgs, MovingCommand};
pub(crate) use operator::{
    AutoUnlockCommand, ClockCommand, InitArgs, KeyFileArgs, RotateCommand, RotateRootArgs, UnlockKeyCommand,
};
pub(crate) use original::{
    LinksArgs, ManagerProgram, ManagerWord, OriginalOptions, ServerProgram, ServerWord, SetupArgs,
    SetupProgram,
};
pub(crate) use people::{
    AccessKeyCommand, CreateUserArgs, GroupCommand, PasswordCommand, SetPasswordArgs, TokenCommand,
    UserCommand, UserKeyCommand,
};
pub(crate) use secret::{Place, PutArgs, SecretCommand};
pub(crate) use serve::{ConfigCommand, ConfigFile, DevArgs, KmsArgs};
pub(crate) use sharing::{
    AddAdminArgs, AttributesCommand, AuthorityArgs, CollectorArgs, CollectorPlace, CollectorWord,
    CollectorsCommand, CreateMemberArgs, EnrollArgs, ExchangeArgs, GroupFileArgs, QueryArgs, QueryFormat,
    QueryKind, QueryWord, SendArgs,
};
pub(crate) use store::StoreCommand;
pub(crate) use transfer::{ExecArgs, ExportArgs, ExportFormat, ImportArgs, OnConflict, SourceFormat};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

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
    /// A file to log in with, which keeps the token [default: convection-secrets.auth.* in ~/.local, /etc or here]
    #[arg(short = 'A', long, global = true, env = "STRONGROOM_AUTH_FILE", value_name = "FILE")]
    pub(crate) auth_file: Option<PathBuf>,
    /// A client's configuration of Convection Secrets Manager, in place of a context
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) client_config: Option<PathBuf>,
    /// Tables for people or JSON for programs
    #[arg(
        long,
        global = true,
        env = "STRONGROOM_OUTPUT",
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    /// No colours, even on a terminal
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

impl Global {
    /// Nothing said.
    pub(crate) fn bare() -> Self {
        Self {
            address: None,
            cacert: None,
            context: None,
            auth_file: None,
            client_config: None,
            output: Format::Table,
            no_color: false,
        }
    }
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
    /// Set a server up on this machine: asks, or takes answers from a file
    Setup(SetupArgs),
    /// Make links by which this program acts as the originals' ones
    Links(LinksArgs),
    /// Run a server of one's own in one command: data on disk, TLS, unlocked, a first secret in it
    Dev(DevArgs),
    /// Run the key management server of the sharing system, and nothing else, in one command
    Kms(KmsArgs),
    /// Run an exchange: the keeper of encrypted records
    Exchange(Box<ExchangeArgs>),
    /// Administer the attribute authority of the sharing system
    #[command(subcommand)]
    Attributes(Box<AttributesCommand>),
    /// Take records in, encrypt them by policy and send them to an exchange
    Collector(Box<CollectorArgs>),
    /// Search what members of the sharing system have sealed, and open it as far as one's attributes reach
    Query(Box<QueryArgs>),
    /// Show the state of the lock, auto-unlock and disk space
    Status,
    /// Make the root key, its unlock keys and the first user
    Init(InitArgs),
    /// Present unlock keys until the server is unlocked
    Unlock(KeyFileArgs),
    /// Lock the server; ends all tokens
    Lock,
    /// Prove possession of an access key, or a password, and keep the token
    #[command(visible_alias = "authorize")]
    Login(LoginArgs),
    /// End the token and forget it
    #[command(visible_alias = "deauth")]
    Logout,
    /// Show who one is
    Whoami,
    /// Tokens: one's own and others'
    #[command(subcommand)]
    Token(TokenCommand),
    /// One's own access keys
    #[command(subcommand, name = "access-key")]
    AccessKey(AccessKeyCommand),
    /// Passwords
    #[command(subcommand)]
    Password(PasswordCommand),
    /// Users
    #[command(subcommand)]
    User(UserCommand),
    /// Groups of users
    #[command(subcommand)]
    Group(GroupCommand),
    /// ACLs: who may do what
    #[command(subcommand)]
    Acl(AclCommand),
    /// Rotate keys
    #[command(subcommand)]
    Rotate(RotateCommand),
    /// Unlocking without a person
    #[command(subcommand, name = "auto-unlock")]
    AutoUnlock(AutoUnlockCommand),
    /// Keyrings that seal stores
    #[command(subcommand)]
    Keyset(KeysetCommand),
    /// Background jobs
    #[command(subcommand)]
    Job(JobCommand),
    /// The keys that unlock the server
    #[command(subcommand, name = "unlock-key")]
    UnlockKey(UnlockKeyCommand),
    /// Secret stores
    #[command(subcommand)]
    Store(StoreCommand),
    /// Secrets
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Tell which rule decides whether somebody may do something, or list who may
    Explain(ExplainArgs),
    /// Move in from elsewhere
    #[command(subcommand)]
    Import(MovingCommand),
    /// Run a command with secrets in its environment
    Exec(ExecArgs),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Backups: take, verify, restore
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Look at files, certificates, clocks, disk, unlock keys and data, and say what to do
    Doctor(DoctorArgs),
    /// The server's idea of time
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Servers and how to reach them
    #[command(subcommand)]
    Context(ContextCommand),
    /// Write the manual, a page a command
    Man {
        /// The folder that the pages go into
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}
