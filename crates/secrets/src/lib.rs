//! Engine: secret stores and the secrets in them.
//!
//! One function an operation; each spends a permit and is handed no name. A store has a type, which decides what its
//! secrets look like ([`StoreType`]); the `generic` one keeps values as they came: a JSON text to the byte, or any
//! bytes, up to 1 MiB. Versions count from 1; a write may name the version it expects. A version can be deleted and
//! brought back, or destroyed; a store may keep the newest few only.
//!
//! Layouts of payloads are in `docs/formats/secrets.md`.

mod actions;
mod fields;
mod listing;
mod lives;
mod metadata;
mod operations;
mod password;
mod payload;
mod store_type;
mod stores;
mod workshop;

#[cfg(test)]
mod conformance;

pub use actions::{
    ConfigureStore, CreateStore, DeleteSecret, DestroySecret, GenerateSecret, GetSecret, ListExpiring,
    ListKeysets, ListSecrets, ListStores, PutSecret, ReadMetadata, ReadPublic, ReadStore, RemoveSecret,
    RemoveStore, UndeleteSecret,
};
pub use listing::{Wish, list};
pub use lives::{MAX_NAMED_VERSIONS, delete, destroy, remove, undelete};
pub use metadata::{Expiring, Metadata, State, VersionSummary, expiring, metadata};
pub use operations::{
    Found, Onto, PublicHalf, Version, Written, generate, generate_shaped, public, put, put_shaped, read,
};
pub use payload::Value;
pub use store_type::{Accepted, Facts, Order, Settings, StoreType, TypeError, TypeRef};
pub use stores::{
    Change, KeysetSummary, StoreSummary, configure_store, create_store, list_keysets, list_stores,
    list_types, read_store, remove_store,
};

use strongroom_gate::{BarrierError, CommitError, TrailError};

impl SecretsError {
    /// The same for somebody who may write a secret and know nothing of it.
    pub(crate) fn without_present(self) -> Self {
        match self {
            Self::VersionMismatch { expected, .. } => Self::VersionMismatch { present: None, expected },
            Self::VersionRequired { .. } => Self::VersionRequired { present: None },
            other => other,
        }
    }
}

fn told(version: Option<u64>) -> String {
    version.map_or_else(|| "another".to_owned(), |version| version.to_string())
}

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
    #[error("version is {}, expected was {expected}", told(*present))]
    VersionMismatch {
        /// The version that is there, 0 when there is none; `None` for those who may not know it.
        present: Option<u64>,
        /// The version that was expected.
        expected: u64,
    },
    /// The store wants every write to name the version it expects.
    #[error("this store wants the version that is expected; it is {}", told(*present))]
    VersionRequired {
        /// The version that is there, 0 when there is none; `None` for those who may not know it.
        present: Option<u64>,
    },
    /// The version is deleted.
    #[error("version {version} is deleted")]
    Deleted {
        /// Which.
        version: u64,
    },
    /// The version was destroyed.
    #[error("version {version} was destroyed")]
    Destroyed {
        /// Which.
        version: u64,
    },
    /// To destroy takes the versions by number.
    #[error("no version is named")]
    NoVersionNamed,
    /// Too many versions at once.
    #[error("more than {MAX_NAMED_VERSIONS} versions are named")]
    TooManyNamed,
    /// Too many versions are deleted and not destroyed.
    #[error("too many versions are deleted; destroy some")]
    TooManyDeleted,
    /// A value, settings or an order do not suit the store's type.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// Too much slow work is waiting.
    #[error("too many keys are being made or checked")]
    Busy,
    /// Slow work ended without a result.
    #[error("slow work ended without a result")]
    Worker,
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
