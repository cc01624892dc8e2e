//! The state of the lock, for anyone who asks.

use crate::actions::DeepCheck;
use crate::{Operator, OperatorError, hex};
use strongroom_ambient::UnixMillis;
use strongroom_gate::{ClockState, DeepReport, Held, Permit, Space, Verdict};
use strongroom_model::{JobId, Origin};
use strongroom_unlock::RootRecord;

/// The state of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not, each by itself")]
pub struct Status {
    /// Whether there is a root key.
    pub initialised: bool,
    /// Whether initialisation was confirmed.
    pub confirmed: bool,
    /// Whether it is unlocked.
    pub unlocked: bool,
    /// Unlock keys that must be presented.
    pub threshold: u8,
    /// Unlock keys in the set.
    pub num_keys: u8,
    /// The set, in hexadecimal.
    pub set_id: Option<String>,
    /// How far the asker has come.
    pub progress: u8,
    /// Whether a rotation of the root key waits for its confirmation.
    pub rotation_pending: bool,
    /// Auto-unlock providers.
    pub auto_unlock: Vec<String>,
    /// Whether auto-unlock is off until a manual unlock.
    pub auto_unlock_held: bool,
    /// When the last complete backup was made.
    pub last_backup: Option<UnixMillis>,
    /// Jobs whose records do not open.
    pub damaged_jobs: Vec<JobId>,
    /// Room on the disk.
    pub space: Space,
    /// Whether the clock is believed.
    pub clock: ClockState,
}

impl Operator {
    /// Whether initialisation was confirmed.
    pub async fn is_confirmed(&self) -> bool {
        let record = self.gate.root_row().await.ok().flatten().and_then(|row| RootRecord::decode(&row).ok());
        record.is_some_and(|record| record.confirmed)
    }

    /// Looks at everything that is stored: pages, rows, every sealed record. Slow; others go on meanwhile.
    pub async fn deep_check(&self, permit: Permit<DeepCheck>) -> Result<Held<DeepReport>, OperatorError> {
        let (view, mut entry) = permit.open();
        let report = view.deep_check().await?;
        entry.note(format!("{} records, {} faults", report.records, report.wrong.len()));
        Ok(entry.hold(Verdict::Released, report))
    }

    /// The state of the lock. Not an operation: it leaves no entry.
    pub async fn status(&self, origin: Origin) -> Result<Status, OperatorError> {
        let record = self.gate.root_row().await?.map(|row| RootRecord::decode(&row)).transpose()?;
        let set = record.as_ref().map(|record| &record.current);
        Ok(Status {
            initialised: record.is_some(),
            confirmed: record.as_ref().is_some_and(|record| record.confirmed),
            unlocked: self.gate.is_unlocked(),
            threshold: set.map_or(0, strongroom_unlock::UnlockSet::threshold),
            num_keys: set.map_or(0, strongroom_unlock::UnlockSet::key_count),
            set_id: set.map(|set| hex(&set.id())),
            progress: self.attempts.have(origin.source(), self.gate.ambient().clock.monotonic()),
            rotation_pending: record.as_ref().is_some_and(|record| record.pending.is_some()),
            auto_unlock: record
                .iter()
                .flat_map(RootRecord::autos)
                .map(|auto| auto.provider().to_owned())
                .collect(),
            auto_unlock_held: record.as_ref().is_some_and(|record| record.auto_held),
            last_backup: self.gate.last_backup().await?.map(|mark| mark.made),
            damaged_jobs: self.damaged_jobs(),
            space: self.gate.space(),
            clock: self.gate.clock_state(),
        })
    }
}
