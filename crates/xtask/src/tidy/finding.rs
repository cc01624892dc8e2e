//! What tidy finds: where, and what is wrong there.

use std::fmt;

/// One thing that is not tidy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// File (from the root of the repository) or crate.
    pub(crate) place: String,
    /// Line, when there is one.
    pub(crate) line: Option<usize>,
    /// What is wrong, and what to do instead.
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn of(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), line: None, what: what.into() }
    }

    pub(crate) fn at(place: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { place: place.into(), line: Some(line), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "{}:{line}: {}", self.place, self.what),
            None => write!(out, "{}: {}", self.place, self.what),
        }
    }
}
