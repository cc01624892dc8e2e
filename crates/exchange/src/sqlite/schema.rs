//! The file: how it is made, recognised and opened.

use super::failed;
use crate::storage::StorageError;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

/// The file's name in its directory.
pub(super) const FILE: &str = "exchange.db";
const LOCK: &str = "exchange.lock";
/// `SRXC`: tells an exchange's file from other people's.
const APPLICATION_ID: i64 = 0x5352_5843;
/// The format of this version.
const FORMAT: i64 = 1;
const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE collectors (
        number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, first INTEGER NOT NULL, sequence INTEGER NOT NULL,
        digest BLOB NOT NULL, conflicts INTEGER NOT NULL);
    CREATE TABLE batches (
        id BLOB PRIMARY KEY, collector INTEGER NOT NULL, digest BLOB NOT NULL, last INTEGER NOT NULL,
        header BLOB NOT NULL);
    CREATE TABLE records (
        arrival INTEGER PRIMARY KEY, collector INTEGER NOT NULL, sequence INTEGER NOT NULL, digest BLOB NOT NULL,
        hour INTEGER NOT NULL, bytes BLOB NOT NULL);
    CREATE UNIQUE INDEX records_by_sequence ON records (collector, sequence);
    CREATE TABLE tokens (
        span INTEGER NOT NULL, token BLOB NOT NULL, arrival INTEGER NOT NULL,
        PRIMARY KEY (span, token, arrival)) WITHOUT ROWID;
    CREATE TABLE spans (span INTEGER PRIMARY KEY, first INTEGER NOT NULL, postings INTEGER NOT NULL);
    CREATE TABLE hours (hour INTEGER PRIMARY KEY, first INTEGER NOT NULL);
    CREATE TABLE conflicts (
        collector INTEGER NOT NULL, sequence INTEGER NOT NULL, digest BLOB NOT NULL, hour INTEGER NOT NULL,
        bytes BLOB NOT NULL, PRIMARY KEY (collector, sequence, digest)) WITHOUT ROWID;
    CREATE TABLE proofs (
        collector INTEGER NOT NULL, epoch INTEGER NOT NULL, signed BLOB NOT NULL, leaves BLOB NOT NULL,
        PRIMARY KEY (collector, epoch));
    CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

/// Makes the directory, and takes it for this process.
pub(super) fn take(dir: &Path) -> Result<File, StorageError> {
    let unavailable =
        |error: std::io::Error| StorageError::Unavailable { context: format!("{}: {error}", dir.display()) };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unavailable)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let lock = options.open(dir.join(LOCK)).map_err(unavailable)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| StorageError::InUse)?;
    // made before SQLite does, so that nobody else may read it
    options.open(dir.join(FILE)).map_err(unavailable)?;
    Ok(lock)
}

/// The one connection that writes; makes the schema in an empty file.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StorageError> {
    let opened = || {
        let conn = open(path)?;
        conn.execute_batch("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;")?;
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;",
        )?;
        conn.execute_batch("PRAGMA wal_autocheckpoint = 4000; PRAGMA secure_delete = FAST;")?;
        let number = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        Ok((number("application_id")?, number("user_version")?, number("page_count")?, conn))
    };
    let (application, format, pages, conn) = opened().map_err(|error| failed(&error))?;
    match (application, format) {
        (APPLICATION_ID, FORMAT) => {}
        (APPLICATION_ID, found) => return Err(StorageError::Format { found, known: FORMAT }),
        (0, 0) if pages <= 1 => {
            let made = format!(
                "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {FORMAT}; COMMIT;"
            );
            conn.execute_batch(&made).map_err(|error| failed(&error))?;
        }
        _ => return Err(StorageError::Corrupt { place: format!("{} is no store", path.display()) }),
    }
    Ok(conn)
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StorageError> {
    let opened = || {
        let conn = open(path)?;
        conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -8192;")?;
        Ok(conn)
    };
    opened().map_err(|error| failed(&error))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(32);
    Ok(conn)
}
