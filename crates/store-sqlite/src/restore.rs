//! A data directory made of a snapshot's items: whole, or refused.

use crate::error::{io, read_error};
use crate::files::{DataDir, private_new, sync_dir};
use crate::{record, schema};
use rusqlite::{Connection, params};
use std::fs::File;
use std::path::Path;
use strongroom_store::{Item, Revision, StoreError, TrailEntry};

/// Page cache of the writing connection: what does not fit goes to the file.
const CACHE_BYTES: usize = 8 << 20;

/// Entries that share a row of the trail.
const PACKED_ENTRIES: usize = 64;

/// A data directory that is being filled. Until [`Restoring::finish`] it is none: dropped, it is emptied again; killed,
/// it holds a file `restoring`, and the store refuses to open it.
pub struct Restoring {
    dir: DataDir,
    made: bool,
    lock: File,
    conn: Option<Connection>,
    waiting: Vec<TrailEntry>,
}

impl Restoring {
    /// Begins in a directory that is not there yet, or is empty.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::Unfinished`], [`StoreError::Io`].
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        let made = !path.exists();
        let dir = DataDir::create(path)?;
        dir.refuse_unfinished()?;
        let mut found = std::fs::read_dir(path).map_err(io("reading the directory"))?;
        if found.next().is_some() {
            return Err(StoreError::NotEmpty { path: path.display().to_string() });
        }
        let lock = dir.lock()?;
        let mut restoring = Self { dir, made, lock, conn: None, waiting: Vec::new() };
        restoring.open()?;
        Ok(restoring)
    }

    fn open(&mut self) -> Result<(), StoreError> {
        private_new(&self.dir.restoring())
            .and_then(|mark| mark.sync_all())
            .map_err(io("marking the directory"))?;
        self.dir.sync()?;
        private_new(&self.dir.unborn()).map_err(io("creating the database"))?;
        self.conn = Some(schema::open_bulk(&self.dir.unborn(), CACHE_BYTES)?);
        Ok(())
    }

    /// Adds the next thing: rows in any order, entries in theirs.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is there already, [`StoreError::Io`].
    pub fn put(&mut self, item: &Item) -> Result<(), StoreError> {
        match item {
            Item::Row(row) => {
                let Some(conn) = &self.conn else { return Err(StoreError::Closed) };
                let failed = |error| read_error("writing a row", &error);
                let sql = "INSERT INTO rows (key, revision, sum, value) VALUES (?1, ?2, ?3, ?4)";
                let (key, revision) = (row.key.as_bytes(), row.revision.0);
                let sum = record::row_sum(key, revision, &row.value);
                let mut insert = conn.prepare_cached(sql).map_err(failed)?;
                insert.execute(params![key, revision, sum, row.value]).map(drop).map_err(failed)
            }
            Item::Entry(entry) => {
                self.waiting.push(entry.clone());
                if self.waiting.len() >= PACKED_ENTRIES { self.pack(Revision(0)) } else { Ok(()) }
            }
        }
    }

    /// Writes the entries that wait as one row.
    fn pack(&mut self, revision: Revision) -> Result<(), StoreError> {
        let Some(conn) = &self.conn else { return Err(StoreError::Closed) };
        let failed = |error| read_error("writing the trail", &error);
        let Some(first) = self.waiting.first() else { return Ok(()) };
        let first = i64::try_from(first.seq).unwrap_or(i64::MAX);
        let count = i64::try_from(self.waiting.len()).unwrap_or(i64::MAX);
        let mut packed = Vec::new();
        for entry in &self.waiting {
            record::pack(&mut packed, entry.verdict, &entry.body, &entry.hash);
        }
        let sum = record::trail_sum(first, count, revision.0, &packed);
        let sql = "INSERT INTO trail (first_seq, count, revision, sum, entries) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = conn.prepare_cached(sql).map_err(failed)?;
        insert.execute(params![first, count, revision.0, sum, packed]).map_err(failed)?;
        self.waiting.clear();
        Ok(())
    }

    /// Makes it a data directory that stands at this revision: durable, and from here on the store's.
    ///
    /// # Errors
    /// [`StoreError::Io`]; then it is emptied again.
    pub fn finish(mut self, revision: Revision) -> Result<(), StoreError> {
        self.pack(revision)?;
        let Some(conn) = self.conn.take() else { return Err(StoreError::Closed) };
        conn.execute("UPDATE head SET revision = ?1", [revision.0])
            .map_err(|error| read_error("writing the head", &error))?;
        schema::close_bulk(conn)?;
        let _ = std::fs::remove_file(self.dir.unborn_wal());
        let synced = File::open(self.dir.unborn()).and_then(|file| file.sync_all());
        synced.map_err(io("syncing the database"))?;
        std::fs::rename(self.dir.unborn(), self.dir.db()).map_err(io("naming the database"))?;
        self.dir.sync()?;
        if let Some(parent) = self.dir.path().parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_dir(parent)?;
        }
        std::fs::remove_file(self.dir.restoring()).map_err(io("unmarking the directory"))?;
        self.dir.sync()?;
        Ok(())
    }
}

impl Drop for Restoring {
    /// Takes back what was made, unless it is whole.
    fn drop(&mut self) {
        self.conn = None;
        if !self.dir.restoring().exists() {
            return;
        }
        let made = [self.dir.unborn(), self.dir.unborn_wal(), self.dir.db(), self.dir.restoring()];
        // whatever cannot be removed leaves the mark, or nothing that counts
        for file in made {
            let _ = std::fs::remove_file(file);
        }
        let _ = std::fs::remove_file(self.dir.path().join("lock"));
        let _ = self.lock.unlock();
        if self.made {
            let _ = std::fs::remove_dir(self.dir.path());
        }
    }
}

impl std::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Restoring({})", self.dir.path().display())
    }
}
