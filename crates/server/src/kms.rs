//! `strongroom kms`: a server for people who run the key management server of CYBEX-P and nothing else.
//!
//! Its only open door is the attribute authority's; the native one is on a socket of this host. The first start makes
//! everything, later ones find everything and change nothing. Two folders hold it: `db` the data, `secrets` what opens them.
//! Each without the other is an error that says so, never a new authority.

use crate::config::{Address, Config, Door};
use crate::listen::Listeners;
use crate::metrics::Metrics;
use crate::newcomer::{self, FirstTime, Newcomer};
use crate::pid_file::PidFile;
use crate::run::{Live, runtime, serve};
use crate::wire::World;
use crate::{ServerError, harden, logging};
use std::fs::{DirBuilder, File};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_secret::SecretBytes;

/// The data, below `db`. It stands there once a first start has come to its end.
pub const KMS_STORE: &str = "store";
/// What a first start makes, below `db`, until it has come to its end.
const UNFINISHED: &str = "first-start";
/// What opens the data without a person, below `secrets`.
pub const KMS_UNLOCK_KEY: &str = "auto-unlock.key";
/// The operator's private key, below `secrets`.
pub const KMS_ROOT_KEY: &str = "root.key";
/// Unlock keys that are made: one, for the day on which the key of auto-unlock is lost.
const KEYS: u8 = 1;

/// Why there is no key management server.
#[derive(Debug, thiserror::Error)]
pub enum KmsError {
    /// Data without the key that opens them.
    #[error(
        "{db} holds an authority, and {key}, which opens it, is missing: bring the secrets folder back. \
         No new authority is made over an existing one"
    )]
    KeyMissing {
        /// The data.
        db: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A key without the data that it opens.
    #[error(
        "{key} opens an authority that is not in {db}: bring the db folder back, or, if you want a new authority, \
         name an empty secrets folder"
    )]
    DataMissing {
        /// Where the data should be.
        db: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A key that is not of these data.
    #[error("{key} does not open the authority in {db}")]
    OtherKey {
        /// The data.
        db: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
}

/// What a key management server is run with.
pub struct KmsOptions {
    /// Its whole configuration; the data directory is [`KMS_STORE`] below `db`.
    pub config: Config,
    /// What keys of tokens are derived with, if the configuration says it.
    pub jwt_secret: Option<SecretBytes>,
    /// The data.
    pub db: PathBuf,
    /// What opens them.
    pub secrets: PathBuf,
}

/// What is told once it serves.
#[derive(Debug)]
pub struct KmsReady {
    /// Where the authority is.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether everything was made just now.
    pub first: bool,
}

/// Makes a folder of the server's own, if it is not there.
///
/// # Errors
/// If the system refuses.
pub fn private_folder(path: &Path) -> Result<(), ServerError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| ServerError::io("make", path, source))
}

/// Runs it until it is told to stop. `keep` is given what a first start made, before it counts; `tell` is called once it
/// serves.
///
/// # Errors
/// If it cannot be run, or did not end well.
pub fn kms(
    options: &KmsOptions,
    keep: impl FnOnce(&FirstTime) -> Result<(), ServerError>,
    tell: impl FnOnce(KmsReady) -> Result<(), ServerError>,
) -> Result<(), ServerError> {
    let hardening = harden::apply();
    logging::init(&options.config.server.log, None)?;
    hardening.log();
    let config = &options.config;
    runtime(config)?.block_on(async {
        let metrics = Metrics::install()?;
        let first = first_start(options, &metrics, keep).await?;
        let world = World::open_with(config, &metrics, options.jwt_secret.as_ref()).await?;
        serve(config, Live::default(), Arc::new(world), metrics, async |world, listeners| {
            if !world.gate.is_unlocked() {
                return Err(KmsError::OtherKey { db: options.db.clone(), key: options.unlock_key() }.into());
            }
            tell(ready(config, listeners, first))
        })
        .await
    })
}

impl KmsOptions {
    fn unlock_key(&self) -> PathBuf {
        self.secrets.join(KMS_UNLOCK_KEY)
    }
}

fn ready(config: &Config, listeners: &Listeners, first: bool) -> KmsReady {
    let of_door = config.listeners.iter().find(|listener| listener.door == Door::Cybex);
    let bound = listeners.addresses().iter().find_map(|(name, address)| match address {
        Address::Tcp(address) if of_door.is_some_and(|listener| listener.name == *name) => Some(*address),
        _ => None,
    });
    let address = bound.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
    KmsReady { address, tls: of_door.is_some_and(crate::config::Listener::has_tls), first }
}

/// Makes everything, if there is nothing; says whether it did. What an interrupted first start left is made anew: nobody
/// was told of it.
async fn first_start(
    options: &KmsOptions,
    metrics: &Metrics,
    keep: impl FnOnce(&FirstTime) -> Result<(), ServerError>,
) -> Result<bool, ServerError> {
    let (store, unfinished) = (options.db.join(KMS_STORE), options.db.join(UNFINISHED));
    // whoever starts it twice at once must not sweep away what the other one makes
    let _only = PidFile::hold(&options.db.join("first-start.pid"))?;
    let there = |path: &Path| path.try_exists().map_err(|source| ServerError::io("look at", path, source));
    let (db, key) = (options.db.clone(), options.unlock_key());
    match (there(&store)?, there(&key)?, there(&unfinished)?) {
        (true, true, _) => return Ok(false),
        (true, false, _) => return Err(KmsError::KeyMissing { db, key }.into()),
        (false, true, false) => return Err(KmsError::DataMissing { db, key }.into()),
        (false, _, true) => empty(&unfinished)?,
        (false, false, false) => private_folder(&unfinished)?,
    }
    let mut config = options.config.clone();
    config.server.data_dir.clone_from(&unfinished);
    let world = World::open_with(&config, metrics, options.jwt_secret.as_ref()).await?;
    let made = begin(&world, options).await;
    world.close(None).await;
    drop(world);
    keep(&made?)?;
    std::fs::rename(&unfinished, &store).map_err(|source| ServerError::io("rename", &unfinished, source))?;
    let synced = File::open(&options.db).and_then(|folder| folder.sync_all());
    synced.map_err(|source| ServerError::io("sync", &options.db, source))?;
    Ok(true)
}

async fn begin(world: &World, options: &KmsOptions) -> Result<FirstTime, ServerError> {
    let key = newcomer::access_key(&options.secrets.join(KMS_ROOT_KEY))?;
    let (first, _) = Newcomer { world }.begin(&key, KEYS).await?;
    world.install_token.remove();
    Ok(first)
}

/// Empties a folder. The folder itself stays: it says that what lies in `secrets` is of no authority yet.
fn empty(folder: &Path) -> Result<(), ServerError> {
    let failed = |source| ServerError::io("empty", folder, source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_folder = path.symlink_metadata().map_err(failed)?.is_dir();
        if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) }
            .map_err(failed)?;
    }
    Ok(())
}
