//! The tables.

use super::connection::Connection;
use crate::storage::StorageError;

/// The format of this version.
const FORMAT: i64 = 1;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS exchange_lease (
        id INT PRIMARY KEY, format BIGINT NOT NULL, fence BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS exchange_collectors (
        number INT PRIMARY KEY, id BYTEA NOT NULL UNIQUE, first BIGINT NOT NULL, sequence BIGINT NOT NULL,
        digest BYTEA NOT NULL, conflicts BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS exchange_batches (
        id BYTEA PRIMARY KEY, collector INT NOT NULL, digest BYTEA NOT NULL, last BIGINT NOT NULL,
        header BYTEA NOT NULL);
    CREATE TABLE IF NOT EXISTS exchange_records (
        arrival BIGINT PRIMARY KEY, collector INT NOT NULL, sequence BIGINT NOT NULL, digest BYTEA NOT NULL,
        hour BIGINT NOT NULL, bytes BYTEA NOT NULL, UNIQUE (collector, sequence));
    CREATE TABLE IF NOT EXISTS exchange_tokens (
        span INT NOT NULL, token BYTEA NOT NULL, arrival BIGINT NOT NULL, PRIMARY KEY (span, token, arrival));
    CREATE TABLE IF NOT EXISTS exchange_spans (
        span INT PRIMARY KEY, first BIGINT NOT NULL, postings BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS exchange_hours (hour BIGINT PRIMARY KEY, first BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS exchange_conflicts (
        collector INT NOT NULL, sequence BIGINT NOT NULL, digest BYTEA NOT NULL, hour BIGINT NOT NULL,
        bytes BYTEA NOT NULL, PRIMARY KEY (collector, sequence, digest));
    CREATE TABLE IF NOT EXISTS exchange_proofs (
        collector INT NOT NULL, epoch BIGINT NOT NULL, signed BYTEA NOT NULL, leaves BYTEA NOT NULL,
        PRIMARY KEY (collector, epoch));
    CREATE TABLE IF NOT EXISTS exchange_notes (name TEXT PRIMARY KEY, value BYTEA NOT NULL);";

/// Makes what is not there, and takes the next fencing number.
pub(super) async fn ensure(connection: &mut Connection) -> Result<i64, StorageError> {
    connection.plainly(TABLES).await?;
    let first =
        "INSERT INTO exchange_lease (id, format, fence) VALUES (0, $1, 0) ON CONFLICT (id) DO NOTHING";
    connection.execute(first, &[&FORMAT]).await?;
    let taken = "UPDATE exchange_lease SET fence = fence + 1 WHERE id = 0 AND format = $1 RETURNING fence";
    if let Some(row) = connection.row(taken, &[&FORMAT]).await? {
        return Ok(row.get(0));
    }
    let found = connection.row("SELECT format FROM exchange_lease WHERE id = 0", &[]).await?;
    let found = found.map_or(0, |row| row.get(0));
    Err(StorageError::Format { found, known: FORMAT })
}
