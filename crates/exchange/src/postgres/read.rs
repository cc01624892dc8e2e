//! Rows, read.

use super::connection::Connection;
use super::write::{short, signed};
use crate::storage::{
    Arrival, BatchRow, DigestBytes, HeadRow, HourRow, ProofRow, RecordRow, Sizes, SpanRow, Standing,
    StorageError, TokenBytes,
};
use strongroom_sharing::{BatchId, MemberId};
use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

/// A column; of another type than it was made with, the database is not ours.
fn get<T: FromSqlOwned>(row: &Row, column: usize) -> Result<T, StorageError> {
    row.try_get(column).map_err(|error| StorageError::Corrupt { place: error.to_string() })
}

fn long(row: &Row, column: usize) -> Result<u64, StorageError> {
    let number: i64 = get(row, column)?;
    u64::try_from(number).map_err(|_| damaged("a number below zero"))
}

fn number(row: &Row, column: usize) -> Result<u32, StorageError> {
    let number: i32 = get(row, column)?;
    u32::try_from(number).map_err(|_| damaged("a number below zero"))
}

fn hour(row: &Row, column: usize) -> Result<u32, StorageError> {
    u32::try_from(long(row, column)?).map_err(|_| damaged("an hour that cannot be"))
}

fn bytes<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], StorageError> {
    let bytes: Vec<u8> = get(row, column)?;
    bytes.try_into().map_err(|_| damaged("an id or digest of another length"))
}

fn damaged(place: &str) -> StorageError {
    StorageError::Corrupt { place: place.to_owned() }
}

pub(super) async fn standing(connection: &mut Connection) -> Result<Standing, StorageError> {
    let sql =
        "SELECT number, id, first, sequence, digest, conflicts FROM exchange_collectors ORDER BY number";
    let heads = connection.rows(sql, &[]).await?;
    let spans =
        connection.rows("SELECT span, first, postings FROM exchange_spans ORDER BY span", &[]).await?;
    let hours = connection.rows("SELECT hour, first FROM exchange_hours ORDER BY hour", &[]).await?;
    let last = connection.row("SELECT COALESCE(MAX(arrival), 0) FROM exchange_records", &[]).await?;
    let hours = hours.iter().map(|row| Ok(HourRow { hour: hour(row, 0)?, first: long(row, 1)? }));
    let hours: Vec<HourRow> = hours.collect::<Result<_, StorageError>>()?;
    let spans = spans
        .iter()
        .map(|row| Ok(SpanRow { span: number(row, 0)?, first: long(row, 1)?, postings: long(row, 2)? }));
    let last = last.as_ref().map(|row| long(row, 0)).transpose()?.unwrap_or(0);
    // where all was removed, places are not given again
    let last = last.max(hours.last().map_or(0, |hour| hour.first.saturating_sub(1)));
    let heads = heads.iter().map(head).collect::<Result<_, _>>()?;
    Ok(Standing { heads, spans: spans.collect::<Result<_, StorageError>>()?, hours, last })
}

fn head(row: &Row) -> Result<HeadRow, StorageError> {
    Ok(HeadRow {
        number: number(row, 0)?,
        collector: MemberId(bytes(row, 1)?),
        first: long(row, 2)?,
        sequence: long(row, 3)?,
        digest: bytes(row, 4)?,
        conflicts: long(row, 5)?,
    })
}

pub(super) async fn digest_of(
    connection: &mut Connection,
    collector: u32,
    sequence: u64,
) -> Result<Option<DigestBytes>, StorageError> {
    let sql = "SELECT digest FROM exchange_records WHERE collector = $1 AND sequence = $2";
    let row = connection.row(sql, &[&short(collector), &signed(sequence)]).await?;
    row.as_ref().map(|row| bytes(row, 0)).transpose()
}

pub(super) async fn batch(
    connection: &mut Connection,
    id: &BatchId,
) -> Result<Option<BatchRow>, StorageError> {
    let sql = "SELECT collector, digest, last, header FROM exchange_batches WHERE id = $1";
    let Some(row) = connection.row(sql, &[&id.0.as_slice()]).await? else { return Ok(None) };
    Ok(Some(BatchRow {
        id: *id,
        collector: number(&row, 0)?,
        digest: bytes(&row, 1)?,
        last: long(&row, 2)?,
        header: get(&row, 3)?,
    }))
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) async fn postings(
    connection: &mut Connection,
    span: u32,
    token: &TokenBytes,
    at_most: Arrival,
    limit: usize,
) -> Result<Vec<Arrival>, StorageError> {
    let sql = "SELECT arrival FROM exchange_tokens WHERE span = $1 AND token = $2 AND arrival <= $3
               ORDER BY arrival DESC LIMIT $4";
    let params: super::connection::Params<'_> =
        &[&short(span), &token.as_slice(), &signed(at_most), &most(limit)];
    connection.rows(sql, params).await?.iter().map(|row| long(row, 0)).collect()
}

fn record_of(row: &Row) -> Result<RecordRow, StorageError> {
    Ok(RecordRow {
        arrival: long(row, 0)?,
        collector: number(row, 1)?,
        sequence: long(row, 2)?,
        digest: bytes(row, 3)?,
        hour: hour(row, 4)?,
        bytes: get(row, 5)?,
    })
}

pub(super) async fn record(
    connection: &mut Connection,
    arrival: Arrival,
) -> Result<Option<RecordRow>, StorageError> {
    let sql =
        "SELECT arrival, collector, sequence, digest, hour, bytes FROM exchange_records WHERE arrival = $1";
    let row = connection.row(sql, &[&signed(arrival)]).await?;
    row.as_ref().map(record_of).transpose()
}

pub(super) async fn records_from(
    connection: &mut Connection,
    from: Arrival,
    limit: usize,
) -> Result<Vec<RecordRow>, StorageError> {
    let sql = "SELECT arrival, collector, sequence, digest, hour, bytes FROM exchange_records
               WHERE arrival >= $1 ORDER BY arrival LIMIT $2";
    connection.rows(sql, &[&signed(from), &most(limit)]).await?.iter().map(record_of).collect()
}

pub(super) async fn of_collector(
    connection: &mut Connection,
    collector: u32,
    from: u64,
    limit: usize,
) -> Result<Vec<RecordRow>, StorageError> {
    let sql = "SELECT arrival, collector, sequence, digest, hour, bytes FROM exchange_records
               WHERE collector = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";
    let rows = connection.rows(sql, &[&short(collector), &signed(from), &most(limit)]).await?;
    rows.iter().map(record_of).collect()
}

pub(super) async fn proof(
    connection: &mut Connection,
    collector: u32,
    epoch: u64,
) -> Result<Option<ProofRow>, StorageError> {
    let sql = "SELECT signed, leaves FROM exchange_proofs WHERE collector = $1 AND epoch = $2";
    let Some(row) = connection.row(sql, &[&short(collector), &signed(epoch)]).await? else { return Ok(None) };
    Ok(Some(ProofRow { collector, epoch, signed: get(&row, 0)?, leaves: get(&row, 1)? }))
}

pub(super) async fn sizes(connection: &mut Connection) -> Result<Sizes, StorageError> {
    let sql = "SELECT (SELECT COALESCE(SUM(octet_length(bytes)), 0)::BIGINT FROM exchange_records),
                      (SELECT COUNT(*) FROM exchange_batches), (SELECT COUNT(*) FROM exchange_conflicts),
                      (SELECT COUNT(*) FROM exchange_proofs)";
    let row = connection.row(sql, &[]).await?.ok_or_else(|| damaged("no sizes"))?;
    Ok(Sizes {
        bytes: long(&row, 0)?,
        batches: long(&row, 1)?,
        conflicts: long(&row, 2)?,
        proofs: long(&row, 3)?,
    })
}

pub(super) async fn note(connection: &mut Connection, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
    let row = connection.row("SELECT value FROM exchange_notes WHERE name = $1", &[&name]).await?;
    row.as_ref().map(|row| get(row, 0)).transpose()
}
