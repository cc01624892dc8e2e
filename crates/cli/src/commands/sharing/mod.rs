//! The programs of the sharing system: one file a program.

mod exchange;

pub(super) use exchange::exchange;
