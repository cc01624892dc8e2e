//! The store in PostgreSQL, and in engines of its wire protocol: portable SQL only.
//!
//! One exchange writes: whoever opened the database last. Each opening takes the next fencing number, each transaction that
//! writes holds the row with it and looks whether it is still its own; so an exchange that was cut off and comes back writes
//! nothing any more. Connections that die are made anew; what was asked on them is asked again where it only reads.

mod address;
mod connection;
mod read;
mod schema;
mod tls;
mod write;

use crate::storage::{
    Arrival, BatchRow, DigestBytes, Group, ProofRow, RecordRow, Removal, Sizes, Standing, Storage,
    StorageError, TokenBytes,
};
use connection::{Connection, Pool};
use std::sync::Arc;
use strongroom_sharing::BatchId;
use tokio::runtime::Runtime;

/// The store in a database.
pub struct PostgresStorage {
    /// Its own, since it is called from threads that may block. Gone only while it is dropped.
    runtime: Option<Runtime>,
    pool: Arc<Pool>,
    /// This opening's fencing number.
    fence: i64,
}

impl PostgresStorage {
    /// Opens a database, `postgres://USER@HOST/DATABASE?sslmode=require&sslrootcert=FILE`, and makes the tables that are not
    /// there. Must not be called within a runtime.
    ///
    /// # Errors
    /// If it cannot be reached, or holds something else.
    pub fn open(url: &str) -> Result<Self, StorageError> {
        let builder = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = builder().map_err(|error| StorageError::Unavailable { context: error.to_string() })?;
        let pool = Arc::new(Pool::of(url)?);
        let fence = runtime.block_on(async {
            let mut connection = pool.take().await?;
            let fence = schema::ensure(&mut connection).await?;
            pool.give(connection);
            Ok::<_, StorageError>(fence)
        })?;
        Ok(Self { runtime: Some(runtime), pool, fence })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, StorageError>>) -> Result<T, StorageError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => Err(StorageError::Unavailable { context: "the store is closed".to_owned() }),
        }
    }

    /// Asks; once more on a new connection where the first one had died.
    fn read<T>(
        &self,
        ask: &impl AsyncFn(&mut Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.wait(async {
            for _ in 0..connection::KEPT {
                let mut connection = self.pool.take().await?;
                match ask(&mut connection).await {
                    Ok(answer) => {
                        self.pool.give(connection);
                        return Ok(answer);
                    }
                    Err(error) if !connection.is_dead() => return Err(error),
                    Err(_) => {}
                }
            }
            ask(&mut self.pool.fresh().await?).await
        })
    }

    /// Writes, wholly or not at all, while this exchange is the last that opened the database.
    fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut write::Within<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.wait(async {
            let mut connection = self.pool.living().await?;
            let done = write::transaction(&mut connection, self.fence, work).await;
            if done.is_ok() {
                self.pool.give(connection);
            }
            done
        })
    }
}

impl Drop for PostgresStorage {
    fn drop(&mut self) {
        // wherever it is dropped, also within another runtime
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Storage for PostgresStorage {
    fn load(&self) -> Result<Standing, StorageError> {
        self.read(&async |connection| read::standing(connection).await)
    }

    fn commit(&self, group: &Group) -> Result<(), StorageError> {
        self.write(async |within| write::group(within, group).await)
    }

    fn remove(&self, removal: &Removal) -> Result<(), StorageError> {
        self.write(async |within| write::removal(within, removal).await)
    }

    fn digest_of(&self, collector: u32, sequence: u64) -> Result<Option<DigestBytes>, StorageError> {
        self.read(&async |connection| read::digest_of(connection, collector, sequence).await)
    }

    fn batch(&self, id: &BatchId) -> Result<Option<BatchRow>, StorageError> {
        self.read(&async |connection| read::batch(connection, id).await)
    }

    fn replace_header(
        &self,
        id: &BatchId,
        digest: &DigestBytes,
        header: &[u8],
    ) -> Result<bool, StorageError> {
        self.write(async |within| write::header(within, id, digest, header).await)
    }

    fn postings(
        &self,
        span: u32,
        token: &TokenBytes,
        at_most: Arrival,
        limit: usize,
    ) -> Result<Vec<Arrival>, StorageError> {
        self.read(&async |connection| read::postings(connection, span, token, at_most, limit).await)
    }

    fn record(&self, arrival: Arrival) -> Result<Option<RecordRow>, StorageError> {
        self.read(&async |connection| read::record(connection, arrival).await)
    }

    fn records_from(&self, from: Arrival, limit: usize) -> Result<Vec<RecordRow>, StorageError> {
        self.read(&async |connection| read::records_from(connection, from, limit).await)
    }

    fn of_collector(&self, collector: u32, from: u64, limit: usize) -> Result<Vec<RecordRow>, StorageError> {
        self.read(&async |connection| read::of_collector(connection, collector, from, limit).await)
    }

    fn put_proof(&self, proof: &ProofRow) -> Result<bool, StorageError> {
        self.write(async |within| write::proof(within, proof).await)
    }

    fn proof(&self, collector: u32, epoch: u64) -> Result<Option<ProofRow>, StorageError> {
        self.read(&async |connection| read::proof(connection, collector, epoch).await)
    }

    fn sizes(&self) -> Result<Sizes, StorageError> {
        self.read(&async |connection| read::sizes(connection).await)
    }

    fn note(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.read(&async |connection| read::note(connection, name).await)
    }

    fn put_note(&self, name: &str, value: &[u8]) -> Result<(), StorageError> {
        self.write(async |within| write::note(within, name, value).await)
    }
}
