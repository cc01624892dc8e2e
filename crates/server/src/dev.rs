//! `strongroom dev`: a real server for a newcomer in one command. Everything is done the way an operator would do
//! it, through the gate, with its entries; only the typing is saved.

use crate::config::{Address, AutoUnlock, Config};
use crate::listen::Listeners;
use crate::metrics::Metrics;
use crate::newcomer::{self, FirstTime, Newcomer};
use crate::run::{Live, OWN_TLS_DIR, runtime, serve};
use crate::wire::World;
use crate::{ServerError, harden, logging};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use strongroom_gate::{Secret, Stores};
use strongroom_model::{Caller, JsonLimits, JsonText, Name, SecretPath};
use strongroom_secrets as secrets;

/// The store and secret that a new server begins with.
pub const FIRST_STORE: &str = "dev";
/// See [`FIRST_STORE`].
pub const FIRST_SECRET: &str = "welcome";
const FIRST_VALUE: &str = "\"This is your first secret: sealed, durable and in the trail.\"";
const RESERVE_BYTES: u64 = 16 << 20;
const KEYS: u8 = 5;

/// Where a newcomer's server lives.
#[derive(Debug, Clone)]
pub struct DevOptions {
    /// The data.
    pub data_dir: PathBuf,
    /// What opens it: the auto-unlock key and root's access key, apart from the data. And the socket.
    pub state_dir: PathBuf,
    /// The HTTPS listener.
    pub listen: SocketAddr,
    /// Log filter.
    pub log: String,
}

/// What a newcomer is told.
#[derive(Debug)]
pub struct DevReady {
    /// `https://HOST:PORT`.
    pub address: String,
    /// The local socket.
    pub socket: PathBuf,
    /// The authority that signed the server's certificate.
    pub authority: PathBuf,
    /// Root's private key.
    pub key_file: PathBuf,
    /// What was made, the first time.
    pub first: Option<FirstTime>,
    /// Whether the server is unlocked.
    pub unlocked: bool,
}

/// Runs a newcomer's server until it is told to stop. `tell` is called once it serves. (A trait object, so that the whole
/// server is not compiled a second time by whoever calls this.)
pub fn dev(
    options: &DevOptions,
    tell: Box<dyn FnOnce(DevReady) -> Result<(), ServerError> + '_>,
) -> Result<(), ServerError> {
    let hardening = harden::apply();
    logging::init(&options.log, None)?;
    hardening.log();
    let config = config(options);
    runtime(&config)?.block_on(async {
        let metrics = Metrics::install()?;
        let world = Arc::new(World::open(&config, &metrics).await?);
        serve(&config, Live::default(), world, metrics, async |world, listeners| {
            let first = first_time(world, options).await?;
            let is_first = first.is_some();
            tell(report(options, world, listeners, first))?;
            if is_first { told(options) } else { Ok(()) }
        })
        .await
    })
}

fn config(options: &DevOptions) -> Config {
    let mut config = Config::default_for(&options.data_dir);
    config.server.run_dir.clone_from(&options.state_dir);
    config.server.reserve_bytes = RESERVE_BYTES;
    config.auto_unlock = Some(AutoUnlock { key_file: options.state_dir.join("auto-unlock.key") });
    for listener in &mut config.listeners {
        match &mut listener.address {
            Address::Tcp(address) => *address = options.listen,
            Address::Unix(path) => *path = options.state_dir.join("strongroom.sock"),
        }
    }
    config
}

fn key_file(options: &DevOptions) -> PathBuf {
    options.state_dir.join("root.key")
}

/// There from before anything is made until everything was told: what lies between would leave a server without a
/// person who has its unlock keys.
fn untold(options: &DevOptions) -> PathBuf {
    options.state_dir.join("first-start")
}

fn told(options: &DevOptions) -> Result<(), ServerError> {
    let marker = untold(options);
    std::fs::remove_file(&marker).map_err(|source| ServerError::io("remove", &marker, source))
}

fn report(options: &DevOptions, world: &World, listeners: &Listeners, first: Option<FirstTime>) -> DevReady {
    let tcp = listeners.addresses().iter().find_map(|(_, address)| match address {
        Address::Tcp(address) => Some(*address),
        Address::Unix(_) => None,
    });
    DevReady {
        address: format!("https://{}", tcp.unwrap_or(options.listen)),
        socket: options.state_dir.join("strongroom.sock"),
        authority: options.data_dir.join(OWN_TLS_DIR).join("ca.pem"),
        key_file: key_file(options),
        first,
        unlocked: world.gate.is_unlocked(),
    }
}

/// Initialises, unlocks, adds auto-unlock, and stores and reads a first secret; nothing if there is data already.
async fn first_time(world: &World, options: &DevOptions) -> Result<Option<FirstTime>, ServerError> {
    if world.gate.root_row().await.map_err(ServerError::barrier)?.is_some() {
        let interrupted = || ServerError::Interrupted { data: options.data_dir.clone() };
        return if untold(options).exists() { Err(interrupted()) } else { Ok(None) };
    }
    let newcomer = Newcomer { world };
    let key = newcomer::access_key(&key_file(options))?;
    crate::tls::write_private(&untold(options), b"")?;
    let (first, root) = newcomer.begin(&key, KEYS).await?;
    first_secret(&newcomer, &root).await?;
    world.install_token.remove();
    Ok(Some(first))
}

async fn first_secret(newcomer: &Newcomer<'_>, root: &Caller) -> Result<(), ServerError> {
    let (world, first) = (newcomer.world, ServerError::first::<strongroom_model::NameError>);
    let store = Name::new(FIRST_STORE).map_err(first)?;
    let secret = || -> Result<Secret, ServerError> {
        Ok(Secret { store: store.clone(), path: SecretPath::new(FIRST_SECRET).map_err(first)? })
    };
    let user = root.principal.as_ref().map(|principal| principal.user).unwrap_or_default();
    let now = world.gate.now();
    let permit = newcomer.admit::<secrets::CreateStore>(root, Stores { name: Some(store.clone()) }).await?;
    let usual = secrets::TypeRef::usual();
    secrets::create_store(permit, user, now, usual, None, secrets::Settings::default()).await?;
    let text = JsonText::new(FIRST_VALUE.as_bytes(), JsonLimits::VALUE).map_err(ServerError::first)?;
    let permit = newcomer.admit::<secrets::PutSecret>(root, secret()?).await?;
    secrets::put(permit, user, now, &secrets::Value::json(&text), None).await?;
    let permit = newcomer.admit::<secrets::GetSecret>(root, secret()?).await?;
    let held = secrets::read(permit, None).await?;
    let read = world.gate.release(held).await.map_err(ServerError::first)?;
    let same = read.live().is_some_and(|read| {
        read.value.bytes.expose(|bytes| strongroom_secret::bytes_eq(bytes, FIRST_VALUE.as_bytes()))
    });
    if same { Ok(()) } else { Err(ServerError::first("the first secret did not come back as it went in")) }
}
