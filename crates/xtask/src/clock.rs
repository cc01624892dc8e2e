//! The one place of the chores that reads a clock.

use std::time::{Duration, Instant};

/// Now, to measure from.
#[expect(clippy::disallowed_methods, reason = "chores run for people, in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// So many minutes.
pub(crate) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}
