//! What anyone may cause without a credential (refusals, challenges): one entry a source and interval, the rest
//! counted, so that nobody can fill the trail.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;
use strongroom_audit::Record as Entry;
use strongroom_model::{Origin, subscriber};

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
pub(crate) struct Refusals(Mutex<Sources>);

#[derive(Default)]
struct Sources {
    known: HashMap<Origin, Since>,
    /// What is shared by all sources beyond those that are told apart.
    others: Option<Since>,
    /// Counts of sources that were forgotten since.
    dropped: u64,
}

/// When the last entry was written, and how many were only counted since.
#[derive(Clone, Copy)]
struct Since {
    entry: Duration,
    counted: u64,
}

impl Since {
    fn note(&mut self, now: Duration) -> Record {
        if now.saturating_sub(self.entry) < INTERVAL {
            self.counted += 1;
            return Record::Counted;
        }
        self.entry = now;
        Record::Entry { counted: std::mem::take(&mut self.counted) }
    }
}

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
        let origin = network_of(origin);
        let sources = &mut *self.0.lock();
        if let Some(since) = sources.known.get_mut(&origin) {
            return since.note(now);
        }
        if sources.known.len() >= MAX_SOURCES {
            let dropped = &mut sources.dropped;
            sources.known.retain(|_, since| {
                let recent = now.saturating_sub(since.entry) < INTERVAL;
                *dropped += if recent { 0 } else { since.counted };
                recent
            });
        }
        if sources.known.len() < MAX_SOURCES {
            sources.known.insert(origin, Since { entry: now, counted: 0 });
            return Record::Entry { counted: std::mem::take(&mut sources.dropped) };
        }
        if let Some(since) = &mut sources.others {
            return since.note(now);
        }
        sources.others = Some(Since { entry: now, counted: 0 });
        Record::Entry { counted: std::mem::take(&mut sources.dropped) }
    }
}

/// A source: of IPv6 the network, since one subscriber has a whole /64; whichever way it came.
fn network_of(origin: Origin) -> Origin {
    match origin.source() {
        Origin::Network(client) => Origin::network(subscriber(client.address)),
        other => other,
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
        let entries = |refusals: &Refusals, now| {
            let note = |uid| refusals.note(Origin::Local { uid }, now);
            (0..10_000).filter(|uid| note(*uid) != Record::Counted).count()
        };
        assert_eq!(entries(&refusals, Duration::ZERO), MAX_SOURCES + 1, "the others share one");
        assert!(refusals.0.lock().known.len() <= MAX_SOURCES);
        assert_eq!(entries(&refusals, Duration::from_secs(1)), 0);
        assert_eq!(entries(&refusals, Duration::from_secs(11)), MAX_SOURCES + 1);
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let refusals = Refusals::default();
        let from = |address: &str| Origin::network(address.parse().unwrap());
        assert_eq!(refusals.note(from("2001:db8::1"), Duration::ZERO), Record::Entry { counted: 0 });
        assert_eq!(refusals.note(from("2001:db8::ffff:1"), Duration::ZERO), Record::Counted);
        assert_eq!(refusals.note(from("2001:db8:0:1::1"), Duration::ZERO), Record::Entry { counted: 0 });
        assert_eq!(refusals.note(from("::ffff:10.0.0.1"), Duration::ZERO), Record::Entry { counted: 0 });
        assert_eq!(refusals.note(from("::ffff:10.0.0.2"), Duration::ZERO), Record::Entry { counted: 0 });
    }
}
