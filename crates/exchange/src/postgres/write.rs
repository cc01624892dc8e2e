//! Groups of rows, written.

use super::connection::{Connection, Params};
use crate::storage::{DigestBytes, Group, HeadRow, Posting, ProofRow, Removal, StorageError};
use std::fmt::Write as _;
use strongroom_sharing::BatchId;
use tokio_postgres::types::ToSql;

/// Rows of one statement.
const ROWS: usize = 200;

/// Integers of SQL have a sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The same for short ones.
pub(super) fn short(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A transaction.
pub(super) struct Within<'a>(&'a mut Connection);

/// A value of a row.
type Cell<'a> = Box<dyn ToSql + Sync + Send + 'a>;

impl Within<'_> {
    async fn execute(&mut self, sql: &str, params: Params<'_>) -> Result<u64, StorageError> {
        self.0.execute(sql, params).await
    }

    /// Inserts rows, many a statement. `tail` says what becomes of those that are there.
    async fn insert(
        &mut self,
        into: &str,
        columns: usize,
        rows: Vec<Vec<Cell<'_>>>,
        tail: &str,
    ) -> Result<(), StorageError> {
        for chunk in rows.chunks(ROWS) {
            let mut sql = format!("INSERT INTO {into} VALUES ");
            for row in 0..chunk.len() {
                sql.push_str(if row == 0 { "(" } else { ", (" });
                for column in 1..=columns {
                    let comma = if column == 1 { "" } else { ", " };
                    // into a string: it cannot fail
                    let _ = write!(sql, "{comma}${}", row * columns + column);
                }
                sql.push(')');
            }
            sql.push_str(tail);
            let params: Vec<&(dyn ToSql + Sync)> =
                chunk.iter().flatten().map(|cell| &**cell as &(dyn ToSql + Sync)).collect();
            self.execute(&sql, &params).await?;
        }
        Ok(())
    }
}

/// Does something wholly or not at all, durably, while the fencing number is the last one that was taken.
pub(super) async fn transaction<T>(
    connection: &mut Connection,
    fence: i64,
    work: impl AsyncFnOnce(&mut Within<'_>) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    connection.plainly("BEGIN").await?;
    let held = connection.row("SELECT fence FROM exchange_lease WHERE id = 0 FOR UPDATE", &[]).await;
    let done = match held {
        Ok(Some(row)) if row.get::<_, i64>(0) == fence => work(&mut Within(connection)).await,
        Ok(_) => Err(StorageError::InUse),
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => {
            let committed = connection.plainly("COMMIT").await;
            committed.map_err(|error| StorageError::Unknown { context: error.to_string() })?;
            Ok(done)
        }
        Err(error) => {
            // the connection is given up with it
            let _ = connection.plainly("ROLLBACK").await;
            Err(error)
        }
    }
}

macro_rules! row {
    ($($cell:expr),*) => { vec![$(Box::new($cell) as Cell<'_>),*] };
}

pub(super) async fn group(within: &mut Within<'_>, group: &Group) -> Result<(), StorageError> {
    heads(within, &group.heads).await?;
    let batches = group.batches.iter().map(|batch| {
        let (id, digest) = (batch.id.0.to_vec(), batch.digest.to_vec());
        row![id, short(batch.collector), digest, signed(batch.last), &batch.header]
    });
    within.insert("exchange_batches", 5, batches.collect(), "").await?;
    for (id, last) in &group.touched {
        let (id, last) = (id.0.to_vec(), signed(*last));
        within.execute("UPDATE exchange_batches SET last = $2 WHERE id = $1", &[&id, &last]).await?;
    }
    let records = group.records.iter().map(|record| {
        let digest = record.digest.to_vec();
        let (arrival, sequence) = (signed(record.arrival), signed(record.sequence));
        row![arrival, short(record.collector), sequence, digest, i64::from(record.hour), &record.bytes]
    });
    within.insert("exchange_records", 6, records.collect(), "").await?;
    let tokens = group.postings.iter().map(|posting| {
        let Posting { span, token, arrival } = *posting;
        row![short(span), token.to_vec(), signed(arrival)]
    });
    within.insert("exchange_tokens", 3, tokens.collect(), " ON CONFLICT DO NOTHING").await?;
    let spans =
        group.spans.iter().map(|span| row![short(span.span), signed(span.first), signed(span.postings)]);
    let tail = " ON CONFLICT (span) DO UPDATE SET postings = excluded.postings";
    within.insert("exchange_spans", 3, spans.collect(), tail).await?;
    let hours = group.hours.iter().map(|hour| row![i64::from(hour.hour), signed(hour.first)]);
    within.insert("exchange_hours", 2, hours.collect(), "").await?;
    let conflicts = group.conflicts.iter().map(|conflict| {
        let (sequence, digest) = (signed(conflict.sequence), conflict.digest.to_vec());
        row![short(conflict.collector), sequence, digest, i64::from(conflict.hour), &conflict.bytes]
    });
    within.insert("exchange_conflicts", 5, conflicts.collect(), " ON CONFLICT DO NOTHING").await
}

async fn heads(within: &mut Within<'_>, heads: &[HeadRow]) -> Result<(), StorageError> {
    let rows = heads.iter().map(|head| {
        let (number, id, digest) = (short(head.number), head.collector.0.to_vec(), head.digest.to_vec());
        row![number, id, signed(head.first), signed(head.sequence), digest, signed(head.conflicts)]
    });
    let tail = " ON CONFLICT (number) DO UPDATE SET first = excluded.first, sequence = excluded.sequence,
                 digest = excluded.digest, conflicts = excluded.conflicts";
    within.insert("exchange_collectors", 6, rows.collect(), tail).await
}

pub(super) async fn removal(within: &mut Within<'_>, removal: &Removal) -> Result<(), StorageError> {
    let below = signed(removal.below);
    within.execute("DELETE FROM exchange_records WHERE arrival < $1", &[&below]).await?;
    within.execute("DELETE FROM exchange_batches WHERE last < $1", &[&below]).await?;
    for posting in &removal.postings {
        let (span, token, arrival) = (short(posting.span), posting.token.to_vec(), signed(posting.arrival));
        let sql = "DELETE FROM exchange_tokens WHERE span = $1 AND token = $2 AND arrival = $3";
        within.execute(sql, &[&span, &token, &arrival]).await?;
    }
    heads(within, &removal.heads).await?;
    for span in &removal.spans {
        let span = short(*span);
        within.execute("DELETE FROM exchange_tokens WHERE span = $1", &[&span]).await?;
        within.execute("DELETE FROM exchange_spans WHERE span = $1", &[&span]).await?;
    }
    for hour in &removal.hours {
        within.execute("DELETE FROM exchange_hours WHERE hour = $1", &[&i64::from(*hour)]).await?;
    }
    Ok(())
}

pub(super) async fn header(
    within: &mut Within<'_>,
    id: &BatchId,
    digest: &DigestBytes,
    header: &[u8],
) -> Result<bool, StorageError> {
    let sql = "UPDATE exchange_batches SET header = $3 WHERE id = $1 AND digest = $2";
    let changed = within.execute(sql, &[&id.0.as_slice(), &digest.as_slice(), &header]).await?;
    Ok(changed == 1)
}

pub(super) async fn proof(within: &mut Within<'_>, proof: &ProofRow) -> Result<bool, StorageError> {
    let (collector, epoch) = (short(proof.collector), signed(proof.epoch));
    let params: Params<'_> = &[&collector, &epoch, &proof.signed, &proof.leaves];
    let put = "INSERT INTO exchange_proofs VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    if within.execute(put, params).await? == 1 {
        return Ok(true);
    }
    let same =
        "SELECT 1 FROM exchange_proofs WHERE collector = $1 AND epoch = $2 AND signed = $3 AND leaves = $4";
    Ok(within.0.row(same, params).await?.is_some())
}

pub(super) async fn note(within: &mut Within<'_>, name: &str, value: &[u8]) -> Result<(), StorageError> {
    let put =
        "INSERT INTO exchange_notes VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    within.execute(put, &[&name, &value]).await.map(drop)
}
