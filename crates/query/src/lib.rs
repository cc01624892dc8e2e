//! Searches the exchange, opens and checks what it finds.
//!
//! **What it is for.** `strongroom query`: a question in a small language becomes tokens that the authority gives, the
//! exchange finds sealed records by them, and each is checked and opened here.
//!
//! **What it promises.** Nothing that the exchange says is believed: every record's signature is checked, that it has what
//! was asked for, that it comes once; opened fields are held against the tokens that they were found by. What cannot be
//! opened is shown as sealed and drops no record. Whether something was withheld is proven where it was asked for, and said
//! not to be proven otherwise.
//!
//! **What it does not know.** Where keys come from (`member`), how records are sealed (`envelope`), terminals.
//!
//! **Where to start.** [`Question`], the language; [`Asked`] and [`Searcher`], a search; [`sync`], a full copy.

mod batches;
mod check;
mod client;
mod config;
mod copy;
mod language;
mod opened;
mod output;
mod plan;
mod ports;
mod proven;
mod row;
mod search;
mod settings;
mod signers;
mod summary;
#[cfg(test)]
mod tests;

pub use client::Client;
pub use config::{FieldsError, FieldsFault, fields};
pub use copy::{CopyError, CopyFolder, Extent, LocalCopy, SyncError, Synced, sync};
pub use language::{
    Bound, Condition, LanguageError, MAX_DEPTH, MAX_QUERY_BYTES, MAX_TERMS, Problem, Question, Term,
    TimeRange, Wanted,
};
pub use output::{Format, MAX_HELD_BYTES, OutputError, OutputFile, Sink, sink};
pub use plan::{Asking, Lookup, MAX_LOOKUPS, Plan, PlanError, Section};
pub use ports::{Answer, AskError, Authority, Exchange};
pub use row::{Cell, Row};
pub use search::{Asked, DEFAULT_LIMIT, Options, SearchError, Searcher, Watch};
pub use settings::{FieldSpec, Fields, PatternError};
pub use signers::Signers;
pub use strongroom_envelope::Reader;
pub use summary::{Completeness, Finding, Summary, Unproven};
