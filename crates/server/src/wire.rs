//! Wiring: store, gate, engines, door.

use crate::config::Config;
use crate::gauges::Gauges;
use crate::metrics::Metrics;
use crate::rate::Pace;
use crate::syslog::Exporter;
use crate::{ServerError, install_token::InstallToken, key_file::KeyFileSource, sharing};
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_attributes::Attributes;
use strongroom_door_convection::{ConvectionDoor, Parts as ConvectionParts};
use strongroom_door_cybex::{CybexDoor, Parts as CybexParts};
use strongroom_door_native::{NativeDoor, Parts};
use strongroom_gate::{Gate, GateOptions, Keep, Limits, RuleSet, SegmentDir};
use strongroom_identity::{Identity, Lifetimes, Settings};
use strongroom_model::Origin;
use strongroom_operator::{Archive, AutoSource, Operator};
use strongroom_secret::SecretBytes;
use strongroom_store::SharedStore;
use strongroom_store_sqlite::{Options, SqliteStore};

/// A server without its listeners.
pub(crate) struct World {
    pub(crate) ambient: Ambient,
    pub(crate) store: SharedStore,
    pub(crate) gate: Arc<Gate>,
    pub(crate) operator: Arc<Operator>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) attributes: Arc<Attributes>,
    pub(crate) door: NativeDoor,
    pub(crate) convection: ConvectionDoor,
    pub(crate) cybex: CybexDoor,
    pub(crate) install_token: Arc<InstallToken>,
}

impl World {
    /// Opens the data directory, locked.
    pub(crate) async fn open(config: &Config, metrics: &Metrics) -> Result<Self, ServerError> {
        Self::open_with(config, metrics, None).await
    }

    /// The same, with the secret that keys of members' tokens are derived with in place of that of the configuration.
    pub(crate) async fn open_with(
        config: &Config,
        metrics: &Metrics,
        jwt_secret: Option<&SecretBytes>,
    ) -> Result<Self, ServerError> {
        let authority = sharing::settings(&config.sharing, jwt_secret)?;
        let ambient = Ambient::system();
        let options = Options { reserve_bytes: config.server.reserve_bytes, ..Options::default() };
        let sqlite = SqliteStore::open(&config.server.data_dir, options, strongroom_audit::link)?;
        let discarded = sqlite.opened_with().discarded_wal_frames;
        if discarded > 0 {
            tracing::warn!(
                frames = discarded,
                "the log ended in frames that do not hold, and were left out: a write was cut short, or they are damaged"
            );
        }
        let store: SharedStore = sqlite;
        let gate = Gate::new(GateOptions {
            store: Arc::clone(&store),
            ambient: ambient.clone(),
            limits: Limits::default(),
            rules: RuleSet::built_in(rustix::process::geteuid().as_raw()),
        });
        let auto = config.auto_unlock.as_ref().map(|auto| {
            Arc::new(KeyFileSource::new(auto.key_file.clone(), ambient.clone())) as Arc<dyn AutoSource>
        });
        let operator = Operator::new(Arc::clone(&gate), auto).with_archive(archive(config));
        let operator = Arc::new(operator);
        let identity = Arc::new(Identity::new(Arc::clone(&gate), of_people(config)));
        let install_token = Arc::new(InstallToken::at(&config.server.run_dir));
        if may_initialise(&gate, &operator).await? {
            install_token.write(&ambient)?;
        } else {
            install_token.remove_file();
        }
        let pace = Pace::new(config.limits.requests_per_second_per_user);
        let convection = ConvectionDoor::new(ConvectionParts {
            gate: Arc::clone(&gate),
            operator: Arc::clone(&operator),
            identity: Arc::clone(&identity),
            is_install_token: Box::new({
                let token = Arc::clone(&install_token);
                move |text| token.is(text)
            }),
            is_paced: Box::new({
                let pace = pace.clone();
                move |user| pace.allows(&user)
            }),
        });
        let attributes = Arc::new(Attributes::new(Arc::clone(&gate), authority));
        let parts = CybexParts { gate: Arc::clone(&gate), attributes: Arc::clone(&attributes) };
        let cybex = CybexDoor::new(parts);
        let door = NativeDoor::new(Parts {
            gate: Arc::clone(&gate),
            operator: Arc::clone(&operator),
            identity: Arc::clone(&identity),
            attributes: Arc::clone(&attributes),
            is_install_token: Box::new({
                let token = Arc::clone(&install_token);
                move |text| token.is(text)
            }),
            is_paced: Box::new(move |user| pace.allows(&user)),
            render_metrics: Box::new({
                let metrics = metrics.clone();
                let gauges = Gauges::new(&gate, &store, &config.server.data_dir);
                move || {
                    gauges.record();
                    metrics.render()
                }
            }),
            version: env!("CARGO_PKG_VERSION"),
        });
        Ok(Self {
            ambient,
            store,
            gate,
            operator,
            identity,
            attributes,
            door,
            convection,
            cybex,
            install_token,
        })
    }

    /// Takes note that the server stops, and closes the store.
    pub(crate) async fn close(&self, exporter: Option<Exporter>) {
        if let Err(fault) = self.operator.stopping().await {
            tracing::warn!(%fault, "the stop is not in the trail");
        }
        if let Some(exporter) = exporter {
            exporter.finish().await;
        }
        if let Err(fault) = self.store.close().await {
            tracing::error!(%fault, "the store did not close in good order");
        }
        self.install_token.remove();
    }
}

/// Below the data directory, where segments lie unless the configuration says otherwise.
const SEGMENT_DIR: &str = "segments";

/// Where segments lie.
pub(crate) fn segment_dir(config: &Config) -> SegmentDir {
    let dir = config.audit.archive_dir.clone();
    SegmentDir::at(dir.unwrap_or_else(|| config.server.data_dir.join(SEGMENT_DIR)))
}

fn archive(config: &Config) -> Archive {
    let audit = &config.audit;
    let keep = Keep {
        entries: audit.keep_entries,
        age: audit.keep_age,
        segment_entries: audit.segment_entries,
        segment_age: audit.segment_age,
    };
    Archive { dir: segment_dir(config), keep }
}

/// Whether an installer has something left to do: the initialisation, or its repetition and confirmation.
async fn may_initialise(gate: &Gate, operator: &Operator) -> Result<bool, ServerError> {
    if gate.root_row().await.map_err(ServerError::barrier)?.is_none() {
        return Ok(true);
    }
    // of a root record that cannot be read nobody may make a new one
    Ok(operator.status(Origin::Internal).await.is_ok_and(|status| !status.confirmed))
}

/// What people may have, as configured.
pub(crate) fn of_people(config: &Config) -> Settings {
    let lifetimes = Lifetimes { default: config.tokens.default_ttl, max: config.tokens.max_ttl };
    Settings { max_access_keys: config.tokens.max_access_keys, ..Settings::with(lifetimes) }
}
