//! The slow look at everything: `doctor --deep`.

use crate::error::{DB, read_error};
use crate::record::{self, PackedRow};
use crate::schema;
use crate::shared::Shared;
use rusqlite::Connection;
use strongroom_store::{LinkFn, StoreError, TrailHead};

/// Page cache of the checking connection.
const CACHE_BYTES: usize = 2 << 20;

/// More findings than this help nobody.
const MAX_FINDINGS: usize = 100;

/// One way to look; an error is a finding as well.
type Part = fn(&Connection, LinkFn, &mut Vec<String>) -> rusqlite::Result<()>;

pub(crate) fn run(shared: &Shared) -> Result<Vec<String>, StoreError> {
    if let Some(stop) = shared.readers.interrupted() {
        return Err(stop);
    }
    let conn = schema::open_reader(&shared.dir.db(), CACHE_BYTES)?;
    let mut findings = Vec::new();
    // what a damaged page makes unreadable is a finding, too
    let parts: [Part; 4] = [pages, counts, rows, trail];
    for part in parts {
        if let Err(error) = part(&conn, shared.link, &mut findings) {
            findings.push(read_error("checking", &error).to_string());
        }
    }
    findings.truncate(MAX_FINDINGS);
    Ok(findings)
}

/// SQLite's own check of pages, trees and indexes.
fn pages(conn: &Connection, _: LinkFn, findings: &mut Vec<String>) -> rusqlite::Result<()> {
    let mut check = conn.prepare(&format!("PRAGMA integrity_check({MAX_FINDINGS})"))?;
    for line in check.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            findings.push(format!("{DB}: {line}"));
        }
    }
    Ok(())
}

/// The table and its index must hold the same number of rows.
fn counts(conn: &Connection, _: LinkFn, findings: &mut Vec<String>) -> rusqlite::Result<()> {
    let count =
        |from| conn.query_row(&format!("SELECT count(*) FROM {from}"), [], |row| row.get::<_, i64>(0));
    let table = count("rows NOT INDEXED WHERE value IS NOT NULL")?;
    let index = count("rows INDEXED BY sqlite_autoindex_rows_1 WHERE key > x''")?;
    if table != index {
        findings.push(format!("{DB} rows: {table} in the table, {index} in its index"));
    }
    Ok(())
}

/// Each row against its checksum and the head.
fn rows(conn: &Connection, _: LinkFn, findings: &mut Vec<String>) -> rusqlite::Result<()> {
    let head = schema::read_head(conn).map_or(i64::MAX, |head| head.revision.0);
    let mut select = conn.prepare("SELECT id, key, revision, sum, value FROM rows NOT INDEXED")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, revision, sum): (i64, i64, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
        let expected = record::row_sum(row.get_ref(1)?.as_blob()?, revision, row.get_ref(4)?.as_blob()?);
        if i64::from(expected) != sum || revision > head {
            findings.push(format!("{DB} row number {id}: does not match its checksum"));
        }
    }
    Ok(())
}

/// Each row of the trail: checksum, layout, numbering, links.
fn trail(conn: &Connection, link: LinkFn, findings: &mut Vec<String>) -> rusqlite::Result<()> {
    let mut select = conn.prepare(&format!("{} ORDER BY first_seq", record::SELECT_TRAIL))?;
    let mut rows = select.query([])?;
    let mut head: Option<TrailHead> = None;
    while let Some(row) = rows.next()? {
        let packed = PackedRow::read(row)?;
        match packed.unpack() {
            Ok(entries) => {
                for entry in entries {
                    let chained = head.is_none_or(|head| {
                        entry.seq == head.seq.saturating_add(1)
                            && entry.hash == link(&head.hash, entry.seq, entry.verdict, &entry.body)
                    });
                    if !chained {
                        findings
                            .push(format!("{DB} trail entry {}: not linked to the one before", entry.seq));
                    }
                    head = Some(TrailHead { seq: entry.seq, hash: entry.hash });
                }
            }
            Err(error) => {
                findings.push(error.to_string());
                head = None;
            }
        }
    }
    Ok(())
}
