//! What a group adds to the log: made first, written in one go, and only then known.

use super::error::SpoolError;
use super::frame::{self, Entry};
use super::state::State;
use std::fs::File;
use std::sync::Arc;
use strongroom_envelope::Chain;

/// The end of the log.
pub(crate) struct Writer {
    pub(super) state: State,
    pub(super) file: Arc<File>,
    pub(super) number: u64,
    /// The header of the batch that goes on: each segment begins with it.
    pub(super) header: Option<Vec<u8>>,
    pub(super) frame: Vec<u8>,
}

/// What a group adds to the log: entries, and what they change.
pub(crate) struct Draft<'a> {
    pub(crate) chain: Chain,
    pub(crate) out: &'a mut Vec<u8>,
    records: Option<(u64, u64)>,
    header: Option<Vec<u8>>,
    marks: Vec<(String, Vec<u8>)>,
    last_raw: u64,
    drained: u64,
    pub(super) posted: u64,
}

impl Draft<'_> {
    /// The header of a new batch.
    pub(crate) fn header(&mut self, bytes: Vec<u8>) {
        Entry::Header(&bytes).write(self.out);
        self.header = Some(bytes);
    }

    /// A record, sealed in place; it moves the chain on.
    pub(crate) fn record<E>(
        &mut self,
        seal: impl FnOnce(&mut Chain, &mut Vec<u8>) -> Result<u64, E>,
    ) -> Result<(), E> {
        let chain = &mut self.chain;
        let sequence = frame::write_record(self.out, |out| seal(chain, out))?;
        self.records = Some((self.records.map_or(sequence, |(first, _)| first), sequence));
        Ok(())
    }

    /// How far a source is read.
    pub(crate) fn mark(&mut self, source: &str, position: &[u8]) {
        Entry::Mark { source, position }.write(self.out);
        self.marks.push((source.to_owned(), position.to_owned()));
    }

    /// The next raw record, sealed with its number.
    pub(crate) fn raw(&mut self, seal: impl FnOnce(u64) -> Vec<u8>) {
        self.last_raw += 1;
        let sealed = seal(self.last_raw);
        Entry::Raw { number: self.last_raw, sealed: &sealed }.write(self.out);
    }

    /// Raw records are done.
    pub(crate) fn drained(&mut self, number: u64) {
        Entry::Drained(number).write(self.out);
        self.drained = number;
    }
}

impl Writer {
    pub(super) fn end(&self) -> u64 {
        self.state.segments.get(&self.number).map_or(0, |segment| segment.bytes)
    }

    /// Makes a frame, writes it, and only then changes what is known.
    pub(super) fn draft<T, E: From<SpoolError>>(
        &mut self,
        fill: impl FnOnce(&mut Draft<'_>) -> Result<T, E>,
        append: impl FnOnce(&Self) -> Result<u64, SpoolError>,
    ) -> Result<T, E> {
        let mut out = std::mem::take(&mut self.frame);
        frame::begin_frame(&mut out);
        let mut draft = Draft {
            chain: self.state.chain.clone(),
            out: &mut out,
            records: None,
            header: None,
            marks: Vec::new(),
            last_raw: self.state.last_raw,
            drained: self.state.drained,
            posted: self.state.posted,
        };
        let filled = fill(&mut draft);
        let Draft { chain, records, header, marks, last_raw, drained, posted, .. } = draft;
        frame::end_frame(&mut out);
        self.frame = out;
        let result = filled?;
        if self.frame.len() == frame::HEAD_BYTES {
            return Ok(result);
        }
        if self.frame.len() > frame::MAX_FRAME_BYTES {
            return Err(SpoolError::Full { why: "a group is longer than a frame may be" }.into());
        }
        let end = append(self)?;
        let number = self.number;
        let raw_came = last_raw > self.state.last_raw;
        self.state.chain = chain;
        self.state.marks.extend(marks);
        (self.state.last_raw, self.state.drained, self.state.posted) = (last_raw, drained, posted);
        if header.is_some() {
            self.header = header;
        }
        let segment = self.state.segment(number);
        segment.bytes = end;
        if raw_came {
            segment.last_raw = last_raw;
        }
        if let Some((first, last)) = records {
            segment.records = Some((segment.records.map_or(first, |(first, _)| first), last));
        }
        Ok(result)
    }
}
