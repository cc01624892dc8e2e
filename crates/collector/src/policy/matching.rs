//! Patterns of names: anchored at their start and open at their end, of the linear-time family.

use super::PolicyFault;
use regex_automata::meta::{self, Regex};
use regex_automata::{Anchored, Input};

/// Longest pattern in bytes.
const MAX_PATTERN_BYTES: usize = 1024;
/// Most memory of a compiled pattern.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// A compiled pattern.
pub(super) struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, PolicyFault> {
        let wrong = |why: String| PolicyFault::Pattern { pattern: text.chars().take(80).collect(), why };
        if text.len() > MAX_PATTERN_BYTES {
            return Err(wrong(format!("it has {} bytes, allowed are {MAX_PATTERN_BYTES}", text.len())));
        }
        let config = meta::Config::new()
            .nfa_size_limit(Some(MAX_COMPILED_BYTES))
            .which_captures(regex_automata::nfa::thompson::WhichCaptures::None);
        let built = meta::Builder::new().configure(config).build(text);
        let regex = built.map_err(|error| {
            wrong(match error.syntax_error() {
                Some(syntax) => last_line(&syntax.to_string()),
                None => format!("it needs more than {MAX_COMPILED_BYTES} bytes of memory"),
            })
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_match(&self, name: &str) -> bool {
        self.regex.is_match(Input::new(name).anchored(Anchored::Yes))
    }
}

/// The library draws its error over several lines; the last says it.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
