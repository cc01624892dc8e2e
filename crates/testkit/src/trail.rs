//! The trail, as a test reads it.

use crate::world::{TestWorld, WorldError};
use strongroom_gate::{Checkpoint, Decision, Report, Trail, Verdict};
use strongroom_model::Action;
use strongroom_operator as operator;

/// One entry in brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub seq: u64,
    /// What was asked.
    pub action: Action,
    /// What was decided.
    pub decision: Decision,
    /// What became of it.
    pub verdict: Verdict,
    /// Who asked.
    pub user: Option<String>,
    /// From where.
    pub origin: String,
    /// What it was about.
    pub resource: String,
    /// The rule that decided.
    pub rule: String,
    /// The note.
    pub note: String,
}

impl TestWorld {
    /// Every entry from a number on, opened. Leaves an entry itself, after those that it gives.
    pub async fn trail(&self, from: u64) -> Result<Vec<Line>, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::ReadTrail>(&caller, Trail).await?;
        let (lines, _) =
            self.gate.release(self.operator.read_trail(permit, from, 1_000_000, false).await?).await?;
        Ok(lines.into_iter().map(line).collect())
    }

    /// The last entry's number.
    pub fn head(&self) -> u64 {
        self.store().trail_head().seq
    }

    /// Verifies the trail.
    pub async fn verify(&self, against: Option<&Checkpoint>) -> Result<Report, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::VerifyTrail>(&caller, Trail).await?;
        Ok(self.gate.release(self.operator.verify_trail(permit, against).await?).await?)
    }

    /// Signs a checkpoint.
    pub async fn checkpoint(&self) -> Result<Checkpoint, WorldError> {
        let caller = self.root_caller().await?;
        let permit = self.gate.admit::<operator::SignCheckpoint>(&caller, Trail).await?;
        Ok(self.operator.sign_checkpoint(permit).await?)
    }
}

fn line(line: operator::TrailLine) -> Line {
    let record = line.record.expect("an untouched entry opens");
    Line {
        seq: line.seq,
        action: record.action,
        decision: record.decision,
        verdict: Verdict::from_code(line.verdict).expect("a known verdict"),
        user: record.who.map(|who| who.name),
        origin: record.origin,
        resource: record.resource,
        rule: record.rule,
        note: record.note,
    }
}
