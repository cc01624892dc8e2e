//! How often one client, or one user, may ask: GCRA, a bucket each, kept only while it is not full.

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// After so many questions, buckets that are full again are forgotten: they say what an absent one says.
const SWEEP_EVERY: u32 = 1 << 14;

/// Buckets by key. Clones share them.
#[derive(Clone)]
pub struct Pace<K: Hash + Eq + Clone>(Option<Arc<Buckets<K>>>);

struct Buckets<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Pace<K> {
    /// So many requests a second, as many of them at once; without a number as many as anybody likes.
    pub fn new(per_second: Option<NonZeroU32>) -> Self {
        let buckets = |per_second| Buckets {
            limiter: RateLimiter::keyed(Quota::per_second(per_second)),
            asked: AtomicU32::new(0),
        };
        Self(per_second.map(|per_second| Arc::new(buckets(per_second))))
    }

    /// Whether this one may ask now; if so, it has asked. If not, in a second it may: no rate is below one a second.
    pub fn allows(&self, key: &K) -> bool {
        let Some(buckets) = &self.0 else { return true };
        if buckets.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            buckets.limiter.retain_recent();
        }
        buckets.limiter.check_key(key).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_bucket_of_its_own_and_no_more() {
        let pace = Pace::new(NonZeroU32::new(1));
        assert_eq!((0..10).filter(|_| pace.allows(&"one")).count(), 1);
        assert!(pace.allows(&"other"));
    }

    #[test]
    fn without_a_rate_nobody_is_held_up() {
        let pace = Pace::new(None);
        assert!((0..10_000).all(|_| pace.allows(&1)));
    }

    #[test]
    fn those_who_asked_long_ago_are_forgotten() {
        let pace = Pace::new(NonZeroU32::new(1_000_000));
        for key in 0..4 * SWEEP_EVERY {
            pace.allows(&key);
        }
        let kept = pace.0.as_ref().unwrap().limiter.len();
        assert!(kept <= SWEEP_EVERY as usize + 1_000, "{kept} buckets are kept");
    }
}
