//! What the operator asks by signal: INT, TERM and ABRT stop, HUP reloads.
//!
//! ILL, with which the system that Strongroom grew out of also stopped, is not among them: it says that the program is
//! broken, and no program may catch it safely. What was acknowledged is durable however it ends.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Stop accepting, finish what is in flight, end.
    Stop,
    /// Asked to stop again: end now.
    StopNow,
    /// Read configuration and certificates again.
    Reload,
}

/// The signals of this process, caught from [`Signals::catch`] on.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    abort: Signal,
    hangup: Signal,
    stopping: bool,
}

impl Signals {
    /// Catches INT, TERM, ABRT and HUP. Must be called within a runtime.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            abort: signal(SignalKind::from_raw(rustix::process::Signal::ABORT.as_raw()))?,
            hangup: signal(SignalKind::hangup())?,
            stopping: false,
        })
    }

    /// Waits for the next one. Cancel-safe.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => self.stop(),
            _ = self.terminate.recv() => self.stop(),
            _ = self.abort.recv() => self.stop(),
            _ = self.hangup.recv() => Asked::Reload,
        }
    }

    /// Calls `reload` at each HUP until asked to stop.
    pub async fn until_stop(&mut self, mut reload: impl AsyncFnMut()) {
        while self.next().await == Asked::Reload {
            reload().await;
        }
    }

    fn stop(&mut self) -> Asked {
        if std::mem::replace(&mut self.stopping, true) { Asked::StopNow } else { Asked::Stop }
    }
}
