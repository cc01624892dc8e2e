//! What the server's state amounts to when metrics are asked for.

use metrics::gauge;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{ClockState, Gate, Space};
use strongroom_store::SharedStore;

/// Where the state is read from.
pub(crate) struct Gauges {
    gate: Arc<Gate>,
    store: SharedStore,
    data_dir: PathBuf,
}

impl Gauges {
    pub(crate) fn new(gate: &Arc<Gate>, store: &SharedStore, data_dir: &Path) -> Self {
        gauge!("strongroom_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        gauge!("process_start_time_seconds").set(seconds(gate.ambient().now()));
        Self { gate: Arc::clone(gate), store: Arc::clone(store), data_dir: data_dir.to_owned() }
    }

    /// Sets every gauge that nobody sets when something happens. Reads memory, and one call to the system.
    pub(crate) fn record(&self) {
        let unlocked = self.gate.is_unlocked();
        let believed = self.gate.clock_state() == ClockState::Believed;
        let space = self.gate.space();
        let sound = unlocked && believed && space == Space::Ample && !self.gate.is_resolving();
        flag("strongroom_unlocked", unlocked);
        flag("strongroom_clock_believed", believed);
        flag("strongroom_degraded", !sound);
        gauge!("strongroom_store_space").set(match space {
            Space::Ample => 0.0,
            Space::Reserved => 1.0,
            Space::Exhausted => 2.0,
        });
        gauge!("strongroom_audit_entries").set(count(self.store.trail_head().seq));
        if let Ok(disk) = rustix::fs::statvfs(&self.data_dir) {
            gauge!("strongroom_disk_free_bytes").set(count(disk.f_bavail.saturating_mul(disk.f_frsize)));
            gauge!("strongroom_disk_size_bytes").set(count(disk.f_blocks.saturating_mul(disk.f_frsize)));
        }
    }
}

fn flag(name: &'static str, value: bool) {
    gauge!(name).set(f64::from(u8::from(value)));
}

/// A whole number as Prometheus takes it.
#[expect(clippy::cast_precision_loss, reason = "exact to 2^53")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

/// A moment as Prometheus takes it.
#[expect(clippy::cast_precision_loss, reason = "exact to the millisecond for some thousand years")]
pub(crate) fn seconds(moment: UnixMillis) -> f64 {
    moment.0 as f64 / 1_000.0
}
