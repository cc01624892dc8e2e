//! Clock and entropy, handed in and never fetched.
//!
//! **What it is for.** Everything that depends on time or chance takes an [`Ambient`], so that a test can hold
//! the clock and replay the dice. This crate alone reads the system's clock and entropy.
//!
//! **What it promises.** [`Ambient::system`] is the operating system's; entropy that cannot be had ends the
//! process, because nothing sensible can be done without it.
//!
//! **What it does not know.** What the numbers are for. Key generation inside the cryptographic library draws
//! its own entropy.

mod fake;

pub use fake::{FakeClock, SeededEntropy};

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// This moment and a duration; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Time since an earlier moment; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The wall clock: may be set back or ahead by anyone with the right to.
    fn wall(&self) -> UnixMillis;
    /// Time since some fixed moment of this process; never runs back.
    fn monotonic(&self) -> Duration;
}

/// Where chance comes from.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with uniform random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// Clock and entropy together.
#[derive(Clone)]
pub struct Ambient {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The entropy.
    pub entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// The operating system's.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock::start()), entropy: Arc::new(SystemEntropy) }
    }

    /// The wall clock.
    pub fn now(&self) -> UnixMillis {
        self.clock.wall()
    }

    /// An array of random bytes: ids, nonces, salts.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A UUID of version 7 (RFC 9562, section 5.7): time-ordered, for requests and jobs.
    pub fn uuid_v7(&self) -> [u8; 16] {
        let mut bytes: [u8; 16] = self.random();
        let [_, _, m0, m1, m2, m3, m4, m5] = self.now().0.to_be_bytes();
        let [_, _, _, _, _, _, version, _, variant, ..] = bytes;
        let tail = bytes;
        bytes[..6].copy_from_slice(&[m0, m1, m2, m3, m4, m5]);
        bytes[6..].copy_from_slice(&tail[6..]);
        bytes[6] = (version & 0x0f) | 0x70;
        bytes[8] = (variant & 0x3f) | 0x80;
        bytes
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ambient")
    }
}

struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn wall(&self) -> UnixMillis {
        UnixMillis(0)
            .plus(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default())
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

struct SystemEntropy;

/// Bytes drawn from the system at a time, for the small draws of ids and nonces.
const POOL_BYTES: usize = 512;
/// Draws up to this size come from the pool; keys (32 bytes and more) come from the system each.
const POOLED_BYTES: usize = 16;

thread_local! {
    /// Bytes not given out yet: the end of the array, from the index on. What was given out is overwritten.
    static POOL: RefCell<([u8; POOL_BYTES], usize)> = const { RefCell::new(([0; POOL_BYTES], POOL_BYTES)) };
}

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > POOLED_BYTES {
            return draw(buffer);
        }
        POOL.with_borrow_mut(|(pool, used)| {
            if POOL_BYTES - *used < buffer.len() {
                draw(pool);
                *used = 0;
            }
            let given = pool.get_mut(*used..).unwrap_or_default();
            for (to, from) in buffer.iter_mut().zip(given) {
                *to = std::mem::take(from);
            }
            *used += buffer.len();
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's entropy")]
fn draw(buffer: &mut [u8]) {
    if getrandom::fill(buffer).is_err() {
        // going on would make predictable keys
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_carries_version_variant_and_time() {
        let ambient = fake::ambient(UnixMillis(0x0123_4567_89ab), 1);
        let id = ambient.uuid_v7();
        assert_eq!(id[..6], [0x01, 0x23, 0x45, 0x67, 0x89, 0xab]);
        assert_eq!(id[6] >> 4, 7);
        assert_eq!(id[8] >> 6, 0b10);
    }

    #[test]
    fn seeded_entropy_repeats_and_seeds_differ() {
        let draw = |seed| fake::ambient(UnixMillis(0), seed).random::<32>();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn system_entropy_is_not_constant() {
        let ambient = Ambient::system();
        assert_ne!(ambient.random::<32>(), ambient.random::<32>());
    }

    #[test]
    fn small_draws_never_repeat_and_are_never_left_over() {
        let ambient = Ambient::system();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            assert!(seen.insert(ambient.random::<16>()));
            assert!(seen.insert({
                let mut id = [0; 16];
                id[..12].copy_from_slice(&ambient.random::<12>());
                id
            }));
        }
    }

    #[test]
    fn time_arithmetic_saturates() {
        assert_eq!(UnixMillis(i64::MAX).plus(Duration::from_secs(1)), UnixMillis(i64::MAX));
        assert_eq!(UnixMillis(5).since(UnixMillis(9)), Duration::ZERO);
    }
}
