//! The language: what is looked for, and when it happened.
//!
//! ```text
//! query    = condition { time }
//! condition= all { OR all }          all = part { [AND] part }, where AND is always written
//! part     = ( "(" condition ")" | term ) [ day DATE ]
//! term     = value | field = value | field != value | [field] in NETWORK | [field] under DOMAIN
//! time     = [arrived] since WHEN | [arrived] until WHEN
//! ```

mod error;
mod read;
mod scan;
mod when;

#[cfg(test)]
mod tests;

pub use error::{LanguageError, Problem};
pub use when::{Bound, TimeRange};

use jiff::Timestamp;

/// The longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;
/// The most terms of a query.
pub const MAX_TERMS: usize = 256;
/// How deep parentheses may go.
pub const MAX_DEPTH: usize = 32;

/// What was asked, as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What records must have.
    pub condition: Condition,
    /// When they happened, by their own timestamps.
    pub happened: TimeRange,
    /// When they came to the exchange, by the hour.
    pub arrived: TimeRange,
}

/// A condition on records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// One term.
    Term(Term),
    /// Every one of these.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
}

/// One thing to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// In which field; absent: in every searchable one.
    pub field: Option<String>,
    /// What the field must be.
    pub wanted: Wanted,
    /// Where it stands in the query: characters from 1.
    pub column: usize,
}

/// What a field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This value.
    Value(String),
    /// This value, on this day: days since 1970.
    OnDay(String, i32),
    /// An address of this network.
    Network(String),
    /// This domain or one below it.
    Suffix(String),
    /// Not this value: looked at after opening, since nothing can be asked of the exchange about what is not there.
    Unlike(String),
}

impl Question {
    /// Reads a query. Times relative to now count from `now`.
    ///
    /// ```
    /// use strongroom_query::Question;
    /// let now = "2026-11-22T12:00:00Z".parse().unwrap();
    /// let question = Question::read("src_ip=203.0.113.7 AND (port=22 OR port=23) since 24h", now)?;
    /// assert_eq!(question.condition.terms().len(), 3);
    /// let error = Question::read("src_ip=203.0.113.7 AND", now).unwrap_err();
    /// assert_eq!(error.to_string(), "column 23: expected a value, `field=value` or `(` after AND");
    /// # Ok::<(), strongroom_query::LanguageError>(())
    /// ```
    pub fn read(text: &str, now: Timestamp) -> Result<Self, LanguageError> {
        read::question(text, now)
    }
}

impl Condition {
    /// Its terms, from left to right.
    pub fn terms(&self) -> Vec<&Term> {
        let mut terms = Vec::new();
        self.gather(&mut terms);
        terms
    }

    fn gather<'a>(&'a self, terms: &mut Vec<&'a Term>) {
        match self {
            Self::Term(term) => terms.push(term),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.gather(terms)),
        }
    }
}
