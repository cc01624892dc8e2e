//! Verifying the trail: numbers without gaps, links that follow, bodies that open, checkpoints that agree.

use crate::checkpoint::Checkpoint;
use crate::record::{Record, Verdict};
use crate::{EntryError, link};
use std::collections::BTreeMap;
use strongroom_keyring::Sealer;
use strongroom_store::{Range, SharedStore, StoreError, TrailEntry, TrailHead};

const PAGE: usize = 1_000;
const MAX_CHECKPOINTS: usize = 1_000_000;

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
    /// The trail ends before a checkpoint.
    #[error("the trail ends before an entry that a signed checkpoint covers")]
    Cut,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries checked.
    pub entries: u64,
    /// Checkpoints checked.
    pub checkpoints: u64,
    /// The first bad entry, and what is wrong with it.
    pub bad: Option<(u64, Fault)>,
}

/// Verifies everything up to the present head. `own` is the incarnation and the public key that signs here;
/// `against` a checkpoint that was kept elsewhere.
pub async fn verify(
    store: &SharedStore,
    trail: Option<&Sealer>,
    own: Option<([u8; 16], [u8; 32])>,
    against: Option<&Checkpoint>,
) -> Result<Report, StoreError> {
    let head = store.trail_head();
    let mut walk =
        Walk { at: TrailHead::default(), trail, expected: BTreeMap::new(), entries: 0, checkpoints: 0 };
    let bad = walk.run(store, head, own, against).await?;
    Ok(Report { entries: walk.entries, checkpoints: walk.checkpoints, bad })
}

struct Walk<'a> {
    at: TrailHead,
    trail: Option<&'a Sealer>,
    expected: BTreeMap<u64, [u8; 32]>,
    entries: u64,
    checkpoints: u64,
}

impl Walk<'_> {
    async fn run(
        &mut self,
        store: &SharedStore,
        head: TrailHead,
        own: Option<([u8; 16], [u8; 32])>,
        against: Option<&Checkpoint>,
    ) -> Result<Option<(u64, Fault)>, StoreError> {
        let rows =
            store.list(Range::prefix(strongroom_barrier::keys::checkpoints(), MAX_CHECKPOINTS)).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            match Checkpoint::decode(&row.value) {
                Ok(checkpoint) => kept.push(checkpoint),
                Err(_) => return Ok(Some((row_seq(row.key.as_bytes()), Fault::Signature))),
            }
        }
        for checkpoint in kept.iter().chain(against) {
            if let Err(fault) = self.expect(checkpoint, own) {
                return Ok(Some((checkpoint.head.seq, fault)));
            }
        }
        while self.at.seq < head.seq {
            let page = store.entries(self.at.seq + 1, PAGE).await?;
            if page.is_empty() {
                return Ok(Some((self.at.seq + 1, Fault::Order)));
            }
            for entry in &page {
                if let Err(fault) = self.step(entry) {
                    return Ok(Some((self.at.seq + 1, fault)));
                }
            }
        }
        // what a checkpoint covers beyond the head has been cut off
        Ok(self
            .expected
            .keys()
            .next_back()
            .filter(|last| **last > self.at.seq)
            .map(|_| (self.at.seq + 1, Fault::Cut)))
    }

    fn expect(&mut self, checkpoint: &Checkpoint, own: Option<([u8; 16], [u8; 32])>) -> Result<(), Fault> {
        checkpoint.check().map_err(|_| Fault::Signature)?;
        if own.is_some_and(|own| own != (checkpoint.incarnation, checkpoint.public_key)) {
            return Err(Fault::Foreign);
        }
        self.checkpoints += 1;
        match self.expected.insert(checkpoint.head.seq, checkpoint.head.hash) {
            Some(hash) if hash != checkpoint.head.hash => Err(Fault::Checkpoint),
            _ => Ok(()),
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
        let opens = match Record::decode(&entry.body, self.trail) {
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
