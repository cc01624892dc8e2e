//! What becomes of a record: its fields with their policies, and its tokens. One look at each field; what is known of a
//! field's name is kept, so that the next record's field of that name costs one look-up.

use crate::members::{Member, Members};
use crate::policy::{FieldForm, Rules};
use crate::record::{LIMITS, MAX_FIELDS, MAX_NAME_BYTES, MAX_TOKENS, RecordError};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use strongroom_blindindex::moment;
use strongroom_blindindex::{CollectorEpochKey, FieldKey, Form, FormError, Token};

/// Most names that are remembered: senders invent names.
const MAX_NAMES: usize = 4096;

/// The rules with the index keys of one epoch. Each worker has its own.
#[derive(Clone)]
pub struct Keyed {
    rules: Arc<Rules>,
    key: Arc<CollectorEpochKey>,
    known: HashMap<Box<str>, Arc<Known>>,
    scratch: Vec<u8>,
}

/// What is known of a field's name.
struct Known {
    name: Box<str>,
    label: [u8; 16],
    policy: Option<u16>,
    index: Option<Index>,
    is_timestamp: bool,
    is_split: bool,
}

struct Index {
    key: FieldKey,
    form: FieldForm,
    by_name: Option<Form>,
}

/// A record's fields and tokens. Used again and again: its room is kept.
#[derive(Default)]
pub struct Plan {
    fields: Vec<(Arc<Known>, Range<usize>)>,
    tokens: Vec<Token>,
    day: Option<i32>,
}

/// A field that is to be encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Planned<'a> {
    /// What stands for its name.
    pub label: [u8; 16],
    /// Its name: a JSON pointer without the first slash.
    pub name: &'a str,
    /// Its value: JSON, as its sender wrote it.
    pub value: &'a [u8],
    /// The number of its policy.
    pub policy: u16,
}

impl Plan {
    /// The fields, in the order of the record. `json` is the text that was planned.
    pub fn fields<'a>(&'a self, json: &'a [u8]) -> impl Iterator<Item = Planned<'a>> {
        self.fields.iter().filter_map(|(known, place)| {
            let value = json.get(place.clone())?;
            Some(Planned { label: known.label, name: &known.name, value, policy: known.policy? })
        })
    }

    /// The tokens, sorted: their order says nothing of the fields.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    fn clear(&mut self) {
        self.fields.clear();
        self.tokens.clear();
        self.day = None;
    }
}

impl Keyed {
    /// For an epoch.
    pub fn new(rules: Arc<Rules>, key: Arc<CollectorEpochKey>) -> Self {
        Self { rules, key, known: HashMap::new(), scratch: Vec::new() }
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Plans a record. What `plan` held is gone.
    pub fn plan(&mut self, json: &[u8], plan: &mut Plan) -> Result<(), RecordError> {
        plan.clear();
        strongroom_model::scan_json(json, LIMITS)?;
        if json.iter().find(|byte| !b" \t\r\n".contains(byte)) != Some(&b'{') {
            return Err(RecordError::NoObject);
        }
        self.collect(json, 0, "", plan)?;
        if plan.fields.is_empty() {
            return Err(RecordError::Empty);
        }
        self.index(json, plan)?;
        if plan.tokens.is_empty() && self.rules.index_required() {
            return Err(RecordError::NotIndexed);
        }
        Ok(())
    }

    /// The members of an object, and of those in it that are split. The depth of the text is bounded.
    fn collect(&mut self, json: &[u8], from: usize, above: &str, plan: &mut Plan) -> Result<(), RecordError> {
        for Member { name, value } in Members::at(json, from) {
            let raw = json.get(name).unwrap_or_default();
            let name = pointer(above, raw)?;
            let known = self.known(&name)?;
            let is_object = json.get(value.start) == Some(&b'{');
            if is_object && known.is_split && !is_empty_object(json.get(value.clone()).unwrap_or_default()) {
                self.collect(json, value.start, &known.name, plan)?;
                continue;
            }
            if known.policy.is_none() {
                continue;
            }
            if known.is_timestamp && plan.day.is_none() {
                plan.day =
                    scalar(json.get(value.clone()).unwrap_or_default()).and_then(|text| moment::day(&text));
            }
            if plan.fields.len() == MAX_FIELDS {
                return Err(RecordError::TooManyFields);
            }
            plan.fields.push((known, value));
        }
        Ok(())
    }

    fn known(&mut self, name: &str) -> Result<Arc<Known>, RecordError> {
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(RecordError::LongName { bytes: name.len() });
        }
        if self.known.len() >= MAX_NAMES {
            self.known.clear();
        }
        let choice = self.rules.field(name);
        let index =
            choice.index.map(|form| Index { key: self.key.field(name), form, by_name: Form::of_name(name) });
        let known = Arc::new(Known {
            name: name.into(),
            label: self.key.field_label(name).0,
            policy: choice.policy,
            index,
            is_timestamp: choice.is_timestamp,
            is_split: self.rules.splits(name),
        });
        self.known.insert(name.into(), known.clone());
        Ok(known)
    }

    /// The tokens of all indexed fields. After all fields are seen: the day may stand last.
    fn index(&mut self, json: &[u8], plan: &mut Plan) -> Result<(), RecordError> {
        let Plan { fields, tokens, day } = plan;
        for (known, place) in fields.iter() {
            let Some(index) = &known.index else { continue };
            let value = json.get(place.clone()).unwrap_or_default();
            let mut one = |value: &[u8]| match scalar(value) {
                Some(text) => index.tokens(&text, *day, &mut self.scratch, tokens),
                None => Ok(()),
            };
            let indexed = if value.first() == Some(&b'[') {
                let mut elements = Members::at(value, 0);
                let mut all = std::iter::from_fn(|| elements.element());
                all.try_for_each(|element| one(value.get(element).unwrap_or_default()))
            } else {
                one(value)
            };
            let field = || known.name.to_string();
            indexed.map_err(|source| RecordError::Index { field: field(), source })?;
            if tokens.len() > MAX_TOKENS {
                return Err(RecordError::TooManyTokens { field: field() });
            }
        }
        tokens.sort_unstable();
        tokens.dedup();
        Ok(())
    }
}

impl Index {
    /// Adds the tokens of one value.
    fn tokens(
        &self,
        value: &str,
        day: Option<i32>,
        scratch: &mut Vec<u8>,
        tokens: &mut Vec<Token>,
    ) -> Result<(), FormError> {
        let first = self.form.form.or(self.by_name);
        if !self.form.is_opted() {
            let named = first.and_then(|form| self.key.token(form, value, scratch).ok());
            let token = match named {
                Some(token) => token,
                None => self.key.token(self.second(value), value, scratch)?,
            };
            tokens.push(token);
            return Ok(());
        }
        let fits = |form: &Form| self.form.form.is_some() || self.key.token(*form, value, scratch).is_ok();
        let form = first.filter(fits).unwrap_or_else(|| Form::of_shape(value));
        tokens.extend(self.form.spec(form).tokens(&self.key, value, day)?);
        Ok(())
    }

    /// The form of a value that is not of the field's: text where somebody said the form, else what it looks like.
    fn second(&self, value: &str) -> Form {
        if self.form.form.is_some() { Form::Text } else { Form::of_shape(value) }
    }
}

/// The name of a member of an object: RFC 6901 without the first slash.
pub(crate) fn pointer<'a>(above: &str, raw: &'a [u8]) -> Result<Cow<'a, str>, RecordError> {
    let mut name = text(raw);
    if name.contains(['~', '/']) {
        name = name.replace('~', "~0").replace('/', "~1").into();
    }
    if above.is_empty() {
        return Ok(name);
    }
    let bytes = above.len() + 1 + name.len();
    if bytes > MAX_NAME_BYTES {
        return Err(RecordError::LongName { bytes });
    }
    Ok(format!("{above}/{name}").into())
}

/// The inside of a JSON string, its escapes resolved.
fn text(raw: &[u8]) -> Cow<'_, str> {
    let plain = std::str::from_utf8(raw).unwrap_or_default();
    if !raw.contains(&b'\\') {
        return plain.into();
    }
    // it was scanned: it is JSON
    serde_json::from_str::<String>(&format!("\"{plain}\"")).unwrap_or_default().into()
}

/// The text of a scalar as it is searched for; `null`, arrays and objects have none.
fn scalar(value: &[u8]) -> Option<Cow<'_, str>> {
    match value {
        [b'"', inside @ .., b'"'] => Some(text(inside)),
        [b'{' | b'[', ..] | b"null" | [] => None,
        other => std::str::from_utf8(other).ok().map(Cow::from),
    }
}

fn is_empty_object(value: &[u8]) -> bool {
    Members::at(value, 0).next().is_none()
}

#[cfg(test)]
mod tests;
