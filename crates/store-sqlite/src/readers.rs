//! Connections that read: some for point reads on the caller's thread, some for scans on blocking threads.

use crate::error::read_error;
use crate::files::DataDir;
use crate::options::Options;
use crate::snapshot::SnapshotPlace;
use crate::{range, record, schema};
use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, OptionalExtension, params};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use strongroom_store::{Order, Range, Row, RowKey, StoreError, TrailEntry};

/// A connection that can be taken away.
type Place = Mutex<Option<Connection>>;

/// All reading connections.
pub(crate) struct Readers {
    point: Vec<Place>,
    scan: Vec<Place>,
    /// Taken by the one snapshot that may be read at a time.
    pub(crate) snapshot: SnapshotPlace,
    suspended: AtomicBool,
    closed: AtomicBool,
}

thread_local! {
    /// Which connection this thread tries first: a thread that keeps its own never waits.
    static HOME: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Readers {
    /// No connection is open yet: see [`Readers::open`].
    pub(crate) fn new(options: &Options) -> Self {
        let places = |count: usize| (0..count.max(1)).map(|_| Mutex::new(None)).collect();
        Self {
            point: places(options.point_readers()),
            scan: places(options.scan_readers),
            snapshot: SnapshotPlace::default(),
            suspended: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    pub(crate) fn open(&self, dir: &DataDir, options: &Options) -> Result<(), StoreError> {
        let fill = |places: &[Place], cache| {
            places.iter().try_for_each(|place| {
                *place.lock() = Some(schema::open_reader(&dir.db(), cache)?);
                Ok(())
            })
        };
        fill(&self.point, options.point_cache())?;
        fill(&self.scan, options.scan_cache())?;
        self.suspended.store(false, Ordering::Release);
        Ok(())
    }

    /// Lets nobody start to read.
    pub(crate) fn bar(&self) {
        self.suspended.store(true, Ordering::Release);
    }

    /// Takes every connection away and waits for those at work.
    pub(crate) fn suspend(&self) {
        self.bar();
        for place in self.point.iter().chain(&self.scan) {
            *place.lock() = None;
        }
        self.snapshot.clear();
    }

    /// Suspends for good.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.suspend();
    }

    /// Whether those at work should stop.
    pub(crate) fn interrupted(&self) -> Option<StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Some(StoreError::Closed);
        }
        self.suspended.load(Ordering::Acquire).then_some(StoreError::Busy)
    }

    pub(crate) fn get(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        self.with(&self.point, |conn| read_row(conn, key))
    }

    pub(crate) fn list(&self, range: &Range) -> Result<Vec<Row>, StoreError> {
        self.with(&self.scan, |conn| list(conn, range))
    }

    pub(crate) fn count(&self, prefix: &[u8]) -> Result<u64, StoreError> {
        self.with(&self.scan, |conn| count(conn, prefix))
    }

    pub(crate) fn entries(&self, from_seq: u64, limit: usize) -> Result<Vec<TrailEntry>, StoreError> {
        self.with(&self.scan, |conn| entries(conn, from_seq, limit))
    }

    fn with<T>(
        &self,
        places: &[Place],
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(stop) = self.interrupted() {
            return Err(stop);
        }
        let Some(place) = free(places) else { return Err(StoreError::Closed) };
        match place.as_ref() {
            Some(conn) => work(conn),
            None => Err(self.interrupted().unwrap_or(StoreError::Busy)),
        }
    }
}

/// This thread's own connection, else any that is free, else its own once it is.
fn free(places: &[Place]) -> Option<MutexGuard<'_, Option<Connection>>> {
    let home = home().checked_rem(places.len())?;
    let (before, from) = places.split_at_checked(home)?;
    let free = from.iter().chain(before).find_map(Mutex::try_lock);
    free.or_else(|| from.first().map(Mutex::lock))
}

fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    HOME.with(|home| {
        let mine = home.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed));
        home.set(Some(mine));
        mine
    })
}

/// One row, verified.
pub(crate) fn read_row(conn: &Connection, key: &RowKey) -> Result<Option<Row>, StoreError> {
    let failed = |error| read_error("reading a row", &error);
    let mut select =
        conn.prepare_cached("SELECT revision, sum, value FROM rows WHERE key = ?1").map_err(failed)?;
    let found = select
        .query_row([key.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get_ref(2)?.as_blob()?.to_vec()))
        })
        .optional()
        .map_err(failed)?;
    found.map(|(revision, sum, value)| record::verified(key.clone(), revision, sum, value)).transpose()
}

fn list(conn: &Connection, range: &Range) -> Result<Vec<Row>, StoreError> {
    let sql = match range.order {
        Order::Ascending => {
            "SELECT key, revision, sum, value FROM rows WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"
        }
        Order::Descending => {
            "SELECT key, revision, sum, value FROM rows WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3"
        }
    };
    let (from, to) = range::bounds(range);
    let failed = |error| read_error("listing", &error);
    let mut select = conn.prepare_cached(sql).map_err(failed)?;
    let mut rows = select.query(params![from, to, limit(range.limit)]).map_err(failed)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        out.push(listed(row)?);
    }
    Ok(out)
}

fn count(conn: &Connection, prefix: &[u8]) -> Result<u64, StoreError> {
    let failed = |error| read_error("counting", &error);
    let mut select =
        conn.prepare_cached("SELECT count(*) FROM rows WHERE key >= ?1 AND key < ?2").map_err(failed)?;
    let bounds = params![prefix, range::upper_bound(prefix)];
    let count: i64 = select.query_row(bounds, |row| row.get(0)).map_err(failed)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

pub(crate) fn listed(row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    let blob = |column| -> rusqlite::Result<Vec<u8>> { Ok(row.get_ref(column)?.as_blob()?.to_vec()) };
    let read = || Ok((blob(0)?, row.get(1)?, row.get(2)?, blob(3)?));
    let (key, revision, sum, value) =
        read().map_err(|error: rusqlite::Error| read_error("listing", &error))?;
    let key =
        RowKey::new(key).map_err(|error| crate::error::corrupt(format!("{}: {error}", crate::error::DB)))?;
    record::verified(key, revision, sum, value)
}

fn entries(conn: &Connection, from_seq: u64, count: usize) -> Result<Vec<TrailEntry>, StoreError> {
    let failed = |error| read_error("reading the trail", &error);
    let from = limit(usize::try_from(from_seq).unwrap_or(usize::MAX));
    let sql = format!(
        "{} WHERE first_seq >= (SELECT coalesce(max(first_seq), 0) FROM trail WHERE first_seq <= ?1) ORDER BY first_seq",
        record::SELECT_TRAIL
    );
    let mut select = conn.prepare_cached(&sql).map_err(failed)?;
    let mut rows = select.query([from]).map_err(failed)?;
    let mut out = Vec::new();
    while out.len() < count {
        let Some(row) = rows.next().map_err(failed)? else { break };
        let packed = record::PackedRow::read(row).map_err(failed)?;
        out.extend(packed.unpack()?.into_iter().filter(|entry| entry.seq >= from_seq));
    }
    out.truncate(count);
    Ok(out)
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
