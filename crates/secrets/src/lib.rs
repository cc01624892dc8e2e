//! Engine: secret stores and the secrets in them.
//!
//! One function an operation; each spends a permit and is handed no name. Values are kept as they came: a JSON text
//! to the byte, or any bytes, up to 1 MiB. Versions count from 1; a write may name the version it expects.
//!
//! Layouts of payloads are in `docs/formats/secrets.md`.

mod actions;
mod operations;
mod payload;
mod stores;

pub use actions::{
    CreateStore, DeleteSecret, GetSecret, ListKeysets, ListSecrets, ListStores, PutSecret, ReadMetadata,
    ReadStore, RemoveStore,
};
pub use operations::{Metadata, Version, VersionSummary, Written, delete, list, metadata, put, read};
pub use payload::{StoreType, Value};
pub use stores::{
    KeysetSummary, StoreSummary, create_store, list_keysets, list_stores, read_store, remove_store,
};

use strongroom_gate::{BarrierError, CommitError, TrailError};

/// Why an operation on stores or secrets did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// No such secret, version, store or keyset.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("it already exists")]
    AlreadyExists,
    /// The version is not the expected one.
    #[error("version is {present}, expected was {expected}")]
    VersionMismatch {
        /// The version that is there; 0 when there is none.
        present: u64,
        /// The version that was expected.
        expected: u64,
    },
    /// A secret has as many versions as can be counted.
    #[error("no further version can be counted")]
    Versions,
    /// A payload does not decode, or a record is missing.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
    /// The change was not, or perhaps not, made.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The trail cannot be written.
    #[error(transparent)]
    Trail(#[from] TrailError),
}
