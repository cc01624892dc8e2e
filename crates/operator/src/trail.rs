//! Reading, verifying and signing the trail.

use crate::actions::{ReadTrail, SignCheckpoint, VerifyTrail};
use crate::{Operator, OperatorError};
use strongroom_gate::{Checkpoint, EntryError, Held, Permit, Record, Report, Verdict};

/// An entry as an auditor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailLine {
    /// Its number.
    pub seq: u64,
    /// What became of the operation, as stored.
    pub verdict: u8,
    /// Its link.
    pub hash: [u8; 32],
    /// What it says, or why it cannot be read.
    pub record: Result<Record, EntryError>,
}

impl Operator {
    /// Entries from a number on, at most `limit`; with `tail`, the last `limit`. And the last entry's number.
    pub async fn read_trail(
        &self,
        permit: Permit<ReadTrail>,
        from: u64,
        limit: usize,
        tail: bool,
    ) -> Result<Held<(Vec<TrailLine>, u64)>, OperatorError> {
        let (view, mut entry) = permit.open();
        let head = view.head();
        let count = u64::try_from(limit).unwrap_or(u64::MAX);
        let from = if tail { head.saturating_sub(count).saturating_add(1) } else { from }.max(1);
        let entries = view.entries(from, limit).await?;
        let lines: Vec<TrailLine> = entries
            .into_iter()
            .map(|(entry, record)| TrailLine {
                seq: entry.seq,
                verdict: entry.verdict,
                hash: entry.hash,
                record,
            })
            .collect();
        entry.note(format!("{} entries from {from}", lines.len()));
        Ok(entry.hold(Verdict::Released, (lines, head)))
    }

    /// Verifies the whole trail, on request against a checkpoint that was kept elsewhere.
    pub async fn verify_trail(
        &self,
        permit: Permit<VerifyTrail>,
        against: Option<&Checkpoint>,
    ) -> Result<Held<Report>, OperatorError> {
        let (view, mut entry) = permit.open();
        let report = view.verify(against).await?;
        entry.note(match report.bad {
            None => format!("{} entries hold", report.entries),
            Some((seq, fault)) => format!("entry {seq}: {fault}"),
        });
        Ok(entry.hold(Verdict::Released, report))
    }

    /// Signs a checkpoint of the present head, and keeps it.
    pub async fn sign_checkpoint(&self, permit: Permit<SignCheckpoint>) -> Result<Checkpoint, OperatorError> {
        let (view, mut entry) = permit.open();
        let (checkpoint, batch) = view.checkpoint()?;
        entry.note(format!("at entry {}", checkpoint.head.seq));
        entry.commit(batch).await?;
        Ok(checkpoint)
    }
}
