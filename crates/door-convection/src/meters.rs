//! Counts of answers, a counter a command and outcome, and how long they took.

use crate::table::Command;
use metrics::{Counter, Histogram, counter, histogram};
use std::time::Duration;

pub(crate) struct Meters {
    commands: Vec<Meter>,
    unknown: Counter,
}

struct Meter {
    done: Counter,
    failed: Counter,
    took: Histogram,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let answers = |command: &'static str, state: &'static str| counter!("strongroom_convection_requests_total", "command" => command, "state" => state);
        let of = |command: &Command| {
            let name = command.name();
            Meter {
                done: answers(name, "done"),
                failed: answers(name, "failed"),
                took: histogram!("strongroom_convection_request_duration_seconds", "command" => name),
            }
        };
        Self { commands: Command::ALL.iter().map(of).collect(), unknown: answers("unknown", "failed") }
    }

    /// Counts an answer to a command, or to something that is none.
    pub(crate) fn count(&self, command: Option<Command>, done: bool, took: Duration) {
        let Some(meter) = command.and_then(|command| self.commands.get(command as usize)) else {
            return self.unknown.increment(1);
        };
        if done { &meter.done } else { &meter.failed }.increment(1);
        meter.took.record(took);
    }
}
