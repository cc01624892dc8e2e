//! Waiting after failed attempts at passwords: by user, by origin, and by both.
//!
//! Who fails waits longer and longer, to a bound, so that guessing is slow and nobody is locked out for ever. From
//! where a user has got in before, that user does not wait for what others try elsewhere. Access keys never wait.

use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use strongroom_crypto::{Digest, sha256};
use strongroom_model::Origin;

/// Most attempts that are remembered.
const MAX_KNOWN: usize = 100_000;
/// Failures are forgotten after so long without another.
const FORGET: Duration = Duration::from_mins(15);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);

/// What failures are counted by, and how many are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum By {
    Both(Digest, Origin),
    User(Digest),
    Origin(Origin),
}

impl By {
    fn free(&self) -> u32 {
        match self {
            Self::Both(..) => 5,
            Self::User(_) => 10,
            // one address may be a whole office
            Self::Origin(_) => 50,
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    last: Duration,
}

impl Failures {
    /// Until when the next attempt has to wait.
    fn until(&self, free: u32) -> Duration {
        let beyond = self.count.saturating_sub(free);
        let wait = match beyond {
            0 => Duration::ZERO,
            beyond => Duration::from_secs(1 << beyond.min(7).saturating_sub(1)).min(LONGEST),
        };
        self.last + wait
    }
}

#[derive(Default)]
struct Known {
    failures: HashMap<By, Failures>,
    /// From where users got in.
    welcome: HashSet<(Digest, Origin)>,
}

impl Known {
    /// One attempt less.
    fn take_back(&mut self, by: By) {
        if let Some(failures) = self.failures.get_mut(&by) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

/// Attempts at passwords.
#[derive(Default)]
pub struct Backoff(Mutex<Known>);

/// One attempt, counted as a failure until it is told to have succeeded.
pub struct Attempt {
    user: Digest,
    origin: Origin,
}

impl Backoff {
    /// Begins an attempt at a moment of monotonic time, or says how long to wait. Whether the user exists makes no
    /// difference.
    pub fn begin(&self, user: &str, origin: Origin, now: Duration) -> Result<Attempt, Duration> {
        let attempt = Attempt { user: sha256(user.as_bytes()), origin: network_of(origin) };
        let known = &mut *self.0.lock();
        let bys = attempt.counted_by(known);
        let waits = bys.iter().filter_map(|by| {
            let failures = known.failures.get(by).filter(|failures| now < failures.last + FORGET)?;
            Some(failures.until(by.free()).saturating_sub(now))
        });
        let wait = waits.max().unwrap_or_default();
        if wait > Duration::ZERO {
            return Err(wait);
        }
        if known.failures.len() >= MAX_KNOWN {
            known.failures.retain(|_, failures| now < failures.last + FORGET);
            // a crowd of single tries makes nobody forget who has tried too often
            if known.failures.len() >= MAX_KNOWN {
                known.failures.retain(|by, failures| failures.count > by.free());
            }
            if known.failures.len() >= MAX_KNOWN {
                known.failures.clear();
            }
        }
        for by in bys {
            let failures = known.failures.entry(by).or_default();
            if now >= failures.last + FORGET {
                failures.count = 0;
            }
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
        Ok(attempt)
    }

    /// The attempt was never made: it counts for nothing.
    pub fn forget(&self, attempt: &Attempt) {
        let known = &mut *self.0.lock();
        for by in attempt.counted_by(known) {
            known.take_back(by);
        }
    }

    /// The attempt was good: what it was counted as is forgotten.
    pub fn succeeded(&self, attempt: &Attempt) {
        let known = &mut *self.0.lock();
        known.failures.remove(&By::Both(attempt.user, attempt.origin));
        known.take_back(By::User(attempt.user));
        known.take_back(By::Origin(attempt.origin));
        if known.welcome.len() >= MAX_KNOWN {
            known.welcome.clear();
        }
        known.welcome.insert((attempt.user, attempt.origin));
    }
}

impl std::fmt::Debug for Backoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backoff")
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempt")
    }
}

impl Attempt {
    fn counted_by(&self, known: &Known) -> Vec<By> {
        let mut bys = vec![By::Both(self.user, self.origin), By::Origin(self.origin)];
        if !known.welcome.contains(&(self.user, self.origin)) {
            bys.push(By::User(self.user));
        }
        bys
    }
}

/// A source: of IPv6 the network, since one subscriber has a whole /64.
fn network_of(origin: Origin) -> Origin {
    match origin.address() {
        Some(IpAddr::V6(address)) => {
            let network = address.to_bits() & (u128::MAX << 64);
            Origin::network(IpAddr::V6(Ipv6Addr::from_bits(network)))
        }
        _ => origin.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000_000 + seconds)
    }

    fn from(last: u8) -> Origin {
        Origin::network([192, 0, 2, last].into())
    }

    #[test]
    fn failures_make_wait_longer_and_longer_to_a_bound() {
        let backoff = Backoff::default();
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..16 {
            if let Err(wait) = backoff.begin("u", from(1), now) {
                waits.push(wait.as_secs());
                now += wait;
                assert!(backoff.begin("u", from(1), now).is_ok(), "after the wait there is another try");
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert!(backoff.begin("u", from(1), now + FORGET).is_ok());
        assert!(backoff.begin("u", from(1), now + FORGET).is_ok(), "old failures are forgotten");
    }

    #[test]
    fn a_refused_attempt_does_not_lengthen_the_wait() {
        let backoff = Backoff::default();
        for _ in 0..6 {
            backoff.begin("u", from(1), at(0)).ok().unwrap();
        }
        for _ in 0..100 {
            assert_eq!(backoff.begin("u", from(1), at(0)).err(), Some(Duration::from_secs(1)));
        }
        assert!(backoff.begin("u", from(1), at(1)).is_ok());
    }

    #[test]
    fn strangers_do_not_lock_a_user_out_of_a_known_place() {
        let backoff = Backoff::default();
        let attempt = backoff.begin("u", from(1), at(0)).ok().unwrap();
        backoff.succeeded(&attempt);
        for stranger in 2..=30 {
            let _ = backoff.begin("u", from(stranger), at(1));
        }
        assert!(backoff.begin("u", from(99), at(1)).is_err(), "elsewhere everybody waits");
        assert!(backoff.begin("u", from(1), at(1)).is_ok(), "here the user does not");
        assert!(backoff.begin("other", from(99), at(1)).is_ok(), "nor do others");
    }

    #[test]
    fn one_origin_cannot_try_many_users() {
        let backoff = Backoff::default();
        let refused = (0..100).filter(|n| backoff.begin(&n.to_string(), from(1), at(0)).is_err()).count();
        assert_eq!(refused, 49);
    }

    #[test]
    fn an_attempt_that_was_never_made_counts_for_nothing() {
        let backoff = Backoff::default();
        for _ in 0..100 {
            let attempt = backoff.begin("u", from(1), at(0)).ok().unwrap();
            backoff.forget(&attempt);
        }
    }

    #[test]
    fn a_crowd_of_single_tries_makes_nobody_forget_who_tried_too_often() {
        let backoff = Backoff::default();
        while backoff.begin("u", from(1), at(0)).is_ok() {}
        for host in 0..u32::try_from(MAX_KNOWN).unwrap() {
            let origin = Origin::network(std::net::Ipv4Addr::from_bits(host).into());
            let _ = backoff.begin(&host.to_string(), origin, at(0));
        }
        assert!(backoff.0.lock().failures.len() <= MAX_KNOWN + 3);
        assert!(backoff.begin("u", from(1), at(0)).is_err());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let backoff = Backoff::default();
        for n in 0..(MAX_KNOWN / 2 + 100) {
            let host = u32::try_from(n).unwrap();
            let origin = Origin::network(std::net::Ipv4Addr::from_bits(host).into());
            let _ = backoff.begin(&n.to_string(), origin, at(0));
        }
        assert!(backoff.0.lock().failures.len() <= MAX_KNOWN + 3);
    }
}
