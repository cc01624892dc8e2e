//! The programs of the sharing system: one file a program.

pub(super) mod attributes;
pub(super) mod collector;
pub(super) mod enroll;
mod exchange;
pub(super) mod query;

pub(super) use exchange::exchange;
pub(crate) use query::QueryError;
