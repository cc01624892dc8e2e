//! Rows and packed entries as they lie in the tables: their checksums and their layout.

use crate::error::{DB, corrupt};
use rusqlite::Row as SqlRow;
use strongroom_store::{Row, RowKey, StoreError, TrailEntry};

pub(crate) const SELECT_TRAIL: &str = "SELECT first_seq, count, revision, sum, entries FROM trail";

/// Checksum of a row: finds a flipped bit in key, revision or value.
pub(crate) fn row_sum(key: &[u8], revision: i64, value: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&revision.to_le_bytes());
    sum.update(key);
    sum.update(value);
    sum.finalize()
}

/// Checks a row that was read against its checksum.
pub(crate) fn verified(key: RowKey, revision: i64, sum: i64, value: Vec<u8>) -> Result<Row, StoreError> {
    if i64::from(row_sum(key.as_bytes(), revision, &value)) != sum {
        return Err(corrupt(format!("{DB} row {key:?}")));
    }
    Ok(Row { key, revision: strongroom_store::Revision(revision), value })
}

/// Checksum of a row of the trail.
pub(crate) fn trail_sum(first_seq: i64, count: i64, revision: i64, entries: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for number in [first_seq, count, revision] {
        sum.update(&number.to_le_bytes());
    }
    sum.update(entries);
    sum.finalize()
}

/// Appends an entry to a row of the trail: verdict, length, body, link.
pub(crate) fn pack(into: &mut Vec<u8>, verdict: u8, body: &[u8], hash: &[u8; 32]) {
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    into.push(verdict);
    into.extend_from_slice(&len.to_le_bytes());
    into.extend_from_slice(body);
    into.extend_from_slice(hash);
}

/// One row of the trail: the entries of one group.
#[derive(Debug)]
pub(crate) struct PackedRow {
    pub(crate) first_seq: i64,
    count: i64,
    pub(crate) revision: i64,
    sum: i64,
    entries: Vec<u8>,
}

impl PackedRow {
    /// From a row of [`SELECT_TRAIL`].
    pub(crate) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let entries = row.get_ref(4)?.as_blob()?.to_vec();
        Ok(Self {
            first_seq: row.get(0)?,
            count: row.get(1)?,
            revision: row.get(2)?,
            sum: row.get(3)?,
            entries,
        })
    }

    /// The entries; damage is reported with the row's number.
    pub(crate) fn unpack(&self) -> Result<Vec<TrailEntry>, StoreError> {
        let sum = trail_sum(self.first_seq, self.count, self.revision, &self.entries);
        let entries = if i64::from(sum) == self.sum { self.parse() } else { None };
        entries.ok_or_else(|| corrupt(format!("{DB} trail row {}", self.first_seq)))
    }

    fn parse(&self) -> Option<Vec<TrailEntry>> {
        let count = usize::try_from(self.count).ok()?;
        let mut entries = Vec::with_capacity(count.min(crate::writer::MAX_GROUP));
        let mut seq = u64::try_from(self.first_seq).ok()?;
        let mut rest = self.entries.as_slice();
        while !rest.is_empty() {
            let ([verdict, len @ ..], tail) = rest.split_first_chunk::<5>()?;
            let (body, tail) = tail.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
            let (hash, tail) = tail.split_first_chunk::<32>()?;
            entries.push(TrailEntry { seq, verdict: *verdict, body: body.to_vec(), hash: *hash });
            seq = seq.checked_add(1)?;
            rest = tail;
        }
        (entries.len() == count).then_some(entries)
    }
}
