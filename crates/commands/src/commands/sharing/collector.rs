//! `strongroom collector`: takes records in, or shows what would become of them.

use super::enroll;
use crate::args::{CollectorArgs, CollectorPlace, CollectorWord, SendArgs};
use crate::error::CliError;
use crate::{output, prompt};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_collector::program::Collector;
use strongroom_collector::record::MAX_RECORD_BYTES;
use strongroom_collector::send::Sending;
use strongroom_collector::{Stop, Stopper};
use strongroom_member::{Program, Session};
use tokio::signal::unix::{SignalKind, signal};

/// Most records of a sample.
const MAX_SAMPLES: usize = 1000;

/// Does what the command line says.
pub(crate) fn run(args: CollectorArgs) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(CliError::Runtime)?;
    let ended = runtime.block_on(ask(args));
    // standard input that nobody writes to is not waited for
    runtime.shutdown_background();
    ended
}

async fn ask(args: CollectorArgs) -> Result<(), CliError> {
    match &args.word {
        Some(CollectorWord::Enroll(args)) => enroll::run(args).await,
        Some(CollectorWord::Explain(place)) => explain(place).await,
        Some(CollectorWord::Rejected(place)) => rejected(place),
        Some(CollectorWord::Send(args)) => send(args).await,
        None => main(&args).await,
    }
}

async fn main(args: &CollectorArgs) -> Result<(), CliError> {
    let path = args.place.config.clone().unwrap_or_default();
    let collector = Collector::read(&path, args.place.secrets.as_deref(), args.bind)?;
    if args.get_attrib {
        let session = session_if_enrolled(&collector)?;
        let attributes = collector.attributes(session.as_ref()).await?;
        return attributes.iter().try_for_each(|attribute| output::line(attribute));
    }
    for notice in collector.notices() {
        output::note(&format!("{}: {notice}", path.display()));
    }
    if args.dry_run || collector.is_dry() {
        return dry_run(&collector, args.sample.as_deref());
    }
    if args.check {
        return check(&collector).await;
    }
    collect(&collector, &args.log).await
}

fn session_if_enrolled(collector: &Collector) -> Result<Option<Session>, CliError> {
    let config = collector.config();
    if !config.secrets.exists() || !strongroom_member::is_enrolled(config)? {
        return Ok(None);
    }
    Ok(Some(Session::open(config, Program::Query, Ambient::system())?))
}

async fn check(collector: &Collector) -> Result<(), CliError> {
    let session = session_if_enrolled(collector)?;
    for warning in collector.check(session.as_ref()).await? {
        output::note(&warning.to_string());
    }
    output::line(&format!("{} is fit to run.", collector.config().path.display()))
}

/// Records of a sample, one a line, or one over many.
fn dry_run(collector: &Collector, sample: Option<&Path>) -> Result<(), CliError> {
    let mut samples = collector.samples(&Ambient::system());
    let mut reader: Box<dyn BufRead> = match sample {
        None => Box::new(std::io::stdin().lock()),
        Some(path) => {
            let failed = |source| CliError::File { path: path.to_owned(), source };
            Box::new(BufReader::new(File::open(path).map_err(failed)?))
        }
    };
    for _ in 0..MAX_SAMPLES {
        let mut line = Vec::new();
        let most = u64::try_from(MAX_RECORD_BYTES + 2).unwrap_or(u64::MAX);
        let read = reader.by_ref().take(most).read_until(b'\n', &mut line).map_err(CliError::Input)?;
        if read == 0 {
            break;
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            output::line(samples.show(text).trim_end())?;
        }
    }
    Ok(())
}

async fn explain(place: &CollectorPlace) -> Result<(), CliError> {
    let path = place.config.clone().unwrap_or_default();
    let collector = Collector::read(&path, place.secrets.as_deref(), None)?;
    let session = session_if_enrolled(&collector)?;
    let warnings = match collector.check(session.as_ref()).await {
        Ok(warnings) => warnings,
        Err(error) => {
            output::note(&format!(
                "The policies are not compared with the attributes that there are: {error}"
            ));
            Vec::new()
        }
    };
    output::line(collector.explain(&warnings).trim_end())
}

fn rejected(place: &CollectorPlace) -> Result<(), CliError> {
    let path = place.config.clone().unwrap_or_default();
    let collector = Collector::read(&path, place.secrets.as_deref(), None)?;
    let session = Session::open(collector.config(), Program::Query, Ambient::system())?;
    for entry in collector.rejected(&session)? {
        let line = serde_json::to_string(&entry).map_err(|error| CliError::Output(error.into()))?;
        output::line(&line)?;
    }
    Ok(())
}

async fn send(args: &SendArgs) -> Result<(), CliError> {
    let sending = Sending {
        file: args.file.clone(),
        host: args.host.clone(),
        port: args.port,
        workers: usize::from(args.workers),
        only_one: args.only_one,
        key: args.key.clone(),
    };
    let sent = sending.send().await?;
    output::note(&format!("{sent} records sent; the collector has closed the connections"));
    Ok(())
}

async fn collect(collector: &Collector, log: &str) -> Result<(), CliError> {
    strongroom_server::logging::init(log, None).map_err(strongroom_server::ServerError::from)?;
    let config = collector.config();
    if !strongroom_member::is_enrolled(config)? && prompt::somebody_there() {
        output::note("This member has no keys yet: they are made and registered now, with its password.");
        enroll::with(config, None, enroll::Wanted::default()).await?;
    }
    let session = Session::open(config, Program::Collector, Ambient::system())?;
    if collector.shows_policies() {
        output::note(&collector.explain(&[]));
    }
    let (stopper, stop) = Stop::new();
    let stopper = Arc::new(stopper);
    stop_at_signals(stopper.clone())?;
    let ready = |addresses: &[(String, std::net::SocketAddr)]| {
        for (kind, address) in addresses {
            output::note(&format!("listening: {kind} {address}"));
        }
    };
    let done = collector.run(session, stopper, stop, ready).await?;
    output::note(&format!(
        "{} records taken, {} refused, {} wait for the exchange",
        done.taken, done.refused, done.waiting
    ));
    Ok(())
}

/// Both signals finish what is in flight.
fn stop_at_signals(stopper: Arc<Stopper>) -> Result<(), CliError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Runtime)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Runtime)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stopper.stop();
    });
    Ok(())
}
