//! Verifying the trail: numbers without gaps, links that follow, bodies that open, checkpoints that agree.

use crate::checkpoint::Checkpoint;
use crate::life::Life;
use crate::record::{Record, Verdict};
use crate::segment::{Segment, SegmentDir, SegmentError};
use crate::{EntryError, link};
use std::collections::BTreeMap;
use strongroom_keyring::Sealer;
use strongroom_store::{Range, SharedStore, StoreError, TrailEntry, TrailHead};

const PAGE: usize = 1_000;
const MAX_CHECKPOINTS: usize = 1_000_000;
const MAX_SEGMENTS: usize = 1_000_000;
const MAX_LIVES: usize = 10_000;

/// What is wrong with the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry is missing, or entries changed places.
    #[error("entry is missing, or entries changed places")]
    Order,
    /// The entry is not the one that was linked.
    #[error("entry was edited: its link does not follow from it")]
    Link,
    /// Its body is damaged, or was sealed elsewhere.
    #[error("entry does not open")]
    Body,
    /// A signed checkpoint says something else.
    #[error("entry differs from what a signed checkpoint says")]
    Checkpoint,
    /// The signature of a checkpoint is wrong.
    #[error("checkpoint's signature does not verify")]
    Signature,
    /// A checkpoint of another data directory or of another key.
    #[error("checkpoint belongs to another data directory")]
    Foreign,
    /// A checkpoint of the life before a restore, signed after the backup was made: what it covers is not here.
    #[error(
        "checkpoint was signed before a restore, and covers entries that the restored backup does not have"
    )]
    Outlived,
    /// The trail ends before a checkpoint.
    #[error("the trail ends before an entry that a signed checkpoint covers")]
    Cut,
    /// A segment that moved out is not where segments lie.
    #[error("the segment that holds the entry is missing")]
    SegmentMissing,
    /// A segment's file is not what was written.
    #[error("the segment that holds the entry is damaged")]
    SegmentDamaged,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries checked.
    pub entries: u64,
    /// Checkpoints checked.
    pub checkpoints: u64,
    /// Segments that moved out, checked.
    pub segments: u64,
    /// The first bad entry, and what is wrong with it.
    pub bad: Option<(u64, Fault)>,
    /// The segment that the bad entry lies in, if it is in one.
    pub segment: Option<String>,
    /// The checkpoint that was kept elsewhere was signed in a life before a restore; both lives share the trail up to
    /// this entry.
    pub restored_at: Option<u64>,
}

/// What a trail is verified with.
#[derive(Debug, Default, Clone, Copy)]
pub struct Proof<'a> {
    /// Opens the entries; without it only the chain is checked.
    pub trail: Option<&'a Sealer>,
    /// The incarnation and the public key that signs here.
    pub own: Option<([u8; 16], [u8; 32])>,
    /// A checkpoint that was kept elsewhere.
    pub against: Option<&'a Checkpoint>,
    /// Where segments that moved out lie.
    pub segments: Option<&'a SegmentDir>,
}

/// The segments that moved out, oldest first.
pub async fn segments(store: &SharedStore) -> Result<Vec<Segment>, StoreError> {
    let rows = store.list(Range::prefix(strongroom_barrier::keys::segments(), MAX_SEGMENTS)).await?;
    let damaged =
        |key: &strongroom_store::RowKey| StoreError::Corrupt { place: format!("segment row {key:?}") };
    rows.iter().map(|row| Segment::decode(&row.value).ok_or_else(|| damaged(&row.key))).collect()
}

/// Verifies everything from the first entry ever, in whatever segment it lies, up to the present head.
pub async fn verify(store: &SharedStore, proof: Proof<'_>) -> Result<Report, StoreError> {
    let rows = store.list(Range::prefix(strongroom_barrier::keys::lives(), MAX_LIVES)).await?;
    let lives: Vec<Life> = rows.iter().filter_map(|row| Life::decode(&row.value)).collect();
    let before = proof.against.and_then(|checkpoint| lives.iter().find(|life| life.follows(checkpoint)));
    let restored_at = before.map(|life| life.at.seq);
    let mut walk = Walk {
        at: TrailHead::default(),
        proof,
        lives,
        expected: BTreeMap::new(),
        entries: 0,
        checkpoints: 0,
        segments: 0,
        segment: None,
    };
    let bad = walk.run(store).await?;
    let segment = walk.segment.filter(|_| bad.is_some());
    let Walk { entries, checkpoints, segments, .. } = walk;
    Ok(Report { entries, checkpoints, segments, bad, segment, restored_at })
}

struct Walk<'a> {
    at: TrailHead,
    proof: Proof<'a>,
    /// Where this data directory was restored.
    lives: Vec<Life>,
    expected: BTreeMap<u64, [u8; 32]>,
    entries: u64,
    checkpoints: u64,
    segments: u64,
    /// The one that is being read.
    segment: Option<String>,
}

impl Walk<'_> {
    async fn run(&mut self, store: &SharedStore) -> Result<Option<(u64, Fault)>, StoreError> {
        if let Some(bad) = self.expect_all(store).await? {
            return Ok(Some(bad));
        }
        for segment in segments(store).await? {
            self.segment = Some(segment.name());
            if let Err(fault) = self.moved_out(&segment).await {
                return Ok(Some((self.at.seq + 1, fault)));
            }
        }
        self.segment = None;
        // after the checkpoints: none that was signed meanwhile lies behind it
        let head = store.trail_head();
        while self.at.seq < head.seq {
            let page = store.entries(self.at.seq + 1, PAGE).await?;
            if page.first().is_none_or(|first| first.seq > self.at.seq + 1) {
                if let Err(fault) = self.moved_meanwhile(store).await? {
                    return Ok(Some((self.at.seq + 1, fault)));
                }
                continue;
            }
            for entry in &page {
                if let Err(fault) = self.step(entry) {
                    return Ok(Some((self.at.seq + 1, fault)));
                }
            }
        }
        // what a checkpoint covers beyond the head has been cut off
        let last = self.expected.keys().next_back().filter(|last| **last > self.at.seq);
        Ok(last.map(|_| (self.at.seq + 1, Fault::Cut)))
    }

    /// Every checkpoint, and what each says of its entry.
    async fn expect_all(&mut self, store: &SharedStore) -> Result<Option<(u64, Fault)>, StoreError> {
        let rows =
            store.list(Range::prefix(strongroom_barrier::keys::checkpoints(), MAX_CHECKPOINTS)).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            match Checkpoint::decode(&row.value) {
                Ok(checkpoint) => kept.push(checkpoint),
                Err(_) => return Ok(Some((row_seq(row.key.as_bytes()), Fault::Signature))),
            }
        }
        let own = self.proof.own;
        for checkpoint in kept.iter().chain(self.proof.against) {
            if let Err(fault) = self.expect(checkpoint, own) {
                return Ok(Some((checkpoint.head.seq, fault)));
            }
        }
        Ok(None)
    }

    /// The next entry is not in the store: it may have moved out since the segments were listed.
    async fn moved_meanwhile(&mut self, store: &SharedStore) -> Result<Result<(), Fault>, StoreError> {
        let next = self.at.seq + 1;
        let holds = |segment: &Segment| (segment.first..=segment.last.seq).contains(&next);
        let Some(segment) = segments(store).await?.into_iter().find(holds) else {
            return Ok(Err(Fault::Order));
        };
        self.segment = Some(segment.name());
        let walked = self.walk_through(&segment).await;
        if walked.is_ok() {
            self.segment = None;
        }
        Ok(walked)
    }

    /// Walks through the next segment.
    async fn moved_out(&mut self, segment: &Segment) -> Result<(), Fault> {
        if segment.first != self.at.seq + 1 || segment.previous != self.at.hash {
            return Err(Fault::Order);
        }
        self.walk_through(segment).await
    }

    /// Walks through what a segment holds beyond the entries that were seen.
    async fn walk_through(&mut self, segment: &Segment) -> Result<(), Fault> {
        let seen = self.at.seq;
        let fault = |error: SegmentError| match error {
            SegmentError::Missing { .. } => Fault::SegmentMissing,
            SegmentError::Io { .. } | SegmentError::Damaged { .. } => Fault::SegmentDamaged,
        };
        let mut reader = self.proof.segments.ok_or(Fault::SegmentMissing)?.open(segment).map_err(fault)?;
        loop {
            let page = reader.page(PAGE).map_err(fault)?;
            if page.is_empty() {
                break;
            }
            for entry in page.iter().filter(|entry| entry.seq > seen) {
                self.step(entry)?;
            }
            // reading a file does not wait: others have their turn
            tokio::task::yield_now().await;
        }
        let checkpoint = reader.finish().map_err(fault)?;
        // an earlier incarnation signed with the same key
        if self.proof.own.is_some_and(|(_, key)| key != checkpoint.public_key) {
            return Err(Fault::Foreign);
        }
        if self.at != segment.last {
            return Err(Fault::SegmentDamaged);
        }
        self.segments += 1;
        Ok(())
    }

    fn expect(&mut self, checkpoint: &Checkpoint, own: Option<([u8; 16], [u8; 32])>) -> Result<(), Fault> {
        checkpoint.check().map_err(|_| Fault::Signature)?;
        if let Some((incarnation, public_key)) = own {
            self.is_ours(checkpoint, incarnation, public_key)?;
        }
        self.checkpoints += 1;
        match self.expected.insert(checkpoint.head.seq, checkpoint.head.hash) {
            Some(hash) if hash != checkpoint.head.hash => Err(Fault::Checkpoint),
            _ => Ok(()),
        }
    }

    /// Signed by this data directory's key, in this life or in one before it that lasted so long.
    fn is_ours(&self, checkpoint: &Checkpoint, own: [u8; 16], public_key: [u8; 32]) -> Result<(), Fault> {
        if checkpoint.public_key != public_key {
            return Err(Fault::Foreign);
        }
        if checkpoint.incarnation == own {
            return Ok(());
        }
        match self.lives.iter().find(|life| life.follows(checkpoint)) {
            Some(life) if checkpoint.head.seq <= life.at.seq => Ok(()),
            Some(_) => Err(Fault::Outlived),
            None => Err(Fault::Foreign),
        }
    }

    fn step(&mut self, entry: &TrailEntry) -> Result<(), Fault> {
        let seq = self.at.seq + 1;
        if entry.seq != seq {
            return Err(Fault::Order);
        }
        let hash = link(&self.at.hash, seq, entry.verdict, &entry.body);
        if hash != entry.hash {
            return Err(Fault::Link);
        }
        if self.expected.get(&seq).is_some_and(|expected| *expected != hash) {
            return Err(Fault::Checkpoint);
        }
        let opens = match Record::decode(&entry.body, self.proof.trail) {
            Err(EntryError::Sealed) => true,
            outcome => outcome.is_ok(),
        };
        if !opens || Verdict::from_code(entry.verdict).is_none() {
            return Err(Fault::Body);
        }
        self.at = TrailHead { seq, hash };
        self.entries += 1;
        Ok(())
    }
}

fn row_seq(key: &[u8]) -> u64 {
    key.get(1..).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes)
}
