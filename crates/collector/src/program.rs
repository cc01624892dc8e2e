//! The program: reads the configuration, checks the policy with the authority, runs inputs, pipeline, keeper and poster, and
//! ends them in that order, so that what came in is durable before it ends.

use crate::explain::explain;
use crate::inputs::{Inputs, ListenError};
use crate::intake::{Intake, Sink, SinkError, Stop, Stopper};
use crate::pipeline::{Pipeline, PipelineError};
use crate::policy::{PolicyFileError, Rules, Warning};
use crate::poster;
use crate::record::{Incoming, RecordError};
use crate::rejected::{Entry, Rejected, RejectedError};
use crate::sample::Samples;
use crate::settings::{Input, InputKind, Settings, SettingsError};
use crate::spool::Spool;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom_abe::{AttributeError, AttributeSet};
use strongroom_ambient::Ambient;
use strongroom_member::{Authority, Config, ConfigError, HttpError, MemberError, Program, Session};

/// Why the collector does not run.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its own sections.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The policy.
    #[error("{path}: {error}", path = path.display())]
    Policy {
        /// The configuration.
        path: std::path::PathBuf,
        /// What is wrong.
        error: PolicyFileError,
    },
    /// The member.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The authority.
    #[error("the authority: {0}")]
    Authority(#[from] HttpError),
    /// What the authority said.
    #[error("the authority's attributes cannot be read: {0}")]
    Attributes(#[from] AttributeError),
    /// The spool.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// An input.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A thread.
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The file of rejected records.
    #[error(transparent)]
    Rejected(#[from] RejectedError),
}

/// The collector as it is configured.
pub struct Collector {
    config: Config,
    settings: Settings,
    rules: Arc<Rules>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Records that are durable.
    pub taken: u64,
    /// Records that were refused.
    pub refused: u64,
    /// Records that wait for the exchange.
    pub waiting: u64,
}

impl Collector {
    /// Reads a configuration. `bind` is where the raw TCP input listens, whatever the configuration says.
    pub fn read(
        path: &Path,
        secrets: Option<&Path>,
        bind: Option<SocketAddr>,
    ) -> Result<Self, CollectorError> {
        let config = Config::read(path, secrets)?;
        let mut settings = Settings::read(&config)?;
        if let Some(address) = bind {
            bind_to(&mut settings.inputs, address);
        }
        let policy = |error| CollectorError::Policy { path: path.to_owned(), error };
        let rules = Arc::new(Rules::compile(&settings.policy).map_err(policy)?);
        Ok(Self { config, settings, rules })
    }

    /// The configuration that is shared with the query client.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Whether the configuration asks to show only what would be done.
    pub fn is_dry(&self) -> bool {
        self.settings.debug.do_not_post_data
    }

    /// Whether the configuration asks for the policies to be said at the start.
    pub fn shows_policies(&self) -> bool {
        self.settings.debug.show_enc_policy
    }

    /// What its operator should know before it runs.
    pub fn notices(&self) -> Vec<String> {
        let exposed =
            self.settings.inputs.iter().filter(|input| input.is_exposed()).filter_map(Input::address);
        let warned = exposed.map(|address| {
            format!("records arrive at {address} in clear: whoever is on the way can read and change them")
        });
        self.settings.notices.iter().cloned().chain(warned).collect()
    }

    /// What the configuration shows, and to whom.
    pub fn explain(&self, warnings: &[Warning]) -> String {
        let all: Vec<Warning> = self.rules.remarks().iter().chain(warnings).cloned().collect();
        explain(&self.rules, &self.settings.inputs, &all)
    }

    /// For samples.
    pub fn samples(&self, ambient: &Ambient) -> Samples {
        Samples::new(self.rules.clone(), ambient)
    }

    /// All attributes that any member has: asked as the enrolled member, or with the token of the configuration.
    pub async fn attributes(&self, session: Option<&Session>) -> Result<Vec<String>, CollectorError> {
        let answer = match (session, &self.config.access_key) {
            (None, Some(token)) => Authority::of(&self.config)?.attributes(token).await?,
            (Some(session), _) => {
                session.authorised(async |token| session.authority().attributes(token).await).await?
            }
            (None, None) => return Err(MemberError::NoToken.into()),
        };
        Ok(answer.attributes)
    }

    /// Compares the policies with the attributes that there are.
    pub async fn check(&self, session: Option<&Session>) -> Result<Vec<Warning>, CollectorError> {
        let attributes = self.attributes(session).await?;
        let known = AttributeSet::parse(attributes.iter().map(String::as_str))?;
        let policy = |error| CollectorError::Policy { path: self.config.path.clone(), error };
        self.rules.check(&known).map_err(policy)
    }

    /// The same at the start, when the authority may be out of reach: then records wait, sealed, and the check is left out.
    async fn check_at_start(&self, session: &Session) -> Result<(), CollectorError> {
        match self.check(Some(session)).await {
            Ok(warnings) => warnings.iter().for_each(|warning| tracing::warn!("{warning}")),
            Err(CollectorError::Authority(error)) => {
                tracing::warn!(%error, "the policies are not compared with the attributes that there are");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What was rejected, for its operator.
    pub fn rejected(&self, session: &Session) -> Result<Vec<Entry>, CollectorError> {
        Ok(self.rejected_file(session)?.entries()?)
    }

    fn rejected_file(&self, session: &Session) -> Result<Rejected, CollectorError> {
        let key = session.spool_key()?;
        Ok(key.expose(|key| Rejected::new(&self.config.spool.folder, key, session.ambient().clone())))
    }

    /// Runs until `stop`, or until every input has come to its end.
    pub async fn run(
        &self,
        session: Session,
        stopper: Arc<Stopper>,
        stop: Stop,
        ready: impl FnOnce(&[(String, SocketAddr)]),
    ) -> Result<Done, CollectorError> {
        self.check_at_start(&session).await?;
        let rejected = Arc::new(self.rejected_file(&session)?);
        let drained = rejected.clone();
        let tell: crate::pipeline::Rejected = Box::new(move |incoming: &Incoming, error: &RecordError| {
            tracing::warn!(%error, "a record that waited cannot be taken");
            drained.keep("spool", &incoming.json, &error.to_string());
        });
        let (batch, spool) = (self.config.batch, &self.config.spool);
        let pipeline = Arc::new(Pipeline::open(Arc::new(session), self.rules.clone(), batch, spool, tell)?);
        // what can be sealed for good at once needs no second seal
        if let Err(error) = crate::keeper::refresh(&pipeline).await {
            tracing::warn!(%error, "no fresh manifest yet: records wait, sealed");
        }
        let only_one = self.settings.debug.process_only_one.then_some(stopper);
        let sink =
            PipelineSink { pipeline: pipeline.clone(), rejected, only_one, has_one: AtomicBool::new(false) };
        self.work(&pipeline, Arc::new(sink), stop, ready).await
    }

    async fn work(
        &self,
        pipeline: &Arc<Pipeline>,
        sink: Arc<dyn Sink>,
        stop: Stop,
        ready: impl FnOnce(&[(String, SocketAddr)]),
    ) -> Result<Done, CollectorError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = self.config.enc_worker_threads.unwrap_or(cores).min(cores.max(2));
        let (intake, workers) = Intake::start(sink, workers, stop.clone()).map_err(CollectorError::Thread)?;
        let mut inputs = Inputs::start(&self.settings.inputs, &intake, &stop)?;
        let (behind, end) = Stop::new();
        ready(inputs.addresses());
        let counts = intake.counts().clone();
        let taking = async {
            inputs.ended().await;
            drop(intake);
            // the workers' last group may wait for a flush
            let _ = tokio::task::spawn_blocking(move || workers.join()).await;
            behind.stop();
        };
        // beside each other in one task: inputs and workers have theirs
        let keeping = crate::keeper::keep(pipeline.clone(), end.watch());
        let posting = poster::post(pipeline.clone(), self.config.max_post_retries, end.watch());
        tokio::join!(taking, keeping, posting);
        if !stop.is_now()
            && let Err(error) = poster::post_all(pipeline.clone()).await
        {
            tracing::warn!(%error, "records wait in the spool for the next start");
        }
        let level = pipeline.level();
        Ok(Done { taken: counts.taken(), refused: counts.refused(), waiting: level.waiting + level.raw })
    }
}

/// The last record that a member's spool has sealed: up to there its signing key counts when another takes its place. None
/// where there is no spool, or nobody is enrolled.
///
/// # Errors
/// If there is a spool that cannot be read, or that a collector works with.
pub fn last_sealed(config: &Config, ambient: &Ambient) -> Result<Option<u64>, CollectorError> {
    let member = match Session::open(config, Program::Query, ambient.clone()) {
        Ok(session) => session.member(),
        Err(MemberError::NotEnrolled { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !config.spool.folder.is_dir() {
        return Ok(None);
    }
    let spool = Spool::open(&config.spool, member).map_err(PipelineError::from)?;
    Ok(Some(spool.last_record()).filter(|last| *last > 0))
}

/// The raw TCP input listens here.
fn bind_to(inputs: &mut Vec<Input>, address: SocketAddr) {
    let raw = inputs.iter_mut().find(|input| matches!(input.kind, InputKind::Tcp(_)));
    match raw {
        Some(input) => input.kind = InputKind::Tcp(address),
        None => inputs.push(Input { kind: InputKind::Tcp(address), ..Input::usual() }),
    }
}

/// The pipeline, as inputs see it.
struct PipelineSink {
    pipeline: Arc<Pipeline>,
    rejected: Arc<Rejected>,
    /// Ends the collector after one group.
    only_one: Option<Arc<Stopper>>,
    has_one: AtomicBool,
}

impl Sink for PipelineSink {
    fn accept(&self, records: &[Incoming]) -> Result<Vec<Result<(), RecordError>>, SinkError> {
        if self.has_one.load(Ordering::Acquire) {
            return Err(SinkError::Stopping);
        }
        let outcomes = self.pipeline.accept(records).map_err(|error| match error {
            PipelineError::Full { .. } => SinkError::Full,
            other => SinkError::Failed(other.to_string()),
        })?;
        if let Some(stopper) = &self.only_one
            && outcomes.iter().any(Result::is_ok)
        {
            self.has_one.store(true, Ordering::Release);
            stopper.stop();
        }
        Ok(outcomes)
    }

    fn mark(&self, source: &str) -> Option<Vec<u8>> {
        self.pipeline.mark(source)
    }

    fn reject(&self, source: &str, record: &[u8], error: &RecordError) {
        self.rejected.keep(source, record, &error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector(more: &str, bind: Option<&str>) -> Collector {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        let servers = "kms: {url: 'http://127.0.0.1:1'}\nbackend_server: {url: 'http://127.0.0.1:1'}\n";
        std::fs::write(&path, format!("{servers}policy: {{default: {{abe_pol: A}}}}\n{more}")).unwrap();
        Collector::read(&path, None, bind.map(|text| crate::settings::bind_address(text).unwrap())).unwrap()
    }

    #[test]
    fn a_bind_takes_the_place_of_the_configured_one_and_an_open_one_is_told() {
        let one = collector("inputs: [{stdin: true}, {tcp: 7000}]\n", Some("0.0.0.0:6001"));
        assert_eq!(one.settings.inputs[1].kind, InputKind::Tcp("0.0.0.0:6001".parse().unwrap()));
        assert!(one.notices().iter().any(|notice| notice.contains("0.0.0.0:6001 in clear")));
        let other = collector("inputs: [{stdin: true}]\n", Some("6001"));
        assert_eq!(other.settings.inputs.len(), 2);
        assert!(other.notices().is_empty());
        assert!(collector("debug: {do_not_post_data: true}\n", None).is_dry());
    }
}
