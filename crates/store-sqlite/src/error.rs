//! From SQLite's errors to the store's.

use rusqlite::{Error, ErrorCode};
use strongroom_store::StoreError;

/// The main file's name, as it stands in error messages.
pub(crate) const DB: &str = "strongroom.db";

/// An error while reading: damage is told apart from a system that refuses.
pub(crate) fn read_error(context: &str, error: &Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            corrupt(format!("{DB}: {context}: {error}"))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        // an impossible type or length of a column is damage too
        None => corrupt(format!("{DB}: {context}: {error}")),
        Some(_) => {
            StoreError::Io { context: context.to_owned(), source: std::io::Error::other(error.to_string()) }
        }
    }
}

pub(crate) fn corrupt(place: impl Into<String>) -> StoreError {
    StoreError::Corrupt { place: place.into() }
}

/// For `map_err` after an operation on files.
pub(crate) fn io(context: &str) -> impl FnOnce(std::io::Error) -> StoreError {
    let context = context.to_owned();
    move |source| StoreError::Io { context, source }
}

/// Whether SQLite ran out of disk: by its nature before the commit was complete.
pub(crate) fn is_full(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}
