//! What is asked: frequent values and rare ones, those that nobody has, combinations, windows of time.

use crate::honeypot::{FIRST_OBSERVED, INTERVAL_SECS, SENSORS, name_of};
use crate::oracle::{Condition, Edge, Oracle, Question, text_of};
use crate::random::Random;
use std::collections::BTreeSet;

/// The fields that are asked for one by one.
const ASKED: [&str; 9] = [
    "attacker_addr",
    "sensor_port",
    "protocol_spoken",
    "attacker_country",
    "login_name_tried",
    "fetched_url",
    "fetched_domain",
    "payload_sha256",
    "sensor_codename",
];

/// Questions about an oracle's records, the same for the same seed.
pub fn questions(oracle: &Oracle, seed: u64) -> Vec<Question> {
    let mut random = Random::new(seed);
    let mut conditions = vec![
        Condition::Is("honeypot_record", name_of(0)),
        Condition::Is("honeypot_record", name_of(oracle.records.saturating_sub(1))),
        Condition::Is("honeypot_record", name_of(oracle.records)),
        Condition::Is("attacker_addr", "203.0.113.254".into()),
    ];
    for field in ASKED {
        conditions.push(drawn(oracle, field, &mut random));
        conditions.push(drawn(oracle, field, &mut random));
    }
    conditions.extend(combined(oracle, &mut random));
    let plain = conditions.into_iter().map(|condition| Question { condition, after: None, before: None });
    let windows = windows(oracle, &mut random);
    plain.chain(windows).collect()
}

/// Everything, a sensor at a time: what is searched to look at each record once.
pub fn everything() -> Vec<Question> {
    let of = |sensor: &&str| Condition::Is("sensor_codename", (*sensor).to_owned());
    let whole = |condition| Question { condition, after: None, before: None };
    SENSORS.iter().map(of).map(whole).collect()
}

/// Published data: each kind of it, and some entries by name and title.
pub fn of_threats(oracle: &Oracle, seed: u64) -> Vec<Question> {
    let mut random = Random::new(seed);
    let mut conditions = BTreeSet::new();
    for (name, threat) in &oracle.threats.0 {
        let [_, kind, title, _] = &threat.values;
        conditions.insert(("threat_kind", text_of(kind)));
        if random.below(400) == 0 {
            conditions.insert(("threat_record", name.clone()));
            conditions.insert(("threat_title", text_of(title)));
        }
    }
    let whole =
        |(field, value)| Question { condition: Condition::Is(field, value), after: None, before: None };
    conditions.into_iter().filter(|(_, value)| !value.is_empty()).map(whole).collect()
}

/// The value that some record has.
fn drawn(oracle: &Oracle, field: &'static str, random: &mut Random) -> Condition {
    let number = random.below(oracle.records);
    let record = oracle.honeypot.record(number);
    let value = record.into_iter().find(|(name, _)| *name == field).map(|(_, value)| text_of(&value));
    Condition::Is(field, value.unwrap_or_default())
}

fn combined(oracle: &Oracle, random: &mut Random) -> Vec<Condition> {
    let mut draw = |field| drawn(oracle, field, random);
    let both = Condition::And(vec![draw("attacker_addr"), draw("sensor_codename")]);
    let ports = |one: &str, other: &str| {
        Condition::Or(vec![
            Condition::Is("sensor_port", one.into()),
            Condition::Is("sensor_port", other.into()),
        ])
    };
    vec![
        both,
        Condition::And(vec![draw("fetched_domain"), ports("22", "23")]),
        Condition::And(vec![draw("login_name_tried"), draw("sensor_codename"), ports("80", "443")]),
        Condition::Or(vec![draw("attacker_addr"), draw("payload_sha256"), draw("fetched_url")]),
        Condition::Or(vec![
            Condition::And(vec![draw("attacker_country"), draw("fetched_domain")]),
            Condition::And(vec![draw("protocol_spoken"), draw("attacker_addr")]),
        ]),
    ]
}

/// A tenth of all the time, with its edges on records, in each of the ways of counting edges in; and open ends.
fn windows(oracle: &Oracle, random: &mut Random) -> Vec<Question> {
    let at = |part: u64| FIRST_OBSERVED + oracle.records * part / 20 * INTERVAL_SECS;
    let edge = |part, included| Some(Edge { at: at(part), included });
    let mut asked = Vec::new();
    for (left, right) in [(false, false), (true, false), (false, true), (true, true)] {
        let condition = drawn(oracle, "attacker_addr", random);
        asked.push(Question { condition, after: edge(8, left), before: edge(10, right) });
        // the record at each edge, which is in or out
        let names = [8, 10].map(|part| Condition::Is("honeypot_record", name_of(oracle.records * part / 20)));
        let condition = Condition::Or(names.to_vec());
        asked.push(Question { condition, after: edge(8, left), before: edge(10, right) });
    }
    asked.push(Question {
        condition: drawn(oracle, "fetched_domain", random),
        after: edge(15, false),
        before: None,
    });
    asked.push(Question {
        condition: drawn(oracle, "payload_sha256", random),
        after: None,
        before: edge(5, true),
    });
    asked
}

impl Condition {
    /// It in the words of the query's language.
    pub fn written(&self) -> String {
        match self {
            Self::Is(field, value) => {
                format!("{field}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Self::And(parts) => joined(parts, " AND "),
            Self::Or(parts) => joined(parts, " OR "),
        }
    }
}

fn joined(parts: &[Condition], word: &str) -> String {
    let written: Vec<String> = parts.iter().map(Condition::written).collect();
    format!("({})", written.join(word))
}

impl Question {
    /// The options of `strongroom query` that say its window.
    pub fn window(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (edge, name, inclusive) in [(self.after, "-f", "-l"), (self.before, "-t", "-r")] {
            if let Some(edge) = edge {
                words.extend([name.to_owned(), edge.at.to_string()]);
                words.extend(edge.included.then(|| inclusive.to_owned()));
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::honeypot::Honeypot;
    use std::sync::Arc;

    #[test]
    fn questions_have_answers_and_some_have_none() {
        let oracle = Oracle { honeypot: Honeypot { seed: 9 }, records: 2_000, threats: Arc::default() };
        let asked = questions(&oracle, 1);
        assert_eq!(asked, questions(&oracle, 1));
        let found = oracle.answers(&asked);
        let counts: Vec<usize> = found.iter().map(BTreeSet::len).collect();
        assert_eq!(counts.get(..4), Some(&[1, 1, 0, 0][..]));
        assert!(counts.iter().filter(|count| **count > 0).count() > 20, "{counts:?}");
        assert!(counts.iter().any(|count| *count > 100), "{counts:?}");
        // the edges of the four windows: neither record, one, the other, both
        let edges: Vec<usize> =
            (0..4).filter_map(|at| counts.get(asked.len() - 9 + 2 * at).copied()).collect();
        assert_eq!(edges, [0, 1, 1, 2]);
    }

    #[test]
    fn a_question_is_written_in_the_languages_words() {
        let is = |field, value: &str| Condition::Is(field, value.into());
        let both = Condition::And(vec![is("a", "1"), Condition::Or(vec![is("b", "x \"y\""), is("c", "\\")])]);
        assert_eq!(both.written(), r#"(a="1" AND (b="x \"y\"" OR c="\\"))"#);
        let edge = |at, included| Some(Edge { at, included });
        let asked = Question { condition: is("a", "1"), after: edge(5, true), before: edge(9, false) };
        assert_eq!(asked.window(), ["-f", "5", "-l", "-t", "9"]);
    }
}
