//! Patterns: what an ACL matches names with. Always the whole name, always in linear time.

mod fault;
mod form;
mod glob;

pub use fault::{PatternError, PatternFault};
pub(crate) use form::Form;

use crate::text::OpenText;
use regex_automata::Input;
use regex_automata::meta::{self, Regex};
use regex_syntax::hir::{Hir, Look};

/// Longest pattern, in bytes of UTF-8.
pub const MAX_PATTERN_BYTES: usize = 1_024;
/// What a pattern in the form of a path begins with: `glob:app/*`.
pub const GLOB_PREFIX: &str = "glob:";

/// Deepest nesting of a pattern.
const MAX_NESTING: u32 = 24;
/// Largest compiled pattern, in bytes: bounds the time that the slowest search takes.
const MAX_COMPILED_BYTES: usize = 192 * 1024;
/// Largest compilation of many patterns, in bytes; beyond it they are searched one by one.
const MAX_TOGETHER_BYTES: usize = 8 * 1024 * 1024;
/// Room for the states of a search that are made on the way.
const CACHE_BYTES: usize = 512 * 1024;

/// A text that names are matched with: a regular expression (of the linear-time `regex` family, without
/// look-around and backreferences), or after `glob:` a path in which `*` stands for any part of one component, `**`
/// for anything, and `?` for one character. It matches a name whole or not at all.
#[derive(Clone)]
pub struct Pattern {
    text: OpenText,
    form: Form,
}

impl Pattern {
    /// Compiles a text.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let fault = |at, fault| PatternError { pattern: shown(text), at, fault };
        if text.len() > MAX_PATTERN_BYTES {
            let allowed = MAX_PATTERN_BYTES;
            return Err(fault(allowed, PatternFault::TooLong { bytes: text.len(), allowed }));
        }
        let hir = match text.strip_prefix(GLOB_PREFIX) {
            Some(glob) => parse(&glob::translate(glob)),
            None => parse(text),
        };
        let hir = hir.map_err(|(at, reason)| fault(at, reason))?;
        let form = Form::of(hir).map_err(|reason| fault(0, reason))?;
        Ok(Self { text: text.into(), form })
    }

    /// The text that it was made from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches all of a name.
    pub fn matches(&self, name: &str) -> bool {
        self.form.matches(name)
    }

    /// Whether it matches every name.
    pub fn is_any(&self) -> bool {
        matches!(self.form, Form::Any)
    }

    pub(crate) fn form(&self) -> &Form {
        &self.form
    }

    /// What is searched by an automaton, for one of several.
    pub(crate) fn hir(&self) -> Option<&Hir> {
        match &self.form {
            Form::Automaton { hir, .. } => Some(hir),
            Form::Any | Form::Literals(_) | Form::Prefix(_) => None,
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

// a pattern may spell a name, and names are kept out of logs
impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pattern")
    }
}

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::new(text)
    }
}

/// The pattern as an error shows it: all of it unless it is very long.
fn shown(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Parsed by itself, before anything is put around it: a stray bracket cannot reach over the anchors.
fn parse(text: &str) -> Result<Hir, (usize, PatternFault)> {
    let mut parser = regex_syntax::ParserBuilder::new().nest_limit(MAX_NESTING).build();
    parser.parse(text).map_err(|error| fault::of_parser(&error))
}

/// One automaton for several patterns, each anchored at both ends; a search names the first that matches.
pub(crate) fn automaton(patterns: &[&Hir]) -> Result<Regex, PatternFault> {
    let whole = |hir: &&Hir| Hir::concat(vec![Hir::look(Look::Start), (*hir).clone(), Hir::look(Look::End)]);
    let anchored: Vec<Hir> = patterns.iter().map(whole).collect();
    let limit = MAX_COMPILED_BYTES.saturating_mul(patterns.len().max(1)).min(MAX_TOGETHER_BYTES);
    let config = meta::Config::new()
        .nfa_size_limit(Some(limit))
        .hybrid_cache_capacity(CACHE_BYTES.max(limit))
        .which_captures(regex_automata::nfa::thompson::WhichCaptures::Implicit)
        .utf8_empty(true);
    let built = meta::Builder::new().configure(config).build_many_from_hir(&anchored);
    built.map_err(|_| PatternFault::TooLarge { allowed: MAX_COMPILED_BYTES })
}

/// The first of an automaton's patterns that matches all of a text.
pub(crate) fn first_match(automaton: &Regex, text: &str) -> Option<usize> {
    let input = Input::new(text).anchored(regex_automata::Anchored::Yes).earliest(false);
    automaton.search_half(&input).map(|found| found.pattern().as_usize())
}

#[cfg(test)]
mod tests;
