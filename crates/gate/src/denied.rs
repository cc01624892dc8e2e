//! Why there is no permit.

use std::sync::Arc;
use strongroom_barrier::BarrierError;

/// Why there is no permit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The server is locked.
    #[error("locked")]
    Locked,
    /// The rules do not allow it.
    #[error("{action} on '{resource}' is refused: {rule}")]
    Refused {
        /// The action that was refused.
        action: &'static str,
        /// What upon, as the caller named it.
        resource: String,
        /// The rule that decided.
        rule: Arc<str>,
    },
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The queue is full, or the store is being resolved.
    #[error("busy")]
    Busy,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The trail cannot be written.
    #[error("the audit trail cannot be written")]
    Trail,
    /// Stored data is damaged.
    #[error("stored data is corrupt: {place}")]
    Corrupt {
        /// Where.
        place: String,
    },
    /// The store below failed.
    #[error("the store failed: {0}")]
    Store(String),
    /// The request was done before: this is what was answered.
    #[error("already done")]
    Repeated(Vec<u8>),
    /// The request id was used for something else.
    #[error("request id was used for something else")]
    Reused,
}

impl From<BarrierError> for Denied {
    fn from(fault: BarrierError) -> Self {
        match fault {
            BarrierError::Locked => Self::Locked,
            BarrierError::Corrupt { place }
            | BarrierError::Store(strongroom_store::StoreError::Corrupt { place }) => Self::Corrupt { place },
            BarrierError::Store(strongroom_store::StoreError::Busy) => Self::Busy,
            BarrierError::Store(fault) => Self::Store(fault.to_string()),
        }
    }
}
