//! Counters and gauges for Prometheus: one recorder a process, rendered when asked.

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// Bounds of the histograms whose name ends in `_seconds`.
const SECONDS: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Bounds of the histogram of how many transactions share a flush.
const TRANSACTIONS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// What histograms collect is folded away this often, so that nobody need ask for it.
const UPKEEP: Duration = Duration::from_secs(15);

/// Why metrics are not collected.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Another recorder is in place, or the bounds are refused.
    #[error("metrics cannot be collected")]
    Recorder(#[from] metrics_exporter_prometheus::BuildError),
}

/// The process's metrics.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Installs the recorder of this process.
    ///
    /// # Errors
    /// If there is one already.
    pub fn install() -> Result<Self, MetricsError> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_transactions".to_owned()), TRANSACTIONS)?;
        let handle = builder.install_recorder()?;
        describe();
        Ok(Self { handle })
    }

    /// Everything, in Prometheus' text format 0.0.4.
    pub fn render(&self) -> String {
        record_process();
        self.handle.render()
    }

    /// Folds away what histograms collected, for ever; to be spawned beside the server.
    pub async fn keep_up(self) {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
        }
    }
}

const COUNTERS: [(&str, &str); 15] = [
    ("strongroom_requests_total", "Answers, by endpoint and class of status"),
    (
        "strongroom_convection_requests_total",
        "Answers of the convection door, by command and whether it was done",
    ),
    ("strongroom_connections_accepted_total", "Connections accepted"),
    ("strongroom_connections_refused_total", "Connections closed at once: a cap was reached"),
    ("strongroom_connections_dropped_total", "Connections dropped for where they come from, by reason"),
    (
        "strongroom_requests_turned_away_total",
        "Requests that were not taken before any door saw them, by the code of their answer",
    ),
    ("strongroom_tls_handshakes_failed_total", "TLS handshakes that failed or took too long"),
    ("strongroom_accept_errors_total", "Accepts that the system refused"),
    ("strongroom_store_groups_total", "Groups of transactions that were made durable with one flush"),
    ("strongroom_store_transactions_total", "Transactions in them"),
    ("strongroom_store_unknown_outcomes_total", "Groups of which the commit's outcome was not known at once"),
    ("strongroom_audit_segments_total", "Segments that the front of the trail moved out to"),
    ("strongroom_audit_archive_failures_total", "Attempts to move the front of the trail out that failed"),
    ("strongroom_audit_syslog_sent_total", "Messages handed over to the receiver of syslog"),
    ("strongroom_audit_syslog_failures_total", "Connections to the receiver of syslog that failed"),
];

const GAUGES: [(&str, &str); 23] = [
    ("strongroom_build_info", "1, with the version as a label"),
    ("strongroom_unlocked", "1 if the server is unlocked"),
    (
        "strongroom_degraded",
        "1 if the server is locked, out of space, unsure of its clock or resolving a commit",
    ),
    ("strongroom_clock_believed", "1 if the wall clock is believed"),
    ("strongroom_tokens", "Tokens that are kept, expired ones until housekeeping removes them included"),
    ("strongroom_certificate_expires_timestamp_seconds", "When a listener's certificate expires"),
    ("strongroom_connections_open", "Connections open"),
    (
        "strongroom_store_queue_depth",
        "Transactions that waited or were worked on when the last group was taken",
    ),
    ("strongroom_store_space", "Room on the disk: 0 ample, 1 the reserve is in use, 2 exhausted"),
    ("strongroom_disk_free_bytes", "Room on the data directory's disk for the server"),
    ("strongroom_disk_size_bytes", "Size of the data directory's disk"),
    ("strongroom_audit_entries", "Number of the trail's last entry"),
    ("strongroom_audit_oldest_entry", "Number of the first entry that has not moved out"),
    ("strongroom_audit_checkpoint_entry", "Number of the last entry that a signed checkpoint covers"),
    ("strongroom_audit_checkpoint_timestamp_seconds", "When the last checkpoint was signed"),
    ("strongroom_audit_syslog_lag_entries", "Entries that syslog has not been given yet"),
    ("strongroom_audit_syslog_connected", "1 if the receiver of syslog takes messages"),
    ("strongroom_backup_timestamp_seconds", "When the last backup was made, if one is known"),
    ("process_start_time_seconds", "When the process started"),
    ("process_cpu_seconds_total", "CPU seconds used"),
    ("process_resident_memory_bytes", "Resident memory"),
    ("process_open_fds", "Open descriptors"),
    ("process_threads", "Threads"),
];

const HISTOGRAMS: [(&str, &str); 4] = [
    (
        "strongroom_convection_request_duration_seconds",
        "From a request's end to its answer's beginning, by command of the convection door",
    ),
    ("strongroom_request_duration_seconds", "From a request's head to its answer's head, by endpoint"),
    ("strongroom_store_commit_seconds", "Commit of a group with its flush"),
    ("strongroom_store_group_transactions", "Transactions that share a flush"),
];

fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(name, text);
    }
    for (name, text) in HISTOGRAMS {
        describe_histogram!(name, text);
    }
}

fn record_process() {
    let Some(process) = Process::read() else { return };
    // a counter of the library holds whole numbers only
    gauge!("process_cpu_seconds_total").set(process.cpu.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "exact to 8 PiB")]
    gauge!("process_resident_memory_bytes").set(process.resident_bytes as f64);
    gauge!("process_threads").set(f64::from(process.threads));
    if let Some(descriptors) = process.descriptors {
        gauge!("process_open_fds").set(f64::from(descriptors));
    }
}

/// What the kernel says of this process.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    cpu: Duration,
    resident_bytes: u64,
    threads: u32,
    descriptors: Option<u32>,
}

impl Process {
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let page = u64::try_from(rustix::param::page_size()).ok()?;
        let mut process = Self::parse(&stat, rustix::param::clock_ticks_per_second(), page)?;
        // a process that gave up being dumpable may not list its descriptors unless it is root's
        let listed = std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
        process.descriptors = listed.and_then(|count| u32::try_from(count).ok());
        Some(process)
    }

    /// Fields of `proc_pid_stat(5)`: 14 and 15 user and system time, 20 threads, 24 resident pages. The second may
    /// hold anything in its brackets.
    fn parse(stat: &str, ticks_per_second: u64, page: u64) -> Option<Self> {
        let (_, after_name) = stat.rsplit_once(')')?;
        let field = |number: usize| after_name.split_ascii_whitespace().nth(number - 3)?.parse::<u64>().ok();
        let ticks = field(14)?.checked_add(field(15)?)?;
        let micros = ticks.checked_mul(1_000_000)?.checked_div(ticks_per_second)?;
        Some(Self {
            cpu: Duration::from_micros(micros),
            resident_bytes: field(24)?.checked_mul(page)?,
            threads: u32::try_from(field(20)?).ok()?,
            descriptors: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_whatever_the_name() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 9 0 100 1000000 256 1 2";
        let expected = Process {
            cpu: Duration::from_secs(2),
            resident_bytes: 256 * 4_096,
            threads: 9,
            descriptors: None,
        };
        assert_eq!(Process::parse(stat, 100, 4_096), Some(expected));
        assert_eq!(Process::parse("7 (a) S 1 2", 100, 4_096), None);
    }

    #[test]
    fn what_is_counted_is_rendered() {
        let metrics = Metrics::install().unwrap();
        metrics::counter!("strongroom_connections_accepted_total", "listener" => "main").increment(3);
        let text = metrics.render();
        assert!(text.contains("strongroom_connections_accepted_total{listener=\"main\"} 3"), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
        assert!(text.contains("process_cpu_seconds_total "), "{text}");
        assert!(Metrics::install().is_err(), "a second recorder would split the counts");
    }
}
