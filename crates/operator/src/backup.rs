//! Backups, taken while work goes on.

use crate::actions::{CreateBackup, EndBackup};
use crate::initialise::fail;
use crate::{Operator, OperatorError};
use strongroom_gate::{BackupStream, Held, Permit, Server, Verdict};

impl Operator {
    /// Everything of this moment, sealed as it lies. Two entries tell of it: this permit's, before the first byte leaves,
    /// and one that says whether the last one did.
    pub async fn create_backup(
        &self,
        permit: Permit<CreateBackup>,
        version: &str,
    ) -> Result<Held<BackupStream>, OperatorError> {
        let (view, mut entry) = permit.open();
        let begun = match view.begin(version).await {
            Ok(begun) => begun,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        entry.note(begun.describe());
        let (_, end) = self.gate.system::<EndBackup>(Server).await?.open();
        Ok(entry.hold(Verdict::Released, begun.stream(end)))
    }
}
