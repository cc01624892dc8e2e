//! The embedded store: one file of SQLite in a directory, its log synced at every commit.

mod read;
mod schema;
mod write;

use crate::storage::{
    Arrival, BatchRow, DigestBytes, Group, ProofRow, RecordRow, Removal, Sizes, Standing, Storage,
    StorageError, TokenBytes,
};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use std::fs::File;
use std::path::{Path, PathBuf};
use strongroom_sharing::BatchId;

/// Readers that are kept open; more are opened and closed as they are needed.
const READERS: usize = 8;

/// The embedded store.
pub struct SqliteStorage {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// Held for as long as this exchange uses the directory.
    _lock: File,
}

impl SqliteStorage {
    /// Opens the store of a directory, which is made where there is none.
    ///
    /// # Errors
    /// If another exchange uses it, or it is no store of this format.
    pub fn open(dir: &Path) -> Result<Self, StorageError> {
        let lock = schema::take(dir)?;
        let path = dir.join(schema::FILE);
        let writer = schema::open_writer(&path)?;
        Ok(Self { path, writer: Mutex::new(writer), readers: Mutex::new(Vec::new()), _lock: lock })
    }

    /// Runs a question on a reader.
    fn read<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StorageError> {
        let idle = self.readers.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => schema::open_reader(&self.path)?,
        };
        let answer = ask(&reader).map_err(|error| failed(&error));
        // one that failed may be in any state
        if answer.is_ok() {
            let mut readers = self.readers.lock();
            if readers.len() < READERS {
                readers.push(reader);
            }
        }
        answer
    }
}

/// What an error says of what was done: before a commit, nothing.
fn failed(error: &rusqlite::Error) -> StorageError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StorageError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StorageError::Corrupt { place: error.to_string() }
        }
        _ => StorageError::Unavailable { context: error.to_string() },
    }
}

impl Storage for SqliteStorage {
    fn load(&self) -> Result<Standing, StorageError> {
        self.read(read::standing)
    }

    fn commit(&self, group: &Group) -> Result<(), StorageError> {
        write::transaction(&mut self.writer.lock(), |within| write::group(within, group))
    }

    fn remove(&self, removal: &Removal) -> Result<(), StorageError> {
        write::transaction(&mut self.writer.lock(), |within| write::removal(within, removal))
    }

    fn digest_of(&self, collector: u32, sequence: u64) -> Result<Option<DigestBytes>, StorageError> {
        self.read(|reader| read::digest_of(reader, collector, sequence))
    }

    fn batch(&self, id: &BatchId) -> Result<Option<BatchRow>, StorageError> {
        self.read(|reader| read::batch(reader, id))
    }

    fn replace_header(
        &self,
        id: &BatchId,
        digest: &DigestBytes,
        header: &[u8],
    ) -> Result<bool, StorageError> {
        write::transaction(&mut self.writer.lock(), |within| write::header(within, id, digest, header))
    }

    fn postings(
        &self,
        span: u32,
        token: &TokenBytes,
        at_most: Arrival,
        limit: usize,
    ) -> Result<Vec<Arrival>, StorageError> {
        self.read(|reader| read::postings(reader, span, token, at_most, limit))
    }

    fn record(&self, arrival: Arrival) -> Result<Option<RecordRow>, StorageError> {
        self.read(|reader| read::record(reader, arrival))
    }

    fn records_from(&self, from: Arrival, limit: usize) -> Result<Vec<RecordRow>, StorageError> {
        self.read(|reader| read::records_from(reader, from, limit))
    }

    fn of_collector(&self, collector: u32, from: u64, limit: usize) -> Result<Vec<RecordRow>, StorageError> {
        self.read(|reader| read::of_collector(reader, collector, from, limit))
    }

    fn put_proof(&self, proof: &ProofRow) -> Result<bool, StorageError> {
        write::transaction(&mut self.writer.lock(), |within| write::proof(within, proof))
    }

    fn proof(&self, collector: u32, epoch: u64) -> Result<Option<ProofRow>, StorageError> {
        self.read(|reader| read::proof(reader, collector, epoch))
    }

    fn sizes(&self) -> Result<Sizes, StorageError> {
        self.read(read::sizes)
    }

    fn note(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.read(|reader| read::note(reader, name))
    }

    fn put_note(&self, name: &str, value: &[u8]) -> Result<(), StorageError> {
        write::transaction(&mut self.writer.lock(), |within| write::note(within, name, value))
    }
}
