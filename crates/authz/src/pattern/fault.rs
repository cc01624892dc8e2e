//! Why a text is no pattern.

use regex_syntax::ast;

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern '{pattern}', byte {at}: {fault}")]
pub struct PatternError {
    /// The text, cut if it is long.
    pub pattern: String,
    /// Where in it, in bytes.
    pub at: usize,
    /// What is wrong.
    pub fault: PatternFault,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// Too long.
    #[error("it has {bytes} bytes, allowed are {allowed}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        allowed: usize,
    },
    /// Look-around: it could only be searched by going back and forth.
    #[error("look-around is not supported: patterns are matched in one pass")]
    LookAround,
    /// A backreference: it could only be searched by going back and forth.
    #[error("backreferences are not supported: patterns are matched in one pass")]
    Backreference,
    /// Too deeply nested.
    #[error("it is nested too deeply, allowed are {allowed} levels")]
    TooDeep {
        /// The limit.
        allowed: u32,
    },
    /// Compiled, it is too large.
    #[error("it is too large when compiled, allowed are {allowed} bytes")]
    TooLarge {
        /// The limit.
        allowed: usize,
    },
    /// It matches no text, or only the empty one.
    #[error("it matches no name")]
    MatchesNothing,
    /// Not a regular expression.
    #[error("{0}")]
    Syntax(String),
}

/// From the parser's error: the place and what is wrong there.
pub(super) fn of_parser(error: &regex_syntax::Error) -> (usize, PatternFault) {
    match error {
        regex_syntax::Error::Parse(error) => {
            let fault = match error.kind() {
                ast::ErrorKind::UnsupportedLookAround => PatternFault::LookAround,
                ast::ErrorKind::UnsupportedBackreference => PatternFault::Backreference,
                ast::ErrorKind::NestLimitExceeded(allowed) => PatternFault::TooDeep { allowed: *allowed },
                kind => PatternFault::Syntax(kind.to_string()),
            };
            (error.span().start.offset, fault)
        }
        regex_syntax::Error::Translate(error) => {
            let fault = PatternFault::Syntax(error.kind().to_string());
            (error.span().start.offset, fault)
        }
        error => (0, PatternFault::Syntax(error.to_string())),
    }
}
