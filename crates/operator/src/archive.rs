//! The front of the trail moves out into segments.

use crate::actions::{ArchiveTrail, FollowTrail, ListSegments};
use crate::{Operator, OperatorError};
use strongroom_gate::{
    CommitError, Held, Keep, Permit, Segment, SegmentDir, Server, Trail, TrailFeed, Verdict,
};

/// Where segments lie, and how much of the trail stays in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Where they lie.
    pub dir: SegmentDir,
    /// What stays.
    pub keep: Keep,
}

/// A segment, and whether its file is where it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentLine {
    /// What is on record of it.
    pub segment: Segment,
    /// Its file's path.
    pub path: String,
    /// Whether the file is there, in its size; only a verification reads it.
    pub present: bool,
}

impl Operator {
    /// Moves out what is due, a segment at a time; nothing after `held`, the last entry that was exported. Gives the
    /// segment that it wrote.
    pub async fn archive_chore(&self, held: Option<u64>) -> Result<Option<Segment>, OperatorError> {
        let Some(archive) = &self.archive else { return Ok(None) };
        let due = self.gate.due_to_move(&archive.keep, held.unwrap_or(u64::MAX)).await?;
        let Some(range) = due else { return Ok(None) };
        let (view, mut entry) = self.gate.system::<ArchiveTrail>(Trail).await?.open();
        let (segment, batch) = match view.move_out(&archive.dir, range).await {
            Ok(written) => written,
            Err(fault) => {
                entry.note(fault.to_string());
                entry.finish(Verdict::Failed).await?;
                return Err(fault.into());
            }
        };
        entry.note(format!("entries {} to {} to {}", segment.first, segment.last.seq, segment.name()));
        match entry.commit(batch).await {
            Ok(_) => Ok(Some(segment)),
            // another chore was there first
            Err(CommitError::Changed) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The segments that moved out, oldest first.
    pub async fn list_segments(
        &self,
        permit: Permit<ListSegments>,
    ) -> Result<Held<Vec<SegmentLine>>, OperatorError> {
        let (view, mut entry) = permit.open();
        let segments = view.segments().await?;
        entry.note(format!("{} segments", segments.len()));
        let lines = segments.into_iter().map(|segment| self.line(segment)).collect();
        Ok(entry.hold(Verdict::Released, lines))
    }

    fn line(&self, segment: Segment) -> SegmentLine {
        let path = self.segment_dir().map(|dir| dir.path().join(segment.name()));
        let found = path.as_deref().and_then(|path| std::fs::metadata(path).ok());
        let present = found.is_some_and(|file| file.is_file() && file.len() == segment.bytes);
        let path = path.map_or_else(|| segment.name(), |path| path.display().to_string());
        SegmentLine { segment, path, present }
    }

    pub(crate) fn segment_dir(&self) -> Option<&SegmentDir> {
        self.archive.as_ref().map(|archive| &archive.dir)
    }

    /// Begins to follow the trail, for an export to a place that the operator configured. One entry for all that
    /// follows, as for a listing.
    pub async fn follow_trail(&self, to: &str) -> Result<TrailFeed, OperatorError> {
        let (view, mut entry) = self.gate.system::<FollowTrail>(Server).await?.open();
        entry.note(format!("export to {to}"));
        let held = entry.hold(Verdict::Released, view.follow_trail());
        Ok(self.gate.release(held).await?)
    }
}
