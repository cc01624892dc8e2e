//! What the configuration shows, to whom: for `explain`. The words on tokens are `blindindex`'s own.

use crate::policy::{FieldForm, Rules, Warning};
use crate::sample::{search, suite};
use crate::settings::{Input, InputKind};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use strongroom_abe::Suite;
use strongroom_blindindex::{Form, Leak, leaks};

/// What every record shows, whatever the policy.
pub const ALWAYS: [Leak; 7] = [
    Leak {
        to: "who keeps the records, and whoever sees the traffic without its TLS",
        what: "which collector a record is of, its number and batch, the hour at which it arrives, how many fields it has and \
               the size of each, rounded up to 16 bytes, how many tokens it has",
    },
    Leak {
        to: "who keeps the records",
        what: "the texts of the policies, in clear: who may read how much. Attributes with names that say nothing hide that",
    },
    Leak {
        to: "who keeps the records",
        what: "a label for each field's name, the same for one collector and epoch: which records have a field, and under \
               which policy, but not what it is called",
    },
    Leak {
        to: "every member",
        what: "of a record that it finds: everything that the keeper sees, and the fields whose policies it satisfies; the \
               others stay sealed",
    },
    Leak {
        to: "the attribute authority",
        what: "which member asks for tokens of which field, and the values asked for, which its trail does not keep; whoever \
               has its master key can make every member's keys, and so can read every record that it gets hold of",
    },
    Leak {
        to: "a suspended member",
        what: "what it has read before stays read; what is encrypted until the collectors have a new manifest (15 minutes at \
               most) is still encrypted for it",
    },
    Leak {
        to: "whoever records today and has a quantum computer later",
        what: "fields under policies without post_quantum",
    },
];

/// The explanation.
pub fn explain(rules: &Rules, inputs: &[Input], warnings: &[Warning]) -> String {
    let mut out = String::new();
    policies(rules, &mut out);
    fields(rules, &mut out);
    shown(rules, &mut out);
    ways_in(inputs, &mut out);
    if !warnings.is_empty() {
        out.push_str("\nRemarks\n");
        for warning in warnings {
            line(&mut out, &warning.to_string());
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    // written into memory
    let _ = writeln!(out, "  {text}");
}

fn policies(rules: &Rules, out: &mut String) {
    out.push_str("Policies: who may read\n");
    for (number, rule) in rules.policies().iter().enumerate() {
        let weak = if rule.suite == Suite::Pairing { "; a quantum computer would open it" } else { "" };
        line(out, &format!("{}. {}{}{weak}", number + 1, rule.policy.as_str(), suite(rule.suite)));
    }
}

fn fields(rules: &Rules, out: &mut String) {
    out.push_str("\nFields: the first rule that matches decides\n");
    for (by, policy) in rules.order() {
        let readers = policy
            .map_or("is removed, and not indexed".to_owned(), |number| format!("for policy {}", number + 1));
        line(out, &format!("{by}: {readers}"));
    }
    out.push_str("\nSearchable\n");
    for (name, form) in rules.indexed() {
        let removed = if rules.field(name).policy.is_none() { " (removed: it is not)" } else { "" };
        line(out, &format!("{name}: {}{removed}", search(name, &form)));
    }
    for pattern in rules.indexed_patterns() {
        line(out, &format!("names that begin with {pattern}: equal values, as name and value look"));
    }
    let required = if rules.index_required() { "is refused" } else { "is kept, and found by time alone" };
    line(out, &format!("a record in which nothing is searchable {required}"));
}

/// Who learns what.
fn shown(rules: &Rules, out: &mut String) {
    let mut by_reader: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut add = |leak: Leak| {
        let known = by_reader.entry(leak.to).or_default();
        if !known.contains(&leak.what) {
            known.push(leak.what);
        }
    };
    let is_weak = rules.policies().iter().any(|rule| rule.suite == Suite::Pairing);
    ALWAYS.into_iter().filter(|leak| is_weak || !leak.to.contains("quantum")).for_each(&mut add);
    let forms: Vec<FieldForm> = rules.indexed().map(|(_, form)| form).collect();
    let is_indexed = !forms.is_empty() || rules.indexed_patterns().next().is_some();
    if is_indexed {
        leaks(&strongroom_blindindex::Spec::equality(Form::Text)).into_iter().for_each(&mut add);
    }
    for form in forms {
        leaks(&form.spec(form.form.unwrap_or(Form::Text))).into_iter().for_each(&mut add);
    }
    out.push_str("\nWho learns what\n");
    for (reader, all) in by_reader {
        line(out, &format!("{reader}:"));
        for what in all {
            line(out, &format!("  - {what}"));
        }
    }
}

fn ways_in(inputs: &[Input], out: &mut String) {
    out.push_str("\nInputs\n");
    for input in inputs {
        let what = match &input.kind {
            InputKind::Tcp(address) => format!("tcp {address}"),
            InputKind::Http(address) => format!("http {address}"),
            InputKind::SyslogTcp(address) => format!("syslog over tcp {address}"),
            InputKind::SyslogUdp(address) => {
                format!("syslog over udp {address}: datagrams are lost where there is no room for them")
            }
            InputKind::File { path, .. } => format!("file {}", path.display()),
            InputKind::Stdin(_) => "standard input".to_owned(),
        };
        let exposed =
            if input.is_exposed() { ": records arrive in clear, for whoever is on the way" } else { "" };
        line(out, &format!("{what}{exposed}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Choice, Names, PolicyFile, Rule, Treatment};

    fn explained(opted: FieldForm, post_quantum: bool) -> String {
        let choice = |policy: &str| Choice { line: 1, policy: policy.to_owned(), post_quantum };
        let file = PolicyFile {
            default: Some(choice("ANALYST")),
            index: Names { exact: vec![(1, "src_ip".to_owned())], regex: vec![(1, "dst".to_owned())] },
            exact: vec![Rule { line: 1, matches: "password".to_owned(), treatment: Treatment::Remove }],
            forms: vec![("src_ip".to_owned(), opted)],
            ..PolicyFile::default()
        };
        let mut open = Input::usual();
        open.kind = InputKind::Tcp("0.0.0.0:6000".parse().unwrap());
        explain(&Rules::compile(&file).unwrap(), &[Input::usual(), open], &[])
    }

    #[test]
    fn it_says_what_is_removed_searched_and_heard_in_clear() {
        let text = explained(FieldForm::default(), false);
        for part in [
            "1. ANALYST; a quantum computer would open it",
            "exact password: is removed, and not indexed",
            "default: for policy 1",
            "src_ip: equal values, as an IP address or what each looks like",
            "names that begin with dst",
            "tcp 127.0.0.1:6000\n",
            "tcp 0.0.0.0:6000: records arrive in clear",
            "the texts of the policies, in clear",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn each_choice_adds_what_it_shows() {
        let plain = explained(FieldForm::default(), false);
        let days = explained(FieldForm { days: true, suffixes: true, ..FieldForm::default() }, false);
        assert!(!plain.contains("same day of the event") && days.contains("same day of the event"));
        assert!(days.contains("the tree of names without the names"));
        assert!(!explained(FieldForm::default(), true).contains("has a quantum computer later"));
    }
}
