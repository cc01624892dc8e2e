//! What the configuration says of fields: which can be searched and how, and which tell the time.

use std::collections::BTreeMap;

use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};
use strongroom_blindindex::{Canonical, Form, FormError, Networks};

/// Longest pattern of a timestamp's name.
const MAX_PATTERN_BYTES: usize = 4096;
/// The most that a pattern may become.
const MAX_PATTERN_SIZE: usize = 1 << 20;

/// How a field is indexed, as collectors say it in their `fields`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSpec {
    /// The form of its values; absent: what its name and each value look like.
    pub form: Option<Form>,
    /// The lengths of networks that have tokens.
    pub networks: Option<Networks>,
    /// Whether the domains above a domain have.
    pub suffixes: bool,
    /// Whether the value on a day has.
    pub days: bool,
}

/// What is known of fields.
#[derive(Debug, Default)]
pub struct Fields {
    searchable: BTreeMap<String, FieldSpec>,
    timestamps: Vec<String>,
    patterns: Vec<Regex>,
}

/// A pattern that is none, or too large.
#[derive(Debug, thiserror::Error)]
#[error("pattern of a timestamp: {source}")]
pub struct PatternError {
    source: Box<regex_automata::meta::BuildError>,
}

impl Fields {
    /// Says how a field is indexed.
    pub fn search(&mut self, field: &str, spec: FieldSpec) {
        self.searchable.insert(field.to_owned(), spec);
    }

    /// Says that a field can be searched, if nothing is said of it yet.
    pub fn also_search(&mut self, field: &str) {
        self.searchable.entry(field.to_owned()).or_default();
    }

    /// Says that a field tells when the record happened.
    pub fn timestamp(&mut self, field: &str) {
        self.timestamps.push(field.to_owned());
    }

    /// Says that fields whose names begin with a match tell when the record happened.
    pub fn timestamp_pattern(&mut self, pattern: &str) -> Result<(), PatternError> {
        let cut = pattern.get(..MAX_PATTERN_BYTES).unwrap_or(pattern);
        let config =
            Regex::config().nfa_size_limit(Some(MAX_PATTERN_SIZE)).hybrid_cache_capacity(MAX_PATTERN_SIZE);
        let regex = Regex::builder().configure(config).build(cut);
        self.patterns.push(regex.map_err(|source| PatternError { source: Box::new(source) })?);
        Ok(())
    }

    /// All fields that a value without a field is looked for in.
    pub fn searchable(&self) -> impl Iterator<Item = (&str, &FieldSpec)> {
        self.searchable.iter().map(|(field, spec)| (field.as_str(), spec))
    }

    /// How a field is indexed: nothing special, where nothing is said.
    pub fn spec(&self, field: &str) -> FieldSpec {
        self.searchable.get(field).cloned().unwrap_or_default()
    }

    /// Whether anything tells when records happened.
    pub fn has_timestamps(&self) -> bool {
        !self.timestamps.is_empty() || !self.patterns.is_empty()
    }

    /// Whether a field tells when its record happened.
    pub fn is_timestamp(&self, field: &str) -> bool {
        let starts = |regex: &Regex| regex.is_match(Input::new(field).anchored(Anchored::Yes));
        self.timestamps.iter().any(|name| name == field) || self.patterns.iter().any(starts)
    }
}

impl FieldSpec {
    /// The form that a collector takes this value of the field in: the configured one or the usual one, and text for what
    /// is not of it.
    pub fn form_of(&self, field: &str, value: &str) -> Form {
        match self.form {
            Some(form) if Canonical::new(form, value).is_ok() => form,
            Some(_) => Form::Text,
            None => Form::usual(field, value),
        }
    }

    /// The value's form and canonical bytes.
    pub fn canonical(&self, field: &str, value: &str) -> Result<(Form, Canonical), FormError> {
        let form = self.form_of(field, value);
        Ok((form, Canonical::lenient(form, value)?))
    }
}
