//! Searches the exchange, opens and checks what it finds.
//!
//! **What it is for.** `strongroom query`: a question in a small language becomes tokens that the authority gives, the
//! exchange finds sealed records by them, and each is checked and opened here.
//!
//! **What it promises.** Nothing that the exchange says is believed: every record's signature is checked, that it has what
//! was asked for, that it comes once; what cannot be opened is shown as sealed and drops no record.
//!
//! **Where to start.** [`Question`], the language.

mod language;

pub use language::{
    Bound, Condition, LanguageError, MAX_DEPTH, MAX_QUERY_BYTES, MAX_TERMS, Problem, Question, Term,
    TimeRange, Wanted,
};
