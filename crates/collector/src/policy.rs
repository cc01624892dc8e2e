//! The policy: who may read which field, and which fields can be searched.
//!
//! Five sections as the original's. `index` and `timestamp` say what a field is for and do not consume it; `exact`, then
//! `regex`, then `default` say who may read it, and the first that matches decides. `remove` takes a field out of the record
//! and of the index. A name is a JSON pointer without its first slash; a rule that names an object holds for all in it.

mod error;
mod lint;
mod matching;

pub use error::{PolicyFault, PolicyFileError};
pub use lint::{Warning, WarningKind};

use error::at;
use matching::Pattern;
use std::collections::HashMap;
use strongroom_abe::{Policy, Suite};
use strongroom_blindindex::{Form, Networks, Spec};

/// Most rules of all sections together.
pub const MAX_RULES: usize = 4096;
/// Most different policies: a batch carries a key for each.
pub const MAX_POLICIES: usize = 64;

/// The sections as they stand in the configuration, with their lines.
#[derive(Debug, Clone, Default)]
pub struct PolicyFile {
    /// For fields that nothing else names.
    pub default: Option<Choice>,
    /// What can be searched.
    pub index: Names,
    /// Records in which nothing can be searched are refused.
    pub index_required: bool,
    /// Which fields tell the time of the event.
    pub timestamp: Names,
    /// Rules by name.
    pub exact: Vec<Rule>,
    /// Rules by pattern.
    pub regex: Vec<Rule>,
    /// How fields are indexed, by name.
    pub forms: Vec<(String, FieldForm)>,
}

/// Names and patterns, with their lines.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// These fields.
    pub exact: Vec<(u64, String)>,
    /// Fields whose names begin with a match.
    pub regex: Vec<(u64, String)>,
}

/// A policy as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Where.
    pub line: u64,
    /// `ANALYST and (CERT or UNR)`.
    pub policy: String,
    /// Encrypted for a right as well, which a quantum computer does not break.
    pub post_quantum: bool,
}

/// A rule of `exact` or `regex`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Where.
    pub line: u64,
    /// The name or pattern.
    pub matches: String,
    /// What becomes of the field.
    pub treatment: Treatment,
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// It is left out.
    Remove,
    /// It is encrypted by the default policy, with or without a right.
    Default {
        /// For a right as well.
        post_quantum: bool,
    },
    /// It is encrypted by this policy.
    Encrypt(Choice),
}

/// How a field is indexed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldForm {
    /// What its values are; absent: what its name and each value look like.
    pub form: Option<Form>,
    /// Networks of these lengths are searchable.
    pub networks: Option<Networks>,
    /// Domains above a domain are searchable.
    pub suffixes: bool,
    /// The value on a day is searchable.
    pub days: bool,
}

impl FieldForm {
    /// How a value of this form gets its tokens.
    pub fn spec(&self, form: Form) -> Spec {
        Spec { form, networks: self.networks.clone(), suffixes: self.suffixes, days: self.days }
    }

    /// Whether anything but equality is searchable.
    pub(crate) fn is_opted(&self) -> bool {
        self.networks.is_some() || self.suffixes || self.days
    }
}

/// A policy and how it is encrypted for.
#[derive(Clone, PartialEq, Eq)]
pub struct RulePolicy {
    /// The policy.
    pub policy: Policy,
    /// What has to be broken to read without a right to.
    pub suite: Suite,
}

/// What becomes of a field, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChoice {
    /// The policy's number; absent: the field is removed.
    pub policy: Option<u16>,
    /// How it is indexed; absent: it is not.
    pub index: Option<FieldForm>,
    /// Whether it tells the time of the event.
    pub is_timestamp: bool,
    /// The rule that decided, for people.
    pub by: String,
}

/// The policy, compiled.
pub struct Rules {
    policies: Vec<RulePolicy>,
    default: u16,
    exact: Vec<(String, Option<u16>)>,
    regex: Vec<(Pattern, Option<u16>)>,
    index: Matcher,
    index_required: bool,
    timestamp: Matcher,
    forms: HashMap<String, FieldForm>,
    below: Vec<String>,
    splits_all: bool,
    lines: Vec<u64>,
    lints: Vec<Warning>,
}

/// Names and patterns, compiled.
struct Matcher {
    exact: Vec<String>,
    regex: Vec<Pattern>,
}

impl Rules {
    /// Compiles the sections.
    pub fn compile(file: &PolicyFile) -> Result<Self, PolicyFileError> {
        let default = file.default.as_ref().ok_or_else(|| at(0, "policy.default", PolicyFault::NoDefault))?;
        let counts = [&file.index, &file.timestamp].map(|names| names.exact.len() + names.regex.len());
        let count = counts.iter().sum::<usize>() + file.exact.len() + file.regex.len() + file.forms.len();
        if count > MAX_RULES {
            return Err(at(default.line, "policy", PolicyFault::TooManyRules));
        }
        let mut book = Book::default();
        let number = book.number(default, "policy.default")?;
        let exact = each(&file.exact, |rule| {
            Ok((name(&rule.matches), book.treatment(rule, default, "policy.exact")?))
        })?;
        let regex = each(&file.regex, |rule| {
            let pattern =
                Pattern::new(&rule.matches).map_err(|fault| at(rule.line, "policy.regex", fault))?;
            Ok((pattern, book.treatment(rule, default, "policy.regex")?))
        })?;
        let mut rules = Self {
            policies: book.policies,
            default: number,
            exact,
            regex,
            index: Matcher::new(&file.index, "policy.index.regex")?,
            index_required: file.index_required,
            timestamp: Matcher::new(&file.timestamp, "policy.timestamp.regex")?,
            forms: file.forms.iter().map(|(field, form)| (name(field), form.clone())).collect(),
            below: Vec::new(),
            splits_all: false,
            lines: book.lines,
            lints: book.lints,
        };
        rules.find_depth();
        Ok(rules)
    }

    /// Which objects have to be split, so that a rule can reach what is in them.
    fn find_depth(&mut self) {
        let rules = self.exact.iter().map(|rule| &rule.0);
        let names = rules.chain(&self.index.exact).chain(&self.timestamp.exact).chain(self.forms.keys());
        let above = |name: &String| {
            let slashes: Vec<usize> = name.match_indices('/').map(|found| found.0).collect();
            slashes.into_iter().filter_map(|end| name.get(..end).map(str::to_owned)).collect::<Vec<_>>()
        };
        self.below = names.flat_map(above).collect();
        self.below.sort();
        self.below.dedup();
        let patterns =
            self.regex.iter().map(|rule| &rule.0).chain(&self.index.regex).chain(&self.timestamp.regex);
        self.splits_all = patterns.into_iter().any(|pattern| pattern.text().contains('/'));
    }

    /// The policies; a field's number is its place here.
    pub fn policies(&self) -> &[RulePolicy] {
        &self.policies
    }

    /// The line of the configuration in which each policy stands first.
    pub(crate) fn lines(&self) -> &[u64] {
        &self.lines
    }

    /// What the texts of the policies made worth a remark.
    pub(crate) fn lints(&self) -> &[Warning] {
        &self.lints
    }

    /// Whether a record of which nothing can be searched is refused.
    pub fn index_required(&self) -> bool {
        self.index_required
    }

    /// Whether an object is taken apart into fields.
    pub fn splits(&self, name: &str) -> bool {
        self.splits_all || self.below.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }

    /// What becomes of a field.
    pub fn field(&self, name: &str) -> FieldChoice {
        let (policy, by) = self.decide(name);
        let is_kept = policy.is_some();
        let index = (is_kept && self.index.matches(name)).then(|| self.form(name));
        FieldChoice { policy, index, is_timestamp: is_kept && self.timestamp.matches(name), by }
    }

    fn decide(&self, name: &str) -> (Option<u16>, String) {
        if let Some((rule, number)) = self.exact.iter().find(|(rule, _)| covers(rule, name)) {
            return (*number, format!("exact {rule}"));
        }
        if let Some((pattern, number)) = self.regex.iter().find(|(pattern, _)| pattern.is_match(name)) {
            return (*number, format!("regex {}", pattern.text()));
        }
        (Some(self.default), "default".to_owned())
    }

    /// The rules in the order in which they are asked, in words, with the number of their policy.
    pub fn order(&self) -> impl Iterator<Item = (String, Option<u16>)> {
        let exact = self.exact.iter().map(|(name, number)| (format!("exact {name}"), *number));
        let regex = self.regex.iter().map(|(pattern, number)| (format!("regex {}", pattern.text()), *number));
        exact.chain(regex).chain([("default".to_owned(), Some(self.default))])
    }

    fn form(&self, name: &str) -> FieldForm {
        let above = name.match_indices('/').map(|(end, _)| name.get(..end).unwrap_or_default());
        let mut names = std::iter::once(name).chain(above.collect::<Vec<_>>().into_iter().rev());
        names.find_map(|name| self.forms.get(name)).cloned().unwrap_or_default()
    }

    /// The fields that can be searched by name, with how, as far as the configuration names them.
    pub fn indexed(&self) -> impl Iterator<Item = (&str, FieldForm)> {
        self.index.exact.iter().map(|name| (name.as_str(), self.form(name)))
    }

    /// The patterns of names that can be searched.
    pub fn indexed_patterns(&self) -> impl Iterator<Item = &str> {
        self.index.regex.iter().map(Pattern::text)
    }
}

impl Matcher {
    fn new(names: &Names, place: &'static str) -> Result<Self, PolicyFileError> {
        let pattern =
            |(line, text): &(u64, String)| Pattern::new(text).map_err(|fault| at(*line, place, fault));
        let exact = names.exact.iter().map(|(_, text)| name(text)).collect();
        Ok(Self { exact, regex: each(&names.regex, pattern)? })
    }

    fn matches(&self, name: &str) -> bool {
        self.exact.iter().any(|rule| covers(rule, name)) || self.regex.iter().any(|rule| rule.is_match(name))
    }
}

/// The different policies so far.
#[derive(Default)]
struct Book {
    policies: Vec<RulePolicy>,
    lines: Vec<u64>,
    lints: Vec<Warning>,
}

impl Book {
    fn treatment(
        &mut self,
        rule: &Rule,
        default: &Choice,
        place: &'static str,
    ) -> Result<Option<u16>, PolicyFileError> {
        match &rule.treatment {
            Treatment::Remove => Ok(None),
            Treatment::Default { post_quantum } => {
                let choice =
                    Choice { post_quantum: *post_quantum || default.post_quantum, ..default.clone() };
                self.number(&choice, place).map(Some)
            }
            Treatment::Encrypt(choice) => self.number(choice, place).map(Some),
        }
    }

    /// The number of a policy, which may be new.
    fn number(&mut self, choice: &Choice, place: &'static str) -> Result<u16, PolicyFileError> {
        let wrong = |fault| at(choice.line, place, fault);
        let (policy, lints) = Policy::parse_and_lint(&choice.policy).map_err(|error| wrong(error.into()))?;
        // epochs are the authority's to add
        if let Some(attribute) = policy.attributes().iter().find(|attribute| attribute.as_str().contains('@'))
        {
            return Err(wrong(PolicyFault::Epoch { attribute: attribute.to_string() }));
        }
        let suite = if choice.post_quantum { Suite::PairingAndRights } else { Suite::Pairing };
        let wanted = RulePolicy { policy, suite };
        if let Some(number) = self.policies.iter().position(|known| *known == wanted) {
            return u16::try_from(number).map_err(|_| wrong(PolicyFault::TooManyPolicies));
        }
        let number = u16::try_from(self.policies.len()).unwrap_or(u16::MAX);
        if self.policies.len() == MAX_POLICIES {
            return Err(wrong(PolicyFault::TooManyPolicies));
        }
        let warning = |lint| Warning::new(choice.line, &wanted.policy, WarningKind::Text(lint));
        self.lints.extend(lints.into_iter().map(warning));
        self.policies.push(wanted);
        self.lines.push(choice.line);
        Ok(number)
    }
}

fn each<T, R>(
    all: &[T],
    one: impl FnMut(&T) -> Result<R, PolicyFileError>,
) -> Result<Vec<R>, PolicyFileError> {
    all.iter().map(one).collect()
}

/// A name as it is compared: a pointer's first slash is not needed.
fn name(text: &str) -> String {
    text.strip_prefix('/').unwrap_or(text).to_owned()
}

/// Whether a rule's name is a field's, or that of an object which it is in.
fn covers(rule: &str, name: &str) -> bool {
    name.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rules").field("policies", &self.policies.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
