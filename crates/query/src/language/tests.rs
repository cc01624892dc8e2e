use super::*;
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn read(text: &str) -> Question {
    Question::read(text, now()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn shown(condition: &Condition) -> String {
    let several = |word: &str, parts: &[Condition]| {
        let parts: Vec<String> = parts.iter().map(shown).collect();
        format!("{word}({})", parts.join(", "))
    };
    match condition {
        Condition::All(parts) => several("all", parts),
        Condition::Any(parts) => several("any", parts),
        Condition::Term(term) => {
            let field = term.field.as_deref().unwrap_or("*");
            match &term.wanted {
                Wanted::Value(value) => format!("{field}={value}"),
                Wanted::OnDay(value, day) => format!("{field}={value}@{day}"),
                Wanted::Network(value) => format!("{field} in {value}"),
                Wanted::Suffix(value) => format!("{field} under {value}"),
                Wanted::Unlike(value) => format!("{field}!={value}"),
            }
        }
    }
}

#[test]
fn conditions_are_read_as_people_mean_them() {
    for (text, meaning) in [
        ("203.0.113.7", "*=203.0.113.7"),
        ("\"two words\"", "*=two words"),
        ("src_ip=203.0.113.7", "src_ip=203.0.113.7"),
        ("src_ip = 203.0.113.7", "src_ip=203.0.113.7"),
        ("url=http://example.org/?a=b&c!=d", "url=http://example.org/?a=b&c!=d"),
        ("a=1 AND b=2 OR c=3", "any(all(a=1, b=2), c=3)"),
        ("a=1 and (b=2 or c=3)", "all(a=1, any(b=2, c=3))"),
        ("((a=1))", "a=1"),
        ("in 10.0.0.0/8", "* in 10.0.0.0/8"),
        (
            "src_ip in 10.0.0.0/8 AND host under example.org",
            "all(src_ip in 10.0.0.0/8, host under example.org)",
        ),
        ("a=1 AND b!=2", "all(a=1, b!=2)"),
        ("a=1 AND b != 2", "all(a=1, b!=2)"),
        ("a=1 day 1970-01-03", "a=1@2"),
        ("(a=1 OR b=2) day 1970-01-03 AND c=3", "all(any(a=1@2, b=2@2), c=3)"),
        ("'AND'", "*=AND"),
        ("a=and", "a=and"),
        (r#"'it\'s "so"'='a\\b'"#, r#"it's "so"=a\b"#),
        ("http/host=\u{e9}", "http/host=\u{e9}"),
    ] {
        assert_eq!(shown(&read(text).condition), meaning, "{text}");
    }
}

#[test]
fn times_are_dates_moments_seconds_or_ages() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (text, since) in [
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z"),
        ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00Z"),
        ("2026-11-01T10:00", "2026-11-01T10:00:00Z"),
        ("'2026-11-01 10:00:00'", "2026-11-01T10:00:00Z"),
        ("86400", "1970-01-02T00:00:00Z"),
        ("24h", "2026-11-21T12:00:00Z"),
        ("7d", "2026-11-15T12:00:00Z"),
        ("90s", "2026-11-22T11:58:30Z"),
        ("today", "2026-11-22T00:00:00Z"),
        ("yesterday", "2026-11-21T00:00:00Z"),
        ("now", "2026-11-22T12:00:00Z"),
    ] {
        let found = read(&format!("x since {text}")).happened;
        assert_eq!(found.after, Some(Bound { at: at(since), inclusive: true }), "{text}");
    }
    let whole = read("x until 2026-11-03").happened;
    assert!(whole.has(at("2026-11-03T23:59:59.9Z")) && !whole.has(at("2026-11-04T00:00:00Z")));
    let both = read("x arrived since 2d until now since 1h arrived until 1d");
    assert!(both.arrived.after.is_some() && both.arrived.before.is_some());
    assert!(both.happened.has(at("2026-11-22T11:30:00Z")) && !both.happened.has(at("2026-11-22T10:30:00Z")));
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    for (text, error) in [
        ("", "column 1: nothing to look for"),
        ("   ", "column 1: nothing to look for"),
        ("since 24h", "column 1: nothing to look for"),
        ("a=", "column 3: expected a value; one with spaces or parentheses goes in quotes after `=`"),
        ("=1", "column 1: expected a value, `field=value` or `(` after the beginning"),
        ("a=1 b=2", "column 5: expected AND, OR, `since`, `until` or the end, found `b`"),
        ("two words", "column 5: expected AND, OR"),
        ("a=1 AND", "column 8: expected a value, `field=value` or `(` after AND"),
        ("a=1 AND OR b", "column 9: expected a value, `field=value` or `(` after AND"),
        ("(a=1", "column 1: this `(` is never closed"),
        ("a=1)", "column 4: this `)` closes nothing"),
        ("(a=1 b)", "column 6: expected AND"),
        ("a=\"x", "column 3: this quote is never closed"),
        ("a=\"x\\n\"", "column 5: after a backslash"),
        ("NOT a=1", "column 1: NOT cannot be asked"),
        ("a=1 AND not b=2", "column 9: NOT cannot be asked"),
        ("a!=1", "column 1: `!=` only leaves out"),
        ("a=1 OR b!=2", "column 1: `!=` only leaves out"),
        ("a=1 since", "column 10: expected a time"),
        ("a=1 since then", "column 11: `then` is no time"),
        ("a=1 since 24h since 12h", "column 15: `since` was said before"),
        ("a=1 since 1h until 2h", "column 14: the time ends before it begins"),
        ("a=1 arrived 24h", "column 13: expected `since` or `until` after `arrived`"),
        ("a=1 day 24h", "column 9: `24h` is no day"),
        ("in 10.0.0.0/8 day 2026-11-01", "column 15: `day` goes with a value"),
        ("a=1 day 2026-11-01 day 2026-11-01", "column 20: expected AND"),
        ("in", "column 3: expected a network"),
        ("é=\u{1f600} x", "column 5: expected AND"),
    ] {
        let found = Question::read(text, now()).unwrap_err().to_string();
        assert!(found.starts_with(error), "{text}: {found}");
    }
}

#[test]
fn size_depth_and_number_are_bounded() {
    let problem = |text: &str| Question::read(text, now()).unwrap_err().problem;
    assert_eq!(problem(&"x".repeat(MAX_QUERY_BYTES + 1)), Problem::TooLong);
    let deep = |depth: usize| format!("{}x{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Question::read(&deep(MAX_DEPTH), now()).is_ok());
    assert_eq!(problem(&deep(MAX_DEPTH + 1)), Problem::TooDeep);
    assert_eq!(problem(&deep(8000)), Problem::TooDeep);
    let many = |count: usize| vec!["x"; count].join(" OR ");
    assert_eq!(read(&many(MAX_TERMS)).condition.terms().len(), MAX_TERMS);
    assert_eq!(problem(&many(MAX_TERMS + 1)), Problem::TooMany);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_or_refused_in_its_place(text in "\\PC{0,60}|[a-z=!()\"' 0-9ANDORsinceutl\\\\]{0,60}") {
        if let Err(error) = Question::read(&text, now()) {
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1, "{error}");
        }
    }

    #[test]
    fn a_quoted_value_comes_back_as_it_was(value in "\\PC{0,40}") {
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        let question = Question::read(&format!("field=\"{quoted}\""), now()).unwrap();
        prop_assert_eq!(question.condition.terms()[0].wanted.clone(), Wanted::Value(value));
    }
}
