//! Time for waiting and for telling how long something took; nothing is asserted to be fast.

use std::time::{Duration, Instant};

/// The moment.
#[expect(clippy::disallowed_methods, reason = "a test measures by the machine's own clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Looks again until it is so, but not for ever.
#[track_caller]
pub(crate) fn soon(what: &str, mut so: impl FnMut() -> bool) {
    let began = now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Lets a moment pass in which a server gets on with something of its own.
pub(crate) fn pause(moment: Duration) {
    std::thread::sleep(moment);
}
