//! Forms of patterns: most are matched without an automaton.

use super::{PatternFault, automaton, first_match};
use crate::text::OpenText;
use regex_automata::meta::Regex;
use regex_syntax::hir::{Dot, Hir, HirKind, Look};

/// Most literals that an alternation is taken apart into.
const MAX_LITERALS: usize = 64;

/// How a pattern is matched.
#[derive(Clone)]
pub(crate) enum Form {
    /// Every name.
    Any,
    /// These names.
    Literals(Box<[OpenText]>),
    /// Names that begin so.
    Prefix(OpenText),
    /// By an automaton of its own, made of this.
    Automaton { hir: Hir, regex: Regex },
}

impl Form {
    pub(super) fn of(hir: Hir) -> Result<Self, PatternFault> {
        // no name is empty
        if hir.properties().minimum_len().is_none() || hir.properties().maximum_len() == Some(0) {
            return Err(PatternFault::MatchesNothing);
        }
        match simple(&hir) {
            Some(form) => Ok(form),
            None => automaton(&[&hir]).map(|regex| Self::Automaton { hir, regex }),
        }
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literals(literals) => literals.iter().any(|literal| **literal == *name),
            Self::Prefix(prefix) => name.starts_with(&**prefix),
            Self::Automaton { regex, .. } => first_match(regex, name).is_some(),
        }
    }
}

fn simple(hir: &Hir) -> Option<Form> {
    match hir.kind() {
        HirKind::Literal(_) => Some(Form::Literals([literal(hir)?].into())),
        HirKind::Alternation(parts) if parts.len() <= MAX_LITERALS => {
            parts.iter().map(literal).collect::<Option<_>>().map(Form::Literals)
        }
        HirKind::Repetition(_) => repeats_anything(hir)?.then_some(Form::Any),
        // groups and anchors around all of it say nothing: what is meant by `^(.*)$` is every name
        HirKind::Capture(group) => simple(&group.sub),
        HirKind::Concat(parts) => match parts.as_slice() {
            [first, inside @ .., last] if is_look(first, Look::Start) && is_look(last, Look::End) => {
                simple(&Hir::concat(inside.to_vec()))
            }
            [first, rest] => {
                let (prefix, more) = (literal(first)?, repeats_anything(rest)?);
                // no path ends with a slash, so that something follows anyway
                (more && prefix.ends_with('/') || is_star(rest)).then_some(Form::Prefix(prefix))
            }
            _ => None,
        },
        _ => None,
    }
}

fn literal(hir: &Hir) -> Option<OpenText> {
    match hir.kind() {
        HirKind::Literal(bytes) => std::str::from_utf8(&bytes.0).ok().map(OpenText::from),
        _ => None,
    }
}

/// `.*` and `.+`; names have no line breaks.
fn repeats_anything(hir: &Hir) -> Option<bool> {
    let HirKind::Repetition(repetition) = hir.kind() else { return None };
    let all = [Hir::dot(Dot::AnyChar), Hir::dot(Dot::AnyCharExceptLF)].contains(&repetition.sub);
    Some(all && repetition.min <= 1 && repetition.max.is_none())
}

fn is_look(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(found) if *found == look)
}

fn is_star(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Repetition(repetition) if repetition.min == 0)
        && repeats_anything(hir) == Some(true)
}
