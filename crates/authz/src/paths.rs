//! Secret patterns of many ACLs, compiled together for one look-up.

use crate::pattern::{Form, Pattern, automaton, first_match};
use crate::rules::Mode;
use crate::text::OpenText;
use crate::verdict::{BITS, Verdict};
use regex_automata::meta::Regex;
use std::collections::HashMap;
use std::sync::OnceLock;
use strongroom_model::Access;

/// Beyond so many automata they are searched as one.
const SEARCHED_SINGLY: usize = 12;

/// Patterns with what each says.
#[derive(Default)]
pub(crate) struct Paths {
    any: Verdict,
    literals: HashMap<OpenText, Verdict>,
    prefixes: Vec<Prefix>,
    automata: Vec<(Pattern, Verdict)>,
    together: [OnceLock<Option<Together>>; 8],
}

struct Prefix {
    text: OpenText,
    /// What it says, and what every shorter one that it begins with says.
    verdict: Verdict,
    /// The longest shorter one that it begins with.
    shorter: Option<usize>,
}

/// Automata of one mode and one kind of access, as one; the first rule comes first.
struct Together {
    automaton: Regex,
    verdicts: Vec<Verdict>,
}

impl Paths {
    /// Adds what a rule says of the paths that a pattern matches. Rules are added in their order.
    pub(crate) fn add(&mut self, pattern: &Pattern, verdict: &Verdict) {
        match pattern.form() {
            Form::Any => self.any.merge(verdict),
            Form::Literals(literals) => {
                for literal in literals {
                    self.literals.entry(literal.clone()).or_default().merge(verdict);
                }
            }
            Form::Prefix(prefix) => {
                let prefix = Prefix { text: prefix.clone(), verdict: *verdict, shorter: None };
                self.prefixes.push(prefix);
            }
            Form::Automaton { .. } => self.automata.push((pattern.clone(), *verdict)),
        }
    }

    /// To be called when all are added: orders the prefixes.
    pub(crate) fn finish(&mut self) {
        self.prefixes.sort_by(|one, other| one.text.cmp(&other.text));
        let mut ordered: Vec<Prefix> = Vec::with_capacity(self.prefixes.len());
        for prefix in self.prefixes.drain(..) {
            match ordered.last_mut() {
                Some(same) if same.text == prefix.text => same.verdict.merge(&prefix.verdict),
                _ => ordered.push(prefix),
            }
        }
        for at in 0..ordered.len() {
            let (before, rest) = ordered.split_at_mut(at);
            let Some(prefix) = rest.first_mut() else { break };
            prefix.shorter = longest(before, before.len().checked_sub(1), &prefix.text);
            if let Some(shorter) = prefix.shorter.and_then(|at| before.get(at)) {
                prefix.verdict.merge(&shorter.verdict);
            }
        }
        self.prefixes = ordered;
    }

    /// What the rules say of some access to a path.
    pub(crate) fn of(&self, path: &str, access: Access) -> Verdict {
        let mut verdict = self.any;
        if let Some(literal) = self.literals.get(path) {
            verdict.merge(literal);
        }
        let last = self.prefixes.partition_point(|prefix| *prefix.text <= *path).checked_sub(1);
        if let Some(prefix) = longest(&self.prefixes, last, path).and_then(|at| self.prefixes.get(at)) {
            verdict.merge(&prefix.verdict);
        }
        self.search(path, access, &mut verdict);
        verdict
    }

    /// Whether some access is allowed to every path.
    pub(crate) fn all(&self, access: Access) -> bool {
        let verdicts = self.literals.values().chain(self.prefixes.iter().map(|prefix| &prefix.verdict));
        let mut verdicts =
            verdicts.chain(self.automata.iter().map(|(_, verdict)| verdict)).chain([&self.any]);
        self.any.allowed(access).is_some() && verdicts.all(|verdict| verdict.denied(access).is_none())
    }

    fn search(&self, path: &str, access: Access, verdict: &mut Verdict) {
        if self.automata.len() <= SEARCHED_SINGLY {
            return self.search_singly(path, verdict);
        }
        for (bit, pair) in BITS.into_iter().zip(self.together.chunks(2)).filter(|(bit, _)| access.has(*bit)) {
            for (mode, slot) in [Mode::Deny, Mode::Allow].into_iter().zip(pair) {
                match slot.get_or_init(|| self.together(bit, mode)) {
                    Some(together) => {
                        let first = first_match(&together.automaton, path);
                        if let Some(first) = first.and_then(|at| together.verdicts.get(at)) {
                            verdict.merge(first);
                        }
                    }
                    // too large as one
                    None => return self.search_singly(path, verdict),
                }
            }
        }
    }

    fn search_singly(&self, path: &str, verdict: &mut Verdict) {
        for (_, said) in self.automata.iter().filter(|(pattern, _)| pattern.matches(path)) {
            verdict.merge(said);
        }
    }

    fn together(&self, bit: Access, mode: Mode) -> Option<Together> {
        let wanted = self.automata.iter().filter(|(_, verdict)| match mode {
            Mode::Deny => verdict.denied(bit).is_some(),
            Mode::Allow => verdict.allowed(bit).is_some(),
        });
        let (hirs, verdicts): (Vec<_>, Vec<_>) =
            wanted.filter_map(|(pattern, verdict)| Some((pattern.hir()?, *verdict))).unzip();
        Some(Together { automaton: automaton(&hirs).ok()?, verdicts })
    }
}

/// The longest prefix of a text: of those up to `last`, which is the greatest that is not greater than the text.
fn longest(prefixes: &[Prefix], last: Option<usize>, text: &str) -> Option<usize> {
    let mut at = last?;
    loop {
        let prefix = prefixes.get(at)?;
        if text.starts_with(&*prefix.text) {
            return Some(at);
        }
        // whatever begins the text begins all that lies between it and the text
        at = prefix.shorter?;
    }
}
