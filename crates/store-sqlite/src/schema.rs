//! The database file: how it is made, recognised and opened.

use crate::error::{DB, corrupt, io, read_error};
use crate::files::{DataDir, private_new};
use crate::record;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::io::Read;
use std::path::Path;
use strongroom_store::{Revision, StoreError, TrailHead};

/// Newest format that this version reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// `STRM`: tells a strongroom's file from other people's.
const APPLICATION_ID: i32 = 0x5354_524D;

/// Keeps the log's index in this process's memory: no system call a read, and no other process gets in between.
const VFS: &str = "unix-excl";

const SCHEMA: &str = "
    CREATE TABLE rows (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, revision INTEGER NOT NULL, sum INTEGER NOT NULL,
        value BLOB NOT NULL);
    CREATE TABLE trail (
        first_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, revision INTEGER NOT NULL, sum INTEGER NOT NULL,
        entries BLOB NOT NULL);
    CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), revision INTEGER NOT NULL);
    INSERT INTO head VALUES (0, 0);";

/// Where rows and trail stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) revision: Revision,
    pub(crate) trail: TrailHead,
}

/// Makes the database if there is none: whole under another name first, so that a kill leaves none or one.
pub(crate) fn ensure(dir: &DataDir) -> Result<(), StoreError> {
    if dir.db().exists() {
        return check_header(&dir.db());
    }
    if std::fs::metadata(dir.wal()).is_ok_and(|log| log.len() > 0) {
        return Err(corrupt(format!("{DB} is missing, its log is there")));
    }
    let unborn = dir.unborn();
    // what an interrupted creation left
    let _ = std::fs::remove_file(&unborn);
    let _ = std::fs::remove_file(dir.unborn_wal());
    private_new(&unborn).map_err(io("creating the database"))?;
    create(&unborn).map_err(|error| read_error("creating the database", &error))?;
    let synced = std::fs::File::open(&unborn).and_then(|file| file.sync_all());
    synced.and_then(|()| std::fs::rename(&unborn, dir.db())).map_err(io("creating the database"))?;
    dir.sync()
}

fn create(path: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open_with_flags_and_vfs(path, flags(true), VFS)?;
    // synced once, when it is whole
    conn.execute_batch(&format!(
        "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA page_size = 8192;
         PRAGMA auto_vacuum = INCREMENTAL; BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {FORMAT}; COMMIT; PRAGMA journal_mode = WAL;"
    ))?;
    conn.close().map_err(|(_, error)| error)
}

fn check_header(path: &Path) -> Result<(), StoreError> {
    let mut header = [0; 100];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header.starts_with(b"SQLite format 3\0") => Ok(()),
        Ok(()) => Err(corrupt(format!("{DB} header"))),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(corrupt(format!("{DB} header")))
        }
        Err(error) => Err(io("reading the database header")(error)),
    }
}

fn flags(write: bool) -> OpenFlags {
    let mode = if write { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    mode | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW
}

/// The one connection that writes.
pub(crate) fn open_writer(path: &Path, cache_bytes: usize) -> Result<Connection, StoreError> {
    let conn = open(path, true, cache_bytes).map_err(|error| read_error("opening", &error))?;
    recognise(&conn)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;",
    )
    .map_err(|error| read_error("opening the log", &error))?;
    Ok(conn)
}

/// A connection that only reads.
pub(crate) fn open_reader(path: &Path, cache_bytes: usize) -> Result<Connection, StoreError> {
    // read-only by pragma: a read-only open cannot recover the log
    let conn = open(path, true, cache_bytes).map_err(|error| read_error("opening a reader", &error))?;
    conn.execute_batch("PRAGMA query_only = ON;").map_err(|error| read_error("opening a reader", &error))?;
    Ok(conn)
}

/// Makes a database to be filled at once: whole or thrown away, and synced by whoever made it.
pub(crate) fn open_bulk(path: &Path, cache_bytes: usize) -> Result<Connection, StoreError> {
    create(path).map_err(|error| read_error("creating the database", &error))?;
    let conn = open(path, true, cache_bytes).map_err(|error| read_error("opening", &error))?;
    conn.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN;")
        .map_err(|error| read_error("opening", &error))?;
    Ok(conn)
}

/// The end of it: in the form in which the store opens it.
pub(crate) fn close_bulk(conn: Connection) -> Result<(), StoreError> {
    let failed = |error| read_error("closing", &error);
    conn.execute_batch("COMMIT; PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE);")
        .map_err(failed)?;
    conn.close().map_err(|(_, error)| failed(error))
}

fn open(path: &Path, write: bool, cache_bytes: usize) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags_and_vfs(path, flags(write), VFS)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_prepared_statement_cache_capacity(32);
    // the writer never waits for a reader: what cannot be folded now is folded later
    conn.busy_timeout(std::time::Duration::ZERO)?;
    conn.execute_batch(&format!(
        "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA cache_size = -{};",
        (cache_bytes / 1024).max(64)
    ))?;
    Ok(conn)
}

/// Refuses other people's files and formats to come.
pub(crate) fn recognise(conn: &Connection) -> Result<(), StoreError> {
    let number = |pragma| {
        conn.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0))
            .map_err(|error| read_error("reading the header", &error))
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(corrupt(format!("{DB} header: not a strongroom's file")));
    }
    let found = u32::try_from(number("user_version")?).unwrap_or(u32::MAX);
    match found {
        FORMAT => Ok(()),
        0 => Err(corrupt(format!("{DB} header: format 0"))),
        _ => Err(StoreError::NewerFormat { found, supported: FORMAT }),
    }
}

/// Reads where rows and trail stand; verifies the last row of the trail.
pub(crate) fn read_head(conn: &Connection) -> Result<Head, StoreError> {
    let of_rows: i64 = conn
        .query_row("SELECT revision FROM head WHERE id = 0", [], |row| row.get(0))
        .map_err(|error| read_error("reading the head", &error))?;
    let last = conn
        .query_row(
            &format!("{} ORDER BY first_seq DESC LIMIT 1", record::SELECT_TRAIL),
            [],
            record::PackedRow::read,
        )
        .optional()
        .map_err(|error| read_error("reading the last entries", &error))?;
    let Some(last) = last else {
        return Ok(Head { revision: Revision(of_rows), trail: TrailHead::default() });
    };
    let entries = last.unpack()?;
    let trail = entries.last().map(|entry| TrailHead { seq: entry.seq, hash: entry.hash });
    let trail = trail.ok_or_else(|| corrupt(format!("{DB} trail row {}: no entries", last.first_seq)))?;
    Ok(Head { revision: Revision(of_rows.max(last.revision)), trail })
}
