//! Moving the front of the trail out: what may go, and the segment that takes it.

use crate::admit::Gate;
use crate::trail_view::TrailView;
use std::ops::RangeInclusive;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_audit::{CheckpointError, Record, Segment, SegmentDir, SegmentError, SegmentWriter, segments};
use strongroom_barrier::{BarrierError, Batch, Opened, keys};
use strongroom_store::{Precondition, StoreError};

/// The last entries never move out: the clock's mark is read from them, and repeated requests are resolved by them.
const ALWAYS_KEPT: u64 = 100;
const PAGE: usize = 1_000;
/// So many entries are looked at for one whose time can be read.
const READABLE_WITHIN: usize = 64;

/// How much of the trail stays in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Entries among the last so many stay.
    pub entries: Option<u64>,
    /// Entries younger than this stay.
    pub age: Option<Duration>,
    /// Entries of a full segment.
    pub segment_entries: u64,
    /// What may go goes, in a segment that is not full, once it has waited so long.
    pub segment_age: Duration,
}

/// Why the front of the trail did not move out.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store below.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The segment's file.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// Its checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Gate {
    /// The first entry that has not moved out; 1 of an empty trail.
    pub(crate) async fn oldest_entry(&self) -> Result<u64, StoreError> {
        Ok(self.store().entries(0, 1).await?.first().map_or(1, |entry| entry.seq))
    }

    /// The entries that are due to move out now, none after `held`; none while nothing is.
    pub async fn due_to_move(
        &self,
        keep: &Keep,
        held: u64,
    ) -> Result<Option<RangeInclusive<u64>>, BarrierError> {
        if keep.entries.is_none() && keep.age.is_none() {
            return Ok(None);
        }
        let opened = self.opened()?;
        let first = self.oldest_entry().await?;
        let kept = keep.entries.unwrap_or(0).max(ALWAYS_KEPT);
        let full = first.saturating_add(keep.segment_entries.max(1) - 1);
        let last = self.store().trail_head().seq.saturating_sub(kept).min(held).min(full);
        if last < first {
            return Ok(None);
        }
        let last = match keep.age {
            Some(age) => self.last_before(&opened, first..=last, self.earlier(age)).await?,
            None => Some(last),
        };
        let Some(last) = last else { return Ok(None) };
        let waited = self.earlier(keep.age.unwrap_or_default().saturating_add(keep.segment_age));
        let due = last == full || self.is_before(&opened, first, waited).await?;
        Ok(due.then_some(first..=last))
    }

    fn earlier(&self, by: Duration) -> UnixMillis {
        UnixMillis(self.now().0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The last entry of a range that is not younger than a moment; entries are in the order of their times.
    async fn last_before(
        &self,
        opened: &Opened,
        range: RangeInclusive<u64>,
        moment: UnixMillis,
    ) -> Result<Option<u64>, BarrierError> {
        let (mut low, mut high) = (*range.start(), range.end() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_before(opened, middle, moment).await? { low = middle + 1 } else { high = middle }
        }
        Ok(Some(low - 1).filter(|last| range.contains(last)))
    }

    /// Whether an entry, or the first after it that can be read, is not younger than a moment.
    async fn is_before(&self, opened: &Opened, seq: u64, moment: UnixMillis) -> Result<bool, BarrierError> {
        let entries = self.store().entries(seq, READABLE_WITHIN).await?;
        let sealer = opened.trail();
        let mut records = entries.iter().map(|entry| Record::decode(&entry.body, Some(&sealer)));
        Ok(records.find_map(Result::ok).is_some_and(|record| record.time <= moment))
    }
}

impl TrailView {
    /// Writes entries into a segment, which is durable and read back when this answers, and the change that lets go of
    /// them in the store. An attempt that was interrupted after its file was whole is taken up again.
    pub async fn move_out(
        &self,
        dir: &SegmentDir,
        range: RangeInclusive<u64>,
    ) -> Result<(Segment, Batch), ArchiveError> {
        let signer = self.gate.signer.load_full().ok_or(CheckpointError::Key)?;
        let first = *range.start();
        let last = dir.written(&signer.0, first)?.filter(|last| range.contains(last)).unwrap_or(*range.end());
        let mut writer = dir.begin(signer.0, first, self.link_before(first).await?)?;
        self.copy(&mut writer, first..=last).await?;
        let checkpoint = signer.1.sign(signer.0, writer.head(), self.gate.now())?;
        let written = tokio::task::spawn_blocking(move || writer.finish(&checkpoint)).await;
        let segment = written.map_err(|_| StoreError::Closed)??;
        let mut batch = Batch::new();
        let row = keys::segment(first);
        batch.require(Precondition::Absent(row.clone()));
        batch.put(row, segment.encode());
        batch.trim_trail(last);
        Ok((segment, batch))
    }

    async fn copy(&self, writer: &mut SegmentWriter, range: RangeInclusive<u64>) -> Result<(), ArchiveError> {
        let mut at = *range.start();
        while at <= *range.end() {
            let left = usize::try_from(range.end() - at + 1).unwrap_or(PAGE);
            let page = self.gate.store().entries(at, left.min(PAGE)).await?;
            let Some(last) = page.last() else { return Err(StoreError::Closed.into()) };
            at = last.seq + 1;
            for entry in &page {
                writer.entry(entry)?;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// The link that the first entry in the store follows.
    async fn link_before(&self, first: u64) -> Result<[u8; 32], StoreError> {
        if first == 1 {
            return Ok([0; 32]);
        }
        let before = segments(self.gate.store()).await?.pop().filter(|last| last.last.seq + 1 == first);
        let before =
            before.ok_or_else(|| StoreError::Corrupt { place: format!("segment before entry {first}") })?;
        Ok(before.last.hash)
    }
}
