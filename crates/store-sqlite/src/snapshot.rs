//! A snapshot: a connection that holds one moment of the log open, and reads it piece by piece.
//!
//! While it is there the log cannot be folded beyond its moment, so there is one at a time, and whoever reads it is
//! held to a pace above.

use crate::error::read_error;
use crate::readers;
use crate::record;
use crate::schema;
use crate::shared::Shared;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_store::{Item, Moment, Snapshot, StoreError};

/// Page cache of the reading connection.
const CACHE_BYTES: usize = 512 << 10;

/// The place of the one snapshot: its number and its connection.
#[derive(Default)]
pub(crate) struct SnapshotPlace {
    taken: Mutex<Option<(u64, Connection)>>,
    numbers: AtomicU64,
}

impl SnapshotPlace {
    /// Takes the snapshot away, once whoever reads it at this moment has done so.
    pub(crate) fn clear(&self) {
        *self.taken.lock() = None;
    }
}

/// Where the reader is.
enum At {
    /// Behind this key.
    Rows(Vec<u8>),
    /// From this number on.
    Trail(i64),
    /// At the end.
    End,
}

struct Reading {
    shared: Arc<Shared>,
    number: u64,
    moment: Moment,
    at: At,
}

/// Begins a snapshot of this moment.
pub(crate) fn begin(shared: &Arc<Shared>) -> Result<impl Snapshot + use<>, StoreError> {
    let place = &shared.readers.snapshot;
    let mut taken = place.taken.lock();
    if let Some(stop) = shared.readers.interrupted() {
        return Err(stop);
    }
    if taken.is_some() {
        return Err(StoreError::Busy);
    }
    let failed = |error| read_error("beginning a snapshot", &error);
    let conn = schema::open_reader(&shared.dir.db(), CACHE_BYTES)?;
    // the first read of a transaction holds its moment
    conn.execute_batch("BEGIN;").map_err(failed)?;
    let head = schema::read_head(&conn)?;
    let number = |name| -> Result<u64, StoreError> {
        let value: i64 = conn.pragma_query_value(None, name, |row| row.get(0)).map_err(failed)?;
        Ok(u64::try_from(value).unwrap_or(0))
    };
    let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
    let about_bytes = pages.saturating_mul(number("page_size")?);
    let number = place.numbers.fetch_add(1, Ordering::Relaxed);
    *taken = Some((number, conn));
    let moment = Moment { revision: head.revision, trail: head.trail, about_bytes };
    Ok(Reading { shared: Arc::clone(shared), number, moment, at: At::Rows(Vec::new()) })
}

impl Snapshot for Reading {
    fn moment(&self) -> Moment {
        self.moment
    }

    fn read(&mut self, budget: usize) -> Result<Vec<Item>, StoreError> {
        let taken = self.shared.readers.snapshot.taken.lock();
        let conn = match taken.as_ref() {
            Some((number, conn)) if *number == self.number => conn,
            // it was taken away: the store was closed, or is being opened anew after a failed sync
            _ => return Err(self.shared.readers.interrupted().unwrap_or(StoreError::Busy)),
        };
        loop {
            let items = match &self.at {
                At::Rows(after) => rows(conn, after, budget)?,
                At::Trail(from) => trail(conn, *from, budget)?,
                At::End => return Ok(Vec::new()),
            };
            self.at = match (items.last(), &self.at) {
                (Some(Item::Row(row)), _) => At::Rows(row.key.as_bytes().to_vec()),
                (Some(Item::Entry(entry)), _) => {
                    At::Trail(i64::try_from(entry.seq).unwrap_or(i64::MAX).saturating_add(1))
                }
                (None, At::Rows(_)) => At::Trail(0),
                (None, _) => At::End,
            };
            if !items.is_empty() {
                return Ok(items);
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut taken = self.shared.readers.snapshot.taken.lock();
        if taken.as_ref().is_some_and(|(number, _)| *number == self.number) {
            *taken = None;
        }
    }
}

fn rows(conn: &Connection, after: &[u8], budget: usize) -> Result<Vec<Item>, StoreError> {
    let failed = |error| read_error("reading a snapshot's rows", &error);
    let sql = "SELECT key, revision, sum, value FROM rows WHERE key > ?1 ORDER BY key";
    let mut select = conn.prepare_cached(sql).map_err(failed)?;
    let mut rows = select.query([after]).map_err(failed)?;
    let (mut out, mut weight) = (Vec::new(), 0_usize);
    while weight < budget || out.is_empty() {
        let Some(row) = rows.next().map_err(failed)? else { break };
        let item = Item::Row(readers::listed(row)?);
        weight = weight.saturating_add(item.weight());
        out.push(item);
    }
    Ok(out)
}

fn trail(conn: &Connection, from: i64, budget: usize) -> Result<Vec<Item>, StoreError> {
    let failed = |error| read_error("reading a snapshot's trail", &error);
    let sql = format!("{} WHERE first_seq >= ?1 ORDER BY first_seq", record::SELECT_TRAIL);
    let mut select = conn.prepare_cached(&sql).map_err(failed)?;
    let mut rows = select.query([from]).map_err(failed)?;
    let (mut out, mut weight) = (Vec::new(), 0_usize);
    while weight < budget || out.is_empty() {
        let Some(row) = rows.next().map_err(failed)? else { break };
        for entry in record::PackedRow::read(row).map_err(failed)?.unpack()? {
            let item = Item::Entry(entry);
            weight = weight.saturating_add(item.weight());
            out.push(item);
        }
    }
    Ok(out)
}
