//! Rows, read.

use super::write::signed;
use crate::storage::{
    Arrival, BatchRow, DigestBytes, HeadRow, HourRow, ProofRow, RecordRow, Sizes, SpanRow, Standing,
    TokenBytes,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use strongroom_sharing::{BatchId, MemberId};

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

fn rows<T>(
    reader: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    reader.prepare_cached(sql)?.query_map(params, of)?.collect()
}

pub(super) fn standing(reader: &Connection) -> rusqlite::Result<Standing> {
    // one snapshot
    let reader = reader.unchecked_transaction()?;
    let heads =
        rows(&reader, "SELECT number, id, first, sequence, digest, conflicts FROM collectors", [], head)?;
    let spans = rows(&reader, "SELECT span, first, postings FROM spans ORDER BY span", [], |row| {
        Ok(SpanRow { span: row.get(0)?, first: unsigned(row, 1)?, postings: unsigned(row, 2)? })
    })?;
    let hours = rows(&reader, "SELECT hour, first FROM hours ORDER BY hour", [], |row| {
        Ok(HourRow { hour: row.get(0)?, first: unsigned(row, 1)? })
    })?;
    let last: Option<i64> = reader.query_row("SELECT MAX(arrival) FROM records", [], |row| row.get(0))?;
    let last = last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0);
    // where all was removed, places are not given again
    let last = last.max(hours.last().map_or(0, |hour| hour.first.saturating_sub(1)));
    Ok(Standing { heads, spans, hours, last })
}

fn head(row: &Row<'_>) -> rusqlite::Result<HeadRow> {
    Ok(HeadRow {
        number: row.get(0)?,
        collector: MemberId(row.get(1)?),
        first: unsigned(row, 2)?,
        sequence: unsigned(row, 3)?,
        digest: row.get(4)?,
        conflicts: unsigned(row, 5)?,
    })
}

pub(super) fn digest_of(
    reader: &Connection,
    collector: u32,
    sequence: u64,
) -> rusqlite::Result<Option<DigestBytes>> {
    let mut find =
        reader.prepare_cached("SELECT digest FROM records WHERE collector = ?1 AND sequence = ?2")?;
    find.query_row(params![collector, signed(sequence)], |row| row.get(0)).optional()
}

pub(super) fn batch(reader: &Connection, id: &BatchId) -> rusqlite::Result<Option<BatchRow>> {
    let mut find =
        reader.prepare_cached("SELECT collector, digest, last, header FROM batches WHERE id = ?1")?;
    let found = find.query_row([id.0], |row| {
        Ok(BatchRow {
            id: *id,
            collector: row.get(0)?,
            digest: row.get(1)?,
            last: unsigned(row, 2)?,
            header: row.get(3)?,
        })
    });
    found.optional()
}

pub(super) fn postings(
    reader: &Connection,
    span: u32,
    token: &TokenBytes,
    at_most: Arrival,
    limit: usize,
) -> rusqlite::Result<Vec<Arrival>> {
    let sql = "SELECT arrival FROM tokens WHERE span = ?1 AND token = ?2 AND arrival <= ?3
               ORDER BY arrival DESC LIMIT ?4";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    rows(reader, sql, params![span, token, signed(at_most), limit], |row| unsigned(row, 0))
}

const RECORD: &str = "SELECT arrival, collector, sequence, digest, hour, bytes FROM records";

fn row(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        arrival: unsigned(row, 0)?,
        collector: row.get(1)?,
        sequence: unsigned(row, 2)?,
        digest: row.get(3)?,
        hour: row.get(4)?,
        bytes: row.get(5)?,
    })
}

pub(super) fn record(reader: &Connection, arrival: Arrival) -> rusqlite::Result<Option<RecordRow>> {
    let sql = joined(RECORD, " WHERE arrival = ?1");
    reader.prepare_cached(&sql)?.query_row([signed(arrival)], row).optional()
}

pub(super) fn records_from(
    reader: &Connection,
    from: Arrival,
    limit: usize,
) -> rusqlite::Result<Vec<RecordRow>> {
    let sql = joined(RECORD, " WHERE arrival >= ?1 ORDER BY arrival LIMIT ?2");
    rows(reader, &sql, params![signed(from), i64::try_from(limit).unwrap_or(i64::MAX)], row)
}

pub(super) fn of_collector(
    reader: &Connection,
    collector: u32,
    from: u64,
    limit: usize,
) -> rusqlite::Result<Vec<RecordRow>> {
    let sql = joined(RECORD, " WHERE collector = ?1 AND sequence >= ?2 ORDER BY sequence LIMIT ?3");
    rows(reader, &sql, params![collector, signed(from), i64::try_from(limit).unwrap_or(i64::MAX)], row)
}

fn joined(head: &str, tail: &str) -> String {
    [head, tail].concat()
}

pub(super) fn proof(reader: &Connection, collector: u32, epoch: u64) -> rusqlite::Result<Option<ProofRow>> {
    let mut find =
        reader.prepare_cached("SELECT signed, leaves FROM proofs WHERE collector = ?1 AND epoch = ?2")?;
    let found = find.query_row(params![collector, signed(epoch)], |row| {
        Ok(ProofRow { collector, epoch, signed: row.get(0)?, leaves: row.get(1)? })
    });
    found.optional()
}

pub(super) fn sizes(reader: &Connection) -> rusqlite::Result<Sizes> {
    let number = |sql: &str| reader.query_row(sql, [], |row| unsigned(row, 0));
    Ok(Sizes {
        bytes: number("PRAGMA page_count")?.saturating_mul(number("PRAGMA page_size")?),
        batches: number("SELECT COUNT(*) FROM batches")?,
        conflicts: number("SELECT COUNT(*) FROM conflicts")?,
        proofs: number("SELECT COUNT(*) FROM proofs")?,
    })
}

pub(super) fn note(reader: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut find = reader.prepare_cached("SELECT value FROM notes WHERE name = ?1")?;
    find.query_row([name], |row| row.get(0)).optional()
}
