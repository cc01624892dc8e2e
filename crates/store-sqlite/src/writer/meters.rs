//! What the writer counts: groups, their size, how long their commit took with its sync.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::time::Duration;

/// Counters of one writer; without a recorder they count nothing.
pub(super) struct Meters {
    groups: Counter,
    transactions: Counter,
    unknown: Counter,
    size: Histogram,
    commit: Histogram,
    waiting: Gauge,
}

impl Meters {
    pub(super) fn new() -> Self {
        Self {
            groups: counter!("strongroom_store_groups_total"),
            transactions: counter!("strongroom_store_transactions_total"),
            unknown: counter!("strongroom_store_unknown_outcomes_total"),
            size: histogram!("strongroom_store_group_transactions"),
            commit: histogram!("strongroom_store_commit_seconds"),
            waiting: gauge!("strongroom_store_queue_depth"),
        }
    }

    /// A group was taken from the queue; so many were waiting or being worked on.
    pub(super) fn taken(&self, waiting: usize) {
        self.waiting.set(f64::from(u32::try_from(waiting).unwrap_or(u32::MAX)));
    }

    /// A group was committed and is durable.
    pub(super) fn committed(&self, transactions: usize, took: Duration) {
        let count = u32::try_from(transactions).unwrap_or(u32::MAX);
        self.groups.increment(1);
        self.transactions.increment(count.into());
        self.size.record(f64::from(count));
        self.commit.record(took);
    }

    /// Nobody knows whether a group was committed.
    pub(super) fn in_doubt(&self) {
        self.unknown.increment(1);
    }
}
