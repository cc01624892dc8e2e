//! What the spool knows: by its frames, replayed in their order, or as they are written.

use super::error::SpoolError;
use super::frame::{Entry, entries};
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_envelope::{Chain, SealedRecord};
use strongroom_sharing::MemberId;

/// One segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its length.
    pub(crate) bytes: u64,
    /// The epoch of its records.
    pub(crate) epoch: u64,
    /// Its first record and its last; none if it has none.
    pub(crate) records: Option<(u64, u64)>,
    /// Its last raw record, or the last before it.
    pub(crate) last_raw: u64,
}

/// What the frames say.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// What the next record will be.
    pub(crate) chain: Chain,
    /// How far sources are read.
    pub(crate) marks: BTreeMap<String, Vec<u8>>,
    /// The last raw record.
    pub(crate) last_raw: u64,
    /// Raw records up to this one are done.
    pub(crate) drained: u64,
    /// Records up to this one are at the exchange.
    pub(crate) posted: u64,
    /// Segments by number.
    pub(crate) segments: BTreeMap<u64, Segment>,
    /// Whether anything was read yet: the first frame says where the chain stands.
    begun: bool,
}

impl State {
    pub(crate) fn new(collector: MemberId) -> Self {
        Self {
            chain: Chain::new(collector),
            marks: BTreeMap::new(),
            last_raw: 0,
            drained: 0,
            posted: 0,
            segments: BTreeMap::new(),
            begun: false,
        }
    }

    /// The bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    /// Takes a frame of a segment in.
    pub(crate) fn replay(&mut self, number: u64, payload: &[u8]) -> Result<(), &'static str> {
        for entry in entries(payload) {
            self.apply(number, entry.ok_or("an entry is none of this program's")?)?;
        }
        self.begun = true;
        Ok(())
    }

    fn apply(&mut self, number: u64, entry: Entry<'_>) -> Result<(), &'static str> {
        match entry {
            Entry::Header(_) => {}
            Entry::Record(bytes) => {
                let record = SealedRecord::parse(bytes).map_err(|_| "a record cannot be read")?;
                self.chain.follow(&record).map_err(|_| "a record does not follow the one before it")?;
                self.has_record(number, record.id().sequence);
            }
            Entry::Mark { source, position } => {
                self.marks.insert(source.to_owned(), position.to_owned());
            }
            Entry::Raw { number: raw, .. } => {
                self.last_raw = raw;
                self.segment(number).last_raw = raw;
            }
            Entry::Drained(raw) => self.drained = self.drained.max(raw),
            Entry::Posted(sequence) => self.posted = self.posted.max(sequence),
            Entry::Epoch(epoch) => self.segment(number).epoch = epoch,
            Entry::RawBefore(raw) => {
                self.last_raw = self.last_raw.max(raw);
                self.segment(number).last_raw = raw;
            }
            Entry::Anchor(bytes) => {
                if self.chain.next_sequence() != 1 {
                    return Err("the chain was begun before it");
                }
                self.chain = Chain::from_bytes(bytes).map_err(|_| "the chain cannot be read")?;
                self.posted = self.chain.next_sequence().saturating_sub(1);
            }
            Entry::Chain(bytes) => {
                let chain = Chain::from_bytes(bytes).map_err(|_| "the chain cannot be read")?;
                if self.begun && chain != self.chain {
                    return Err("records are missing before it");
                }
                if chain.collector() != self.chain.collector() {
                    return Err(OTHER_MEMBER);
                }
                self.chain = chain;
            }
        }
        Ok(())
    }

    pub(crate) fn segment(&mut self, number: u64) -> &mut Segment {
        self.segments.entry(number).or_default()
    }

    /// A record is in a segment.
    pub(crate) fn has_record(&mut self, number: u64, sequence: u64) {
        let records = &mut self.segment(number).records;
        *records = Some((records.map_or(sequence, |(first, _)| first), sequence));
    }

    /// What the first frame of a new segment says.
    pub(crate) fn snapshot(&self, epoch: u64, header: Option<&[u8]>, out: &mut Vec<u8>) {
        Entry::Epoch(epoch).write(out);
        Entry::Chain(&self.chain.to_bytes()).write(out);
        Entry::RawBefore(self.last_raw).write(out);
        Entry::Drained(self.drained).write(out);
        Entry::Posted(self.posted).write(out);
        for (source, position) in &self.marks {
            Entry::Mark { source, position }.write(out);
        }
        if let Some(header) = header {
            Entry::Header(header).write(out);
        }
    }

    /// Segments of which nothing is needed any more, but the one that is written.
    pub(crate) fn done(&self) -> Vec<(u64, Segment)> {
        let last = self.segments.last_key_value().map(|(number, _)| *number);
        let done = |segment: &Segment| {
            segment.last_raw <= self.drained && segment.records.is_none_or(|(_, last)| last <= self.posted)
        };
        let begin =
            self.segments.iter().take_while(|(number, segment)| Some(**number) != last && done(segment));
        begin.map(|(number, segment)| (*number, segment.clone())).collect()
    }
}

/// Told apart from damage.
pub(crate) const OTHER_MEMBER: &str = "it is another member's";

/// An error about a place of a segment.
pub(crate) fn damaged(path: &Path, offset: u64, what: &'static str) -> SpoolError {
    if what == OTHER_MEMBER {
        let path = path.parent().unwrap_or(path).to_owned();
        return SpoolError::OtherMember { path };
    }
    SpoolError::Damaged { path: path.to_owned(), offset, what }
}
