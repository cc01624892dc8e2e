//! Time that neither runs back nor jumps: what tokens expire by and entries are stamped with.

use parking_lot::Mutex;
use std::time::Duration;
use strongroom_ambient::{Ambient, UnixMillis};

/// How far the wall clock may run ahead of monotonic time before it is no longer believed.
const MAX_LEAD: Duration = Duration::from_mins(5);
/// A step back that is no news: clocks are disciplined in small steps.
const SLACK: Duration = Duration::from_secs(2);

/// Whether the wall clock is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// It is.
    Believed,
    /// It jumped ahead of monotonic time by more than five minutes.
    Ahead,
    /// It is behind a time that was already used.
    Behind,
}

struct Mark {
    /// The greatest time given out.
    high: UnixMillis,
    /// Wall and monotonic time when the wall clock was last accepted.
    anchor: (UnixMillis, Duration),
}

/// Trusted time: never behind its high-water mark, never further ahead than monotonic time and five minutes.
pub(crate) struct TrustedClock {
    ambient: Ambient,
    mark: Mutex<Mark>,
}

impl TrustedClock {
    pub(crate) fn new(ambient: Ambient) -> Self {
        let anchor = (ambient.now(), ambient.clock.monotonic());
        Self { mark: Mutex::new(Mark { high: anchor.0, anchor }), ambient }
    }

    /// The present, and whether it is the wall clock's.
    pub(crate) fn read(&self) -> (UnixMillis, ClockState) {
        let wall = self.ambient.now();
        let mut mark = self.mark.lock();
        let elapsed = self.ambient.clock.monotonic().saturating_sub(mark.anchor.1);
        let believable = mark.anchor.0.plus(elapsed);
        if wall > believable.plus(MAX_LEAD) {
            mark.high = mark.high.max(believable);
            return (mark.high, ClockState::Ahead);
        }
        let state = if wall.plus(SLACK) < mark.high { ClockState::Behind } else { ClockState::Believed };
        // time goes on while the wall clock is behind: expiry must not stand still
        mark.high = mark.high.max(wall).max(if state == ClockState::Behind { believable } else { wall });
        (mark.high, state)
    }

    /// The persisted mark, read from the trail at unlock: time never runs behind it.
    pub(crate) fn raise(&self, high: UnixMillis) {
        let mut mark = self.mark.lock();
        if high > mark.high {
            mark.high = high;
            mark.anchor = (high, self.ambient.clock.monotonic());
        }
    }

    /// Believes the wall clock from here on, wherever it stands.
    pub(crate) fn accept(&self) {
        let now = self.ambient.now();
        *self.mark.lock() = Mark { high: now, anchor: (now, self.ambient.clock.monotonic()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use strongroom_ambient::{FakeClock, SeededEntropy};

    fn clock() -> (Arc<FakeClock>, TrustedClock) {
        let fake = Arc::new(FakeClock::at(UnixMillis(1_000_000_000)));
        let ambient =
            Ambient { clock: Arc::<FakeClock>::clone(&fake), entropy: Arc::new(SeededEntropy::new(1)) };
        (fake, TrustedClock::new(ambient))
    }

    #[test]
    fn it_follows_the_wall_clock() {
        let (fake, clock) = clock();
        fake.advance(Duration::from_hours(3));
        assert_eq!(clock.read(), (UnixMillis(1_000_000_000 + 3 * 3_600_000), ClockState::Believed));
    }

    #[test]
    fn set_back_it_never_runs_back_and_goes_on() {
        let (fake, clock) = clock();
        fake.advance(Duration::from_secs(100));
        let (before, _) = clock.read();
        fake.set_wall(UnixMillis(1));
        assert_eq!(clock.read(), (before, ClockState::Behind));
        fake.advance(Duration::from_secs(10));
        assert_eq!(clock.read(), (before.plus(Duration::from_secs(10)), ClockState::Behind));
    }

    #[test]
    fn set_far_ahead_it_is_not_believed_until_accepted() {
        let (fake, clock) = clock();
        fake.set_wall(UnixMillis(1_000_000_000).plus(Duration::from_hours(24 * 365)));
        assert_eq!(clock.read(), (UnixMillis(1_000_000_000), ClockState::Ahead));
        fake.advance(Duration::from_mins(1));
        assert_eq!(clock.read().0, UnixMillis(1_000_060_000));
        clock.accept();
        assert_eq!(clock.read(), (fake_now(&fake), ClockState::Believed));
    }

    fn fake_now(fake: &FakeClock) -> UnixMillis {
        strongroom_ambient::Clock::wall(fake)
    }

    #[test]
    fn a_mark_from_the_trail_holds_after_a_restart() {
        let (fake, clock) = clock();
        clock.raise(UnixMillis(2_000_000_000));
        assert_eq!(clock.read(), (UnixMillis(2_000_000_000), ClockState::Behind));
        fake.set_wall(UnixMillis(2_000_000_500));
        assert_eq!(clock.read(), (UnixMillis(2_000_000_500), ClockState::Believed));
    }
}
