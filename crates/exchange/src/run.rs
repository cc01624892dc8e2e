//! Running: open, listen, wait for signals, stop in good order.

use crate::keeper::Keeper;
use crate::members::{Members, MembersError};
use crate::options::{Options, StoreAt};
use crate::postgres::PostgresStorage;
use crate::sqlite::SqliteStorage;
use crate::storage::{Storage, StorageError};
use crate::web::{Exchange, PROOF_BODY_BYTES, Rates};
use data_encoding::BASE64;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_crypto::PublicKey;
use strongroom_member::config::Tls;
use strongroom_member::{Authority, HttpError, Patience, Server};
use strongroom_server::config::{BodyPace, Border, Limits};
use strongroom_server::listen::{ListenError, Listener, Listeners};
use strongroom_server::logging::{self, LoggingError};
use strongroom_server::names::Names;
use strongroom_server::notify::Notifier;
use strongroom_server::quiet::give_back_when_quiet;
use strongroom_server::signals::{Asked, Signals};
use strongroom_server::tls::{TlsError, TlsHandle, TlsSource};

/// How long requests in flight have when it stops.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// Between looks for records that are kept no longer.
const RETENTION_EVERY: Duration = Duration::from_mins(10);
/// For the authority's manifest.
const PATIENCE: Patience = Patience { connect: Duration::from_secs(5), answer: Duration::from_secs(10) };
/// Open connections.
const CONNECTIONS: usize = 4_096;
/// A body that comes slower has no more than half a minute, which is enough for the least that a collector sends,
const LEAST_PACE: NonZeroU32 = NonZeroU32::MIN.saturating_add((64 << 10) - 1);
/// and one that is as fast has this.
const LONGEST_BODY: Duration = Duration::from_mins(30);
/// What is done with a proof when it has come.
const PROOF_WORK: Duration = Duration::from_mins(2);
/// Bytes of a body beside its limit, so that it is its path that refuses it.
const BODY_MARGIN: usize = 64 << 10;

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The store.
    #[error("the store: {0}")]
    Storage(#[from] StorageError),
    /// The members.
    #[error("the members: {0}")]
    Members(#[from] MembersError),
    /// How the authority is asked.
    #[error("the authority: {0}")]
    Authority(#[from] HttpError),
    /// A key that is none.
    #[error("{path}: no public key in PEM or base64", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The listener.
    #[error("{0}")]
    Listen(#[from] ListenError),
    /// Certificate or key.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// Logging.
    #[error("{0}")]
    Logging(#[from] LoggingError),
    /// The runtime.
    #[error("the runtime does not start: {0}")]
    Runtime(#[source] io::Error),
}

/// Runs an exchange until it is told to stop.
///
/// # Errors
/// If it does not start.
pub fn run(options: &Options) -> Result<(), ExchangeError> {
    let hardening = strongroom_server::harden::apply();
    logging::init(&options.log, None)?;
    hardening.log();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().thread_name("exchange").build().map_err(ExchangeError::Runtime)?;
    // stores block, and are opened where that is allowed
    let ambient = Ambient::system();
    let storage = open(&options.store)?;
    let (keeper, ending) = Keeper::start(Arc::clone(&storage), ambient.clone())?;
    let members = Arc::new(members(options, Arc::clone(&storage), ambient.clone())?);
    let parts = Parts { ambient, storage, keeper, members };
    let served = runtime.block_on(serve(options, parts));
    drop(runtime);
    // what was begun is finished: the last group is on disk before this ends
    ending.wait();
    served
}

/// The first hour that is kept.
pub(crate) fn oldest_kept(ambient: &Ambient, days: u32) -> u32 {
    let hour = u32::try_from(ambient.now().0 / 3_600_000).unwrap_or(0);
    hour.saturating_sub(days.saturating_mul(24))
}

/// What is opened before anything is served.
struct Parts {
    ambient: Ambient,
    storage: Arc<dyn Storage>,
    keeper: Keeper,
    members: Arc<Members>,
}

async fn serve(options: &Options, parts: Parts) -> Result<(), ExchangeError> {
    let Parts { ambient, storage, keeper, members } = parts;
    let mut signals = Signals::catch().map_err(ExchangeError::Runtime)?;
    let notifier = Notifier::from_env();
    if let Err(error) = members.refresh().await {
        tracing::error!(%error, "the authority's manifest; nobody is let in without one");
    }
    let tls = options.tls.as_ref().map(|files| {
        let (cert, key) = (files.cert.clone(), files.key.clone());
        let source = match files.clients.clone() {
            Some(clients) => TlsSource::Mutual { cert, key, clients },
            None => TlsSource::Files { cert, key },
        };
        TlsHandle::open(&ambient, source).map(Arc::new)
    });
    let tls = tls.transpose()?;
    let border = Border { names: Some(Names::every()), ..Border::default() };
    let listener = Listener::bind_tcp("exchange", options.listen, tls.clone(), border)?;
    if tls.is_none() && !options.listen.ip().is_loopback() {
        tracing::warn!(listen = %options.listen, "members' tokens come in clear: anybody in between can use them");
    }
    let rates = Rates { requests_per_second: options.requests_per_second };
    let days = options.retention_days;
    let exchange = Exchange::new(keeper.clone(), storage, Arc::clone(&members), ambient.clone(), days, rates);
    let mut listeners = Listeners::new(limits(options.listen));
    listeners.serve_sharing(listener, exchange.router());
    let chores = [
        tokio::spawn(look_again(members)),
        tokio::spawn(retire(keeper, ambient.clone(), days)),
        tokio::spawn(give_back_when_quiet()),
    ];
    notifier.ready("serving");
    let reload = async || {
        if let Some(Err(error)) = tls.as_ref().map(|tls| tls.reload(&ambient)) {
            tracing::error!(%error, "the certificate stays what it was");
        }
    };
    signals.until_stop(reload).await;
    notifier.stopping();
    chores.iter().for_each(tokio::task::JoinHandle::abort);
    tokio::select! {
        _ = listeners.stop(STOP_DEADLINE) => {}
        () = async { while signals.next().await != Asked::StopNow {} } => tracing::warn!("stopping at once"),
    }
    for chore in chores {
        let _ = chore.await;
    }
    Ok(())
}

fn limits(listen: SocketAddr) -> Limits {
    // a proxy on this host brings everybody
    let connections_per_address = if listen.ip().is_loopback() { CONNECTIONS } else { CONNECTIONS / 4 };
    Limits {
        // the largest of any path; each path has its own, and its own time
        body_bytes: PROOF_BODY_BYTES + BODY_MARGIN,
        body_pace: Some(BodyPace { bytes_per_second: LEAST_PACE, longest: LONGEST_BODY }),
        request_timeout: LONGEST_BODY + PROOF_WORK,
        connections: CONNECTIONS,
        connections_per_address,
        ..Limits::default()
    }
}

fn open(store: &StoreAt) -> Result<Arc<dyn Storage>, StorageError> {
    match store {
        StoreAt::Directory(dir) => Ok(Arc::new(SqliteStorage::open(dir)?)),
        StoreAt::Postgres(url) => Ok(Arc::new(PostgresStorage::open(url)?)),
    }
}

fn members(options: &Options, storage: Arc<dyn Storage>, ambient: Ambient) -> Result<Members, ExchangeError> {
    let tls = Tls { ca: options.authority_ca.clone(), ..Tls::default() };
    let server = Server::new(&options.authority, &tls, None, PATIENCE)?;
    let key = options.authority_key.as_deref().map(key).transpose()?;
    Ok(Members::new(Authority::at(server), key, storage, ambient)?)
}

fn key(path: &Path) -> Result<PublicKey, ExchangeError> {
    let wrong = || ExchangeError::Key { path: path.to_owned() };
    let text = std::fs::read(path).map_err(|_| wrong())?;
    if let Ok(key) = PublicKey::from_text(&text) {
        return Ok(key);
    }
    let der = BASE64.decode(text.trim_ascii()).map_err(|_| wrong())?;
    PublicKey::from_spki(&der).map_err(|_| wrong())
}

/// Asks the authority again and again who the members are.
async fn look_again(members: Arc<Members>) {
    loop {
        tokio::time::sleep(members.look_after()).await;
        if let Err(error) = members.refresh().await {
            tracing::warn!(%error, "the authority's manifest; the last one goes on to count for a while");
        }
    }
}

/// Removes what is kept no longer.
async fn retire(keeper: Keeper, ambient: Ambient, days: Option<u32>) {
    let Some(days) = days else { return };
    loop {
        match keeper.expire(oldest_kept(&ambient, days)).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old records were removed"),
            Err(error) => tracing::warn!(%error, "old records stay until the next attempt"),
        }
        tokio::time::sleep(RETENTION_EVERY).await;
    }
}
