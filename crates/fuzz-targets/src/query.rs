//! What people type at `strongroom query`.

use strongroom_query::{MAX_TERMS, Question, Wanted};

/// A question in the language of `strongroom query`.
pub(crate) fn question(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");
    match Question::read(text, now) {
        Err(error) => {
            assert!(
                error.column >= 1 && error.column <= text.chars().count() + 1,
                "{error}: not in the query"
            );
            false
        }
        Ok(question) => {
            let terms = question.condition.terms();
            assert!((1..=MAX_TERMS).contains(&terms.len()));
            assert!(
                terms.iter().any(|term| !matches!(term.wanted, Wanted::Unlike(_))),
                "nothing to look for"
            );
            assert!(!question.happened.is_empty() && !question.arrived.is_empty());
            true
        }
    }
}
