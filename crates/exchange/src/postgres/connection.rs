//! Connections, and the few that are kept.

use super::address::{self, Address};
use super::tls::Tls;
use crate::storage::StorageError;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, Row, Statement};

/// Connections that are kept while nobody needs them.
pub(super) const KEPT: usize = 8;
const CONNECT: Duration = Duration::from_secs(5);
/// For one statement.
const PATIENCE: Duration = Duration::from_mins(1);

/// Parameters of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The database, and connections to it.
pub(super) struct Pool {
    config: Config,
    tls: Tls,
    idle: Mutex<Vec<Connection>>,
}

/// A connection with the statements that it knows.
pub(super) struct Connection {
    pub(super) client: Client,
    statements: HashMap<String, Statement>,
}

impl Pool {
    pub(super) fn of(url: &str) -> Result<Self, StorageError> {
        let Address { mut config, roots } = address::read(url)?;
        config.connect_timeout(CONNECT).application_name("strongroom exchange");
        Ok(Self { config, tls: Tls::trusting(roots)?, idle: Mutex::new(Vec::new()) })
    }

    /// A connection that was alive when it was given back, or a new one.
    pub(super) async fn take(&self) -> Result<Connection, StorageError> {
        let idle = self.idle.lock().pop();
        match idle {
            Some(connection) => Ok(connection),
            None => self.fresh().await,
        }
    }

    /// A connection that answers.
    pub(super) async fn living(&self) -> Result<Connection, StorageError> {
        loop {
            let idle = self.idle.lock().pop();
            let Some(mut connection) = idle else { return self.fresh().await };
            if connection.rows("SELECT 1", &[]).await.is_ok() {
                return Ok(connection);
            }
        }
    }

    pub(super) async fn fresh(&self) -> Result<Connection, StorageError> {
        let connecting = tokio::time::timeout(CONNECT * 2, self.config.connect(self.tls.clone()));
        let connected = connecting.await.map_err(|_| late())?;
        let (client, driver) = connected.map_err(|error| failed(&error))?;
        // it ends when the client is dropped
        tokio::spawn(driver);
        // whatever the database's default: an answer comes when it is on disk
        client.batch_execute("SET synchronous_commit TO on").await.map_err(|error| failed(&error))?;
        Ok(Connection { client, statements: HashMap::new() })
    }

    pub(super) fn give(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < KEPT && !connection.is_dead() {
            idle.push(connection);
        }
    }
}

impl Connection {
    pub(super) fn is_dead(&self) -> bool {
        self.client.is_closed()
    }

    async fn statement(&mut self, sql: &str) -> Result<Statement, StorageError> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.client.prepare(sql).await.map_err(|error| failed(&error))?;
        self.statements.insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }

    /// Asks for rows.
    pub(super) async fn rows(&mut self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StorageError> {
        let statement = self.statement(sql).await?;
        let asked = tokio::time::timeout(PATIENCE, self.client.query(&statement, params));
        asked.await.map_err(|_| late())?.map_err(|error| failed(&error))
    }

    /// Asks for one row, if there is one.
    pub(super) async fn row(&mut self, sql: &str, params: Params<'_>) -> Result<Option<Row>, StorageError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Does something; says with how many rows.
    pub(super) async fn execute(&mut self, sql: &str, params: Params<'_>) -> Result<u64, StorageError> {
        let statement = self.statement(sql).await?;
        let done = tokio::time::timeout(PATIENCE, self.client.execute(&statement, params));
        done.await.map_err(|_| late())?.map_err(|error| failed(&error))
    }

    /// Does something that has no parameters.
    pub(super) async fn plainly(&mut self, sql: &str) -> Result<(), StorageError> {
        let done = tokio::time::timeout(PATIENCE, self.client.batch_execute(sql));
        done.await.map_err(|_| late())?.map_err(|error| failed(&error))
    }
}

fn late() -> StorageError {
    StorageError::Unavailable { context: "the database does not answer".to_owned() }
}

/// What an error says of what was done: before a commit, nothing.
pub(super) fn failed(error: &Error) -> StorageError {
    match error.code() {
        Some(code) if *code == SqlState::DISK_FULL => StorageError::Full,
        Some(code) if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => {
            StorageError::Corrupt { place: error.to_string() }
        }
        // a message of the database's, without the rows' values that its detail may hold
        Some(code) => {
            let said = error.as_db_error().map(|said| said.message().to_owned()).unwrap_or_default();
            StorageError::Unavailable { context: format!("{said} ({})", code.code()) }
        }
        // the cause says what is wrong with a certificate, or that the server speaks no TLS
        None => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            StorageError::Unavailable { context: format!("{error}{cause}") }
        }
    }
}
