//! Groups of rows, written.

use super::failed;
use crate::storage::{DigestBytes, Group, HeadRow, ProofRow, Removal, StorageError};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use strongroom_sharing::BatchId;

/// Integers of SQLite have a sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Does something wholly or not at all, durably.
pub(super) fn transaction<T>(
    writer: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, StorageError> {
    let begun = writer.transaction_with_behavior(TransactionBehavior::Immediate);
    let within = begun.map_err(|error| failed(&error))?;
    let done = work(&within).map_err(|error| failed(&error))?;
    within.commit().map_err(|error| match failed(&error) {
        // a full disk is told before the end of the log is written; anything else may have come after it
        StorageError::Full => StorageError::Full,
        other => StorageError::Unknown { context: other.to_string() },
    })?;
    Ok(done)
}

pub(super) fn group(within: &Transaction<'_>, group: &Group) -> rusqlite::Result<()> {
    heads(within, &group.heads)?;
    let mut batches = within.prepare_cached("INSERT INTO batches VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for row in &group.batches {
        batches.execute(params![row.id.0, row.collector, row.digest, signed(row.last), row.header])?;
    }
    for (id, last) in &group.touched {
        let mut touch = within.prepare_cached("UPDATE batches SET last = ?2 WHERE id = ?1")?;
        touch.execute(params![id.0, signed(*last)])?;
    }
    let mut records = within.prepare_cached("INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for row in &group.records {
        let (arrival, sequence) = (signed(row.arrival), signed(row.sequence));
        records.execute(params![arrival, row.collector, sequence, row.digest, row.hour, row.bytes])?;
    }
    let mut tokens = within.prepare_cached("INSERT OR IGNORE INTO tokens VALUES (?1, ?2, ?3)")?;
    for posting in &group.postings {
        tokens.execute(params![posting.span, posting.token, signed(posting.arrival)])?;
    }
    for row in &group.spans {
        let sql = "INSERT INTO spans VALUES (?1, ?2, ?3) ON CONFLICT (span) DO UPDATE SET postings = ?3";
        within.prepare_cached(sql)?.execute(params![row.span, signed(row.first), signed(row.postings)])?;
    }
    for row in &group.hours {
        within
            .prepare_cached("INSERT INTO hours VALUES (?1, ?2)")?
            .execute(params![row.hour, signed(row.first)])?;
    }
    let mut conflicts =
        within.prepare_cached("INSERT OR IGNORE INTO conflicts VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for row in &group.conflicts {
        conflicts.execute(params![row.collector, signed(row.sequence), row.digest, row.hour, row.bytes])?;
    }
    Ok(())
}

fn heads(within: &Transaction<'_>, heads: &[HeadRow]) -> rusqlite::Result<()> {
    let mut put = within.prepare_cached(
        "INSERT INTO collectors VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (number) DO UPDATE SET first = ?3, sequence = ?4, digest = ?5, conflicts = ?6",
    )?;
    for row in heads {
        let (first, sequence, conflicts) = (signed(row.first), signed(row.sequence), signed(row.conflicts));
        put.execute(params![row.number, row.collector.0, first, sequence, row.digest, conflicts])?;
    }
    Ok(())
}

pub(super) fn removal(within: &Transaction<'_>, removal: &Removal) -> rusqlite::Result<()> {
    within.prepare_cached("DELETE FROM records WHERE arrival < ?1")?.execute([signed(removal.below)])?;
    within.prepare_cached("DELETE FROM batches WHERE last < ?1")?.execute([signed(removal.below)])?;
    let mut tokens =
        within.prepare_cached("DELETE FROM tokens WHERE span = ?1 AND token = ?2 AND arrival = ?3")?;
    for posting in &removal.postings {
        tokens.execute(params![posting.span, posting.token, signed(posting.arrival)])?;
    }
    heads(within, &removal.heads)?;
    for span in &removal.spans {
        within.prepare_cached("DELETE FROM tokens WHERE span = ?1")?.execute([span])?;
        within.prepare_cached("DELETE FROM spans WHERE span = ?1")?.execute([span])?;
    }
    for hour in &removal.hours {
        within.prepare_cached("DELETE FROM hours WHERE hour = ?1")?.execute([hour])?;
    }
    Ok(())
}

pub(super) fn header(
    within: &Transaction<'_>,
    id: &BatchId,
    digest: &DigestBytes,
    header: &[u8],
) -> rusqlite::Result<bool> {
    let mut put = within.prepare_cached("UPDATE batches SET header = ?3 WHERE id = ?1 AND digest = ?2")?;
    Ok(put.execute(params![id.0, digest, header])? == 1)
}

pub(super) fn proof(within: &Transaction<'_>, proof: &ProofRow) -> rusqlite::Result<bool> {
    let mut put = within.prepare_cached("INSERT OR IGNORE INTO proofs VALUES (?1, ?2, ?3, ?4)")?;
    let put = put.execute(params![proof.collector, signed(proof.epoch), proof.signed, proof.leaves])?;
    if put == 1 {
        return Ok(true);
    }
    let mut same = within.prepare_cached(
        "SELECT 1 FROM proofs WHERE collector = ?1 AND epoch = ?2 AND signed = ?3 AND leaves = ?4",
    )?;
    same.exists(params![proof.collector, signed(proof.epoch), proof.signed, proof.leaves])
}

pub(super) fn note(within: &Transaction<'_>, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    let mut put = within.prepare_cached("INSERT OR REPLACE INTO notes VALUES (?1, ?2)")?;
    put.execute(params![name, value]).map(drop)
}
