//! Why the pipeline takes nothing at all.

use crate::spool::SpoolError;
use strongroom_envelope::SealError;
use strongroom_member::{FolderError, MemberError};

/// Why the pipeline takes nothing at all now; nothing of the group is there.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The spool is full: wait.
    #[error("the spool is full: {why}")]
    Full {
        /// What is full.
        why: &'static str,
    },
    /// The spool cannot take anything.
    #[error(transparent)]
    Spool(SpoolError),
    /// The secrets folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The member.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// No batch can be begun.
    #[error("no batch can be begun: {0}")]
    Batch(#[source] SealError),
    /// The epoch has changed while records were being looked at; they are looked at again.
    #[error("the epoch has changed")]
    Changed,
}

impl From<SpoolError> for PipelineError {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Full { why } => Self::Full { why },
            other => Self::Spool(other),
        }
    }
}
