//! How many values a member may ask tokens for.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use strongroom_sharing::MemberId;

const WINDOW: Duration = Duration::from_mins(1);
/// Members that are remembered at once.
const MAX_KNOWN: usize = 10_000;

/// Values asked for in the present minute of each member.
#[derive(Default)]
pub(crate) struct Limits(Mutex<HashMap<MemberId, (Duration, u32)>>);

impl Limits {
    /// Counts values at a moment of monotonic time, or says how long to wait: then none is counted.
    pub(crate) fn take(
        &self,
        member: MemberId,
        values: u32,
        allowed: u32,
        now: Duration,
    ) -> Result<(), Duration> {
        let mut known = self.0.lock();
        if known.len() >= MAX_KNOWN {
            known.retain(|_, (begun, _)| now < *begun + WINDOW);
        }
        let (begun, used) = known.entry(member).or_insert((now, 0));
        if now >= *begun + WINDOW {
            (*begun, *used) = (now, 0);
        }
        let after = used.saturating_add(values);
        if after > allowed {
            return Err((*begun + WINDOW).saturating_sub(now));
        }
        *used = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_values_and_the_next_has_them_again() {
        let (limits, member) = (Limits::default(), MemberId([1; 16]));
        let take = |values, at: u64| limits.take(member, values, 10, Duration::from_secs(100 + at));
        assert_eq!(take(6, 0), Ok(()));
        assert_eq!(take(5, 10), Err(Duration::from_secs(50)));
        assert_eq!(take(4, 10), Ok(()), "what was refused was not counted");
        assert_eq!(take(1, 59), Err(Duration::from_secs(1)));
        assert_eq!(take(10, 60), Ok(()));
        let other = limits.take(MemberId([2; 16]), 10, 10, Duration::from_secs(161));
        assert_eq!(other, Ok(()), "each has its own");
    }
}
