//! A clock that tests hold and dice that repeat.

use crate::{Clock, Entropy, UnixMillis};
use std::sync::Mutex;
use std::time::Duration;

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct FakeClock(Mutex<(UnixMillis, Duration)>);

impl FakeClock {
    /// A clock at a moment.
    pub fn at(moment: UnixMillis) -> Self {
        Self(Mutex::new((moment, Duration::ZERO)))
    }

    /// Lets time pass: wall and monotonic.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.0 = state.0.plus(by);
        state.1 += by;
    }

    /// Sets the wall clock, as an administrator or an attacker would; monotonic time does not move.
    pub fn set_wall(&self, moment: UnixMillis) {
        self.lock().0 = moment;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (UnixMillis, Duration)> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> UnixMillis {
        self.lock().0
    }

    fn monotonic(&self) -> Duration {
        self.lock().1
    }
}

/// Repeatable bytes from a seed (`SplitMix64`): for tests only, predictable by design.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// Bytes that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            for (byte, random) in chunk.iter_mut().zip(word.to_le_bytes()) {
                *byte = random;
            }
        }
    }
}

#[cfg(test)]
pub(crate) fn ambient(moment: UnixMillis, seed: u64) -> crate::Ambient {
    crate::Ambient {
        clock: std::sync::Arc::new(FakeClock::at(moment)),
        entropy: std::sync::Arc::new(SeededEntropy::new(seed)),
    }
}
