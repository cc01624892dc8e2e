//! Running: open, listen, wait for signals, stop in good order.

use crate::borders::Borders;
use crate::config::{self, Border, Config, ConfigError, Door, Finding};
use crate::listen::{Listener, Listeners};
use crate::logging::LogFile;
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::pid_file::PidFile;
use crate::signals::{Asked, Signals};
use crate::syslog::Exporter;
use crate::tls::TlsHandles;
use crate::wire::{World, of_people};
use crate::{ServerError, chores, harden, logging, sharing};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long requests in flight have when the server stops.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// The server's own authority and certificate, below the data directory.
pub(crate) const OWN_TLS_DIR: &str = "tls";

/// Reads a configuration, at start and at each reload.
type Load<'a> = &'a (dyn Fn() -> Result<Config, ServerError> + Sync);

/// Runs a server from a configuration file until it is told to stop.
pub fn run(path: &Path) -> Result<(), ServerError> {
    run_from(&|| Ok(Config::load(path)?))
}

/// Runs a server until it is told to stop, from a configuration that is found, or translated, by `load`: at the start, and
/// again on HUP.
pub fn run_from(load: Load<'_>) -> Result<(), ServerError> {
    let hardening = harden::apply();
    let config = load()?;
    let log_file = config.server.log_file.as_deref().map(LogFile::open).transpose()?;
    logging::init(&config.server.log, log_file.as_ref())?;
    hardening.log();
    runtime(&config)?.block_on(async {
        let metrics = Metrics::install()?;
        let world = World::open(&config, &metrics).await?;
        let live = Live { load: Some(load), log_file };
        serve(&config, live, Arc::new(world), metrics, async |_, _| Ok(())).await
    })
}

/// Everything that is wrong with a configuration file; if it would run, what is perhaps not meant.
pub fn check(path: &Path) -> Result<Vec<Finding>, ConfigError> {
    Config::load(path).map(|config| config.warnings())
}

pub(crate) fn runtime(config: &Config) -> Result<tokio::runtime::Runtime, ServerError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = config.server.worker_threads {
        builder.worker_threads(threads);
    }
    builder.enable_all().thread_name("strongroom").build().map_err(|source| ServerError::Runtime { source })
}

/// What HUP reads again besides what is served.
#[derive(Default)]
pub(crate) struct Live<'a> {
    /// The configuration.
    load: Option<Load<'a>>,
    /// Where log lines go.
    log_file: Option<LogFile>,
}

/// Serves until a signal. `ready` runs once the listeners are open.
pub(crate) async fn serve(
    config: &Config,
    live: Live<'_>,
    world: Arc<World>,
    metrics: Metrics,
    ready: impl AsyncFnOnce(&World, &Listeners) -> Result<(), ServerError>,
) -> Result<(), ServerError> {
    let mut signals = Signals::catch().map_err(|source| ServerError::Runtime { source })?;
    let notifier = Notifier::from_env();
    let run_dir = &config.server.run_dir;
    std::fs::create_dir_all(run_dir).map_err(|source| ServerError::io("make", run_dir, source))?;
    let _pid_file = config.server.pid_file.as_deref().map(PidFile::hold).transpose()?;
    world.operator.started(env!("CARGO_PKG_VERSION")).await?;
    match world.operator.auto_unlock().await {
        Ok(true) => tracing::info!("unlocked by auto-unlock"),
        Ok(false) => tracing::info!("locked"),
        Err(fault) => tracing::error!(%fault, "auto-unlock failed; the server is locked"),
    }
    let tls = Arc::new(TlsHandles::open(&world.ambient, config, &config.server.data_dir.join(OWN_TLS_DIR))?);
    let mut listeners = Listeners::new(config.limits.clone());
    let bound = config.listeners.iter().map(|listener| Listener::bind(listener, tls.of(listener)));
    let bound = bound.collect::<Result<Vec<Listener>, _>>()?;
    let borders = Borders::of(config, &bound);
    world.gate.set_nacls(borders.nacls());
    warn(config);
    for (listener, configured) in bound.into_iter().zip(&config.listeners) {
        match configured.door {
            Door::Native => listeners.serve(listener, world.door.clone()),
            Door::Cybex => listeners.serve_sharing(listener, world.cybex.clone()),
            Door::Convection(transport) => {
                listeners.serve_convection(listener, world.convection.clone(), transport);
            }
        }
    }
    let exporter = export(config, &world)?;
    let delivered = exporter.as_ref().map(Exporter::delivered);
    let held = move || delivered.as_ref().map(|delivered| delivered());
    let chores = tokio::spawn(chores::run(Arc::clone(&world), Arc::clone(&tls), config.audit.clone(), held));
    let upkeep = tokio::spawn(metrics.keep_up());
    let began = ready(&world, &listeners).await;
    if began.is_ok() {
        notifier.ready("serving");
        signals.until_stop(async || reload(config, &live, &world, &tls, &borders, &notifier)).await;
    }
    notifier.stopping();
    chores.abort();
    upkeep.abort();
    tokio::select! {
        _ = listeners.stop(STOP_DEADLINE) => {}
        () = second(&mut signals) => tracing::warn!("stopping at once"),
    }
    world.close(exporter).await;
    began
}

/// Begins to export the trail, where that is asked for.
fn export(config: &Config, world: &World) -> Result<Option<Exporter>, ServerError> {
    let Some(syslog) = &config.audit.syslog else { return Ok(None) };
    let (operator, ambient) = (Arc::clone(&world.operator), world.ambient.clone());
    Ok(Some(Exporter::start(operator, ambient, syslog, &config.server.data_dir)?))
}

/// Waits for a second request to stop.
async fn second(signals: &mut Signals) {
    while signals.next().await != Asked::StopNow {}
}

/// Reads configuration and certificates again. What cannot be changed while running is named.
fn reload(
    config: &Config,
    live: &Live<'_>,
    world: &World,
    tls: &TlsHandles,
    borders: &Borders,
    notifier: &Notifier,
) {
    notifier.reloading();
    if let Some(Err(fault)) = live.log_file.as_ref().map(LogFile::reopen) {
        tracing::error!(%fault, "the log file was not opened anew; lines go on where they went");
    }
    if let Err(fault) = tls.reload(&world.ambient) {
        tracing::error!(%fault, "certificates were not reloaded; the present ones stay");
    }
    match live.load.map(|load| load()) {
        None => {}
        Some(Err(fault)) => tracing::error!(%fault, "configuration was not reloaded; the present one stays"),
        Some(Ok(fresh)) => {
            world.identity.set(of_people(&fresh));
            match sharing::settings(&fresh.sharing, None) {
                Ok(settings) => world.attributes.set(settings),
                Err(fault) => tracing::error!(%fault, "[sharing] was not reloaded; what was in force stays"),
            }
            borders.reload(&fresh);
            world.gate.set_nacls(borders.nacls());
            warn(&fresh);
            for section in needs_restart(config, &fresh) {
                tracing::warn!(section, "this section changed and takes effect at the next start");
            }
        }
    }
    tracing::info!("reloaded");
    notifier.ready("serving");
}

/// Tells the log what is allowed, and perhaps not what was meant.
fn warn(config: &Config) {
    for finding in config.warnings() {
        tracing::warn!(key = finding.key, "{}", finding.fault);
    }
}

fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let sections = [
        ("server", old.server == new.server),
        ("listener", but_for_borders(old) == but_for_borders(new)),
        ("limits", old.limits == new.limits),
        ("unlock.auto", old.auto_unlock == new.auto_unlock),
        ("audit", old.audit == new.audit),
    ];
    sections.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// The listeners without what is reloaded.
fn but_for_borders(config: &Config) -> Vec<config::Listener> {
    let without =
        |listener: &config::Listener| config::Listener { border: Border::default(), ..listener.clone() };
    config.listeners.iter().map(without).collect()
}
