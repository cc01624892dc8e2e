//! Unlock attempts: each caller's progress is its own, and expires.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use strongroom_model::Origin;
use strongroom_unlock::{Judgement, Progress, UnlockKey, UnlockSet};

const LIFETIME: Duration = Duration::from_mins(10);
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
        let (mut progress, _) = attempts.remove(&origin).unwrap_or_else(|| (Progress::new(set), now));
        let judgement = progress.present(set, key);
        // only a right key takes a place: a crowd with wrong ones drives nobody out
        if progress.have() > 0 {
            make_room(&mut attempts);
            attempts.insert(origin, (progress, now + LIFETIME));
        }
        judgement
    }

    /// Forgets every key that was presented: once unlocked, none is needed.
    pub(crate) fn forget(&self) {
        self.0.lock().clear();
    }

    /// How many keys a caller has presented.
    pub(crate) fn have(&self, origin: Origin, now: Duration) -> u8 {
        let attempts = self.0.lock();
        attempts.get(&origin).filter(|(_, until)| *until > now).map_or(0, |(progress, _)| progress.have())
    }
}

fn make_room(attempts: &mut HashMap<Origin, (Progress, Duration)>) {
    if attempts.len() < MAX_CALLERS {
        return;
    }
    let oldest = attempts.iter().min_by_key(|(_, (_, until))| *until).map(|(origin, _)| *origin);
    if let Some(oldest) = oldest {
        attempts.remove(&oldest);
    }
}
