//! Counters and gauges for Prometheus: one recorder a process, rendered when asked.

use metrics::{describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// Bounds of the histograms whose name ends in `_seconds`.
const SECONDS: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
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
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?;
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

fn describe() {
    describe_counter!("strongroom_connections_accepted_total", "Connections accepted");
    describe_counter!(
        "strongroom_connections_refused_total",
        "Connections closed at once: a cap was reached"
    );
    describe_counter!(
        "strongroom_tls_handshakes_failed_total",
        "TLS handshakes that failed or took too long"
    );
    describe_counter!("strongroom_accept_errors_total", "Accepts that the system refused");
    describe_gauge!("strongroom_connections_open", "Connections open");
    describe_gauge!("process_cpu_seconds_total", "CPU seconds used");
    describe_gauge!("process_resident_memory_bytes", "Resident memory");
    describe_gauge!("process_open_fds", "Open descriptors");
    describe_gauge!("process_threads", "Threads");
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
