//! What a person sees of a search while it runs, and how they end it.

use crate::output::{self, Progress};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_query::{Finding, Summary, Watch};
use tokio::signal::unix::{SignalKind, signal};

/// Findings that are told one by one.
const MAX_TOLD: u64 = 100;
/// What is in flight may take so long to end after an interruption.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Watching {
    progress: Option<Progress>,
    stopped: Arc<AtomicBool>,
    told: u64,
}

impl Watching {
    pub(super) fn start() -> Self {
        let progress = Some(Progress::start("records"));
        Self { progress, stopped: Arc::default(), told: 0 }
    }

    /// Takes the progress away: something is to be told.
    pub(super) fn pause(&mut self) {
        self.progress = None;
        if self.told > MAX_TOLD {
            output::note(&format!("... and {} more findings", self.told - MAX_TOLD));
        }
        self.told = 0;
    }

    /// Ends when the search must end: a while after the first interruption, or at the second one.
    pub(super) fn stop(&self) -> impl Future<Output = ()> + use<> {
        let stopped = self.stopped.clone();
        async move {
            interrupted().await;
            stopped.store(true, Ordering::Relaxed);
            tokio::select! {
                () = interrupted() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
        }
    }
}

/// The next SIGINT or SIGTERM.
async fn interrupted() {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        // then the system's own way ends the program
        _ => std::future::pending().await,
    }
}

impl Watch for Watching {
    fn finding(&mut self, finding: &Finding) {
        self.told += 1;
        if self.told <= MAX_TOLD {
            output::note(&finding.to_string());
        }
    }

    fn progress(&mut self, summary: &Summary) {
        self.progress.get_or_insert_with(|| Progress::start("records")).set(summary.given);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
