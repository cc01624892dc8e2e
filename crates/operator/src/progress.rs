//! Unlock attempts: each caller's progress is its own, and expires.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use strongroom_model::Origin;
use strongroom_unlock::{Judgement, Progress, UnlockKey, UnlockSet};

const LIFETIME: Duration = Duration::from_secs(10 * 60);
const MAX_CALLERS: usize = 1_024;

#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<Origin, (Progress, Duration)>>);

impl Attempts {
    /// Judges a key that a caller presents, at a moment of monotonic time.
    pub(crate) fn present(
        &self,
        origin: Origin,
        set: &UnlockSet,
        key: &UnlockKey,
        now: Duration,
    ) -> Judgement {
        let mut attempts = self.0.lock();
        attempts.retain(|_, (_, until)| *until > now);
        if attempts.len() >= MAX_CALLERS
            && !attempts.contains_key(&origin)
            && let Some(oldest) =
                attempts.iter().min_by_key(|(_, (_, until))| *until).map(|(origin, _)| *origin)
        {
            attempts.remove(&oldest);
        }
        let (progress, until) = attempts.entry(origin).or_insert_with(|| (Progress::new(set), now));
        *until = now + LIFETIME;
        let judgement = progress.present(set, key);
        if matches!(judgement, Judgement::Complete(_)) {
            attempts.remove(&origin);
        }
        judgement
    }

    /// How many keys a caller has presented.
    pub(crate) fn have(&self, origin: Origin, now: Duration) -> u8 {
        let attempts = self.0.lock();
        attempts.get(&origin).filter(|(_, until)| *until > now).map_or(0, |(progress, _)| progress.have())
    }
}
