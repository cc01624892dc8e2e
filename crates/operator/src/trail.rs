//! Reading, verifying and signing the trail.

use crate::actions::{ReadTrail, SignCheckpoint, VerifyTrail};
use crate::{Operator, OperatorError};
use strongroom_gate::{Checkpoint, EntryError, Held, Permit, Record, Report, TrailView, Verdict};

const EXPORT_PAGE: usize = 1_000;

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

/// The trail from an entry to its head at the time of asking, a page at a time, under one permit.
#[derive(Debug)]
pub struct TrailExport {
    view: TrailView,
    at: u64,
    head: u64,
}

impl TrailExport {
    /// The next entries; none at the end.
    pub async fn next(&mut self) -> Result<Vec<TrailLine>, OperatorError> {
        let left = usize::try_from(self.head.saturating_add(1).saturating_sub(self.at)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Vec::new());
        }
        let lines = lines(&self.view, self.at, left.min(EXPORT_PAGE)).await?;
        self.at = lines.last().map_or(self.head, |line| line.seq) + 1;
        Ok(lines)
    }
}

async fn lines(view: &TrailView, from: u64, limit: usize) -> Result<Vec<TrailLine>, OperatorError> {
    let entries = view.entries(from, limit).await?;
    let line = |(entry, record): (strongroom_gate::TrailEntry, _)| TrailLine {
        seq: entry.seq,
        verdict: entry.verdict,
        hash: entry.hash,
        record,
    };
    Ok(entries.into_iter().map(line).collect())
}

impl Operator {
    /// The whole trail from an entry on.
    pub fn export_trail(&self, permit: Permit<ReadTrail>, from: u64) -> Held<TrailExport> {
        let (view, mut entry) = permit.open();
        let head = view.head();
        entry.note(format!("export of entries {from} to {head}"));
        entry.hold(Verdict::Released, TrailExport { view, at: from.max(1), head })
    }

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
        let lines = lines(&view, from, limit).await?;
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
