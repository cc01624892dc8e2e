//! What would become of a record: for `--dry-run`, before anything is sent to anybody.

use crate::members::Members;
use crate::plan::{Keyed, Plan, pointer};
use crate::policy::{FieldForm, Rules};
use crate::record::RecordError;
use std::fmt::Write as _;
use std::sync::Arc;
use strongroom_abe::Suite;
use strongroom_ambient::Ambient;
use strongroom_blindindex::{Form, IndexRoot};

/// Shows records one by one.
pub struct Samples {
    keyed: Keyed,
    plan: Plan,
    number: u64,
}

/// One field of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleField {
    /// Its name.
    pub name: String,
    /// Who could read it; absent: it is removed.
    pub readers: Option<String>,
    /// The rule that decided.
    pub by: String,
    /// How it could be found; absent: it could not.
    pub search: Option<String>,
}

impl Samples {
    /// Under keys that are used for nothing else.
    pub fn new(rules: Arc<Rules>, ambient: &Ambient) -> Self {
        let key = IndexRoot::generate(ambient).collector_epoch("sample", 0);
        Self { keyed: Keyed::new(rules, Arc::new(key)), plan: Plan::default(), number: 0 }
    }

    /// A record's fields, and how many tokens it has.
    pub fn fields(&mut self, json: &[u8]) -> Result<(Vec<SampleField>, usize), RecordError> {
        self.keyed.plan(json, &mut self.plan)?;
        let mut fields = Vec::new();
        each(json, 0, "", self.keyed.rules(), &mut |name| fields.push(field(self.keyed.rules(), name)))?;
        Ok((fields, self.plan.tokens().len()))
    }

    /// A record as a table for people.
    pub fn show(&mut self, json: &[u8]) -> String {
        self.number += 1;
        let number = self.number;
        match self.fields(json) {
            Err(error) => format!("record {number} is not taken: {error}\n"),
            Ok((fields, tokens)) => {
                let kept = fields.iter().filter(|field| field.readers.is_some()).count();
                let head = format!("record {number}: {kept} fields encrypted, {tokens} index tokens\n");
                head + &table(&fields)
            }
        }
    }
}

/// Visits the names of a record's fields, as the plan does.
fn each(
    json: &[u8],
    from: usize,
    above: &str,
    rules: &Rules,
    see: &mut dyn FnMut(&str),
) -> Result<(), RecordError> {
    for member in Members::at(json, from) {
        let name = pointer(above, json.get(member.name).unwrap_or_default())?;
        let value = json.get(member.value.clone()).unwrap_or_default();
        let is_split =
            value.first() == Some(&b'{') && Members::at(value, 0).next().is_some() && rules.splits(&name);
        if is_split { each(json, member.value.start, &name, rules, see)? } else { see(&name) }
    }
    Ok(())
}

fn field(rules: &Rules, name: &str) -> SampleField {
    let choice = rules.field(name);
    let readers = choice.policy.and_then(|number| rules.policies().get(usize::from(number)));
    let readers = readers.map(|rule| format!("{}{}", rule.policy.as_str(), suite(rule.suite)));
    let search = choice.index.map(|form| search(name, &form));
    SampleField { name: name.to_owned(), readers, by: choice.by, search }
}

pub(crate) fn suite(suite: Suite) -> &'static str {
    match suite {
        Suite::Pairing => "",
        Suite::PairingAndRights => " (post-quantum)",
    }
}

/// How a field is found, in words.
pub(crate) fn search(name: &str, form: &FieldForm) -> String {
    let values = match (form.form, Form::of_name(name)) {
        (Some(form), _) => format!("equal values, as {form}"),
        (None, Some(form)) => format!("equal values, as {form} or what each looks like"),
        (None, None) => "equal values, as what each looks like".to_owned(),
    };
    let more = [
        (form.networks.is_some(), ", networks"),
        (form.suffixes, ", domains above"),
        (form.days, ", value on a day"),
    ];
    more.iter().filter(|(is_on, _)| *is_on).fold(values, |text, (_, word)| text + word)
}

fn table(fields: &[SampleField]) -> String {
    let width = fields.iter().map(|field| field.name.chars().count()).max().unwrap_or_default().clamp(5, 40);
    let mut out = String::new();
    for field in fields {
        let readers = field.readers.as_deref().unwrap_or("nobody: it is removed");
        let search = field.search.as_deref().unwrap_or("not searchable");
        let SampleField { name, by, .. } = field;
        // written into memory
        let _ = writeln!(out, "  {name:width$}  for {readers}  [{by}]; {search}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Choice, Names, PolicyFile, Rule, Treatment};

    fn samples() -> Samples {
        let choice = |policy: &str| Choice { line: 1, policy: policy.to_owned(), post_quantum: false };
        let rule = |matches: &str, treatment| Rule { line: 1, matches: matches.to_owned(), treatment };
        let file = PolicyFile {
            default: Some(choice("ANALYST")),
            index: Names {
                exact: vec![(1, "src_ip".to_owned()), (1, "http/host".to_owned())],
                regex: vec![],
            },
            exact: vec![
                rule("secret", Treatment::Remove),
                rule("http/host", Treatment::Encrypt(Choice { post_quantum: true, ..choice("CERT or UNR") })),
            ],
            ..PolicyFile::default()
        };
        Samples::new(Arc::new(Rules::compile(&file).unwrap()), &Ambient::system())
    }

    #[test]
    fn a_sample_says_who_reads_and_what_is_found() {
        let text =
            samples().show(br#"{"src_ip":"10.0.0.1","secret":"hunter2","http":{"host":"a.org","x":1}}"#);
        assert_eq!(
            text,
            "record 1: 3 fields encrypted, 2 index tokens\n  \
             src_ip     for ANALYST  [default]; equal values, as an IP address or what each looks like\n  \
             secret     for nobody: it is removed  [exact secret]; not searchable\n  \
             http/host  for CERT or UNR (post-quantum)  [exact http/host]; equal values, as a domain name or what each looks like\n  \
             http/x     for ANALYST  [default]; not searchable\n"
        );
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn a_record_that_would_not_be_taken_says_why() {
        let mut samples = samples();
        assert!(samples.show(b"{\"a\":").contains("record 1 is not taken: invalid JSON at byte 5"));
        assert!(samples.show(b"[]").contains("record 2 is not taken: a record is a JSON object"));
    }
}
