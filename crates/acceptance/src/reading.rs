//! What readers get, beside what they must get.

use crate::fault::{Fault, Outcome, must};
use crate::oracle::{Oracle, Question, Seen};
use crate::program;
use crate::stage::Stage;
use crate::world::Reader;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What names a record.
const NAMES: [&str; 2] = ["honeypot_record", "threat_record"];
/// A question and the names of the records that answer it.
pub(crate) type Asked = (Question, BTreeSet<String>);

/// What was compared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Compared {
    /// Searches that were asked,
    pub(crate) searches: u64,
    /// counts,
    pub(crate) counts: u64,
    /// records that came,
    pub(crate) records: u64,
    /// fields in them that were open,
    pub(crate) open: u64,
    /// and fields that were not.
    pub(crate) sealed: u64,
}

/// Asks as a reader and compares with what the oracle found.
pub(crate) fn compare(stage: &Stage, oracle: &Oracle, reader: &Reader, asked: &[Asked]) -> Outcome<Compared> {
    let mut compared = Compared::default();
    for (question, expected) in asked {
        let told = |fault: Fault| Fault::new(format!("{}: {question:?}: {fault}", reader.name));
        one(stage, oracle, reader, question, expected, &mut compared).map_err(told)?;
    }
    Ok(compared)
}

fn one(
    stage: &Stage,
    oracle: &Oracle,
    reader: &Reader,
    question: &Question,
    expected: &BTreeSet<String>,
    compared: &mut Compared,
) -> Outcome<()> {
    let printed = ask(stage, reader, question, &[])?;
    let mut found = BTreeSet::new();
    for line in printed.lines() {
        let seen = seen(line)?;
        let name =
            NAMES.iter().find_map(|field| seen.open.get(*field)?.as_str()).unwrap_or_default().to_owned();
        let must_see = oracle.seen(&name, reader).ok_or_else(|| Fault::new(format!("nobody made {line}")))?;
        must(seen == must_see, || format!("record {name}:\n  seen {seen:?}\n  must {must_see:?}"))?;
        must(found.insert(name), || format!("a record came twice: {line}"))?;
        compared.records += 1;
        compared.open += seen.open.len() as u64;
        compared.sealed += seen.sealed as u64;
    }
    must(found == *expected, || {
        let missing: Vec<_> = expected.difference(&found).take(5).collect();
        let invented: Vec<_> = found.difference(expected).take(5).collect();
        format!(
            "{} found, {} expected; missing {missing:?}, too many {invented:?}",
            found.len(),
            expected.len()
        )
    })?;
    compared.searches += 1;
    if question.after.is_none() && question.before.is_none() {
        let counted = ask(stage, reader, question, &["-q", "count"])?;
        let number = counted.trim().rsplit(' ').next().and_then(|number| number.parse().ok());
        must(number == Some(expected.len()), || format!("counted {counted}, expected {}", expected.len()))?;
        compared.counts += 1;
    }
    Ok(())
}

/// What `strongroom query` prints.
pub(crate) fn ask(stage: &Stage, reader: &Reader, question: &Question, more: &[&str]) -> Outcome<String> {
    let folder = stage.folder(reader.registered);
    let mut command = stage.command(&["query", "--secrets"]);
    command.arg(folder.join("secrets")).args(more).args(question.window());
    program::run(command.arg(folder.join("config.yaml")).arg(question.condition.written()).arg("-"))
}

/// A line of what came: open fields by name; sealed ones say so; what begins with `_` is about the record.
fn seen(line: &str) -> Outcome<Seen> {
    let read: BTreeMap<String, Value> = serde_json::from_str(line)?;
    let mut seen = Seen::default();
    for (name, value) in read {
        if value.get("sealed").is_some() {
            seen.sealed += 1;
        } else if value.get("broken").is_some() {
            return Err(Fault::new(format!("a broken field: {line}")));
        } else if !name.starts_with('_') {
            seen.open.insert(name, value);
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_and_sealed_fields_are_told_apart() {
        let line = r#"{"a":1,"b":"x","0011":{"sealed":"CERT"},"_record":"7-1"}"#;
        let seen = seen(line).unwrap();
        assert_eq!((seen.open.len(), seen.sealed), (2, 1));
        assert!(super::seen(r#"{"0011":{"broken":"tag"}}"#).is_err());
    }
}
