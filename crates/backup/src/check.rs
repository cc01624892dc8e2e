//! Verifying: order, tables, links of the trail, the moment, and with unlock keys the MAC.

use crate::header::{Header, LAST_TABLE};
use crate::{BackupError, Progress, Reader, keys};
use std::io::Read;
use strongroom_barrier::keys as rows;
use strongroom_secret::SecretBytes;
use strongroom_store::{Item, Row, TrailEntry, TrailHead};

/// What a backup holds that was found sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which moment of which store it is.
    pub header: Header,
    /// Its size in bytes.
    pub bytes: u64,
    /// Chunks.
    pub chunks: u64,
    /// Rows.
    pub rows: u64,
    /// Entries of the trail.
    pub entries: u64,
    /// Whether the MAC was checked with unlock keys.
    pub genuine: bool,
}

/// Checks everything. Without unlock keys: that it is as it was written. With them: that a server which these keys open
/// wrote it.
pub fn verify(
    source: impl Read,
    keys: Option<&[SecretBytes]>,
    progress: Progress<'_>,
) -> Result<Report, BackupError> {
    walk(source, keys, progress, |_| Ok(())).map(|(report, _)| report)
}

/// Checks everything, and hands each item on as it comes: what is wrong may show only after the last. Gives the root
/// record's row as well.
pub(crate) fn walk(
    source: impl Read,
    keys: Option<&[SecretBytes]>,
    progress: Progress<'_>,
    mut each: impl FnMut(Item) -> Result<(), BackupError>,
) -> Result<(Report, Option<Row>), BackupError> {
    let mut reader = Reader::open(source)?;
    let mut seen = Seen::default();
    while let Some(item) = reader.item()? {
        seen.check(&item, reader.header()).map_err(|what| at(&reader, what))?;
        progress(reader.offset());
        each(item)?;
    }
    let header = reader.header().clone();
    if seen.trail != header.trail {
        return Err(at(&reader, "the trail does not end where the header says"));
    }
    if let Some(keys) = keys {
        let partition = keys::open_partition(seen.root.as_ref(), seen.partition.as_ref(), keys)?;
        if !reader.is_genuine(&partition.backup_mac()) {
            return Err(BackupError::Forged);
        }
    }
    let (bytes, chunks) = (reader.offset(), reader.chunks());
    let (rows, entries) = (seen.rows, seen.entries);
    Ok((Report { header, bytes, chunks, rows, entries, genuine: keys.is_some() }, seen.root))
}

fn at<R: Read>(reader: &Reader<R>, what: &'static str) -> BackupError {
    BackupError::Damaged { offset: reader.offset(), what }
}

/// What has come so far.
#[derive(Default)]
struct Seen {
    last: Option<Vec<u8>>,
    root: Option<Row>,
    partition: Option<Row>,
    rows: u64,
    entries: u64,
    trail: TrailHead,
}

impl Seen {
    fn check(&mut self, item: &Item, header: &Header) -> Result<(), &'static str> {
        match item {
            Item::Row(row) => self.row(row, header),
            Item::Entry(entry) => self.entry(entry),
        }
    }

    fn row(&mut self, row: &Row, header: &Header) -> Result<(), &'static str> {
        let key = row.key.as_bytes();
        if self.entries > 0 || self.last.as_deref().is_some_and(|last| last >= key) {
            return Err("rows are out of order");
        }
        if key.first().is_none_or(|table| *table == 0 || *table > LAST_TABLE) {
            return Err("a row of a table that is not known");
        }
        if row.revision > header.revision {
            return Err("a row is newer than the backup");
        }
        if row.key == rows::root() {
            self.root = Some(row.clone());
        }
        if self.partition.is_none() && key.starts_with(&rows::partitions()) {
            self.partition = Some(row.clone());
        }
        self.last = Some(key.to_vec());
        self.rows += 1;
        Ok(())
    }

    fn entry(&mut self, entry: &TrailEntry) -> Result<(), &'static str> {
        let first = self.entries == 0;
        // entries before the first one may have been moved out: their link is not at hand
        let moved_out = first && entry.seq > 1;
        let link = strongroom_audit::link(&self.trail.hash, entry.seq, entry.verdict, &entry.body);
        if !moved_out && (entry.seq != self.trail.seq.saturating_add(1) || entry.hash != link) {
            return Err("an entry of the trail is not linked to the one before");
        }
        self.trail = TrailHead { seq: entry.seq, hash: entry.hash };
        self.entries += 1;
        Ok(())
    }
}
