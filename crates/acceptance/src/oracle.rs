//! What readers must see, worked out over plain text.

use crate::honeypot::{Honeypot, name_of, number_of};
use crate::threat::{self, Threat, Threats};
use crate::world::{ORGANISATIONS, Organisation, Reader, organisation_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What records must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// This field has this value.
    Is(&'static str, String),
    /// All of these.
    And(Vec<Condition>),
    /// Any of these.
    Or(Vec<Condition>),
}

/// One side of a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Seconds since 1970.
    pub at: u64,
    /// Whether that second itself belongs to it.
    pub included: bool,
}

/// A question to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What records must have,
    pub condition: Condition,
    /// and when they must have been observed: after this,
    pub after: Option<Edge>,
    /// before that.
    pub before: Option<Edge>,
}

/// A record as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The fields that are open,
    pub open: BTreeMap<String, Value>,
    /// and how many are not.
    pub sealed: usize,
}

type Record = Vec<(&'static str, Value)>;

/// Knows every record and every policy.
#[derive(Debug, Clone)]
pub struct Oracle {
    /// Who made the records,
    pub honeypot: Honeypot,
    /// and how many: their numbers are below this.
    pub records: u64,
    /// Published threat data.
    pub threats: Arc<Threats>,
}

impl Oracle {
    /// The names of the records that answer each question.
    pub fn answers(&self, questions: &[Question]) -> Vec<BTreeSet<String>> {
        let mut found = vec![BTreeSet::new(); questions.len()];
        let mut look = |name: &dyn Fn() -> String, organisation: usize, record: &Record| {
            let Some(organisation) = ORGANISATIONS.get(organisation) else { return };
            for (question, found) in questions.iter().zip(&mut found) {
                if is_answer(question, organisation, record) {
                    found.insert(name());
                }
            }
        };
        for number in 0..self.records {
            look(&|| name_of(number), organisation_of(number), &self.honeypot.record(number));
        }
        for (name, threat) in &self.threats.0 {
            look(&|| name.clone(), threat.organisation, &record_of(threat));
        }
        found
    }

    /// A record as a reader must see it.
    pub fn seen(&self, name: &str, reader: &Reader) -> Option<Seen> {
        let number = number_of(name).filter(|number| *number < self.records);
        let (organisation, record) = match (number, self.threats.0.get(name)) {
            (Some(number), _) => (organisation_of(number), self.honeypot.record(number)),
            (_, Some(threat)) => (threat.organisation, record_of(threat)),
            _ => return None,
        };
        let mut seen = Seen::default();
        for (field, value) in record {
            match ORGANISATIONS.get(organisation)?.rule(field) {
                Some(rule) if rule.opens(reader.attributes) => {
                    seen.open.insert(field.to_owned(), value);
                }
                Some(rule) if !rule.is_removed() => seen.sealed += 1,
                _ => {}
            }
        }
        Some(seen)
    }

    /// How many records go through an organisation's collector.
    pub fn of(&self, organisation: usize) -> u64 {
        let made = (0..self.records).filter(|number| organisation_of(*number) == organisation).count();
        let known = self.threats.0.values().filter(|threat| threat.organisation == organisation).count();
        (made + known) as u64
    }
}

fn record_of(threat: &Threat) -> Record {
    threat::FIELDS.into_iter().zip(threat.values.iter().cloned()).collect()
}

fn is_answer(question: &Question, organisation: &Organisation, record: &Record) -> bool {
    holds(&question.condition, organisation, record) && is_within(question, record)
}

fn holds(condition: &Condition, organisation: &Organisation, record: &Record) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| holds(part, organisation, record)),
        Condition::Or(parts) => parts.iter().any(|part| holds(part, organisation, record)),
        Condition::Is(field, wanted) => {
            organisation.rule(field).is_some_and(|rule| rule.searchable)
                && value_of(record, field).is_some_and(|value| is_same(field, value, wanted))
        }
    }
}

fn value_of<'a>(record: &'a Record, field: &str) -> Option<&'a Value> {
    record.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
}

/// What differs in case only is one domain, and one digest.
fn is_same(field: &str, value: &Value, wanted: &str) -> bool {
    let text = text_of(value);
    match field {
        "fetched_domain" | "payload_sha256" => text.eq_ignore_ascii_case(wanted),
        _ => text == wanted,
    }
}

/// A value as it is asked for.
pub fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_within(question: &Question, record: &Record) -> bool {
    if question.after.is_none() && question.before.is_none() {
        return true;
    }
    let Some(at) = value_of(record, "observed_at").and_then(Value::as_u64) else { return false };
    let after = question.after.is_none_or(|edge| at > edge.at || (edge.included && at == edge.at));
    let before = question.before.is_none_or(|edge| at < edge.at || (edge.included && at == edge.at));
    after && before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::honeypot::FIRST_OBSERVED;
    use crate::world::READERS;

    fn oracle() -> Oracle {
        Oracle { honeypot: Honeypot { seed: 3 }, records: 500, threats: Arc::default() }
    }

    fn ask(condition: Condition) -> Vec<u64> {
        let question = Question { condition, after: None, before: None };
        numbers(&oracle().answers(&[question])[0])
    }

    fn numbers(names: &BTreeSet<String>) -> Vec<u64> {
        names.iter().filter_map(|name| number_of(name)).collect()
    }

    #[test]
    fn a_record_is_found_by_its_name_and_seen_as_policies_say() {
        let found = ask(Condition::Is("honeypot_record", "hp-000000010".into()));
        assert_eq!(found, [10]);
        // of a bank: sixteen fields, one of them removed
        let [ines, boris, chen] =
            READERS.each_ref().map(|reader| oracle().seen(&name_of(10), reader).unwrap());
        assert_eq!((ines.open.len(), ines.sealed), (6, 9));
        assert_eq!((boris.open.len(), boris.sealed), (15, 0));
        assert_eq!((chen.open.len(), chen.sealed), (3, 12));
        assert!(!boris.open.contains_key("passphrase_tried"));
    }

    #[test]
    fn what_is_not_indexed_is_not_found() {
        let ports = |port: &str| ask(Condition::Is("sensor_port", port.into()));
        assert!(!ports("22").is_empty() && ports("22").iter().all(|number| organisation_of(*number) != 1));
        let root = ask(Condition::Is("login_name_tried", "root".into()));
        assert!(!root.is_empty() && root.iter().all(|number| organisation_of(*number) == 2));
        assert!(ask(Condition::Is("session_note", String::new())).is_empty());
    }

    #[test]
    fn conditions_and_edges() {
        let port = |port: &str| Condition::Is("sensor_port", port.into());
        let either = ask(Condition::Or(vec![port("22"), port("23")])).len();
        assert_eq!(either, ask(port("22")).len() + ask(port("23")).len());
        assert!(ask(Condition::And(vec![port("22"), port("23")])).is_empty());
        let window = |included| Question {
            condition: Condition::Or(ALL_PORTS.map(port).to_vec()),
            after: Some(Edge { at: FIRST_OBSERVED, included }),
            before: Some(Edge { at: FIRST_OBSERVED + 4, included }),
        };
        let found = oracle().answers(&[window(false), window(true)]);
        // of the first three all are of a bank, which has the port in its index
        assert_eq!([numbers(&found[0]), numbers(&found[1])], [vec![1], vec![0, 1, 2]]);
    }

    const ALL_PORTS: [&str; 12] =
        ["22", "23", "80", "445", "443", "3389", "8080", "2222", "5900", "25", "1433", "6379"];
}
