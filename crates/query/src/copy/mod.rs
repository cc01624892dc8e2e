//! A full copy of what the exchange keeps, with the proof that it is full.
//!
//! Each collector's records form a chain, and the collector tells the authority where it ends. So a copy that goes on from
//! the first record without a gap, each naming the one before it, to the head that the collector signed, is complete.

mod folder;
mod local;

pub use folder::{CopyError, CopyFolder};
pub use local::LocalCopy;

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE64, HEXLOWER};
use strongroom_envelope::{Chain, ChainBreak, SealedRecord};
use strongroom_sharing::authority::Head;
use strongroom_sharing::exchange::Found;
use strongroom_sharing::{BatchId, MemberId, SignedText};

use crate::check::authentic;
use crate::ports::{AskError, Authority, Exchange};
use crate::search::Watch;
use crate::signers::Signers;
use crate::summary::{Finding, Summary};

/// What a collector signs its head as.
const HEAD: &str = "strongroom sharing head v1";

/// Why a copy cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The folder cannot be used.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Authority or exchange did not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// How far a collector's chain goes in the copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extent {
    /// Its first record in the copy: 1, unless the exchange keeps the first ones no more.
    pub first: u64,
    /// Its last record in the copy; 0 where there is none.
    pub last: u64,
    /// The last record that the collector told the authority of,
    pub head: Option<u64>,
    /// and when: seconds since 1970.
    pub head_at: Option<u64>,
    /// Whether the copy holds everything from `first` to that head.
    pub is_proven: bool,
}

/// What a copy holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synced {
    /// Each collector.
    pub collectors: BTreeMap<MemberId, Extent>,
    /// Records that came now.
    pub new: u64,
    /// What is wrong.
    pub findings: u64,
    /// Whether somebody stopped it.
    pub is_stopped: bool,
}

impl Synced {
    /// Whether every collector's chain is there from its first record to its head.
    pub fn is_proven(&self) -> bool {
        let is_whole = |own: &Extent| own.is_proven && own.first == 1;
        let is_clean = !self.is_stopped && self.findings == 0 && !self.collectors.is_empty();
        is_clean && self.collectors.values().all(is_whole)
    }
}

/// Brings a copy up to date and says how complete it is.
pub async fn sync(
    folder: &CopyFolder,
    authority: &impl Authority,
    exchange: &impl Exchange,
    signers: &Signers,
    watch: &mut dyn Watch,
) -> Result<Synced, SyncError> {
    let mut synced = Synced::default();
    // first the heads: what comes to the exchange meanwhile is more than they say, never less
    let heads = heads(authority.heads().await?, signers);
    let at_exchange = exchange.heads().await?;
    let starts: BTreeMap<MemberId, u64> =
        at_exchange.iter().map(|head| (head.collector, head.first)).collect();
    let all: BTreeSet<MemberId> = starts.keys().chain(heads.keys()).copied().collect();
    for collector in all {
        if watch.is_stopped() {
            synced.is_stopped = true;
            break;
        }
        let start = starts.get(&collector).copied().unwrap_or(1);
        let head = heads.get(&collector);
        let mut one = One { folder, signers, watch: &mut *watch, synced: &mut synced, collector };
        let extent = one.sync(exchange, start, head).await?;
        synced.collectors.insert(collector, extent);
    }
    Ok(synced)
}

/// The heads that their collectors signed; of several, the last.
pub(crate) fn heads(signed: Vec<SignedText>, signers: &Signers) -> BTreeMap<MemberId, Head> {
    let mut heads: BTreeMap<MemberId, Head> = BTreeMap::new();
    for text in signed {
        let Some(claimed) = claimed(&text) else { continue };
        let Ok(head) = signers.document(claimed, &text, HEAD, |head: &Head| head.sequence) else { continue };
        let is_later = heads.get(&head.collector).is_none_or(|known| known.sequence < head.sequence);
        if head.collector == claimed && is_later {
            heads.insert(claimed, head);
        }
    }
    heads
}

/// Whose head a document says that it is: whose key to check it with.
fn claimed(text: &SignedText) -> Option<MemberId> {
    let payload = BASE64.decode(text.payload.as_bytes()).ok()?;
    serde_json::from_slice::<Head>(&payload).ok().map(|head| head.collector)
}

/// One collector's chain.
struct One<'a> {
    folder: &'a CopyFolder,
    signers: &'a Signers,
    watch: &'a mut dyn Watch,
    synced: &'a mut Synced,
    collector: MemberId,
}

impl One<'_> {
    async fn sync(
        &mut self,
        exchange: &impl Exchange,
        start: u64,
        head: Option<&Head>,
    ) -> Result<Extent, SyncError> {
        let mut file = self.folder.records(self.collector)?;
        let mut walk = Walk::new(self.collector, head);
        let whole = file.read_all(|record, _| walk.step(record, self.signers))?;
        if !whole {
            self.find(walk.next(), "the copy on the disk is damaged here; it is fetched again from here on");
        }
        walk.is_reading = false;
        if walk.chain.is_none() {
            walk.first = start.max(1);
        }
        while !self.watch.is_stopped() {
            let given = exchange.records(self.collector, walk.next()).await?;
            if given.is_empty() || !self.append(&given, &mut walk, &mut file)? {
                break;
            }
            let progress = Summary { given: self.synced.new, ..Summary::default() };
            self.watch.progress(&progress);
        }
        file.sync()?;
        self.fetch_headers(exchange, walk.batches()).await?;
        Ok(self.judge(&walk, head))
    }

    /// Takes records as long as each is the next one; whether all of them were.
    fn append(
        &mut self,
        given: &[Found],
        walk: &mut Walk<'_>,
        file: &mut folder::RecordsFile,
    ) -> Result<bool, SyncError> {
        for found in given {
            let bytes = BASE64.decode(found.record.as_bytes()).unwrap_or_default();
            let sequence = walk.next();
            let Ok(record) = SealedRecord::parse(&bytes) else {
                self.find(sequence, "something that is no record was given in its place");
                return Ok(false);
            };
            if let Err(why) = walk.step(&record, self.signers) {
                self.find(sequence, why);
                return Ok(false);
            }
            file.append(&bytes, found.hour)?;
            self.synced.new += 1;
        }
        Ok(true)
    }

    async fn fetch_headers(
        &mut self,
        exchange: &impl Exchange,
        batches: &BTreeSet<BatchId>,
    ) -> Result<(), SyncError> {
        let missing = self.folder.missing_headers(batches)?;
        for asked in missing.chunks(256) {
            let given = exchange.batches(asked).await?;
            for (batch, header) in asked.iter().zip(given.headers) {
                if let Some(bytes) = header.and_then(|text| BASE64.decode(text.as_bytes()).ok()) {
                    self.folder.put_header(*batch, &bytes)?;
                }
            }
        }
        Ok(())
    }

    /// How far the chain goes, and whether that is all.
    fn judge(&mut self, walk: &Walk<'_>, head: Option<&Head>) -> Extent {
        let last = walk.next() - 1;
        let first = walk.first.min(walk.next());
        let extent = Extent {
            first,
            last,
            head: head.map(|head| head.sequence),
            head_at: head.map(|head| head.at),
            is_proven: false,
        };
        let Some(head) = head else { return extent };
        if last < head.sequence {
            self.find(
                last + 1,
                "withheld: the collector told the authority of more records than the exchange gave",
            );
            return extent;
        }
        match walk.at_head {
            Some(true) => Extent { is_proven: true, ..extent },
            Some(false) => {
                self.find(
                    head.sequence,
                    "is another record than the one that the collector told the authority of",
                );
                extent
            }
            // the head's own record is no longer kept: nothing is said of what is
            None => extent,
        }
    }

    fn find(&mut self, sequence: u64, why: &'static str) {
        self.synced.findings += 1;
        self.watch.finding(&Finding::Copy { collector: self.collector, sequence, why });
    }
}

/// A walk along a collector's chain.
struct Walk<'a> {
    collector: MemberId,
    chain: Option<Chain>,
    first: u64,
    /// Whether it walks over what was checked when it came, whose first record may be any.
    is_reading: bool,
    head: Option<&'a Head>,
    at_head: Option<bool>,
    batches: BTreeSet<BatchId>,
}

impl<'a> Walk<'a> {
    fn new(collector: MemberId, head: Option<&'a Head>) -> Self {
        Self {
            collector,
            chain: None,
            first: 1,
            is_reading: true,
            head,
            at_head: None,
            batches: BTreeSet::new(),
        }
    }

    fn next(&self) -> u64 {
        self.chain.as_ref().map_or(self.first, Chain::next_sequence)
    }

    fn batches(&self) -> &BTreeSet<BatchId> {
        &self.batches
    }

    fn step(&mut self, record: &SealedRecord<'_>, signers: &Signers) -> Result<(), &'static str> {
        if record.id().collector != self.collector {
            return Err("is another collector's");
        }
        if authentic(record, signers).is_err() {
            return Err("is not signed by its collector: changed or invented");
        }
        match &mut self.chain {
            Some(chain) => chain.follow(record).map_err(|broken| match broken {
                ChainBreak::Collector => "is another collector's",
                ChainBreak::Sequence { .. } => "is missing: another number was given in its place",
                ChainBreak::Previous { .. } => "names another record as the one before it",
            })?,
            None if record.id().sequence == self.first || self.is_reading => {
                self.first = record.id().sequence;
                self.chain = Some(Chain::after(record));
            }
            None => return Err("is missing: another number was given in its place"),
        }
        self.batches.insert(record.batch());
        if let Some(head) = self.head.filter(|head| head.sequence == record.id().sequence) {
            self.at_head = Some(head.digest == HEXLOWER.encode(&record.digest()));
        }
        Ok(())
    }
}
