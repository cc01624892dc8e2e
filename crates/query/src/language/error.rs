//! What is wrong with a query, and where.

use super::{MAX_DEPTH, MAX_QUERY_BYTES, MAX_TERMS};

/// A query that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct LanguageError {
    /// Where: characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something else should stand here.
    #[error("expected {expected} after {after}")]
    Expected {
        /// What should stand here.
        expected: &'static str,
        /// What stands before.
        after: String,
    },
    /// Two things with nothing between them.
    #[error(
        "expected AND, OR, `since`, `until` or the end, found `{found}`; a value with spaces goes in quotes"
    )]
    Joint {
        /// What stands here.
        found: String,
    },
    /// A parenthesis that was not opened.
    #[error("this `)` closes nothing")]
    Closes,
    /// A parenthesis that is not closed.
    #[error("this `(` is never closed")]
    Unclosed,
    /// A quote that is not closed.
    #[error("this quote is never closed")]
    Quote,
    /// A character after a backslash that means nothing.
    #[error("after a backslash comes a quote or a backslash")]
    Escape,
    /// Negation of something sealed.
    #[error(
        "NOT cannot be asked: an exchange finds sealed values that are there, not those that are missing; `field!=value` \
         leaves out records after opening"
    )]
    Not,
    /// Nothing is looked for.
    #[error("nothing to look for: sealed records are found by values, so at least one must be given")]
    Empty,
    /// One of several possibilities is everything.
    #[error("`!=` only leaves out what something else finds: join it with AND")]
    OnlyUnlike,
    /// Not a time.
    #[error(
        "`{found}` is no time: expected a date such as 2026-11-01, a time such as 2026-11-01T10:00:00Z, seconds since 1970, \
         or how long ago, such as 24h or 7d"
    )]
    When {
        /// What stands here.
        found: String,
    },
    /// Not a day.
    #[error("`{found}` is no day: expected a date such as 2026-11-01")]
    Day {
        /// What stands here.
        found: String,
    },
    /// A day for something that has no token with a day.
    #[error("`day` goes with a value, not with a network, a suffix or `!=`, and once")]
    DayOf,
    /// The same bound twice.
    #[error("`{word}` was said before")]
    Twice {
        /// The word.
        word: &'static str,
    },
    /// The bounds leave no time between them.
    #[error("the time ends before it begins")]
    NoTime,
    /// Too long.
    #[error("a query has at most {MAX_QUERY_BYTES} bytes")]
    TooLong,
    /// Too many terms.
    #[error("a query has at most {MAX_TERMS} terms")]
    TooMany,
    /// Too deep.
    #[error("parentheses go at most {MAX_DEPTH} deep")]
    TooDeep,
}
