//! Reading, verifying and signing the trail.

use crate::actions::{ReadTrail, SignCheckpoint, VerifyTrail};
use crate::initialise::fail;
use crate::{Operator, OperatorError, TrailFilter};
use strongroom_gate::{
    Checkpoint, EntryError, Held, Permit, Record, Report, StoreError, TrailRight, TrailView, Verdict,
};

const EXPORT_PAGE: usize = 1_000;
/// So many entries are looked through for one request.
const MAX_SEARCHED: u64 = 100_000;

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

/// What a search of the trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailFound {
    /// The entries, oldest first.
    pub lines: Vec<TrailLine>,
    /// The last entry's number.
    pub head: u64,
    /// The first entry that has not moved out.
    pub oldest: u64,
    /// Where to go on, if the search ended before the trail did.
    pub next: Option<u64>,
}

/// The trail from an entry to its head at the time of asking, a page at a time, under one permit.
#[derive(Debug)]
pub struct TrailExport {
    view: TrailView,
    right: TrailRight,
    at: u64,
    head: u64,
    begun: bool,
}

impl TrailExport {
    /// The next entries; none at the end. It begins with the first that has not moved out; those that move out before it
    /// has come to them end it, for it has no holes; so does the loss of the right to it.
    pub async fn next(&mut self) -> Result<Vec<TrailLine>, OperatorError> {
        let left = usize::try_from(self.head.saturating_add(1).saturating_sub(self.at)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Vec::new());
        }
        self.right.goes_on().await?;
        let lines = lines(&self.view, self.at, left.min(EXPORT_PAGE)).await?;
        if self.begun && lines.first().is_none_or(|line| line.seq != self.at) {
            return Err(OperatorError::Store(StoreError::Busy));
        }
        self.begun = true;
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

type Search = Result<(Vec<TrailLine>, Option<u64>), OperatorError>;

/// Gives the entry to go on with, if the trail goes on.
async fn forwards(view: &TrailView, from: u64, head: u64, limit: usize, filter: &TrailFilter) -> Search {
    let (mut found, mut at) = (Vec::new(), from);
    let end = from.saturating_add(MAX_SEARCHED);
    while at <= head && at < end {
        let page = lines(view, at, EXPORT_PAGE).await?;
        let Some(last) = page.last().map(|line| line.seq) else { break };
        for line in page.into_iter().filter(|line| filter.fits(line)) {
            if found.len() == limit {
                return Ok((found, Some(line.seq)));
            }
            found.push(line);
        }
        at = last + 1;
    }
    Ok((found, Some(at).filter(|at| *at <= head)))
}

/// Gives the entry before which to go on, if there are older ones.
async fn backwards(view: &TrailView, before: u64, oldest: u64, limit: usize, filter: &TrailFilter) -> Search {
    let (mut found, mut at) = (Vec::new(), before);
    let end = before.saturating_sub(MAX_SEARCHED).max(oldest);
    let page_size = u64::try_from(EXPORT_PAGE).unwrap_or(u64::MAX);
    'pages: while at > end {
        let from = at.saturating_sub(page_size).max(oldest);
        let page = lines(view, from, usize::try_from(at - from).unwrap_or(EXPORT_PAGE)).await?;
        for line in page.into_iter().rev().filter(|line| filter.fits(line)) {
            at = line.seq;
            found.push(line);
            if found.len() == limit {
                break 'pages;
            }
        }
        at = from;
    }
    found.reverse();
    Ok((found, Some(at).filter(|at| *at > oldest)))
}

impl Operator {
    /// The whole trail from an entry on.
    pub async fn export_trail(
        &self,
        permit: Permit<ReadTrail>,
        from: u64,
    ) -> Result<Held<TrailExport>, OperatorError> {
        let (view, mut entry) = permit.open();
        let right = match view.right() {
            Ok(right) => right,
            Err(lost) => return fail(entry, lost.into()).await,
        };
        let head = view.head();
        entry.note(format!("export of entries {from} to {head}"));
        let export = TrailExport { view, right, at: from.max(1), head, begun: false };
        Ok(entry.hold(Verdict::Released, export))
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

    /// Looks through the trail from an entry on for those that fit, at most `limit`; with `tail` backwards from the
    /// head, or from before that entry.
    pub async fn search_trail(
        &self,
        permit: Permit<ReadTrail>,
        from: Option<u64>,
        limit: usize,
        tail: bool,
        filter: &TrailFilter,
    ) -> Result<Held<TrailFound>, OperatorError> {
        let (view, mut entry) = permit.open();
        let (head, oldest) = (view.head(), view.oldest().await?);
        let (lines, next) = if tail {
            let before = from.unwrap_or(u64::MAX).min(head.saturating_add(1));
            backwards(&view, before, oldest, limit, filter).await?
        } else {
            forwards(&view, from.unwrap_or(1).max(oldest), head, limit, filter).await?
        };
        let filtered = if filter.is_open() { "" } else { ", filtered" };
        entry.note(format!("{} entries{filtered}", lines.len()));
        Ok(entry.hold(Verdict::Released, TrailFound { lines, head, oldest, next }))
    }

    /// Verifies the whole trail, on request against a checkpoint that was kept elsewhere.
    pub async fn verify_trail(
        &self,
        permit: Permit<VerifyTrail>,
        against: Option<&Checkpoint>,
    ) -> Result<Held<Report>, OperatorError> {
        let (view, mut entry) = permit.open();
        let report = view.verify(against, self.segment_dir()).await?;
        entry.note(match (&report.bad, &report.segment) {
            (None, _) => format!("{} entries hold", report.entries),
            (Some((seq, fault)), None) => format!("entry {seq}: {fault}"),
            (Some((seq, fault)), Some(segment)) => format!("entry {seq} in {segment}: {fault}"),
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
