//! Trimming the trail: whole rows go, the row that the cut divides is written anew with what stays of it.

use super::draft::to_sql;
use crate::record::{self, PackedRow};
use rusqlite::{Connection, OptionalExtension as _, params};

/// Removes the entries up to and including a number.
pub(super) fn trim(conn: &Connection, up_to: u64) -> rusqlite::Result<()> {
    if up_to == 0 {
        return Ok(());
    }
    let cut = to_sql(up_to);
    let sql = format!("{} WHERE first_seq <= ?1 AND first_seq + count - 1 > ?1", record::SELECT_TRAIL);
    let divided = conn.prepare_cached(&sql)?.query_row([cut], PackedRow::read).optional()?;
    if let Some(row) = divided {
        keep_rest(conn, &row, up_to)?;
    }
    conn.prepare_cached("DELETE FROM trail WHERE first_seq <= ?1")?.execute([cut]).map(drop)
}

/// Writes what lies behind the cut as a row of its own. Damage is left as it is, with everything in it.
fn keep_rest(conn: &Connection, row: &PackedRow, up_to: u64) -> rusqlite::Result<()> {
    let damaged = |error: strongroom_store::StoreError| rusqlite::Error::ToSqlConversionFailure(error.into());
    let entries = row.unpack().map_err(damaged)?;
    let mut packed = Vec::new();
    let mut count = 0_i64;
    for entry in entries.iter().filter(|entry| entry.seq > up_to) {
        record::pack(&mut packed, entry.verdict, &entry.body, &entry.hash);
        count += 1;
    }
    let first = to_sql(up_to.saturating_add(1));
    let sum = record::trail_sum(first, count, row.revision, &packed);
    let sql = "INSERT INTO trail (first_seq, count, revision, sum, entries) VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.prepare_cached(sql)?.execute(params![first, count, row.revision, sum, packed]).map(drop)
}
