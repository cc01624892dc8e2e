//! Memory that an idle process does not need goes back to the system.
//!
//! **What it is for.** A server keeps its memory out of swap by locking all of it, and with it whatever part of its own
//! program it ever ran: what starting, unlocking and a first handshake touch stays for good, 64 KiB around each
//! instruction. The program is a file and no secret. Once a process has gone quiet, [`Idle::round`] unlocks those pages
//! and drops them; what is needed again comes back from the page cache, a fault for 64 KiB.
//!
//! **What it promises.** Only pages of the program's own file are given back, none that was ever written to. Memory that
//! may hold a secret stays locked.
//!
//! **What it does not know.** What the process does. It reads of it what the kernel counts: processor time and faults.

mod pages;
mod usage;

pub use pages::{Released, release};

use usage::Usage;

/// Processor ticks (of 10 ms) in a round, up to which the process counts as quiet.
const QUIET_TICKS: u64 = 5;
/// Faults since pages were given back last, from which on it is worth doing again.
const WORTH_FAULTS: u64 = 32;

/// What was seen of this process in the round before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Idle {
    /// At the last round.
    before: Usage,
    /// Faults when pages were given back last.
    released_at: u64,
}

impl Idle {
    /// How long a round is meant to be.
    pub const ROUND: std::time::Duration = std::time::Duration::from_secs(10);

    /// Looks at the process for the first time.
    ///
    /// # Errors
    /// `/proc/self/stat` cannot be read.
    pub fn begin() -> std::io::Result<Self> {
        Ok(Self { before: Usage::read()?, released_at: 0 })
    }

    /// To be called once a [`ROUND`](Self::ROUND): if the process was quiet since the last one and has touched pages since
    /// it gave some back, it gives back again. `None`: nothing was to be done.
    ///
    /// # Errors
    /// `/proc` cannot be read, or the kernel refuses; nothing is lost by it but memory.
    pub fn round(&mut self) -> std::io::Result<Option<Released>> {
        let now = Usage::read()?;
        let is_due = self.is_due(now);
        self.before = now;
        if !is_due {
            return Ok(None);
        }
        let released = release()?;
        // reading what is mapped made faults of its own
        self.released_at = Usage::read()?.faults;
        Ok(Some(released))
    }

    const fn is_due(&self, now: Usage) -> bool {
        now.ticks.saturating_sub(self.before.ticks) <= QUIET_TICKS
            && now.faults.saturating_sub(self.released_at) >= WORTH_FAULTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_quiet_process_that_touched_something_gives_back() {
        let seen = Idle { before: Usage { ticks: 100, faults: 900 }, released_at: 880 };
        assert!(seen.is_due(Usage { ticks: 105, faults: 912 }));
        assert!(!seen.is_due(Usage { ticks: 106, faults: 912 }), "it works");
        assert!(!seen.is_due(Usage { ticks: 100, faults: 911 }), "nothing to give back");
    }

    #[test]
    fn a_process_runs_on_after_it_gave_its_program_back() {
        let mut idle = Idle::begin().unwrap();
        idle.released_at = 0;
        // a round of this process may be a busy one: what is due is tested above
        let _ = idle.round().unwrap();
        let first = release().unwrap();
        assert!(first.bytes > 100_000, "{first:?}");
        let text = "abcxyz".repeat(1_000);
        assert_eq!(text.matches("cx").count(), 1_000);
        // what ran in between came back from the file
        assert!(release().unwrap().bytes > 0);
    }
}
