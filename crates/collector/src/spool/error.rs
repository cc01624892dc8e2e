//! Why the spool does not take or give.

use std::io;
use std::path::{Path, PathBuf};

/// Why the spool does not take or give.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It is full, or its file system is: senders wait.
    #[error("the spool is full: {why}")]
    Full {
        /// What is full.
        why: &'static str,
    },
    /// The system says no. What was not acknowledged is not there.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something could not be made durable: what is on the disk is known only after a new start.
    #[error(
        "the spool failed to make records durable and takes no more until the collector is started again"
    )]
    Broken,
    /// A segment has something in its middle that is no frame.
    #[error("{path} is damaged at byte {offset}: {what}", path = path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// It is another member's.
    #[error("{path} is the spool of another member", path = path.display())]
    OtherMember {
        /// The folder.
        path: PathBuf,
    },
    /// Another program works with it.
    #[error("{path} is in use by another program", path = path.display())]
    InUse {
        /// The lock.
        path: PathBuf,
    },
}

pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    let path = path.to_owned();
    move |source| {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        if full.contains(&source.kind()) {
            SpoolError::Full { why: "its file system has no room" }
        } else {
            SpoolError::Io { path, source }
        }
    }
}
