//! Patterns that were searched anywhere in a name, written as patterns that match all of it.

use regex_syntax::ast::{AssertionKind, Ast, RepetitionKind, RepetitionOp, parse::Parser};
use strongroom_authz::{Pattern, PatternError};

/// A pattern that cannot be written here so that it means the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untranslatable(#[from] pub PatternError);

/// Patterns of which one has to be found somewhere in a name.
pub(super) struct Found(Vec<Pattern>);

impl Found {
    pub(super) fn of(patterns: &[String]) -> Result<Self, Untranslatable> {
        let searched = patterns.iter().map(|pattern| searched(&rust(pattern)));
        Ok(Self(searched.collect::<Result<_, _>>()?))
    }

    pub(super) fn any(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

/// The pattern, found anywhere.
fn searched(pattern: &str) -> Result<Pattern, Untranslatable> {
    // by itself first: a stray bracket is told as what it is, and reaches nothing
    Pattern::new(pattern).map(drop).or_else(|fault| match fault.fault {
        strongroom_authz::PatternFault::MatchesNothing => Ok(()),
        _ => Err(fault),
    })?;
    Ok(Pattern::new(&format!("(?s:.*)(?:{pattern})(?s:.*)"))?)
}

/// The one thing that Python spells in another way: the end of the text.
fn rust(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        text.push(character);
        if character == '\\' {
            text.extend(characters.next().map(|next| if next == 'Z' { 'z' } else { next }));
        }
    }
    text
}

/// A pattern that matches a name whole if the original's is found in it.
pub(super) fn anchored(pattern: &str) -> Result<String, Untranslatable> {
    let pattern = rust(pattern);
    let whole = searched(&pattern)?;
    // names have no line ends, so that the short form means the same as the long one
    let short = Parser::new().parse(&pattern).ok().and_then(|ast| shortened(&pattern, &ast));
    match short.filter(|short| Pattern::new(short).is_ok()) {
        Some(short) => Ok(short),
        None => Ok(whole.as_str().to_owned()),
    }
}

fn shortened(pattern: &str, ast: &Ast) -> Option<String> {
    let parts = match ast {
        Ast::Concat(concat) => concat.asts.as_slice(),
        Ast::Alternation(_) | Ast::Empty(_) => return Some(format!(".*(?:{pattern}).*")),
        one => std::slice::from_ref(one),
    };
    // what stands for itself from its place on cannot be cut
    if parts.iter().any(|part| matches!(part, Ast::Flags(_))) {
        return None;
    }
    let begins = parts.first().is_some_and(|part| asserts(part, &BEGIN));
    let ends = parts.last().is_some_and(|part| asserts(part, &END));
    let inner = parts.get(usize::from(begins)..parts.len().checked_sub(usize::from(ends))?)?;
    let (Some(first), Some(last)) = (inner.first(), inner.last()) else {
        // `^`, `$`: found in every name; `^$` in none
        return (begins != ends).then(|| ".*".to_owned());
    };
    let body = pattern.get(first.span().start.offset..last.span().end.offset)?;
    let before = if begins || repeats_anything(first) { "" } else { ".*" };
    let after = if ends || repeats_anything(last) { "" } else { ".*" };
    Some(format!("{before}{body}{after}"))
}

const BEGIN: [AssertionKind; 2] = [AssertionKind::StartLine, AssertionKind::StartText];
const END: [AssertionKind; 2] = [AssertionKind::EndLine, AssertionKind::EndText];

fn asserts(ast: &Ast, kinds: &[AssertionKind]) -> bool {
    matches!(ast, Ast::Assertion(assertion) if kinds.contains(&assertion.kind))
}

fn repeats_anything(ast: &Ast) -> bool {
    matches!(ast, Ast::Repetition(repetition)
        if matches!(*repetition.ast, Ast::Dot(_))
            && matches!(repetition.op, RepetitionOp { kind: RepetitionKind::ZeroOrMore, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_their_reach_and_stay_readable() {
        for (old, new) in [
            ("web", ".*web.*"),
            ("^web$", "web"),
            ("^web", "web.*"),
            ("web\\Z", ".*web"),
            ("^.*$", ".*"),
            (".*", ".*"),
            ("", ".*(?:).*"),
            ("^", ".*"),
            (".*_read", ".*_read.*"),
            ("a|b", ".*(?:a|b).*"),
            ("^(db|пароли)$", "(db|пароли)"),
            ("^a|b$", ".*(?:^a|b$).*"),
            ("(?i)web", "(?s:.*)(?:(?i)web)(?s:.*)"),
            ("^app/", "app/.*"),
        ] {
            assert_eq!(anchored(old).as_deref(), Ok(new), "{old}");
            let found = Found::of(&[old.to_owned()]).unwrap();
            let whole = Pattern::new(new).unwrap();
            for name in
                ["web", "my-webhooks", "a", "b", "ab", "ba", "db", "пароли", "app/x", "Web", "x_read", "z"]
            {
                assert_eq!(found.any(name), whole.matches(name), "{old} as {new} upon {name}");
            }
        }
    }

    #[test]
    fn what_this_language_does_not_have_is_told() {
        for pattern in ["^(?!list_users)list_", "(a)\\1", "(", "a{2", "[", "(?<=a)b"] {
            assert!(anchored(pattern).is_err(), "{pattern}");
        }
    }
}
