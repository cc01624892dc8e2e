//! What anyone may cause without a credential (refusals, challenges): one entry a source and interval, the rest
//! counted, so that nobody can fill the trail.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;
use strongroom_audit::Record as Entry;
use strongroom_model::Origin;

const INTERVAL: Duration = Duration::from_secs(10);
const MAX_SOURCES: usize = 4_096;

/// What to do about a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Write an entry; so many from this source were only counted since the last one.
    Entry { counted: u64 },
    /// It was counted.
    Counted,
}

#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<Origin, (Duration, u64)>>);

impl Refusals {
    /// Whether this one gets an entry, which then says how many were only counted since the last.
    pub(crate) fn admits(&self, origin: Origin, now: Duration, record: &mut Entry) -> bool {
        match self.note(origin, now) {
            Record::Counted => false,
            Record::Entry { counted: 0 } => true,
            Record::Entry { counted } => {
                // writing to a string does not fail
                let _ = write!(record.note, " ({counted} more like this from here were counted)");
                true
            }
        }
    }

    /// Takes note of a refusal at a moment of monotonic time.
    fn note(&self, origin: Origin, now: Duration) -> Record {
        let mut sources = self.0.lock();
        if let Some((last, counted)) = sources.get_mut(&origin) {
            if now.saturating_sub(*last) < INTERVAL {
                *counted += 1;
                return Record::Counted;
            }
            *last = now;
            return Record::Entry { counted: std::mem::take(counted) };
        }
        if sources.len() >= MAX_SOURCES {
            sources.retain(|_, (last, _)| now.saturating_sub(*last) < INTERVAL);
        }
        if sources.len() >= MAX_SOURCES {
            // more sources than are told apart: they share the interval of one
            return Record::Counted;
        }
        sources.insert(origin, (now, 0));
        Record::Entry { counted: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_an_interval_and_the_rest_counted() {
        let refusals = Refusals::default();
        let here = Origin::Local { uid: 1 };
        let at = Duration::from_secs;
        assert_eq!(refusals.note(here, at(0)), Record::Entry { counted: 0 });
        for _ in 0..99 {
            assert_eq!(refusals.note(here, at(5)), Record::Counted);
        }
        assert_eq!(refusals.note(Origin::Local { uid: 2 }, at(5)), Record::Entry { counted: 0 });
        assert_eq!(refusals.note(here, at(11)), Record::Entry { counted: 99 });
    }

    #[test]
    fn sources_are_bounded() {
        let refusals = Refusals::default();
        for uid in 0..10_000 {
            refusals.note(Origin::Local { uid }, Duration::ZERO);
        }
        assert!(refusals.0.lock().len() <= MAX_SOURCES);
    }
}
